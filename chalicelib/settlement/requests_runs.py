"""Owns what callers send and get about settlement runs and what changed between their versions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chalicelib.kernel.models import Instant, PageQuery, Value
from chalicelib.kernel.quantities import Money
from chalicelib.settlement.differences import Cause
from chalicelib.settlement.models import Component, Unsettleable
from chalicelib.settlement.models_runs import RunReason, RunState

MOST_DAYS = 366
_MONTH = r"^20\d{2}-(0[1-9]|1[0-2])$"


class RunRequest(BaseModel):
    """A run over a local month (`2026-04`), or over local days `first` to `last`, both inclusive.

    The operator may narrow it to one obligation. An FSP asks for a month of a report of its own and names the
    operator; the run covers the operator's whole month.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    month: str | None = Field(default=None, pattern=_MONTH)
    first: date | None = None
    last: date | None = None
    obligation_id: str | None = Field(default=None, max_length=80)
    so: str | None = Field(default=None, max_length=80, description="whose month an FSP asks for")
    note: str | None = Field(default=None, max_length=500, description="why")

    @model_validator(mode="after")
    def _days(self) -> RunRequest:
        said = [each is not None for each in (self.first, self.last)]
        if any(said) if self.month is not None else not all(said):
            raise ValueError("a month, or the first and the last day")
        return self

    @model_validator(mode="after")
    def _length(self) -> RunRequest:
        first, last = self.days
        if not 0 <= (last - first).days < MOST_DAYS or not 2000 <= first.year < 2100:
            raise ValueError(f"from the first day to the last, at most {MOST_DAYS} days of this century")
        return self

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last local day."""
        if self.month is None:
            assert self.first is not None
            assert self.last is not None
            return self.first, self.last
        first = date.fromisoformat(f"{self.month}-01")
        return first, date.fromordinal(_next_month(first).toordinal() - 1)


class RunQuery(PageQuery):
    """The caller's runs, latest days first."""


class RunView(Value):
    """A run as one side sees it: an FSP's figures are of its own part alone, and come once its report is published."""

    id: str
    so: str
    first: date
    last: date
    month: str | None = None
    obligation_id: str | None = None
    number: int
    previous: str | None = None
    reason: RunReason
    note: str | None = None
    asked_at: Instant
    state: RunState
    done_at: Instant | None = None
    failure: str | None = None
    can_be_published: bool
    fsps: tuple[str, ...] = ()
    report_ids: tuple[str, ...] = ()
    lines: int | None = None
    unsettled: int | None = None
    total: Money | None = None
    version: int


class DifferencesQuery(PageQuery):
    """Of a run against the one before it; the operator may ask for one FSP's lines."""

    fsp: str | None = Field(default=None, max_length=80)


class DifferenceView(Value):
    """A line that changed. `before` and `after` are None where there was no line, or none that could be settled."""

    fsp: str
    month: str
    obligation_id: str
    instruction_id: str | None = None
    competition_reference: str
    window_name: str
    component: Component
    before: Money | None = None
    after: Money | None = None
    reason_before: Unsettleable | None = None
    reason_after: Unsettleable | None = None
    rules_before: int | None = None
    rules_after: int | None = None
    change: Decimal
    cause: Cause


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
