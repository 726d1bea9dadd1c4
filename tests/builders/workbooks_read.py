"""Reads one row of cells by the workbook reader itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.files.cells import DateOrder
from chalicelib.files.columns import Column, Sheet
from chalicelib.files.importing import ParsedRow
from chalicelib.files.reading import RawTable, find_header, read_table


def read_row(columns: Sequence[Column], cells: Mapping[str, Any], order: DateOrder = "dmy") -> ParsedRow | None:
    """The row below a header of all columns; None when every cell of it is blank."""
    sheet = Sheet("Sheet", tuple(columns))
    raw = [cells.get(column.field) for column in columns]
    table = RawTable("Sheet", [[column.header for column in columns], raw])
    header = find_header(sheet, table)
    assert header is not None
    rows = read_table(sheet, table, header, order).rows
    return rows[0] if rows else None
