"""Owns what is worth a look in a meter's readings, and how revisions of a day make one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, zip_longest

from chalicelib.kernel.errors import Problem
from chalicelib.kernel.periods import day_span
from chalicelib.metering.models import MeterDay, Readings, Revision
from chalicelib.metering.reading import LOCAL

LONG_RUN_HOURS = 12
_MILLIWATTS = 10**9


def remarks(day: MeterDay, most_import_mw: Decimal | None, most_export_mw: Decimal | None) -> list[Problem]:
    """What a person should look at, though the readings are kept: gaps, limits, long runs of one value.

    The limits are of the connections behind the meter, None where unknown.
    """
    return [*_gaps(day), *_beyond(day, most_import_mw, most_export_mw), *_runs(day)]


def merged(revisions: Iterable[Revision]) -> Readings:
    """What holds of a meter-day by the start of its periods; nothing of no revision."""
    found = list(revisions)
    return readings_of(standing(found)) if found else {}


def standing(revisions: Sequence[Revision]) -> MeterDay:
    """What holds of a meter-day, of at least one revision: period by period the latest file that has it; blanks take
    nothing away. Files of other period lengths than the latest one's count no more.
    """
    *earlier, latest = sorted(revisions, key=_age)
    alike = [each.day.values for each in earlier if each.day.minutes == latest.day.minutes]
    if not alike:
        return latest.day
    rows = zip_longest(*reversed([*alike, latest.day.values]))
    values = tuple(next((value for value in row if value is not None), None) for row in rows)
    return latest.day.model_copy(update={"values": values})


def readings_of(day: MeterDay) -> Readings:
    """A day's values by the UTC start of their period; missing ones are left out."""
    start, _ = day_span(day.day, LOCAL)
    step = timedelta(minutes=day.minutes)
    return {start + step * place: value for place, value in enumerate(day.values) if value is not None}


def is_news(day: MeterDay, revisions: Sequence[Revision]) -> bool:
    """Whether a file says anything of a day that does not hold already."""
    if not revisions:
        return day.present > 0
    known = merged(revisions)
    same_length = max(revisions, key=_age).day.minutes == day.minutes
    return not same_length or any(known.get(at) != value for at, value in readings_of(day).items())


def _age(revision: Revision) -> tuple[datetime, str]:
    return revision.received_at, revision.source


def _gaps(day: MeterDay) -> list[Problem]:
    missing = len(day.values) - day.present
    if not missing:
        return []
    detail = f"{day.day} has {missing} of {len(day.values)} periods missing: they stay missing and never count as zero."
    return [Problem("readings.gap", detail, "value")]


def _beyond(day: MeterDay, most_import_mw: Decimal | None, most_export_mw: Decimal | None) -> list[Problem]:
    there = [value for value in day.values if value is not None]
    over = most_import_mw is not None and there and max(there) > most_import_mw * _MILLIWATTS
    under = most_export_mw is not None and there and -min(there) > most_export_mw * _MILLIWATTS
    if not over and not under:
        return []
    detail = f"{day.day} has readings beyond the connection limit. Are the unit and the sign right?"
    return [Problem("readings.beyond_limit", detail, "value")]


def _runs(day: MeterDay) -> list[Problem]:
    least = LONG_RUN_HOURS * 60 // day.minutes
    for value, run in groupby(day.values):
        if value is not None and sum(1 for _ in run) >= least:
            what = "zero" if value == 0 else "one value"
            return [Problem("readings.run", f"{day.day} stands at {what} for {LONG_RUN_HOURS} hours or more.", "value")]
    return []
