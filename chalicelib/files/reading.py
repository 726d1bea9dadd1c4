"""Owns turning a table of raw cells into parsed rows: finds the header, reads column by column, names every bad cell.

Columns are read whole because the same few values stand in them again and again: each distinct value is judged once by
the plain rule of `files.cells`, so a fast answer is the plain answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.files.cells import DateOrder, Fault, as_text, read_cell
from chalicelib.files.columns import Column, DecimalNumber, Sheet, Text, TextList, WholeNumber, allowed_values
from chalicelib.files.importing import ParsedRow, ParsedSheet
from chalicelib.kernel.errors import Invalid, Problem

_HEADER_WITHIN = 30
_EXACT = 10**15
"""Whole numbers below this are exact in a spreadsheet's cell."""
_WORDS = re.compile(r"\w+(?:;\w+)*")


@dataclass(frozen=True, slots=True)
class RawTable:
    """A tab as it came: `rows` of raw cells, from row `first_row` and column `first_column` of the tab.

    `faults` are cells known to be bad before any rule is asked (a formula without a value), by (row, column) from 1.
    """

    name: str
    rows: Sequence[Sequence[Any]]
    first_row: int = 1
    first_column: int = 1
    faults: Mapping[tuple[int, int], Fault] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header of a table stands and which place (from 0) each known column has."""

    index: int
    places: Mapping[str, int]
    unknown: tuple[str, ...]


def fold_header(text: Any) -> str:
    """A header for matching: without case, spaces and punctuation."""
    return "".join(char for char in as_text(text).casefold() if char.isalnum())


def find_header(sheet: Sheet, table: RawTable) -> Header | None:
    """The row, among the first thirty, that names most of the sheet's columns; None when none names any."""
    names = _names(sheet)
    best = max(
        ((_matches(names, row), -index) for index, row in enumerate(table.rows[:_HEADER_WITHIN])), default=(0, 0)
    )
    if not best[0]:
        return None
    return _header(sheet, names, table, -best[1])


def read_table(sheet: Sheet, table: RawTable, header: Header, order: DateOrder = "dmy") -> ParsedSheet:
    """The rows under the header, blank ones left out, each with its values and all its problems."""
    rows = table.rows[header.index + 1 :]
    first = table.first_row + header.index + 1
    columns = [column for column in sheet.columns if column.field in header.places and not column.shown_only]
    cells, faults = _columns(columns, rows, header, order)
    _add_known_faults(faults, table, columns, header, first)
    parsed = _assembled(sheet, columns, cells, faults, first)
    fields = tuple(column.field for column in columns)
    return ParsedSheet(sheet.name, fields, _without_repeats(sheet, parsed), header.unknown)


def _names(sheet: Sheet) -> dict[str, Column]:
    """Folded headers, then aliases, then field names: the first meaning of a text wins."""
    ways = [
        *((column.header, column) for column in sheet.columns),
        *((alias, column) for column in sheet.columns for alias in column.aliases),
        *((column.field, column) for column in sheet.columns),
    ]
    return {fold_header(text): column for text, column in reversed(ways)}


def _matches(names: Mapping[str, Column], row: Sequence[Any]) -> int:
    return sum(1 for text in {fold_header(cell) for cell in row if cell is not None} if text in names)


def _header(sheet: Sheet, names: Mapping[str, Column], table: RawTable, index: int) -> Header:
    places: dict[str, int] = {}
    unknown: list[str] = []
    problems: list[Problem] = []
    for place, cell in enumerate(table.rows[index]):
        text = "" if cell is None else as_text(cell)
        column = names.get(fold_header(text))
        if column is None:
            unknown += [text] if text else []
        elif column.field in places:
            problems.append(_column_twice(sheet, column, table.first_row + index))
        else:
            places[column.field] = place
    problems += _missing_columns(sheet, places)
    if problems:
        raise Invalid.of(problems, "file.columns")
    return Header(index, places, tuple(unknown))


def _missing_columns(sheet: Sheet, places: Mapping[str, int]) -> list[Problem]:
    missing = [column for column in sheet.columns if column.required and column.field not in places]
    return [
        Problem(
            "file.column_missing",
            f"The tab {sheet.name} has no column “{column.header}”, which is required.",
            column.field,
            "the latest template, with its header row kept",
            sheet=sheet.name,
            column=column.header,
        )
        for column in missing
        if not column.shown_only
    ]


def _column_twice(sheet: Sheet, column: Column, row: int) -> Problem:
    detail = f"The tab {sheet.name} has the column “{column.header}” twice."
    return Problem("file.column_twice", detail, column.field, "each column once", sheet.name, row, column.header)


Cells = dict[str, list[Any]]
Faults = dict[int, dict[str, Fault]]


def _columns(
    columns: Sequence[Column], rows: Sequence[Sequence[Any]], header: Header, order: DateOrder
) -> tuple[Cells, Faults]:
    cells: Cells = {}
    faults: Faults = {}
    for column in columns:
        place = header.places[column.field]
        raws = [row[place] if place < len(row) else None for row in rows]
        cells[column.field] = _column(column, raws, order, faults)
    return cells, faults


def _column(column: Column, raws: Sequence[Any], order: DateOrder, faults: Faults) -> list[Any]:
    """The column's values; bad cells are noted in `faults` and have no value."""
    verdicts = _verdicts(column, raws, order)
    bad = {key for key, verdict in verdicts.items() if isinstance(verdict, Fault)}
    keys: Sequence[Any] = raws if not _is_mixed(raws) else [(type(raw), raw) for raw in raws]
    if bad:
        for index, key in enumerate(keys):
            if key in bad:
                faults.setdefault(index, {})[column.field] = verdicts[key]
        verdicts = {key: None if key in bad else verdict for key, verdict in verdicts.items()}
    return [verdicts[key] for key in keys]


def _verdicts(column: Column, raws: Sequence[Any], order: DateOrder) -> dict[Any, Any]:
    """What each distinct raw value comes to."""
    if _is_mixed(raws):
        return {(kind, raw): read_cell(column.kind, raw, order) for kind, raw in {(type(raw), raw) for raw in raws}}
    distinct = set(raws)
    quick = _QUICK.get(type(column.kind))
    found = quick(column.kind, distinct) if quick else {}
    return found | {raw: read_cell(column.kind, raw, order) for raw in distinct - found.keys()}


def _is_mixed(raws: Sequence[Any]) -> bool:
    """True and 1.0 are one key to a dictionary, but not to the rules."""
    kinds = set(map(type, raws))
    return bool in kinds and bool(kinds & {int, float})


def _quick_decimals(kind: DecimalNumber, distinct: set[Any]) -> dict[Any, str]:
    """The plain floats within bounds, by their shortest text; whatever is left, the plain rule judges."""
    low = float(kind.minimum) if kind.minimum is not None else float("-inf")
    high = float(kind.maximum) if kind.maximum is not None else float("inf")
    if kind.above is not None:
        return {}
    found = {raw: f"{raw:.15g}" for raw in distinct if type(raw) is float and low < raw < high and raw}
    most = min(kind.places, 9)
    return {raw: text for raw, text in found.items() if _is_short(text, most)}


def _is_short(text: str, places: int) -> bool:
    point = text.find(".")
    return "e" not in text and (point < 0 or len(text) - point - 1 <= places) and text != "inf"


def _quick_texts(kind: Text, distinct: set[Any]) -> dict[Any, str]:
    if kind.pattern is not None:
        return {}
    most = kind.maximum_length
    found = {raw: raw.strip() for raw in distinct if type(raw) is str and len(raw) <= most}
    return {raw: text for raw, text in found.items() if text and text[0] != "'"}


def _quick_whole(kind: WholeNumber, distinct: set[Any]) -> dict[Any, int]:
    low = kind.minimum if kind.minimum is not None else -_EXACT
    high = kind.maximum if kind.maximum is not None else _EXACT
    return {
        raw: int(raw)
        for raw in distinct
        if type(raw) is float and -_EXACT < raw < _EXACT and low <= raw <= high and raw.is_integer()
    }


def _quick_lists(kind: TextList, distinct: set[Any]) -> dict[Any, list[str]]:
    """Short lists of single words parted by semicolons, as most are."""
    found = {}
    for raw in distinct:
        if type(raw) is str and len(raw) <= min(kind.maximum_length, kind.maximum_items) and _WORDS.fullmatch(raw):
            found[raw] = raw.split(";")
    return found


_QUICK: dict[type, Any] = {
    DecimalNumber: _quick_decimals,
    Text: _quick_texts,
    TextList: _quick_lists,
    WholeNumber: _quick_whole,
}


def _add_known_faults(
    faults: Faults, table: RawTable, columns: Sequence[Column], header: Header, first_row: int
) -> None:
    fields = {header.places[column.field] + table.first_column: column.field for column in columns}
    for (row, place), fault in table.faults.items():
        if place in fields and row >= first_row:
            faults.setdefault(row - first_row, {})[fields[place]] = fault


def _assembled(
    sheet: Sheet, columns: Sequence[Column], cells: Cells, faults: Faults, first_row: int
) -> list[ParsedRow]:
    fields = [column.field for column in columns]
    with_blanks = [column for column in columns if None in cells[column.field]]
    parsed = []
    for index, values in enumerate(zip(*(cells[name] for name in fields), strict=True)):
        bad = faults.get(index)
        known = dict(zip(fields, values, strict=True))
        missing = [column for column in with_blanks if known[column.field] is None]
        for column in missing:
            del known[column.field]
        if not known and not bad:
            continue
        row = first_row + index
        problems = _row_problems(sheet, columns, row, bad) if bad else []
        problems += [
            _missing_value(sheet, column, row)
            for column in missing
            if column.required and not (bad and column.field in bad)
        ]
        parsed.append(ParsedRow(row, known, tuple(problems)))
    return parsed


def _row_problems(sheet: Sheet, columns: Sequence[Column], row: int, bad: Mapping[str, Fault]) -> list[Problem]:
    found = [(column, bad[column.field]) for column in columns if column.field in bad]
    return [
        Problem(fault.code, fault.detail, column.field, fault.allowed, sheet.name, row, column.header)
        for column, fault in found
    ]


def _missing_value(sheet: Sheet, column: Column, row: int) -> Problem:
    detail = f"{column.header} is required."
    return Problem("cell.required", detail, column.field, allowed_values(column.kind), sheet.name, row, column.header)


def _without_repeats(sheet: Sheet, rows: list[ParsedRow]) -> list[ParsedRow]:
    """Rows whose unique fields stand on another row too: none of them can be meant, so each has a problem."""
    if not sheet.unique:
        return rows
    keys = [_key(sheet, row) for row in rows]
    counted = Counter(key for key in keys if key is not None)
    if not counted or counted.most_common(1)[0][1] == 1:
        return rows
    places: dict[Any, list[int]] = {}
    for key, row in zip(keys, rows, strict=True):
        places.setdefault(key, []).append(row.row)
    return [
        row if key is None or counted[key] == 1 else _repeated(sheet, row, places[key])
        for key, row in zip(keys, rows, strict=True)
    ]


def _key(sheet: Sheet, row: ParsedRow) -> tuple[str, ...] | None:
    if not all(name in row.values for name in sheet.unique):
        return None
    return tuple(str(row.values[name]).casefold() for name in sheet.unique)


def _repeated(sheet: Sheet, row: ParsedRow, places: Sequence[int]) -> ParsedRow:
    column = sheet.column(sheet.unique[-1])
    names = " and ".join(sheet.column(name).header for name in sheet.unique)
    others = ", ".join([str(place) for place in places[:4] if place != row.row][:3])
    problem = Problem(
        "row.repeated",
        f"The same {names} stands on row {others} too.",
        column.field,
        "each on one row only",
        sheet.name,
        row.row,
        column.header,
    )
    return ParsedRow(row.row, row.values, (*row.problems, problem))
