"""Builds tables of readings as files hold them, long and wide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from chalicelib.kernel.periods import half_hours, local_of
from chalicelib.metering.models import MeterDay
from chalicelib.metering.reading import LOCAL, ReadDay, expected_periods, read_days

METER = "1200000000000"
SUMMER, WINTER = date(2026, 6, 17), date(2026, 1, 14)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def long_table(
    *days: date, header: Sequence[str] = ("meter_id", "start", "kwh"), clock: str = "Z", kwh: Any = "0.5"
) -> Any:
    """A row per half-hour of local days; `clock` is Z, local or UTC (naive)."""
    rows: list[list[Any]] = [list(header)]
    for day in days:
        for at in half_hours(day, LOCAL):
            shown = local_of(at, LOCAL) if clock == "local" else at.replace(tzinfo=None)
            rows.append([METER, shown.isoformat(" ", "minutes") + ("Z" if clock == "Z" else ""), kwh])
    return rows


def wide_table(
    *days: date, columns: int = 48, figures: int | None = None, above: Sequence[Any] = ()
) -> list[list[Any]]:
    """A row per local day with `figures` figures of kWh (as many as the day has, unless told)."""
    header: list[Any] = ["meter_id", "day", *range(1, columns + 1)]
    rows = [[METER, str(day), *["0.5"] * (figures or expected_periods(day, 30))] for day in days]
    return [*above, ["Unit", "kWh"], header, *rows]


def days_of(table: Any, **how: Any) -> list[ReadDay]:
    return list(read_days(table, **how))


def only_day(table: Any, **how: Any) -> MeterDay:
    """The one day of a table that is sound."""
    [found] = days_of(table, **how)
    assert found.day is not None, found.problems
    return found.day


def codes(table: Any, **how: Any) -> list[str]:
    return [problem.code for found in days_of(table, **how) for problem in found.problems]
