"""Owns the workbook of a scheme's applications: one row per submission, one column per question."""

from __future__ import annotations

from chalicelib.files.columns import Column, LocalDateTime, Sheet, Template, WholeNumber
from chalicelib.registry.forms import Form, Question, Section

APPLICATIONS = "Applications"

_ABOUT = (
    Column("Application ID", "application", "The application.", shown_only=True),
    Column("FSP", "fsp_name", "The organisation that applies.", shown_only=True),
    Column("Submission", "number", "1, then one more each time.", kind=WholeNumber(), shown_only=True),
    Column("Submitted (UTC)", "submitted_at", "When it was submitted.", kind=LocalDateTime(), shown_only=True),
    Column("State", "state", "Where the application stands now.", shown_only=True),
    Column("Ruling", "ruling", "What was ruled on this submission.", shown_only=True),
    Column("Reason", "reason", "The reason given.", shown_only=True),
    Column("Contracting Entity", "entity_name", "The company that applies.", shown_only=True),
    Column("Company Number", "entity_number", "Its number in the register.", shown_only=True),
    Column("VAT Number", "entity_vat", "Its VAT number.", shown_only=True),
)


def applications_template(form: Form) -> Template:
    """The workbook of all applications to a scheme whose submissions answered the questions of `form`."""
    asked = tuple(_column(section, question) for section in form.sections for question in section.questions)
    return Template(
        kind="applications",
        title="Applications",
        version="1",
        sheets=(Sheet(APPLICATIONS, (*_ABOUT, *asked), help="One row per submission."),),
        how_to=("Every submission to the scheme, with its answers as they were given. Nothing reads it back.",),
    )


def answer_field(section_id: str, question_id: str) -> str:
    """The field of a question's column."""
    return f"answer:{section_id}/{question_id}"


def _column(section: Section, question: Question) -> Column:
    header = f"{section.title}: {question.label}"
    return Column(header, answer_field(section.id, question.id), question.help or question.label, shown_only=True)
