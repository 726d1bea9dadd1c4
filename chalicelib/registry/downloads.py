"""Fills the workbook of all applications to a scheme. For functions only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any

from pydantic import BaseModel, ConfigDict

from chalicelib.files.columns import Template
from chalicelib.kernel.call import Call
from chalicelib.registry import actions_reads
from chalicelib.registry.actions_schemes import own_scheme
from chalicelib.registry.forms import Form, Section, with_documents
from chalicelib.registry.schemes import Application, Ruling, Submission
from chalicelib.registry.sheets import APPLICATIONS, answer_field, applications_template


class ApplicationsFilter(BaseModel):
    """Which scheme's applications."""

    model_config = ConfigDict(extra="forbid")
    scheme: str


def export_applications(call: Call, filters: dict[str, Any]) -> tuple[Template, dict[str, Iterable[dict[str, Any]]]]:
    """A row per submission to one of the caller's schemes, with every question that any of them answered.

    ValidationError unless `filters` name a `scheme`; `NotFound` for another SO's.
    """
    scheme = own_scheme(call, ApplicationsFilter.model_validate(filters).scheme)
    submitted = list(actions_reads.submissions_of(scheme.id))
    forms = [with_documents(scheme.form, scheme.required_documents), *(one.form for one, _ in submitted)]
    names = {it.id: it.name for it in actions_reads.get_organisations([one.fsp for one, _ in submitted]).values()}
    rows = [_row(one, application, names[one.fsp]) for one, application in submitted]
    return applications_template(_joined(forms)), {APPLICATIONS: rows}


def _joined(forms: Iterable[Form]) -> Form:
    """One form that has every question of all: a form may have changed between submissions."""
    sections: dict[str, Section] = {}
    for form in forms:
        for section in form.sections:
            known = sections.setdefault(section.id, section)
            ids = {question.id for question in known.questions}
            added = tuple(question for question in section.questions if question.id not in ids)
            sections[section.id] = Section(id=known.id, title=known.title, questions=(*known.questions, *added))
    return Form(sections=tuple(sections.values()))


def _row(it: Submission, application: Application, fsp_name: str) -> dict[str, Any]:
    ruling = _ruling(it, application.rulings)
    return {
        "application": it.application,
        "fsp_name": fsp_name,
        "number": it.number,
        "submitted_at": it.at.astimezone(UTC).replace(tzinfo=None),
        "state": application.state,
        "ruling": ruling.action if ruling else None,
        "reason": ruling.reason if ruling else None,
        "entity_name": it.contracting_entity.name,
        "entity_number": it.contracting_entity.company_number,
        "entity_vat": it.contracting_entity.vat_number,
    } | dict(_answers(it))


def _ruling(it: Submission, rulings: tuple[Ruling, ...]) -> Ruling | None:
    """The latest ruling on this very submission."""
    return next((ruling for ruling in reversed(rulings) if ruling.submission == it.number), None)


def _answers(it: Submission) -> Iterator[tuple[str, str]]:
    for section_id, answers in it.answers.items():
        for question_id, answer in answers.items():
            text = ("yes" if answer else "no") if isinstance(answer, bool) else answer
            yield answer_field(section_id, question_id), text
