"""Owns what company qualification is asked and what it tells: bodies, queries and views of schemes and applications."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.kernel.models import Instant, PageQuery, Value
from chalicelib.kernel.names import FileName, Title
from chalicelib.registry.forms import MOST_TEXT, Form, Section
from chalicelib.registry.models import ContractingEntity
from chalicelib.registry.requests import REASON
from chalicelib.registry.schemes import ApplicationState, DecisionAction, KeptAnswers, Ruling, SchemeState

DocumentName = Annotated[str, Field(max_length=1000)]
AnswerGiven = Annotated[str, Field(max_length=MOST_TEXT)] | bool | int | float | None
_QuestionId = Annotated[str, Field(max_length=60)]
SectionGiven = Annotated[dict[_QuestionId, AnswerGiven], Field(max_length=100)]


class SchemeQuery(PageQuery):
    so: str | None = Field(default=None, max_length=60)
    ref: str | None = Field(default=None, max_length=100)
    state: SchemeState | None = None


class SchemeRequest(Value):
    """A new scheme; without a form it has the standard one."""

    ref: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$")
    name: Title
    description: str = Field(default="", max_length=10_000)
    form: Form | None = None
    required_documents: tuple[DocumentName, ...] = Field(default=(), max_length=30)
    state: SchemeState = "open"


class SchemeChange(Value):
    name: Title | None = None
    description: str | None = Field(default=None, max_length=10_000)
    form: Form | None = None
    required_documents: tuple[DocumentName, ...] | None = Field(default=None, max_length=30)
    state: SchemeState | None = None


class SchemeView(Value):
    """A scheme with its whole form, and for an FSP its own application's id and state."""

    id: str
    so: str
    so_name: str
    ref: str
    name: str
    description: str
    sections: tuple[Section, ...]
    required_documents: tuple[str, ...]
    state: SchemeState
    application: str | None = None
    application_state: ApplicationState | None = None
    version: int


class ApplicationQuery(PageQuery):
    scheme: str | None = Field(default=None, max_length=60)
    state: ApplicationState | None = None


class ApplicationRequest(Value):
    contracting_entity: str | None = Field(default=None, max_length=60)


class ApplicationChange(Value):
    """Answers of one or more sections, each replaced as a whole; the others stay."""

    contracting_entity: str | None = Field(default=None, max_length=60)
    answers: dict[_QuestionId, SectionGiven] = Field(default_factory=dict, max_length=40)


class ApplicationView(Value):
    """An application. An SO sees the answers of the latest submission, never what is being written."""

    id: str
    scheme: str
    scheme_ref: str
    so: str
    fsp: str
    fsp_name: str
    state: ApplicationState
    contracting_entity: ContractingEntity | None = None
    answers: KeptAnswers
    sections_complete: tuple[str, ...] = ()
    submissions: int
    submitted_at: Instant | None = None
    since: Instant
    rulings: tuple[Ruling, ...] = ()
    version: int


class ApplicationSummary(Value):
    id: str
    scheme: str
    so: str
    fsp: str
    fsp_name: str
    state: ApplicationState
    submissions: int
    submitted_at: Instant | None = None
    since: Instant
    version: int


class SubmissionView(Value):
    number: int
    at: Instant
    by: str
    contracting_entity: ContractingEntity
    answers: KeptAnswers


class DecisionRequest(Value):
    action: DecisionAction
    reason: str | None = REASON


class WithdrawalRequest(Value):
    reason: str | None = REASON


class FileRequest(Value):
    """A file to be uploaded as the answer to one question."""

    section: str = Field(max_length=60)
    question: str = Field(max_length=60)
    name: FileName
    content_type: str = Field(max_length=200)
    size: int = Field(description="bytes")


class FileUpload(Value):
    """Where to send the file: a form POST of `fields`, then the file as `file`. Its id is the answer to give."""

    id: str
    url: str
    fields: dict[str, str]
    expires_in: int


class FileView(Value):
    id: str
    section: str
    question: str
    name: str
    content_type: str
    url: str
