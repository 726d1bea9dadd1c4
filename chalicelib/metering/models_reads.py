"""Owns what was read of a meter day by day, as settlement takes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from chalicelib.kernel.periods import day_span, days_between
from chalicelib.metering.models import MeterDay
from chalicelib.metering.reading import LOCAL, expected_periods

HALF_HOURLY = 30


@dataclass(frozen=True, slots=True)
class DayRead:
    """What holds of a meter's local day, of how many files, and when the last of them came."""

    day: MeterDay
    revisions: int
    latest_at: datetime

    @property
    def minutes(self) -> int:
        return self.day.minutes

    @property
    def start(self) -> datetime:
        """When the day's first period starts."""
        return _start_of(self.day.day)


@dataclass(frozen=True, slots=True)
class MeterRead:
    """A meter over local days; days of which nothing was read are not in it."""

    meter_id: str
    days: Mapping[date, DayRead] = field(default_factory=dict)

    def expected(self, first: date, last: date) -> int:
        """How many periods the days have; those of an unread day are half-hours."""
        return sum(expected_periods(day, self._minutes(day)) for day in days_between(first, last))

    def between(self, first: date, last: date) -> list[DayRead]:
        """The days read from first to last, both inclusive, in order."""
        return [read for day, read in sorted(self.days.items()) if first <= day <= last]

    def _minutes(self, day: date) -> int:
        return self.days[day].minutes if day in self.days else HALF_HOURLY


@lru_cache(maxsize=1 << 10)
def _start_of(day: date) -> datetime:
    return day_span(day, LOCAL)[0]
