"""Tells settlement what was read of meters, day by day, how completely, and of how many files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from chalicelib.kernel.periods import days_between
from chalicelib.metering import store
from chalicelib.metering.models import Revision
from chalicelib.metering.models_reads import DayRead, MeterRead
from chalicelib.metering.rules import standing

_METERS_AT_ONCE = 32


def read_meters(meter_ids: Iterable[str], first: date, last: date) -> Iterator[MeterRead]:
    """What holds of each meter from a local day to a local day, both inclusive, strongly consistent.

    They come one after the other, a few of them in memory at a time.
    """
    meters = list(dict.fromkeys(meter_ids))
    months = list(dict.fromkeys(f"{day:%Y-%m}" for day in days_between(first, last)))
    for start in range(0, len(meters), _METERS_AT_ONCE):
        part = meters[start : start + _METERS_AT_ONCE]
        found = store.load_months((meter, month) for meter in part for month in months)
        for meter in part:
            revisions = (revision for month in months for revision in found[meter, month])
            yield MeterRead(meter, _days(each for each in revisions if first <= each.day.day <= last))


def _days(revisions: Iterable[Revision]) -> dict[date, DayRead]:
    told: dict[date, list[Revision]] = {}
    for revision in revisions:
        told.setdefault(revision.day.day, []).append(revision)
    return {day: _read(found) for day, found in told.items()}


def _read(revisions: list[Revision]) -> DayRead:
    latest = max(revisions, key=lambda revision: (revision.received_at, revision.source))
    return DayRead(standing(revisions), len(revisions), latest.received_at)
