"""Owns what callers send of readings, and what they are told became of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from chalicelib.kernel.models import Value
from chalicelib.kernel.quantities import Number
from chalicelib.metering.models import Clock, Sign, Stamp, Unit

MOST_SERIES = 1_500
MOST_FIGURES = 75_000
"""1,500 half-hourly meter-days, and some."""


class SeriesRequest(Value):
    """Consecutive figures of one meter: `first` is the stamp of the first one, None a reading that is missing.

    A stamp with an offset or Z is that instant; one without is on the clock that the request declares.
    """

    meter_id: str = Field(max_length=40)
    first: datetime
    figures: tuple[Number | None, ...] = Field(min_length=1, max_length=MOST_FIGURES)


class ReadingsRequest(Value):
    """Readings with everything that says what they are; nothing is guessed."""

    unit: Unit = Field(description="of each figure: energy in the period, or average power")
    positive: Sign = Field(description="what positive figures stand for")
    clock: Clock = Field(description="of stamps without an offset")
    stamp: Stamp = Field(description="whether a stamp is the start or the end of its period")
    minutes: Literal[30, 15, 5, 1] = 30
    series: tuple[SeriesRequest, ...] = Field(min_length=1, max_length=MOST_SERIES)

    @model_validator(mode="after")
    def _size(self) -> ReadingsRequest:
        if sum(len(each.figures) for each in self.series) > MOST_FIGURES:
            raise ValueError(f"at most {MOST_FIGURES:,} figures in a request")
        if not all(2000 <= each.first.year < 2100 for each in self.series):
            raise ValueError("stamps of this century")
        return self


class Remark(Value):
    """What is wrong with a meter-day, or worth a look."""

    code: str
    detail: str
    allowed: str | None = None


class MeterDayOutcome(Value):
    """What became of a meter's local day; `error` was not kept, and its problems say why."""

    meter_id: str
    day: date | None = Field(default=None, description="none where it could not be told")
    series: int = Field(description="place, from 0, of the series it begins in")
    outcome: Literal["created", "updated", "unchanged", "error"]
    problems: tuple[Remark, ...] = ()
    remarks: tuple[Remark, ...] = ()


class ReadingsView(BaseModel):
    """What became of each meter-day of a request."""

    items: tuple[MeterDayOutcome, ...]
