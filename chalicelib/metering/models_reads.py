"""Owns what was read of a meter day by day, as settlement takes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from chalicelib.kernel.periods import days_between
from chalicelib.metering.models import Readings
from chalicelib.metering.reading import expected_periods

HALF_HOURLY = 30


@dataclass(frozen=True, slots=True)
class DayRead:
    """What holds of a meter's local day, milliwatts by the start of each period of so many minutes."""

    minutes: int
    readings: Readings
    revisions: int
    latest_at: datetime


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
