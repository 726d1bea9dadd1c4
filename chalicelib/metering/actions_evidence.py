"""Tells settlement what was read of meters, day by day, how completely, and of how many files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from chalicelib.kernel.periods import days_between
from chalicelib.metering import store
from chalicelib.metering.models import Readings, Revision
from chalicelib.metering.reading import expected_periods
from chalicelib.metering.rules import merged

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


def read_meters(meter_ids: Iterable[str], first: date, last: date) -> Iterator[MeterRead]:
    """What holds of each meter from a local day to a local day, both inclusive, strongly consistent, one at a time."""
    return (MeterRead(meter, _days(meter, first, last)) for meter in dict.fromkeys(meter_ids))


def _days(meter: str, first: date, last: date) -> dict[date, DayRead]:
    months = dict.fromkeys(f"{day:%Y-%m}" for day in days_between(first, last))
    told: dict[date, list[Revision]] = {}
    for revision in store.list_months(meter, months):
        if first <= revision.day.day <= last:
            told.setdefault(revision.day.day, []).append(revision)
    return {day: _read(revisions) for day, revisions in told.items()}


def _read(revisions: list[Revision]) -> DayRead:
    latest = max(revisions, key=lambda revision: (revision.received_at, revision.source))
    return DayRead(latest.day.minutes, merged(revisions), len(revisions), latest.received_at)
