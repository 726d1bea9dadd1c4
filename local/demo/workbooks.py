"""Owns filling and reading workbooks as a client with a spreadsheet library would: by the headers it sees."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

_HEADER_WITHIN = 30
Row = Mapping[str, Any]


def fill(template: bytes, tabs: Mapping[str, Sequence[Row]]) -> bytes:
    """A template with rows (by header) written under the header of each tab."""
    workbook = load_workbook(io.BytesIO(template))
    for name, rows in tabs.items():
        _fill_tab(workbook[name], rows)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def read(content: bytes, tab: str) -> list[dict[str, Any]]:
    """The rows of a tab by header; blank rows are left out."""
    sheet = load_workbook(io.BytesIO(content), data_only=True)[tab]
    place, headers = _header(sheet)
    rows = [dict(zip(headers, values, strict=False)) for values in sheet.iter_rows(min_row=place + 1, values_only=True)]
    return [row for row in rows if any(value not in (None, "") for value in row.values())]


def amend(content: bytes, tab: str, changes: Mapping[str, Row], key: str) -> bytes:
    """A filled workbook with some cells changed: `changes` by the text of the key column."""
    workbook = load_workbook(io.BytesIO(content))
    sheet = workbook[tab]
    place, headers = _header(sheet)
    columns = {header: number for number, header in enumerate(headers, 1) if header}
    for number in range(place + 1, sheet.max_row + 1):
        for header, value in changes.get(str(sheet.cell(number, columns[key]).value), {}).items():
            sheet.cell(number, columns[header], value)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _fill_tab(sheet: Worksheet, rows: Sequence[Row]) -> None:
    place, headers = _header(sheet)
    known = set(headers)
    unknown = {header for row in rows for header in row} - known
    if unknown:
        raise KeyError(f"the tab {sheet.title} has no column {', '.join(sorted(unknown))}")
    for offset, row in enumerate(rows, place + 1):
        for column, header in enumerate(headers, 1):
            sheet.cell(offset, column, row.get(header) if header else None)


def _header(sheet: Worksheet) -> tuple[int, list[str]]:
    """The header: of the first rows the frozen one, or that with the most filled cells; as (row number, headers)."""
    frozen = sheet.freeze_panes
    if frozen:
        number = int("".join(char for char in str(frozen) if char.isdigit())) - 1
    else:
        counts = [
            (sum(value is not None for value in values), -number)
            for number, values in enumerate(sheet.iter_rows(max_row=_HEADER_WITHIN, values_only=True), 1)
        ]
        number = -max(counts)[1]
    return number, [str(cell.value or "") for cell in sheet[number]]
