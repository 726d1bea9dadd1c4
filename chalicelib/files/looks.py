"""Owns how our workbooks look: colours, fonts and number formats."""

from __future__ import annotations

from typing import Any

import xlsxwriter
from xlsxwriter.format import Format

from chalicelib.files.columns import CellKind, Column, DecimalNumber, LocalDate, LocalDateTime, WholeNumber

HEAD_ROWS = 5
_INK, _QUIET, _LINE = "#17324D", "#5B6B7A", "#D5DDE5"
_REQUIRED, _OPTIONAL, _SHOWN = "#17324D", "#4F7396", "#8A949E"
_PAPER = "#F4F7FA"
_BAD, _BAD_INK = "#FFC7CE", "#9C0006"


class Looks:
    """The formats of one workbook."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        self._workbook = workbook
        self._kinds: dict[str, Format] = {}
        self.title = self._make(bold=True, font_size=18, font_color=_INK)
        self.heading = self._make(bold=True, font_size=13, font_color=_INK)
        self.label = self._make(bold=True, font_color=_INK, valign="top")
        self.number = self._make(font_color=_QUIET, align="right", valign="top")
        self.body = self._make(text_wrap=True, valign="top")
        self.bold = self._make(bold=True, bg_color=_PAPER, bottom=1, bottom_color=_LINE, text_wrap=True, valign="top")
        self._headers = {colour: self._header(colour) for colour in (_REQUIRED, _OPTIONAL, _SHOWN)}
        over = {"bg_color": _PAPER, "text_wrap": True, "valign": "top", "font_size": 9, "left": 1, "left_color": _LINE}
        quiet = self._make(**over, font_color=_QUIET)
        self._help = self._make(**over, font_color=_INK)
        self._example = self._make(**over, font_color=_QUIET, italic=True)
        self._quiet = quiet
        self._must = self._make(**over, font_color=_REQUIRED, bold=True)

    def header(self, column: Column) -> Format:
        colour = _SHOWN if column.shown_only else _REQUIRED if column.required else _OPTIONAL
        return self._headers[colour]

    def heads(self, column: Column) -> tuple[Format, ...]:
        """The formats of the five rows over a header: description, type, required or not, allowed values, example."""
        must = self._must if column.required else self._quiet
        return self._help, self._quiet, must, self._quiet, self._example

    def of_kind(self, kind: CellKind) -> Format:
        """The format of a column's cells: texts as text, so that references keep their zeros."""
        return self.number_format(_number_format(kind))

    def shaped(self, code: str, **properties: Any) -> Format:
        """The format of a number format's code with further properties of XlsxWriter's (`align`, `bold`, `indent`)."""
        key = f"{code}/{sorted(properties.items())}"
        if key not in self._kinds:
            self._kinds[key] = self._make(num_format=code, **{"valign": "top"} | properties)
        return self._kinds[key]

    def number_format(self, code: str, bad: bool = False) -> Format:
        """The format of a number format's code, in the colours of a bad cell where `bad`."""
        key = f"{code}/{bad}"
        if key not in self._kinds:
            colours = {"bg_color": _BAD, "font_color": _BAD_INK} if bad else {}
            self._kinds[key] = self._make(num_format=code, valign="top", **colours)
        return self._kinds[key]

    def _header(self, colour: str) -> Format:
        edge = {"left": 1, "left_color": _PAPER}
        return self._make(bold=True, font_color="#FFFFFF", bg_color=colour, text_wrap=True, valign="vcenter", **edge)

    def _make(self, **properties: Any) -> Format:
        return self._workbook.add_format({"font_name": "Calibri", "font_size": 11} | properties)


def _number_format(kind: CellKind) -> str:
    match kind:
        case DecimalNumber() | WholeNumber():
            return "General"
        case LocalDate():
            return "yyyy-mm-dd"
        case LocalDateTime():
            return "yyyy-mm-dd hh:mm"
    return "@"
