"""Owns what a provider states of its own assets ahead: schedules by day and a typical week, kept as versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from chalicelib.kernel.models import Instant, Value

Kind = Literal["nominated", "weekly_template"]
HALF_HOURS_OF_WEEK = 7 * 48


class Schedule(Value):
    """What one statement says of an asset's local day: milliwatts per half-hour, import positive; None is silence."""

    asset_id: str
    day: date
    values: tuple[int | None, ...]
    submitted_at: Instant
    source: str


class TypicalWeek(Value):
    """What one statement says of an asset's week: 336 half-hours of the local clock from Monday 00:00, milliwatts."""

    asset_id: str
    values: tuple[int | None, ...]
    submitted_at: Instant
    source: str


class ByStart(Mapping[datetime, int]):
    """Schedules of many days as one, by the UTC start of half-hours; days are shared, never copied."""

    def __init__(self, days: Mapping[date, Mapping[datetime, int]]) -> None:
        self._days = days

    def __getitem__(self, start: datetime) -> int:
        for day in _days_of(start):
            if start in self._days.get(day, ()):
                return self._days[day][start]
        raise KeyError(start)

    def __iter__(self) -> Iterator[datetime]:
        return (start for day in sorted(self._days) for start in self._days[day])

    def __len__(self) -> int:
        return sum(map(len, self._days.values()))


def _days_of(start: datetime) -> tuple[date, date, date]:
    """The local days an instant may lie in, whatever the clock: its own day of UTC, and those beside it."""
    day = start.date()
    return day, day + timedelta(days=1), day - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stated:
    """All that had been stated of an asset at one instant, milliwatts, import positive.

    A schedule fills `by_start` (UTC starts of half-hours), a weekly template `by_week` (local weekday from Monday 0,
    half-hour of the clock).
    """

    kind: Kind
    submitted_at: datetime
    by_start: Mapping[datetime, int] = field(default_factory=dict)
    by_week: Mapping[tuple[int, int], int] = field(default_factory=dict)
