"""Owns which local days a baseline will be asked to tell from, before any reading of them is known. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from chalicelib.kernel.periods import is_working_day
from chalicelib.settlement.methods import Historical, Method


def days_needed(
    method: Method, day: date, holidays: Collection[date], events: Collection[date], outages: Collection[date]
) -> list[date]:
    """The days whose readings settle an event on a day: its own, and those a history of it takes, oldest first.

    They are the days that count if all of them turn out to be read completely.
    """
    return sorted([day, *_history(method, day, holidays, events, outages)])


def _history(
    method: Method, day: date, holidays: Collection[date], events: Collection[date], outages: Collection[date]
) -> list[date]:
    if not isinstance(method, Historical):
        return []
    working = is_working_day(day, holidays)
    count = method.days if working or method.non_working_days is None else method.non_working_days
    found = [each for each in _of_class(method, day, holidays) if _may_count(method, each, holidays, events, outages)]
    return found[:count]


def _of_class(method: Historical, day: date, holidays: Collection[date]) -> Iterator[date]:
    """The days of the event day's class, latest first."""
    own = is_working_day(day, holidays)
    for back in range(1, method.look_back_days + 1):
        each = day - timedelta(days=back)
        working = is_working_day(each, holidays)
        if method.day_class == "any" or working == (own if method.day_class == "same" else True):
            yield each


def _may_count(
    method: Historical, day: date, holidays: Collection[date], events: Collection[date], outages: Collection[date]
) -> bool:
    return not (
        (method.exclude_holidays and day in holidays)
        or (method.exclude_event_days and day in events)
        or (method.exclude_outage_days and day in outages)
    )
