"""Owns making the files that jobs ask for: workbooks from rows, or a room's own bytes. For functions only.

Carries the spreadsheet library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from chalicelib.files import actions_exporting as work
from chalicelib.files.columns import Template
from chalicelib.files.models import Job
from chalicelib.files.writing import write_download, write_template
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem, Refusal

Exporter = Callable[[Call, dict[str, Any]], "tuple[Template, Mapping[str, Iterable[Mapping[str, Any]]]]"]

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class FileMade:
    """A file ready to be kept: its bytes, the name it is downloaded under, its media type, the rows it holds."""

    content: bytes
    name: str
    content_type: str
    rows: int = 0


Maker = Callable[[Call, dict[str, Any]], FileMade]


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
    _make(call, job_id, lambda acting, job: _workbook(acting, job, exporter))


def make_file(call: Call, job_id: str, maker: Maker) -> None:
    """Make the file of a job, of whatever type, for whoever asked; a refusal closes the job with its reason."""
    _make(call, job_id, lambda acting, job: maker(acting, job.filters))


def make_templates(call: Call, job_id: str, templates: Iterable[Template]) -> None:
    """Make the blank workbook of every template."""
    job = work.find_queued(job_id)
    if job is not None:
        work.keep_templates(call, job, {template.kind: write_template(template) for template in templates})


def _make(call: Call, job_id: str, make: Callable[[Call, Job], FileMade]) -> None:
    job = work.find_queued(job_id)
    if job is None:
        return
    try:
        made = make(work.acting(call, job), job)
    except ValidationError as error:
        work.refuse_job(call, job, _bad_filters(error))
    except Refusal as refusal:
        work.refuse_job(call, job, refusal)
    else:
        work.finish_job(call, job, made.content, made.name, made.rows, made.content_type)


def _workbook(call: Call, job: Job, exporter: Exporter) -> FileMade:
    template, sheets = exporter(call, job.filters)
    counted = {name: _Counted(rows) for name, rows in sheets.items()}
    content = write_download(template, counted)
    name = f"headroom-{job.kind}-{job.at:%Y-%m-%d}.xlsx"
    return FileMade(content, name, WORKBOOK, sum(rows.passed for rows in counted.values()))


def _bad_filters(error: ValidationError) -> Invalid:
    problems = [
        Problem("export.filter", each["msg"], "filters/" + "/".join(map(str, each["loc"]))) for each in error.errors()
    ]
    return Invalid.of(problems, "export.filters")
