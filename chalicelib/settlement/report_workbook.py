"""Owns the settlement report as workbook: every line, half-hour, baseline day and meter, as numbers and local dates.

Carries the spreadsheet library; for functions only. The same contents give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from chalicelib.files.looks import Looks
from chalicelib.files.writing import MOST_SHEET_ROWS, new_workbook, print_on_one_page_width, write_string
from chalicelib.kernel.errors import Refused
from chalicelib.kernel.periods import local_of
from chalicelib.settlement.report_contents import Contents, Sum
from chalicelib.settlement.report_tabs import DAY, INSTANT, WHOLE, WORDS, Tab, money_format, tabs
from chalicelib.settlement.workings import sentences

_HEADER_HEIGHT, _A3 = 32, 8
_TO_THE_LEFT = frozenset({WORDS, DAY, INSTANT})
_TOTAL = {"bold": True, "bg_color": "#F4F7FA", "top": 1, "top_color": "#17324D"}


def report_workbook(contents: Contents) -> bytes:
    """A report as XLSX. Times are on the report's local clock; `Refused` when a tab would outgrow a workbook."""
    stream = io.BytesIO()
    with new_workbook(stream) as workbook:
        looks = Looks(workbook)
        _write_summary(workbook.add_worksheet("Summary"), looks, contents)
        for tab in tabs(contents):
            _write_tab(workbook.add_worksheet(tab.name), looks, tab)
    return stream.getvalue()


def _write_tab(sheet: Worksheet, looks: Looks, tab: Tab) -> None:
    """A tab under one frozen header row with filters, each column in its format."""
    sheet.set_row(0, _HEADER_HEIGHT)
    formats = [_look(looks, field.format) for field in tab.fields]
    for place, field in enumerate(tab.fields):
        sheet.set_column(place, place, field.width, formats[place])
        sheet.write_string(0, place, field.header, _header(looks, field.format))
    sheet.freeze_panes(1, 1)
    print_on_one_page_width(sheet)
    sheet.set_paper(_A3)
    sheet.repeat_rows(0)
    row = 0
    for row, cells in enumerate(tab.rows, 1):
        if row >= MOST_SHEET_ROWS:
            detail = f"The tab {sheet.get_name()} would have over {MOST_SHEET_ROWS:,} rows, more than a workbook holds."
            raise Refused("export.too_many_rows", detail)
        for place, value in enumerate(cells):
            _write(sheet, row, place, value, formats[place])
    sheet.autofilter(0, 0, max(row, 1), len(tab.fields) - 1)


def _look(looks: Looks, code: str) -> Format:
    """Figures stand to the right; words and times to the left, off the figures of the column before."""
    return looks.shaped(code, align="left", indent=1) if code in _TO_THE_LEFT else looks.shaped(code)


def _header(looks: Looks, code: str) -> Format:
    side = {"align": "left", "indent": 1} if code in _TO_THE_LEFT else {"align": "right"}
    colours = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#17324D", "text_wrap": True, "valign": "vcenter"}
    return looks.shaped(WORDS, **colours, **side)


def _write(sheet: Worksheet, row: int, place: int, value: Any, look: Any) -> None:
    """A value as what it is: numbers as numbers, local times as dates, text never as a formula; None is blank."""
    match value:
        case None:
            return
        case Decimal() | int() | float():
            sheet.write_number(row, place, float(value), look)
        case datetime() | date():
            sheet.write_datetime(row, place, value, look)
        case _:
            write_string(sheet, row, place, str(value), look)


def _write_summary(sheet: Worksheet, looks: Looks, contents: Contents) -> None:
    sheet.hide_gridlines(2)
    print_on_one_page_width(sheet)
    for place, width in enumerate((34, 20, 20, 20, 60)):
        sheet.set_column(place, place, width)
    write_string(sheet, 0, 0, contents.title, looks.title)
    row = 2
    for label, value in _sides(contents):
        write_string(sheet, row, 0, label, looks.label)
        _write(sheet, row, 1, value, looks.shaped(_format_of(value), align="left"))
        row += 1
    row = _write_sums(sheet, looks, row + 1, "By component", contents.by_component, contents)
    row = _write_sums(sheet, looks, row + 1, "By state of lines", contents.by_state, contents)
    write_string(sheet, row + 1, 0, "Rules applied", looks.heading)
    row += 2
    for sentence in sentences(contents.detail.rules):
        write_string(sheet, row, 0, sentence, looks.number_format("General"))
        row += 1


def _format_of(value: Any) -> str:
    """A fact's number format; like its label, it stands to the left."""
    match value:
        case datetime():
            return INSTANT
        case date():
            return DAY
    return WORDS


def _sides(contents: Contents) -> list[tuple[str, Any]]:
    report = contents.report
    published = report.published_at and local_of(report.published_at, contents.zone)
    return [
        ("System operator", contents.operator),
        ("Flexibility service provider", contents.provider),
        ("First day", report.first),
        ("Last day", report.last),
        ("Time zone of all times", report.time_zone),
        ("Report version", str(report.number)),
        ("State", report.state),
        ("Settled at", local_of(report.made_at, contents.zone)),
        ("Published at", published),
        ("Disputes until the end of", report.disputable_until),
        ("Report", report.id),
        ("Settlement run", report.run_id),
        ("Currency", report.currency),
    ]


def _write_sums(sheet: Worksheet, looks: Looks, row: int, title: str, sums: Sequence[Sum], contents: Contents) -> int:
    """A small table of totals; the answer is the row after it."""
    money = money_format(contents.report.currency)
    write_string(sheet, row, 0, title, looks.heading)
    for place, header in enumerate(("Lines", "Not settled", "Amount"), 1):
        write_string(sheet, row + 1, place, header, looks.shaped(WORDS, bold=True, align="right"))
    whole = Sum("Total", sum(each.lines for each in sums), sum(each.unsettled for each in sums), contents.total)
    for number, each in enumerate([*sums, whole], row + 2):
        style = _TOTAL if each is whole else {}
        figures = ((each.name, WORDS), (each.lines, WHOLE), (each.unsettled, WHOLE), (each.amount, money))
        for place, (value, code) in enumerate(figures):
            _write(sheet, number, place, value, looks.shaped(code, **style))
    return row + 3 + len(sums)
