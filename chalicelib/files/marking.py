"""Owns the marked-up copy of a dropped file: its values, every bad cell coloured with a comment, and a list."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from chalicelib.files.cells import neutralise, restore
from chalicelib.files.looks import Looks
from chalicelib.files.models import FileProblem
from chalicelib.files.reading import fold_header
from chalicelib.files.workbook import PROBLEMS, MatchedTab, RawTable
from chalicelib.files.writing import MOST_CELL_TEXT, new_workbook, print_on_one_page_width

MOST_COMMENTS = 20_000
MOST_LISTED = 100_000
_COMMENT = {"author": "Headroom", "x_scale": 2.2, "y_scale": 1.2}
_LISTED = ("Tab", "Row", "Column", "Problem", "What would pass", "Code")
_WIDTHS = (22, 8, 28, 70, 50, 22)

Marks = dict[tuple[int, int], list[FileProblem]]


def mark_workbook(tables: Sequence[RawTable], matched: Sequence[MatchedTab], problems: Iterable[FileProblem]) -> bytes:
    """A workbook with the file's values, tab by tab, and its problems; a CSV becomes a workbook.

    Its first tab lists the problems; dropped again, that tab is passed over.
    """
    found = list(problems)
    stream = io.BytesIO()
    with new_workbook(stream) as workbook:
        looks = Looks(workbook)
        _write_problems(workbook, looks, found)
        tabs = {id(tab.table): tab for tab in matched}
        left = MOST_COMMENTS
        for table in tables:
            if fold_header(table.name) == fold_header(PROBLEMS):
                continue
            tab = tabs.get(id(table))
            marks = _marks(tab, found) if tab else {}
            _write_table(workbook, looks, table, tab, marks, left)
            left = max(0, left - len(marks))
    return stream.getvalue()


def _write_problems(workbook: xlsxwriter.Workbook, looks: Looks, problems: Sequence[FileProblem]) -> None:
    sheet = workbook.add_worksheet(PROBLEMS)
    sheet.freeze_panes(1, 0)
    print_on_one_page_width(sheet)
    for place, (text, width) in enumerate(zip(_LISTED, _WIDTHS, strict=True)):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, text, looks.bold)
    for row, problem in enumerate(problems[:MOST_LISTED], 1):
        cells = (problem.sheet, problem.row, problem.column, problem.detail, problem.allowed, problem.code)
        for place, cell in enumerate(cells):
            if isinstance(cell, int):
                sheet.write_number(row, place, cell, looks.body)
            elif cell:
                sheet.write_string(row, place, neutralise(cell)[: MOST_CELL_TEXT - 1], looks.body)


def _marks(tab: MatchedTab, problems: Sequence[FileProblem]) -> Marks:
    """The problems of a tab by place (row and column from 1); those of a whole row stand on its first cell."""
    places = _places(tab)
    marks: Marks = {}
    for problem in problems:
        if problem.row is not None and problem.sheet in (tab.sheet.name, None):
            place = places.get(problem.field or "", places.get(problem.column or "", tab.table.first_column))
            marks.setdefault((problem.row, place), []).append(problem)
    return marks


def _places(tab: MatchedTab) -> dict[str, int]:
    first = tab.table.first_column
    by_field = {name: first + place for name, place in tab.header.places.items()}
    return {tab.sheet.column(name).header: place for name, place in by_field.items()} | by_field


def _write_table(
    workbook: xlsxwriter.Workbook,
    looks: Looks,
    table: RawTable,
    tab: MatchedTab | None,
    marks: Marks,
    comments_left: int,
) -> None:
    sheet = workbook.add_worksheet(table.name or (tab.sheet.name if tab else None))
    header_row = table.first_row + tab.header.index if tab else 0
    if not tab:
        sheet.set_column(0, 1, 24)
    else:
        sheet.set_column(table.first_column - 1, table.first_column + len(tab.sheet.columns) - 1, 18)
        sheet.freeze_panes(header_row, 0)
    commented = set(list(marks)[:comments_left])
    for number, cells in enumerate(_with_marked_rows(table, marks), table.first_row):
        for place, raw in enumerate(_padded(cells, table, number, marks), table.first_column):
            found = marks.get((number, place))
            _write_cell(sheet, looks, number - 1, place - 1, raw, bool(found), number == header_row)
            if found and (number, place) in commented:
                sheet.write_comment(number - 1, place - 1, _comment(found), _COMMENT)


def _with_marked_rows(table: RawTable, marks: Marks) -> list[Sequence[Any]]:
    """The rows, and blank ones as far down as there are marks."""
    last = max((row for row, _ in marks), default=0)
    missing = last - table.first_row + 1 - len(table.rows)
    return [*table.rows, *([[]] * missing)]


def _padded(cells: Sequence[Any], table: RawTable, row: int, marks: Marks) -> Sequence[Any]:
    """The row's cells, and blank ones as far right as a mark may stand, where the row has a mark."""
    short = len(table.rows[0]) - len(cells) if table.rows else 0
    return [*cells, *([""] * short)] if short > 0 and marks else cells


def _write_cell(sheet: Worksheet, looks: Looks, row: int, place: int, raw: Any, bad: bool, is_header: bool) -> None:
    look = looks.bold if is_header and not bad else looks.number_format(_code(raw), bad) if bad or _code(raw) else None
    match raw:
        case None | "":
            if bad:
                sheet.write_blank(row, place, None, look)
        case str():
            sheet.write_string(row, place, neutralise(restore(raw))[: MOST_CELL_TEXT - 1], look)
        case bool():
            sheet.write_boolean(row, place, raw, look)
        case datetime() | date() | time() | timedelta():
            sheet.write_datetime(row, place, raw, look)
        case _:
            sheet.write_number(row, place, raw, look)


def _code(raw: Any) -> str:
    """The number format that shows a raw value as what it is; empty where the general one does."""
    match raw:
        case datetime():
            return "yyyy-mm-dd hh:mm:ss"
        case date():
            return "yyyy-mm-dd"
        case time():
            return "hh:mm:ss"
        case timedelta():
            return "[h]:mm:ss"
    return ""


def _comment(problems: Sequence[FileProblem]) -> str:
    lines = [problem.detail + (f"\nTaken: {problem.allowed}" if problem.allowed else "") for problem in problems]
    return "\n\n".join(lines)[:2_000]
