"""Owns making workbooks for jobs. Carries the spreadsheet library; for functions only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from chalicelib.files import actions_exporting as work
from chalicelib.files.columns import Template
from chalicelib.files.models import Job
from chalicelib.files.writing import write_download, write_template
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem, Refusal

Exporter = Callable[[Call, dict[str, Any]], "tuple[Template, Mapping[str, Iterable[Mapping[str, Any]]]]"]


class _Counted:
    """Rows on their way into a tab, counted as they pass."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._rows = rows
        self.passed = 0

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for row in self._rows:
            self.passed += 1
            yield row


def make_export(call: Call, job_id: str, exporter: Exporter) -> None:
    """Make the workbook of a job for whoever asked; a refusal closes the job with its reason."""
    job = work.find_queued(job_id)
    if job is None:
        return
    try:
        content, rows = _made(work.acting(call, job), job, exporter)
    except ValidationError as error:
        work.refuse_job(call, job, _bad_filters(error))
    except Refusal as refusal:
        work.refuse_job(call, job, refusal)
    else:
        work.finish_job(call, job, content, f"headroom-{job.kind}-{job.at:%Y-%m-%d}.xlsx", rows)


def make_templates(call: Call, job_id: str, templates: Iterable[Template]) -> None:
    """Make the blank workbook of every template."""
    job = work.find_queued(job_id)
    if job is not None:
        work.keep_templates(call, job, {template.kind: write_template(template) for template in templates})


def _made(call: Call, job: Job, exporter: Exporter) -> tuple[bytes, int]:
    template, sheets = exporter(call, job.filters)
    counted = {name: _Counted(rows) for name, rows in sheets.items()}
    content = write_download(template, counted)
    return content, sum(rows.passed for rows in counted.values())


def _bad_filters(error: ValidationError) -> Invalid:
    problems = [
        Problem("export.filter", each["msg"], "filters/" + "/".join(map(str, each["loc"]))) for each in error.errors()
    ]
    return Invalid.of(problems, "export.filters")
