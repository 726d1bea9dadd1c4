"""Owns turning a table of readings into meter-days: units, signs, clocks, repeats, counts; bad rows named. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.kernel.errors import Invalid, Problem
from chalicelib.kernel.periods import at_clock, day_span, local_day
from chalicelib.metering.models import RESOLUTIONS, ZONE, Clock, Declaration, MeterDay
from chalicelib.metering.shapes import Long, Table, Wide, find_shape, sign_of
from chalicelib.metering.stamps import Meaning, instants, meaning_of, parse_day, parse_stamp, resolution

LOCAL = ZoneInfo(ZONE)
_PER_UNIT = {"kWh": 60 * 10**6, "Wh": 60 * 10**3, "kW": 10**6}
"""Milliwatts of one unit: of energy, in a period of one minute."""
_EXACT = 2**53
Places = Callable[[date], Sequence[datetime | None]]


@dataclass(frozen=True, slots=True)
class ReadDay:
    """What a file says of a meter's day, and the file's row it begins on; without a day, the problems of the row."""

    row: int
    meter_id: str
    day: MeterDay | None
    problems: tuple[Problem, ...] = ()


def meters_in(table: Table) -> list[str]:
    """The meters a table names, each once, in order; `Invalid` when it has no known shape."""
    shape = find_shape(table)
    return list(dict.fromkeys(text for row in table[shape.first :] if (text := _meter(row, shape.meter))))


def read_days(table: Table, export_meters: Collection[str] = (), first_row: int = 1) -> Iterator[ReadDay]:
    """Every meter-day of a table as it comes, so that a long file is never held twice.

    `export_meters` are those behind which nothing is imported: of them a file must say which direction its positive
    figures stand for. `Invalid` with the question when the file as a whole fits two readings, or none.
    """
    shape = find_shape(table)
    if isinstance(shape, Long) or shape.signs is None:
        _check_declared(shape.declared, {_meter(row, shape.meter) for row in table[shape.first :]} & set(export_meters))
    if isinstance(shape, Long):
        return _read_long(table, shape, first_row)
    return _read_wide(table, shape, first_row)


def to_milliwatts(cell: Any, scale: int) -> int | None:
    """A figure times milliwatts per unit, a whole number; None when blank; ValueError when it is no such figure."""
    if cell is None or cell == "":
        return None
    value = float(cell) * scale
    whole = round(value)
    if not abs(value) < _EXACT or abs(value - whole) > 0.001:
        raise ValueError("finer than a milliwatt, or too large")
    return whole


def scale_of(declared: Declaration, minutes: int) -> int:
    """Milliwatts, import positive, per unit of a file's figures."""
    assert declared.unit is not None, "a file without a unit was refused"
    size = _PER_UNIT[declared.unit] // (minutes if declared.unit != "kW" else 1)
    return -size if declared.positive == "export" else size


def expected_periods(day: date, minutes: int) -> int:
    """How many periods a local day has: 48 half-hours, 46 or 50 when the clocks change."""
    start, end = day_span(day, LOCAL)
    return (end - start) // timedelta(minutes=minutes)


def _check_declared(declared: Declaration, exporting: Collection[str]) -> None:
    problems = []
    if declared.unit is None:
        detail = "Are these figures kWh per period, or average kW?"
        problems.append(Problem("readings.unit", detail, "unit", "a column named kwh, kw or wh, or a row “Unit, kWh”"))
    if declared.positive is None and exporting:
        detail = f"Meter {min(exporting)} is an export meter: do positive figures stand for export, or import?"
        problems.append(Problem("readings.sign", detail, "positive", "a row “Positive, export” or “Positive, import”"))
    if problems:
        raise Invalid.of(problems, "readings.ambiguous")


@dataclass(slots=True)
class _Rows:
    """One meter's rows of a long table."""

    numbers: list[int]
    stamps: list[datetime]
    cells: list[Any]


def _read_long(table: Table, shape: Long, first_row: int) -> Iterator[ReadDay]:
    meters: dict[str, _Rows] = {}
    bad: list[ReadDay] = []
    for number, row in enumerate(table[shape.first :], first_row + shape.first):
        if not any(cell not in (None, "") for cell in row):
            continue
        meter, stamp = _meter(row, shape.meter), parse_stamp(_cell(row, shape.time))
        if not meter or stamp is None:
            bad.append(ReadDay(number, meter, None, (_bad_row(meter, _cell(row, shape.time)),)))
            continue
        rows = meters.setdefault(meter, _Rows([], [], []))
        rows.numbers.append(number)
        rows.stamps.append(stamp)
        rows.cells.append(_cell(row, shape.value))
    return chain(bad, _all_long_days(meters, shape.declared) if meters else ())


def _all_long_days(meters: Mapping[str, _Rows], declared: Declaration) -> Iterator[ReadDay]:
    stamps = {meter: rows.stamps for meter, rows in meters.items()}
    way = meaning_of(declared, stamps, LOCAL)
    minutes = declared.minutes or resolution(stamps)
    scale = scale_of(declared, minutes)
    return chain.from_iterable(_long_days(meter, rows, way, minutes, scale) for meter, rows in meters.items())


def _bad_row(meter: str, cell: Any) -> Problem:
    if not meter:
        return Problem("cell.required", "The row names no meter.", "meter_id", "a meter id")
    detail = f"“{cell}” is not a date and time."
    return Problem("stamps.unreadable", detail, "start", "2026-04-01T00:30Z, or 2026-04-01 00:30")


def _long_days(meter: str, rows: _Rows, way: Meaning, minutes: int, scale: int) -> Iterator[ReadDay]:
    by_day: dict[date, _Day] = {}
    for number, stamp, instant, cell in zip(
        rows.numbers, rows.stamps, instants(rows.stamps, way, LOCAL, minutes), rows.cells, strict=True
    ):
        shown = instant or stamp.replace(tzinfo=LOCAL)
        day = by_day.setdefault(local_day(shown, LOCAL), _Day(number, {}, []))
        day.take(number, stamp, instant, _figure(cell, scale), minutes)
    for local, found in sorted(by_day.items()):
        yield _as_day(meter, local, minutes, found)


@dataclass(slots=True)
class _Day:
    """A meter-day being read: values by period start, and what is wrong with its rows."""

    row: int
    values: dict[datetime, int | None]
    problems: list[Problem]

    def take(self, row: int, stamp: datetime, instant: datetime | None, figure: Any, minutes: int) -> None:
        if instant is None:
            self._wrong(row, "stamps.skipped", f"{stamp} does not exist: the clocks skipped it.", "an existing time")
        elif (instant.minute % minutes if minutes < 60 else 0) or instant.second or instant.microsecond:
            self._wrong(row, "stamps.off_grid", f"{stamp} begins no period of {minutes} minutes.", "the period's edge")
        elif isinstance(figure, Problem):
            self._wrong(row, figure.code, figure.detail, figure.allowed)
        elif self.values.get(instant, figure) != figure:
            self._wrong(row, "readings.repeated", f"{stamp} stands twice, with two figures.", "each period once")
        else:
            self.values[instant] = figure

    def _wrong(self, row: int, code: str, detail: str, allowed: str | None) -> None:
        self.problems.append(Problem(code, detail, "value", allowed, row=row))


@lru_cache(maxsize=2**16)
def _figure(cell: Any, scale: int) -> int | Problem | None:
    """A figure in milliwatts, or what is wrong with it; a file's few thousand different figures are judged once."""
    try:
        return to_milliwatts(cell, scale)
    except (ValueError, TypeError, OverflowError):
        detail = f"“{cell}” is not a figure."
        return Problem("readings.not_a_figure", detail, "value", "a plain number, to a milliwatt at the finest")


def _as_day(meter: str, local: date, minutes: int, found: _Day) -> ReadDay:
    if found.problems:
        return ReadDay(found.row, meter, None, tuple(found.problems))
    start, end = day_span(local, LOCAL)
    step = timedelta(minutes=minutes)
    values = tuple(found.values.get(start + step * place) for place in range((end - start) // step))
    return ReadDay(found.row, meter, MeterDay(meter_id=meter, day=local, minutes=minutes, values=values))


def _read_wide(table: Table, shape: Wide, first_row: int) -> Iterator[ReadDay]:
    minutes = _wide_minutes(shape)
    rows = [
        (number, row)
        for number, row in enumerate(table[shape.first :], first_row + shape.first)
        if any(cell not in (None, "") for cell in row)
    ]
    clock = _wide_clock(shape, [day for _, row in rows if (day := parse_day(_cell(row, shape.day))) is not None])
    found = _wide_rows(rows, shape, _wide_places(shape, clock, minutes), scale_of(shape.declared, minutes))
    return _local_days(found, minutes) if clock == "local" else _utc_days(found, minutes)


WideRow = tuple[int, str, date, dict[datetime, int | None]]


def _wide_rows(
    rows: Sequence[tuple[int, Sequence[Any]]], shape: Wide, places: Places, scale: int
) -> Iterator[ReadDay | WideRow]:
    """Each row as its values by period start, or what is wrong with it."""
    seen: set[tuple[str, date]] = set()
    for number, row in rows:
        meter, day = _meter(row, shape.meter), parse_day(_cell(row, shape.day))
        if not meter or day is None:
            yield ReadDay(number, meter, None, (_bad_row(meter, _cell(row, shape.day)),))
            continue
        sign = _row_sign(row, shape)
        figures = [_figure(_cell(row, column), scale * sign) for column in shape.periods]
        problems = _wide_problems(shape, figures, places(day), day, (meter, day) in seen) if sign else [_UNSIGNED]
        seen.add((meter, day))
        if problems:
            yield ReadDay(number, meter, None, tuple(problems))
            continue
        placed = zip(places(day), figures, strict=False)
        yield number, meter, day, {at: value for at, value in placed if at is not None}  # type: ignore[misc]


_UNSIGNED = Problem(
    "readings.sign",
    "Rows of this file differ in what positive figures stand for, and this one does not say.",
    "positive",
    "import or export",
)


def _row_sign(row: Sequence[Any], shape: Wide) -> int:
    """1 where a row's positive figures stand for import, −1 for export, 0 where it should say and does not."""
    if shape.signs is None:
        return 1
    return {"import": 1, "export": -1, None: 0}[sign_of(_cell(row, shape.signs))]


def _local_days(rows: Iterator[ReadDay | WideRow], minutes: int) -> Iterator[ReadDay]:
    """A row is a local day already."""
    for found in rows:
        if isinstance(found, ReadDay):
            yield found
        else:
            number, meter, day, values = found
            yield _as_day(meter, day, minutes, _Day(number, values, []))


def _utc_days(rows: Iterator[ReadDay | WideRow], minutes: int) -> Iterator[ReadDay]:
    """Days of UTC hold parts of two local days: they are put together meter by meter."""
    days: dict[tuple[str, date], _Day] = {}
    for found in rows:
        if isinstance(found, ReadDay):
            yield found
            continue
        number, meter, _, values = found
        for at, value in values.items():
            days.setdefault((meter, local_day(at, LOCAL)), _Day(number, {}, [])).values[at] = value
    for (meter, day), each in sorted(days.items(), key=lambda item: item[0]):
        yield _as_day(meter, day, minutes, each)


def _wide_problems(
    shape: Wide, figures: Sequence[Any], places: Sequence[datetime | None], day: date, twice: bool
) -> list[Problem]:
    if twice:
        return [Problem("row.repeated", f"{day} of this meter stands on an earlier row too.", "day", "one row per day")]
    wrong = [figure for figure in figures if isinstance(figure, Problem)]
    if wrong:
        return wrong
    last = max((place for place, figure in enumerate(figures) if figure is not None), default=-1) + 1
    if not last:
        return []  # a row nobody filled in says nothing; all of its periods stay missing
    if shape.clock_times is None and last != len(places):
        detail = f"{day} has {len(places)} periods, and the row has {last} figures."
        return [Problem("readings.count", detail, "value", f"{len(places)} figures; a gap is a blank between them")]
    there = len(places)
    skipped = [figure for figure, at in zip(figures, places, strict=False) if figure is not None and at is None]
    if skipped or last > there:
        detail = f"{day} has {sum(at is not None for at in places)} periods; figures stand where the clocks skip."
        return [Problem("readings.count", detail, "value", "blanks at clock times that do not exist")]
    return []


def _wide_minutes(shape: Wide) -> int:
    if shape.clock_times is not None and len(shape.clock_times) > 1:
        minutes = (shape.clock_times[1] - shape.clock_times[0]) % 1440
    else:
        minutes = next((each for each in RESOLUTIONS if len(shape.periods) * each in (1380, 1440, 1500)), 0)
    if minutes not in RESOLUTIONS or shape.declared.minutes not in (None, minutes):
        detail = f"{len(shape.periods)} columns of periods make no day."
        raise Invalid.of([Problem("readings.columns", detail, "minutes", "48 or 50 half-hours, 96, 288 or 1,440")])
    return minutes


def _wide_clock(shape: Wide, days: Sequence[date]) -> Clock:
    """Whose days the rows are: as declared, or either where both have the same midnights."""
    if shape.declared.clock is not None:
        return shape.declared.clock
    utc = ZoneInfo("UTC")
    for day in days:
        if day_span(day, LOCAL) != day_span(day, utc):
            detail = f"The rows fit two readings: is {day} a day of UTC, or of the local clock?"
            allowed = "a row “Clock, UTC” or “Clock, local” above the header"
            raise Invalid.of([Problem("stamps.clock", detail, "clock", allowed)], "stamps.ambiguous")
    return "local"


def _wide_places(shape: Wide, clock: Clock, minutes: int) -> Places:
    """The period start of each column on a day; each day is worked out once."""
    zone = LOCAL if clock == "local" else ZoneInfo("UTC")
    known: dict[date, Sequence[datetime | None]] = {}

    def places(day: date) -> Sequence[datetime | None]:
        if day not in known:
            known[day] = _counted(day, zone, minutes) if shape.clock_times is None else _clocked(shape, day, zone)
        return known[day]

    def _counted(day: date, zone: ZoneInfo, minutes: int) -> list[datetime | None]:
        start, end = day_span(day, zone)
        return [
            start + timedelta(minutes=minutes) * place for place in range((end - start) // timedelta(minutes=minutes))
        ]

    return places


def _clocked(shape: Wide, day: date, zone: ZoneInfo) -> list[datetime | None]:
    """The period starts of columns named by the clock; None where the clocks skip one. A name that stands twice is the
    repeated hour, which has nothing in it on other days."""
    assert shape.clock_times is not None
    ends = shape.clock_times[0] != 0
    minutes = (shape.clock_times[1] - shape.clock_times[0]) % 1440
    seen: dict[int, int] = {}
    found: list[datetime | None] = []
    for clock in shape.clock_times:
        start = (clock - minutes) % 1440 if ends else clock
        seen[start] = seen.get(start, 0) + 1
        found.append(_clock_place(day, start, zone, second=seen[start] > 1))
    return found


def _clock_place(day: date, start: int, zone: ZoneInfo, second: bool) -> datetime | None:
    first, last = at_clock(day, start, zone, "first"), at_clock(day, start, zone, "second")
    exists = first.astimezone(zone).hour * 60 + first.astimezone(zone).minute == start
    if second:
        return last if last != first else None
    return first if exists else None


def _meter(row: Sequence[Any], place: int) -> str:
    cell = _cell(row, place)
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell if cell is not None else "")
    return "".join(text.split())


def _cell(row: Sequence[Any], place: int) -> Any:
    return row[place] if place < len(row) else None
