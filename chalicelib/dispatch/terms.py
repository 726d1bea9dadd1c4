"""Owns the dispatch part of market rules: clocks, notice, parts and gates, versioned by date; presets that ship."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator

from chalicelib.competitions.words import Day
from chalicelib.kernel.models import Instant, Value
from chalicelib.kernel.periods import clock_minutes
from chalicelib.kernel.quantities import Number

DEFAULT_REF = "default"
PresetName = Literal["30 minutes", "1 hour", "4 hours", "48 working hours", "no answer needed"]


class DispatchTerms(Value):
    """What an operator may set. Times are ISO 8601 durations, clocks local `HH:MM`."""

    answer_needed: bool = Field(default=True, description="without, an instruction is acknowledged when it is sent")
    acceptance_time: timedelta = Field(default=timedelta(minutes=30), description="in which it must be answered")
    in_working_time: bool = Field(default=False, description="the clock runs on working days 09:00 to 17:00 alone")
    minimum_part: Number = Field(
        default=Decimal("0.5"), ge=0, le=1, description="least share of an instruction's MW that may be acknowledged"
    )
    notice: timedelta = Field(default=timedelta(0), description="least time from sending an instruction to its start")
    variation_notice: timedelta = Field(
        default=timedelta(days=1), description="a variation of availability declared nearer than this is late"
    )
    schedule_lead: timedelta = Field(
        default=timedelta(days=1), description="how long before its start a scheduled instruction is sent"
    )
    gate_day: Day = Field(default="Wed", description="of the week before: last day to offer variable availability")
    gate_clock: str = Field(default="24:00", max_length=5)
    decision_day: Day = Field(default="Thu", description="of the week before: last day to accept it")
    decision_clock: str = Field(default="12:00", max_length=5)
    publication_delay: timedelta = Field(
        default=timedelta(days=1), description="how long after its end an instruction becomes open data"
    )

    @field_validator("acceptance_time", "notice", "variation_notice", "schedule_lead", "publication_delay")
    @classmethod
    def _not_negative(cls, value: timedelta) -> timedelta:
        if not timedelta(0) <= value <= timedelta(days=366):
            raise ValueError("between no time and 366 days")
        return value

    @field_validator("gate_clock", "decision_clock")
    @classmethod
    def _is_clock(cls, value: str) -> str:
        clock_minutes(value)
        return value


class DispatchRules(DispatchTerms):
    """An operator's terms under one name, from a local day on; `version` counts up and none is ever edited."""

    so: str
    ref: str
    effective_from: date
    version: int = 1
    set_at: Instant
    set_by: str


PRESETS: dict[PresetName, DispatchTerms] = {
    "30 minutes": DispatchTerms(),
    "1 hour": DispatchTerms(acceptance_time=timedelta(hours=1)),
    "4 hours": DispatchTerms(acceptance_time=timedelta(hours=4)),
    "48 working hours": DispatchTerms(acceptance_time=timedelta(hours=48), in_working_time=True),
    "no answer needed": DispatchTerms(answer_needed=False),
}
"""Acceptance times in use; everything else as it ships."""
