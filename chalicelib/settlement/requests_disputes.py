"""Owns what callers send and get about disputes of lines."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.kernel.models import PageQuery
from chalicelib.settlement.models_runs import Dispute, DisputeState
from chalicelib.settlement.requests_reports import MONTH, LineView

MOST_EVIDENCE = 10
MOST_WORDS = 2000

Words = Annotated[str, Field(min_length=1, max_length=MOST_WORDS)]
Named = Annotated[str, Field(min_length=1, max_length=500, description="a receipt's id, or a link https://…")]
Evidence = Annotated[tuple[Named, ...], Field(default=(), max_length=MOST_EVIDENCE)]


class DisputeRequest(BaseModel):
    """Why a line is disputed, and what shows it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    reason: Words
    evidence: Evidence = ()


class MessageRequest(BaseModel):
    """What a side says in answer or in carrying a dispute further, and what shows it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    words: Words
    evidence: Evidence = ()


class EndRequest(BaseModel):
    """A last word, if any, of the side that ends a dispute."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    words: Annotated[str, Field(default="", max_length=MOST_WORDS)] = ""


class DisputeQuery(PageQuery):
    """Disputes of the caller's organisation, latest first."""

    state: DisputeState | None = None
    month: str | None = Field(default=None, pattern=MONTH)
    fsp: str | None = Field(default=None, max_length=80)
    so: str | None = Field(default=None, max_length=80)


class DisputeSummary(Dispute):
    """A dispute with the names of its sides, and what the caller may do with it now."""

    so_name: str
    fsp_name: str
    can: tuple[str, ...] = Field(default=(), description="of answer, agree, escalate, withdraw")


class DisputeView(DisputeSummary):
    """A dispute with its line as it stands today, in the report that is published now."""

    line: LineView | None = None
