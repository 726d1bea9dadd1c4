"""Owns the rows of statements: a row for each asset, month and statement, packed; none is ever changed.

A row's content follows from its source alone, so that writing it twice is the same as once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

from chalicelib.metering.codec import pack, unpack
from chalicelib.metering.models_statements import Schedule, TypicalWeek
from chalicelib.metering.store_packing import STAMP, PackedRow, base36, mark_of
from chalicelib.storage.tables import RowMeta, query_all, table_name
from chalicelib.storage.writes import Write, put

_MINUTES = 30
_AT_ONCE = 4


class _StatementRow(PackedRow):
    class Meta(RowMeta):
        table_name = table_name("metering")


def schedule_writes(schedules: Iterable[Schedule]) -> list[Write]:
    """Schedules of one statement, a write for each asset and month."""
    months: dict[str, list[Schedule]] = {}
    for schedule in schedules:
        months.setdefault(_of_month(schedule.asset_id, f"{schedule.day:%Y-%m}"), []).append(schedule)
    return [put(_StatementRow(pk=pk, sk=_key(days[0]), p=_packed(days))) for pk, days in months.items()]


def week_write(week: TypicalWeek) -> Write:
    """One typical week."""
    return put(_StatementRow(pk=_of_weeks(week.asset_id), sk=_key(week), p=pack(_MINUTES, week.values)))


def list_schedules(asset_id: str, months: Iterable[str]) -> list[Schedule]:
    """Every schedule ever stated of an asset's days in months (`2026-04`), earliest statement first in each month."""
    rows = (row for month in months for row in query_all(_StatementRow, _of_month(asset_id, month)))
    return [schedule for row in rows for schedule in _schedules(row)]


def load_schedules(months: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Schedule]]:
    """Every schedule ever stated of the days of (asset, month) pairs, several read at once."""
    wanted = list(dict.fromkeys(months))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(lambda each: list_schedules(each[0], [each[1]]), wanted), strict=True))


def list_weeks(asset_id: str) -> list[TypicalWeek]:
    """Every typical week ever stated of an asset, earliest first."""
    return [_week(asset_id, row) for row in query_all(_StatementRow, _of_weeks(asset_id))]


def _of_month(asset_id: str, month: str) -> str:
    return f"nominated#{asset_id}#{month}"


def _of_weeks(asset_id: str) -> str:
    return f"weekly#{asset_id}"


def _key(statement: Schedule | TypicalWeek) -> str:
    return base36(int(statement.submitted_at.timestamp() * 1000)) + mark_of(statement.source)


def _packed(days: Iterable[Schedule]) -> bytes:
    """Each day: its number in the month, how many bytes follow, and those."""
    parts = ((schedule.day.day, pack(_MINUTES, schedule.values)) for schedule in days)
    return b"".join(bytes([number]) + len(packed).to_bytes(2, "big") + packed for number, packed in parts)


def _parts(packed: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place < len(packed):
        end = place + 3 + int.from_bytes(packed[place + 1 : place + 3], "big")
        yield packed[place], packed[place + 3 : end]
        place = end


def _schedules(row: _StatementRow) -> Iterator[Schedule]:
    _, asset_id, month = row.pk.split("#")
    for number, packed in _parts(row.p):
        yield Schedule(
            asset_id=asset_id,
            day=date.fromisoformat(f"{month}-{number:02}"),
            values=unpack(packed)[1],
            submitted_at=_submitted(row.sk),
            source=row.sk[STAMP:],
        )


def _week(asset_id: str, row: _StatementRow) -> TypicalWeek:
    values = unpack(row.p)[1]
    return TypicalWeek(asset_id=asset_id, values=values, submitted_at=_submitted(row.sk), source=row.sk[STAMP:])


def _submitted(key: str) -> datetime:
    return datetime.fromtimestamp(int(key[:STAMP], 36) / 1000, UTC)
