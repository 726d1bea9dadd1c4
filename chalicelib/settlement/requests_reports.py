"""Owns what callers send and get about settlement reports and their lines."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chalicelib.kernel.models import Instant, PageQuery, Value
from chalicelib.kernel.quantities import Money
from chalicelib.settlement.models import Component, LineState, MarketRules, ReportState
from chalicelib.settlement.models_runs import InstructionDetail, ReportLine

MONTH = r"^20\d{2}-(0[1-9]|1[0-2])$"
MOST_LINES = 500

LineId = Annotated[str, Field(min_length=1, max_length=120)]


class ReportQuery(PageQuery):
    """Reports of the caller's organisation: of a month, in a state, with one other side, of one run."""

    month: str | None = Field(default=None, pattern=MONTH, description="of the first day: 2026-04")
    state: ReportState | None = None
    fsp: str | None = Field(default=None, max_length=80)
    so: str | None = Field(default=None, max_length=80)
    run_id: str | None = Field(default=None, max_length=80)


class ReportSummary(Value):
    """A report in a list. `total` and the counts are of its lines as they were published, corrections included."""

    id: str
    run_id: str
    number: int = Field(description="which version of its days it is")
    so: str
    so_name: str
    fsp: str
    fsp_name: str
    first: date
    last: date
    month: str | None = None
    state: ReportState
    made_at: Instant
    published_at: Instant | None = None
    disputable_until: date | None = Field(default=None, description="the last local day a line may be disputed on")
    superseded_by: str | None = None
    superseded_at: Instant | None = None
    lines: int
    unsettled: int
    total: Money
    currency: str
    time_zone: str
    version: int


class ComponentTotal(Value):
    """What a report's lines of one component come to; lines without an amount count, and add nothing."""

    component: Component
    lines: int
    unsettled: int
    total: Money


class StateTotal(Value):
    """What a report's lines in one state come to, as they stand today."""

    state: LineState
    lines: int
    total: Money


class ReportView(ReportSummary):
    """A report with what it comes to, and what the caller may do with it now."""

    by_component: tuple[ComponentTotal, ...]
    by_state: tuple[StateTotal, ...]
    can: tuple[str, ...] = Field(default=(), description="of publish, dispute, agree")


class LineQuery(PageQuery):
    """Lines of a report, in its order."""

    state: LineState | None = None
    obligation_id: str | None = Field(default=None, max_length=80)
    instruction_id: str | None = Field(default=None, max_length=80)
    component: Component | None = None
    unsettled: bool = Field(default=False, description="only those that could not be settled")


class LineView(ReportLine):
    """A line as it stands today, with what the caller may do with it now."""

    can: tuple[str, ...] = Field(default=(), description="of dispute, agree")


class SettledInstruction(Value):
    """Everything that explains an instruction's lines, and the lines themselves as they stand today."""

    report_id: str
    detail: InstructionDetail
    lines: tuple[LineView, ...]


class RulesApplied(Value):
    """Every version of market rules that settled something in a report."""

    items: tuple[MarketRules, ...]


class EarlyAgreementRequest(BaseModel):
    """Lines the provider agrees to before their time: named by id, or all that are open and have an amount."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    line_ids: tuple[LineId, ...] = Field(default=(), max_length=MOST_LINES)
    every_line: bool = Field(default=False, description="all open lines with an amount, instead of naming them")

    @model_validator(mode="after")
    def _one_of(self) -> EarlyAgreementRequest:
        if bool(self.line_ids) == self.every_line:
            raise ValueError("name lines, or say every_line")
        return self


class PublicationView(Value):
    """What of a run is published, and how many of its drafts are still to be: ask again while any are left."""

    run_id: str
    reports: tuple[ReportSummary, ...]
    left: int
