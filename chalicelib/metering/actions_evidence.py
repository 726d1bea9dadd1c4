"""Tells settlement what was read of meters, day by day, how completely, and of how many files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from chalicelib.kernel.periods import days_between
from chalicelib.metering import store
from chalicelib.metering.models import Revision
from chalicelib.metering.models_reads import DayRead, MeterRead
from chalicelib.metering.rules import merged


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
