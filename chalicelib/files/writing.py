"""Owns writing workbooks with XlsxWriter: blank templates and filled downloads, both from a template's columns."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from chalicelib.files.cells import neutralise
from chalicelib.files.columns import (
    CellKind,
    Choice,
    ClockTime,
    Column,
    DecimalNumber,
    Duration,
    LocalDate,
    LocalDateTime,
    Sheet,
    Template,
    Text,
    TextList,
    WholeNumber,
    YesNo,
    allowed_values,
    describe_kind,
)
from chalicelib.files.durations import clock_duration, parse_duration
from chalicelib.files.looks import HEAD_ROWS, Looks
from chalicelib.files.workbook import KIND_LABEL, README, VERSION_LABEL
from chalicelib.kernel.errors import Refused

LISTS = "Lists"
HEADER_ROW = HEAD_ROWS
MOST_SHEET_ROWS = 1_048_576
MOST_CELL_TEXT = 32_767
_EXACT_DIGITS = 15
_A3 = 8
_LONG_HELP = 100
_LINE_HEIGHT, _HEADER_HEIGHT, _MOST_HEIGHT = 12.5, 24, 160
_LISTED_ROWS = 500_000
_MADE = datetime(2026, 1, 1)  # noqa: DTZ001 (a fixed mark, so that the same content gives the same bytes)
_RULES = (
    "Keep the header row of each tab as it is; columns may stand in any order, and columns of your own are ignored.",
    "The rows above the header say what each column takes. Fill in one row per line below it.",
    "Formulas are read by their value. Dates may be real date cells or text such as 2026-04-01.",
    "Upload the file, or drop it in your inbox: the receipt names every row and cell that has a problem.",
)

Rows = Iterable[Mapping[str, Any]]


def write_template(template: Template) -> bytes:
    """The blank workbook of a template."""
    return write_download(template, {})


def write_download(template: Template, rows: Mapping[str, Rows]) -> bytes:
    """The workbook of a template filled with rows by tab name; values by field, as `files.columns` lists them.

    `Refused` when a tab would have more rows, or a cell more text, than a workbook can hold.
    """
    stream = io.BytesIO()
    with new_workbook(stream) as workbook:
        looks = Looks(workbook)
        _write_readme(workbook, looks, template)
        lists = _lists(template)
        for sheet in template.sheets:
            _write_sheet(workbook.add_worksheet(sheet.name), looks, sheet, rows.get(sheet.name, ()), lists)
        _write_lists(workbook, lists)
    return stream.getvalue()


@contextmanager
def new_workbook(stream: io.BytesIO) -> Iterator[xlsxwriter.Workbook]:
    """A workbook that keeps one row in memory; texts are never taken for formulas, numbers or links."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = xlsxwriter.Workbook(stream, options)
    workbook.set_properties({"author": "Headroom", "created": _MADE})
    yield workbook
    workbook.close()


def print_on_one_page_width(sheet: Worksheet) -> None:
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _write_readme(workbook: xlsxwriter.Workbook, looks: Looks, template: Template) -> None:
    sheet = workbook.add_worksheet(README)
    print_on_one_page_width(sheet)
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 100)
    sheet.write_string(0, 0, template.title, looks.title)
    sheet.write_string(2, 0, KIND_LABEL, looks.label)
    sheet.write_string(2, 1, template.kind, looks.body)
    sheet.write_string(3, 0, VERSION_LABEL, looks.label)
    sheet.write_string(3, 1, template.version, looks.body)
    sheet.write_string(5, 0, "How to", looks.heading)
    lines = [*template.how_to, *_RULES]
    for number, line in enumerate(lines, 1):
        sheet.write_string(5 + number, 0, f"{number}.", looks.number)
        sheet.write_string(5 + number, 1, line, looks.body)
    first = 7 + len(lines)
    sheet.write_string(first, 0, "Tabs", looks.heading)
    for number, tab in enumerate(template.sheets, 1):
        sheet.write_string(first + number, 0, tab.name, looks.label)
        sheet.write_string(first + number, 1, _tab_help(tab), looks.body)


def _tab_help(tab: Sheet) -> str:
    required = ", ".join(column.header for column in tab.columns if column.required)
    return " ".join(filter(None, [tab.help, f"Required: {required}." if required else "Nothing is required."]))


def _write_sheet(sheet: Worksheet, looks: Looks, tab: Sheet, rows: Rows, lists: Mapping[tuple[str, ...], int]) -> None:
    for row in range(HEAD_ROWS):
        sheet.set_row(row, _height(tab, row))
        for place, column in enumerate(tab.columns):
            sheet.write_string(row, place, _heads(column)[row], looks.heads(column)[row])
    sheet.set_row(HEADER_ROW, _HEADER_HEIGHT)
    for place, column in enumerate(tab.columns):
        sheet.set_column(place, place, _width(column), looks.of_kind(column.kind))
        sheet.write_string(HEADER_ROW, place, column.header, looks.header(column))
        _offer_choices(sheet, place, column.kind, lists)
    sheet.freeze_panes(HEADER_ROW + 1, 1)
    sheet.set_landscape()
    sheet.set_paper(_A3)
    sheet.repeat_rows(HEADER_ROW)
    last = _write_rows(sheet, looks, tab, rows)
    sheet.autofilter(HEADER_ROW, 0, max(last, HEADER_ROW + 1), len(tab.columns) - 1)


def _heads(column: Column) -> tuple[str, str, str, str, str]:
    """What stands over a column: description, type, required or not, allowed values, example."""
    required = "Shown only" if column.shown_only else "Required" if column.required else "Optional"
    allowed = "not read back" if column.shown_only else allowed_values(column.kind)
    example = f"e.g. {column.example}" if column.example else ""
    return column.help, describe_kind(column.kind), required, allowed, example


def _width(column: Column) -> int:
    """A column's width in characters: its own, or enough for its header and a long description."""
    if column.width is not None:
        return column.width
    by_help = 36 if len(column.help) > _LONG_HELP else 22
    return min(36, max(by_help, len(column.header) + 4))


def _height(tab: Sheet, row: int) -> float:
    """The height in points that a row over the header needs, its texts wrapped."""
    lines = [math.ceil(len(_heads(column)[row]) * 0.95 / _width(column)) for column in tab.columns]
    return min(_MOST_HEIGHT, max(1, *lines) * _LINE_HEIGHT + 4)


def _write_rows(sheet: Worksheet, looks: Looks, tab: Sheet, rows: Rows) -> int:
    """Write the rows under the header; the answer is the last row written, counted from 0."""
    writers = [
        (place, column.field, _WRITERS.get(type(column.kind), _write_text), looks.of_kind(column.kind))
        for place, column in enumerate(tab.columns)
    ]
    number = HEADER_ROW
    for number, row in enumerate(rows, HEADER_ROW + 1):
        if number >= MOST_SHEET_ROWS:
            detail = f"The tab {tab.name} would have over {MOST_SHEET_ROWS:,} rows, more than a workbook holds."
            raise Refused("export.too_many_rows", f"{detail} Ask for less with filters.")
        for place, name, write, look in writers:
            value = row.get(name)
            if value is not None:
                write(sheet, number, place, value, look)
    return number


Write = Callable[[Worksheet, int, int, Any, Format | None], Any]


def write_string(sheet: Worksheet, row: int, place: int, text: str, look: Format | None) -> None:
    """Text that no spreadsheet program takes for a formula; `Refused` when a cell cannot hold it."""
    if len(text) >= MOST_CELL_TEXT:
        detail = f"Row {row + 1}, column {place + 1} of {sheet.get_name()} has more text than a workbook's cell holds."
        raise Refused("export.cell_too_long", detail)
    if text:
        sheet.write_string(row, place, neutralise(text), look)


def _write_text(sheet: Worksheet, row: int, place: int, value: Any, look: Format | None) -> None:
    write_string(sheet, row, place, str(value), look)


def _write_decimal(sheet: Worksheet, row: int, place: int, value: Any, look: Format | None) -> None:
    """A number where a spreadsheet keeps it exactly, else text: its cells hold fifteen digits."""
    number = float(value)
    if type(value) is not float and len(str(value)) > _EXACT_DIGITS and not _is_exact(value):
        sheet.write_string(row, place, f"{Decimal(value):f}", look)
    else:
        sheet.write_number(row, place, number, look)


def _is_exact(value: Decimal | str) -> bool:
    return len(Decimal(value).as_tuple().digits) <= _EXACT_DIGITS


def _write_date(sheet: Worksheet, row: int, place: int, value: Any, look: Format | None) -> None:
    day = date.fromisoformat(value) if isinstance(value, str) else value
    sheet.write_datetime(row, place, day, look)


def _write_instant(sheet: Worksheet, row: int, place: int, value: Any, look: Format | None) -> None:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    sheet.write_datetime(row, place, moment, look)


def _write_clock(sheet: Worksheet, row: int, place: int, value: Any, look: Format | None) -> None:
    sheet.write_string(row, place, f"{value:%H:%M}" if isinstance(value, time) else str(value), look)


def _write_duration(sheet: Worksheet, row: int, place: int, value: Any, look: Format | None) -> None:
    length = value if isinstance(value, timedelta) else parse_duration(str(value))
    sheet.write_string(row, place, clock_duration(length), look)


def _write_yes_no(sheet: Worksheet, row: int, place: int, value: Any, look: Format | None) -> None:
    sheet.write_string(row, place, "Yes" if value else "No", look)


def _write_list(sheet: Worksheet, row: int, place: int, value: Any, look: Format | None) -> None:
    write_string(sheet, row, place, "; ".join(value), look)


_WRITERS: dict[type, Write] = {
    DecimalNumber: _write_decimal,
    WholeNumber: _write_decimal,
    LocalDate: _write_date,
    LocalDateTime: _write_instant,
    ClockTime: _write_clock,
    Duration: _write_duration,
    YesNo: _write_yes_no,
    TextList: _write_list,
}


def _choices(kind: CellKind) -> tuple[str, ...]:
    match kind:
        case Choice(choices=choices):
            return choices
        case YesNo():
            return ("Yes", "No")
        case Text(suggestions=suggestions):
            return suggestions
    return ()


def _lists(template: Template) -> dict[tuple[str, ...], int]:
    """Every list of choices of the template with its column in the hidden tab."""
    kinds = [column.kind for sheet in template.sheets for column in sheet.columns if not column.shown_only]
    found = dict.fromkeys(_choices(kind) for kind in kinds)
    return {choices: place for place, choices in enumerate(choices for choices in found if choices)}


def _write_lists(workbook: xlsxwriter.Workbook, lists: Mapping[tuple[str, ...], int]) -> None:
    if not lists:
        return
    sheet = workbook.add_worksheet(LISTS)
    for row in range(max(map(len, lists))):
        for choices, place in lists.items():
            if row < len(choices):
                sheet.write_string(row, place, choices[row])
    sheet.hide()


_REFUSAL = {"error_title": "Not one of the list", "error_message": "Choose one of the values of the list."}
_QUESTION = {
    "error_type": "warning",
    "error_title": "Not one of the list",
    "error_message": "The list holds what is usual. Keep this value if the market knows it too.",
}


def _offer_choices(sheet: Worksheet, place: int, kind: CellKind, lists: Mapping[tuple[str, ...], int]) -> None:
    choices = _choices(kind)
    if choices not in lists:
        return
    column = xlsxwriter.utility.xl_col_to_name(lists[choices], True)
    rule = {
        "validate": "list",
        "source": f"={LISTS}!{column}$1:{column}${len(choices)}",
        **(_QUESTION if isinstance(kind, Text) else _REFUSAL),
    }
    sheet.data_validation(HEADER_ROW + 1, place, HEADER_ROW + _LISTED_ROWS, place, rule)
