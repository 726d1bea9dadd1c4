"""Owns when a month's meter data is due, on which days people are told of it, and which meters are without. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Literal

from chalicelib.kernel.periods import ONE_DAY, Span, add_working_days, half_hours_in, working_days_between

Notice = Literal["due", "missing"]

NOTICE_WORKING_DAYS = 3
MISSING_FOR_DAYS = 7
"""So long after the day it was due people are told, should every round before have been missed."""


def month_before(today: date) -> tuple[date, date]:
    """The first and the last local day of the month before a day."""
    last = today.replace(day=1) - ONE_DAY
    return last.replace(day=1), last


def due_on(last: date, working_days: int, holidays: Collection[date]) -> date:
    """The local day on which the meter data of a month that ended on `last` is due: its nth working day after."""
    return add_working_days(last, working_days, holidays)


def notice_on(today: date, due: date, holidays: Collection[date]) -> Notice | None:
    """What people are told on a day: that data is due in at most three working days, or that it was due before."""
    if today > due:
        return "missing" if (today - due).days <= MISSING_FOR_DAYS else None
    return "due" if working_days_between(today + ONE_DAY, due, holidays) <= NOTICE_WORKING_DAYS else None


def meters_without(wanted: Mapping[str, Iterable[Span]], readings: Mapping[str, Collection[datetime]]) -> set[str]:
    """The meters that lack a reading in any half-hour of the spans they are wanted for.

    `readings` are the starts of the periods each meter has, half-hourly or finer.
    """
    return {meter for meter, spans in wanted.items() if not _covers(set(readings.get(meter, ())), spans)}


def _covers(starts: set[datetime], spans: Iterable[Span]) -> bool:
    known = {_half_hour(start) for start in starts}
    return all(moment in known for span in spans for moment in half_hours_in(span))


def _half_hour(start: datetime) -> datetime:
    """The half-hour of the clock that a period starts in."""
    return start.replace(minute=start.minute // 30 * 30, second=0, microsecond=0)
