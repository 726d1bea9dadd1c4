"""Owns what is asked of dispatch: variations, offers, instructions, answers, reports, rules, and their queries."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from pydantic import Field

from chalicelib.dispatch.models import InstructionState
from chalicelib.dispatch.terms import DEFAULT_REF, DispatchTerms
from chalicelib.kernel.models import Instant, PageQuery, Value
from chalicelib.kernel.quantities import Megawatts

AT_ONCE = 500
LONGEST_LOOK = timedelta(days=31)


class VariationRequest(Value):
    """Less than promised over `[start, end)`; without `start`, from now on."""

    obligation_id: str = Field(max_length=80)
    start: Instant | None = None
    end: Instant
    available_mw: Megawatts
    reason: str = Field(min_length=1, max_length=500)


class PeriodOffer(Value):
    """Variable availability of one period, named by its start; 0 MW takes it back."""

    obligation_id: str = Field(max_length=80)
    start: Instant
    mw: Megawatts


class OffersRequest(Value):
    """Offers of one or many periods: all are taken, or none."""

    offers: tuple[PeriodOffer, ...] = Field(min_length=1, max_length=30)


class PeriodDecision(Value):
    """The operator's word on one offered period."""

    obligation_id: str = Field(max_length=80)
    start: Instant
    decision: Literal["accepted", "declined"]


class PeriodDecisionsRequest(Value):
    """Decisions on one or many offered periods: all are taken, or none."""

    decisions: tuple[PeriodDecision, ...] = Field(min_length=1, max_length=30)


class AvailabilityQuery(PageQuery):
    """Availability of `[after, until)`: from now for seven days unless said; at most 31 days."""

    after: Instant | None = None
    until: Instant | None = None
    obligation_id: str | None = Field(default=None, max_length=80)


class VariationQuery(PageQuery):
    """Variations of one obligation in the order they were declared, or of each of a page of obligations."""

    obligation_id: str | None = Field(default=None, max_length=80)


class InstructionRequest(Value):
    """One instruction. An urgent one needs no times: it starts now and runs as long as it may.

    `client_token` is the sender's own mark: the same one for the same obligation never instructs twice.
    """

    obligation_id: str = Field(max_length=80)
    client_token: str = Field(min_length=1, max_length=100)
    mw: Megawatts
    start: Instant | None = None
    end: Instant | None = None
    urgent: bool = False


class InstructionsRequest(Value):
    """One or hundreds of instructions; each is issued or refused by itself."""

    instructions: tuple[InstructionRequest, ...] = Field(min_length=1, max_length=AT_ONCE)


class TestInstructionRequest(Value):
    """A test of the way to a provider: nothing is delivered and nothing earned."""

    __test__ = False
    obligation_id: str = Field(max_length=80)
    client_token: str = Field(min_length=1, max_length=100)


class Answer(Value):
    """Acknowledge all, or a part of at least the market's minimum; or decline with a reason."""

    answer: Literal["acknowledge", "decline"]
    mw: Megawatts | None = Field(default=None, description="a part; all of it unless said")
    reason: str | None = Field(default=None, max_length=500)


class InstructionAnswer(Answer):
    """An answer to one instruction among many."""

    instruction_id: str = Field(max_length=80)


class InstructionAnswersRequest(Value):
    """Answers to one or hundreds of instructions; each is taken or refused by itself."""

    answers: tuple[InstructionAnswer, ...] = Field(min_length=1, max_length=AT_ONCE)


class EndRequest(Value):
    """Why an instruction is stopped or cancelled."""

    reason: str = Field(min_length=1, max_length=500)


class ReportRequest(Value):
    """What the provider says of a running instruction."""

    report: Literal["started", "delivered", "failed"]
    reason: str | None = Field(default=None, max_length=500)


class InstructionQuery(PageQuery):
    """Instructions that start in `[after, until)`; without them, from a year ago to two years ahead."""

    after: Instant | None = None
    until: Instant | None = None
    state: InstructionState | None = None
    obligation_id: str | None = Field(default=None, max_length=80)


class ScheduleQuery(PageQuery):
    """What is to come, unless `after` and `until` say otherwise; as JSON, CSV or iCalendar."""

    after: Instant | None = None
    until: Instant | None = None
    obligation_id: str | None = Field(default=None, max_length=80)
    format: Literal["json", "csv", "ics"] = "json"


class ControlRoomQuery(Value):
    """Who can deliver in the next hours; `rotation` puts those called least in the last 30 days first."""

    hours: int = Field(default=4, ge=1, le=48)
    area: str | None = Field(default=None, max_length=200, description="reference of an area")
    direction: str | None = Field(default=None, max_length=20)
    order: Literal["cost", "rotation"] = "cost"


class ConflictQuery(PageQuery):
    """Conflicts of the caller, latest first."""


class RulesRequest(DispatchTerms):
    """Terms under a name from a local day on; without `effective_from`, from today."""

    ref: str = Field(default=DEFAULT_REF, min_length=1, max_length=80, pattern=r"^[^#]+$")
    effective_from: date | None = None


class AutoAcceptRequest(Value):
    """Acknowledge at once what fits all that is stated; nothing stated fits everything."""

    obligation_id: str | None = Field(default=None, max_length=80)
    so: str | None = Field(default=None, max_length=80)
    maximum_mw: Megawatts | None = None
    minimum_notice: timedelta | None = None


class CalendarLinkRequest(Value):
    """A link to follow the schedule by; the name is for whoever looks after the links."""

    name: str = Field(default="calendar", min_length=1, max_length=100)


class PublicDispatchQuery(PageQuery):
    """Instructions that ran and started in `[after, until)`: of one operator, or of all, one after the other."""

    so: str | None = Field(default=None, max_length=80)
    after: Instant | None = None
    until: Instant | None = None
    format: Literal["json", "csv"] = "json"
