"""Owns the shapes a table of readings comes in: long or wide, its header, what it declares of itself. Pure.

Long has a row per reading (`meter_id, start, kwh`); wide a row per meter and day with a column per period, numbered
from 1 or named by the clock. Above the header, or in columns, a file may say: Unit, Positive, Clock, Stamps, Minutes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.kernel.errors import Invalid, Problem
from chalicelib.metering.models import RESOLUTIONS, Declaration, Sign

Table = Sequence[Sequence[Any]]

_WITHIN = 30
_METER = ("meterid", "meter", "mpan", "mpancore", "meterpoint")
_DAY = ("day", "date", "localday", "settlementdate")
_TIMES: Mapping[str, dict[str, str]] = {
    "start": {"stamp": "start"},
    "periodstart": {"stamp": "start"},
    "startutc": {"stamp": "start", "clock": "UTC"},
    "startlocal": {"stamp": "start", "clock": "local"},
    "end": {"stamp": "end"},
    "periodend": {"stamp": "end"},
    "endutc": {"stamp": "end", "clock": "UTC"},
    "endlocal": {"stamp": "end", "clock": "local"},
    "timestamp": {},
    "datetime": {},
    "time": {},
    "timestamputc": {"clock": "UTC"},
    "timestamplocal": {"clock": "local"},
}
_UNITS = {"kwh": "kWh", "wh": "Wh", "kw": "kW"}
_VALUES: Mapping[str, dict[str, str]] = {
    "value": {},
    "reading": {},
    **{name: {"unit": unit} for name, unit in _UNITS.items()},
    **{f"import{name}": {"unit": unit, "positive": "import"} for name, unit in _UNITS.items()},
    **{f"export{name}": {"unit": unit, "positive": "export"} for name, unit in _UNITS.items()},
}
_DECLARED = {
    "unit": "unit",
    "units": "unit",
    "positive": "positive",
    "sign": "positive",
    "clock": "clock",
    "timezone": "clock",
    "stamp": "stamp",
    "stamps": "stamp",
    "minutes": "minutes",
    "resolution": "minutes",
}
_WORDS: Mapping[str, Mapping[str, Any]] = {
    "unit": _UNITS,
    "positive": {"import": "import", "importpositive": "import", "export": "export", "exportpositive": "export"},
    "clock": {"utc": "UTC", "gmt": "UTC", "z": "UTC", "local": "local", "europelondon": "local"},
    "stamp": {"start": "start", "periodstart": "start", "end": "end", "periodend": "end"},
    "minutes": {str(minutes): minutes for minutes in RESOLUTIONS},
}
_ALLOWED = {
    "unit": "kWh, Wh or kW",
    "positive": "import or export",
    "clock": "UTC or local",
    "stamp": "start or end",
    "minutes": "30, 15, 5 or 1",
}
_NUMBERED = re.compile(r"(?:hh|p|period|sp|halfhour)?0*(\d{1,4})$")
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::00)?$")


@dataclass(frozen=True, slots=True)
class Long:
    """A table with a row per reading; `first` is the index of the first row under the header."""

    meter: int
    time: int
    value: int
    first: int
    declared: Declaration


@dataclass(frozen=True, slots=True)
class Wide:
    """A table with a row per meter and day; `clock_times` are minutes after midnight, None where columns count.

    `signs` is the column that says row by row what positive figures stand for, where rows differ in it.
    """

    meter: int
    day: int
    periods: tuple[int, ...]
    clock_times: tuple[int, ...] | None
    first: int
    declared: Declaration
    signs: int | None = None


def find_shape(table: Table) -> Long | Wide:
    """How a table is to be read; `Invalid` when no header is found, or when it says two things of itself."""
    for index, row in enumerate(table[:_WITHIN]):
        names = [fold(cell) for cell in row]
        meter = _first(names, _METER)
        if meter is not None:
            return _shape(table, index, names, meter)
    raise _refused(
        "file.header", "No header row names a meter.", "meter_id, start and kwh, or meter_id, day and 1 to 48"
    )


def fold(cell: Any) -> str:
    """A cell for matching: without case, spaces and punctuation."""
    return "".join(char for char in str(cell if cell is not None else "").casefold() if char.isalnum())


def _shape(table: Table, index: int, names: Sequence[str], meter: int) -> Long | Wide:
    above, columns = _above(table[:index]), _in_columns(table, index, names)
    said = [*above, *columns]
    day, time = _first(names, _DAY), _first(names, tuple(_TIMES))
    if time is not None:
        value = _first(names, tuple(_VALUES))
        if value is None:
            raise _refused("file.no_values", "No column holds the readings.", "kwh, kw, wh, or value with a Unit above")
        said += [*_TIMES[names[time]].items(), *_VALUES[names[value]].items()]
        return Long(meter, time, value, index + 1, _declaration(said))
    if day is None:
        raise _refused("file.no_time", "No column says when.", "start or end of the period; or day, for wide files")
    signs = _signs(names, above, columns)
    told = [each for each in said if signs is None or each[0] != "positive"]
    return replace(_wide(table[index], index, meter, day, told), signs=signs)


def _signs(names: Sequence[str], above: Sequence[tuple[str, Any]], columns: Sequence[tuple[str, Any]]) -> int | None:
    """The column of signs where its rows differ: one file may hold meters of both directions."""
    differ = len({value for field, value in columns if field == "positive"}) > 1
    if not differ or any(field == "positive" for field, _ in above):
        return None
    return next(place for place, name in enumerate(names) if _DECLARED.get(name) == "positive")


def sign_of(cell: Any) -> Sign | None:
    """What positive figures of a row stand for; None where it does not say."""
    found: Sign | None = _WORDS["positive"].get(fold(cell))
    return found


def _wide(header: Sequence[Any], index: int, meter: int, day: int, said: Sequence[tuple[str, Any]]) -> Wide:
    clock = {place: _clock_minutes(cell) for place, cell in enumerate(header) if place not in (meter, day)}
    clocks = {place: minutes for place, minutes in clock.items() if minutes is not None}
    if clocks:
        return Wide(meter, day, tuple(clocks), tuple(clocks.values()), index + 1, _declaration(said))
    numbered = {place: _number(cell) for place, cell in enumerate(header) if place not in (meter, day)}
    counted = {place: number for place, number in numbered.items() if number is not None}
    if list(counted.values()) != list(range(1, len(counted) + 1)) or not counted:
        raise _refused(
            "file.periods",
            "The columns of the periods are neither numbered from 1 on nor clock times.",
            "1 to 48 or 50",
        )
    return Wide(meter, day, tuple(counted), None, index + 1, _declaration(said))


def _clock_minutes(cell: Any) -> int | None:
    text = cell.strftime("%H:%M") if hasattr(cell, "strftime") else str(cell or "").strip()
    found = _CLOCK.match(text)
    return int(found[1]) * 60 + int(found[2]) if found else None


def _number(cell: Any) -> int | None:
    text = fold(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)
    found = _NUMBERED.fullmatch(text)
    return int(found[1]) if found else None


def _above(rows: Table) -> list[tuple[str, Any]]:
    """What the rows above the header declare: a name, then what holds."""
    pairs = [(fold(row[0]), row[1]) for row in rows if len(row) > 1 and row[1] not in (None, "")]
    return [(_DECLARED[name], _word(_DECLARED[name], text)) for name, text in pairs if name in _DECLARED]


def _in_columns(table: Table, index: int, names: Sequence[str]) -> list[tuple[str, Any]]:
    """What columns declare row by row, each different saying once."""
    said: dict[tuple[str, Any], None] = {}
    for place, name in enumerate(names):
        if name in _DECLARED:
            texts = {fold(row[place]): row[place] for row in table[index + 1 :] if place < len(row)}
            for folded, text in texts.items():
                if folded:
                    said[_DECLARED[name], _word(_DECLARED[name], text)] = None
    return list(said)


def _word(field: str, text: Any) -> Any:
    folded = fold(int(text) if isinstance(text, float) and text.is_integer() else text)
    if folded not in _WORDS[field]:
        raise _refused("file.declaration", f"“{text}” says nothing about {field}.", _ALLOWED[field], field)
    return _WORDS[field][folded]


def _declaration(said: Sequence[tuple[str, Any]]) -> Declaration:
    found: dict[str, Any] = {}
    for field, value in said:
        if found.setdefault(field, value) != value:
            detail = f"The file says of {field} both {found[field]} and {value}."
            raise _refused("file.two_declarations", detail, "one of them", field)
    return Declaration(**found)


def _first(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((place for place, name in enumerate(names) if name in wanted), None)


def _refused(code: str, detail: str, allowed: str, field: str | None = None) -> Invalid:
    return Invalid.of([Problem(code, detail, field, allowed)], code)
