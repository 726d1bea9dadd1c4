"""Owns the values of company qualification: schemes, applications, the versions submitted, and their files."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from chalicelib.kernel.models import Instant, Value
from chalicelib.registry.forms import Answer, Form
from chalicelib.registry.models import ContractingEntity

SchemeState = Literal["open", "closed"]
ApplicationState = Literal["draft", "submitted", "approved", "rejected", "suspended", "withdrawn"]
DecisionAction = Literal["approve", "reject", "suspend", "reinstate"]
KeptAnswers = dict[str, dict[str, Answer]]
MOST_FILE_BYTES = 25_000_000


class Scheme(Value):
    """A company qualification of an SO, under a reference it chose."""

    id: str
    so: str
    ref: str
    name: str
    description: str = ""
    form: Form
    required_documents: tuple[str, ...] = ()
    state: SchemeState = "open"
    created_at: Instant
    version: int = 1


class Ruling(Value):
    """What an SO did with an application: the act, when, by whom, why."""

    action: DecisionAction
    at: Instant
    by: str
    reason: str | None = None
    submission: int


class Application(Value):
    """An FSP's application to a scheme: what it is writing now, where it stands, and what was ruled so far."""

    id: str
    scheme: str
    so: str
    fsp: str
    state: ApplicationState = "draft"
    contracting_entity: str | None = None
    answers: KeptAnswers = Field(default_factory=dict)
    submissions: int = 0
    rulings: tuple[Ruling, ...] = ()
    submitted_at: Instant | None = None
    since: Instant
    version: int = 1


class Submission(Value):
    """A version of an application as it was submitted; never changed after."""

    application: str
    scheme: str
    fsp: str
    number: int
    contracting_entity: ContractingEntity
    answers: KeptAnswers
    form: Form
    at: Instant
    by: str


class ApplicationFile(Value):
    """A file uploaded for one question of an application."""

    id: str
    application: str
    scheme: str
    fsp: str
    section: str
    question: str
    name: str
    content_type: str
    key: str
    created_at: Instant


class Approval(Value):
    """Where an FSP stands in a scheme, for the rooms that let only approved companies by."""

    scheme_id: str
    fsp_id: str
    state: ApplicationState
    version: int
    since: Instant
    rulings: tuple[Ruling, ...] = ()

    @property
    def is_approved(self) -> bool:
        return self.state == "approved"

    def was_approved_at(self, instant: datetime) -> bool:
        """Whether the company was approved just before an instant, by the rulings kept."""
        if self.since < instant:
            return self.is_approved
        earlier = [ruling.action for ruling in self.rulings if ruling.at < instant]
        return bool(earlier) and earlier[-1] in ("approve", "reinstate")
