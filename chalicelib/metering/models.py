"""Owns what a reading is: average power of a period, import positive, in whole milliwatts, by meter and local day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field, model_validator

from chalicelib.kernel.models import Instant, PageQuery, Value

ZONE = "Europe/London"
"""The clock of meter-days, and what `local` means in a file of readings."""

RESOLUTIONS = (30, 15, 5, 1)
Unit = Literal["kWh", "Wh", "kW"]
Clock = Literal["UTC", "local"]
Stamp = Literal["start", "end"]
Sign = Literal["import", "export"]


class Declaration(Value):
    """What a file says of its readings; None where it does not say.

    `positive` is the direction its positive figures stand for; `minutes` the length of a period.
    """

    unit: Unit | None = None
    clock: Clock | None = None
    stamp: Stamp | None = None
    positive: Sign | None = None
    minutes: int | None = None


class MeterDay(Value):
    """A meter's local day: one value per period of `minutes`, milliwatts, import positive; None is missing."""

    meter_id: str
    day: date
    minutes: int
    values: tuple[int | None, ...]

    @property
    def present(self) -> int:
        return len(self.values) - self.values.count(None)


class Revision(Value):
    """A meter-day as one file gave it; of two files the later one counts, period by period."""

    day: MeterDay
    received_at: Instant
    source: str


class DayView(Value):
    """How complete a meter's local day is."""

    day: date
    minutes: int | None = Field(default=None, description="of a period; none where nothing was read")
    expected: int = Field(description="periods the day has: 48, 46 or 50 half-hours")
    present: int
    revisions: int
    received_at: Instant | None = Field(default=None, description="when the latest file of it came")


class MeterView(Value):
    """A meter's month, day by day."""

    meter_id: str
    month: str
    expected: int
    present: int
    days: tuple[DayView, ...]


class MeterDataQuery(PageQuery):
    """A month of the meters behind one obligation, or of one meter of the caller's own."""

    month: str = Field(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$", description="2026-04")
    obligation_id: str | None = Field(default=None, max_length=80)
    meter_id: str | None = Field(default=None, max_length=40)

    @model_validator(mode="after")
    def _one_of(self) -> MeterDataQuery:
        if (self.obligation_id is None) == (self.meter_id is None):
            raise ValueError("name an obligation, or a meter of your own")
        return self


Readings = dict[datetime, int]
"""Milliwatts by the UTC start of the period."""
