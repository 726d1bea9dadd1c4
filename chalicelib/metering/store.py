"""Owns the rows of metering: packed meter-days, a row for each file that told of one, all of a month together.

A row's content follows from its file alone, so writing it twice is the same as once, and no file's row is another's.
Which revision counts is worked out on reading. `day#dd#` is followed by when the file came and a mark of which it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

from chalicelib.metering.codec import pack, unpack
from chalicelib.metering.models import MeterDay, Revision
from chalicelib.metering.store_packing import STAMP, PackedRow, base36, mark_of
from chalicelib.storage.tables import RowMeta, batch_put, query_all, table_name

__all__ = ["list_day", "list_month", "list_months", "load_months", "mark_of", "save_days"]

_AT_ONCE = 4
"""Requests under way: the database answers them side by side, and waiting is most of what they take."""
_ROWS_EACH = 100


class _DayRow(PackedRow):
    class Meta(RowMeta):
        table_name = table_name("metering")


def save_days(days: Sequence[MeterDay], received_at: datetime, source: str) -> None:
    """Keep what a file (its receipt's id) says of these days."""
    rows = [_row(day, received_at, source) for day in days]
    parts = [rows[start : start + _ROWS_EACH] for start in range(0, len(rows), _ROWS_EACH)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done in [pool.submit(batch_put, part) for part in parts]:
            done.result()


def load_months(months: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Revision]]:
    """Every revision of the days of (meter, month) pairs, several read at once."""
    wanted = list(dict.fromkeys(months))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(lambda each: list_month(*each), wanted), strict=True))


def list_month(meter_id: str, month: str) -> list[Revision]:
    """Every revision of a meter's days of a month (`2026-04`), by day, earliest file first, strongly consistent."""
    return [_revision(row) for row in query_all(_DayRow, f"{meter_id}#{month}", "day#")]


def list_day(meter_id: str, day: date) -> list[Revision]:
    """Every revision of one meter-day."""
    return [_revision(row) for row in query_all(_DayRow, f"{meter_id}#{day:%Y-%m}", f"day#{day:%d}#")]


def list_months(meter_id: str, months: Iterable[str]) -> list[Revision]:
    return [revision for month in months for revision in list_month(meter_id, month)]


def _row(day: MeterDay, received_at: datetime, source: str) -> _DayRow:
    stamp = base36(int(received_at.timestamp() * 1000))
    key = f"day#{day.day:%d}#{stamp}{mark_of(source)}"
    return _DayRow(pk=f"{day.meter_id}#{day.day:%Y-%m}", sk=key, p=pack(day.minutes, day.values))


def _revision(row: _DayRow) -> Revision:
    meter_id, _, month = row.pk.rpartition("#")
    day, _, mark = row.sk.removeprefix("day#").partition("#")
    minutes, values = unpack(row.p)
    meter_day = MeterDay(meter_id=meter_id, day=date.fromisoformat(f"{month}-{day}"), minutes=minutes, values=values)
    received = datetime.fromtimestamp(int(mark[:STAMP], 36) / 1000, UTC)
    return Revision(day=meter_day, received_at=received, source=mark[STAMP:])
