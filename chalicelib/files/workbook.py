"""Owns reading dropped files: XLSX by python-calamine or CSV, matched to a template. For functions only."""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from chalicelib.files.archive import CAPS, Caps, check_workbook
from chalicelib.files.cells import DateOrder, as_text
from chalicelib.files.columns import Sheet, Template
from chalicelib.files.dialects import read_csv
from chalicelib.files.formulas import faults_of_parts
from chalicelib.files.importing import ParsedSheet
from chalicelib.files.models import MOST_BYTES
from chalicelib.files.reading import Header, RawTable, find_header, fold_header, read_table
from chalicelib.kernel.errors import Invalid

README = "README"
PROBLEMS = "Problems"
VERSION_LABEL, KIND_LABEL = "Template version", "Template"
_README_ROWS = 20
_NOTES = 100


@dataclass(frozen=True, slots=True)
class MatchedTab:
    """A tab of the file and the tab of the template that it was taken for."""

    sheet: Sheet
    table: RawTable
    header: Header


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file as read: `sheets` by the template's tab names, and notes on what was ignored."""

    sheets: Mapping[str, ParsedSheet]
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        return sum(len(sheet.rows) for sheet in self.sheets.values())


def read_file(content: bytes, template: Template, order: DateOrder = "dmy", caps: Caps = CAPS) -> ReadFile:
    """The rows of a workbook or CSV by a template's columns; problems of single cells stand on their rows.

    `Invalid` when the file as a whole cannot be taken: too large, unreadable, another template or version, a required
    column missing, no rows or too many.
    """
    with _without_collecting():
        matched = match_tabs(content, read_tables(content, caps), template)
        sheets = {tab.sheet.name: read_table(tab.sheet, tab.table, tab.header, order) for tab in matched}
    found = ReadFile(sheets, _notes(sheets))
    if not found.rows:
        raise Invalid("file.no_rows", "The file has no rows under its header.")
    if found.rows > caps.rows:
        raise Invalid("file.too_many_rows", f"The file has {found.rows:,} rows; {caps.rows:,} are taken. Part it.")
    return found


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Millions of cells and no cycle among them: looking for cycles again and again takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def match_tabs(content: bytes, tables: Sequence[RawTable], template: Template) -> list[MatchedTab]:
    """Which tab of the file is which of the template; `Invalid` for another template, version, or missing columns."""
    if not is_workbook(content):
        return [_matched_csv(tables[0], template)]
    _check_readme(tables, template)
    return _matched_tabs(tables, template)


def is_workbook(content: bytes) -> bool:
    """Whether bytes claim to be a workbook of some kind, and not text."""
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06", bytes.fromhex("d0cf11e0")))


def read_tables(content: bytes, caps: Caps = CAPS) -> list[RawTable]:
    """Every tab of a file as raw cells; a CSV is one tab without a name."""
    if not content:
        raise Invalid("file.empty", "The file is empty.")
    if len(content) > MOST_BYTES:
        raise Invalid("file.too_large", f"The file is over {MOST_BYTES // 1_000_000} MB; part it into several.")
    if not is_workbook(content):
        return [RawTable("", read_csv(content, caps.rows + 1_000))]
    suspects = check_workbook(content, caps)
    faults = faults_of_parts(content, suspects)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            return [_table(workbook, name, faults.get(name, {})) for name in workbook.sheet_names]
    except CalamineError as error:
        raise Invalid("file.corrupt", "The workbook is damaged and cannot be opened; save it again.") from error


def _table(workbook: CalamineWorkbook, name: str, faults: Mapping[Any, Any]) -> RawTable:
    sheet = workbook.get_sheet_by_name(name)
    rows = sheet.to_python(skip_empty_area=True)
    row, column = sheet.start or (0, 0)
    below = max((place[0] for place in faults), default=0) - row - len(rows)
    return RawTable(name, rows + [[]] * below, row + 1, column + 1, faults)


def _check_readme(tables: Sequence[RawTable], template: Template) -> None:
    """Our templates say what they are; a workbook without such a README is judged by its columns."""
    labels = next((_labels(table) for table in tables if fold_header(table.name) == fold_header(README)), {})
    kind, version = labels.get(fold_header(KIND_LABEL)), labels.get(fold_header(VERSION_LABEL))
    if kind is not None and kind.casefold() != template.kind:
        detail = f"This workbook is the template “{kind}”; dropped as {template.kind} it must be “{template.kind}”."
        raise Invalid("file.wrong_template", detail)
    if version is not None and version != template.version:
        detail = (
            f"This workbook is version {version} of the template {template.kind}; "
            f"version {template.version} is taken. Copy your rows into the latest template."
        )
        raise Invalid("file.wrong_version", detail)


def _labels(table: RawTable) -> dict[str, str]:
    pairs = [row[:2] for row in table.rows[:_README_ROWS] if len(row) > 1]
    return {fold_header(label): as_text(text) for label, text in pairs if as_text(text)}


def _matched_tabs(tables: Sequence[RawTable], template: Template) -> list[MatchedTab]:
    data = [table for table in tables if fold_header(table.name) != fold_header(PROBLEMS)]
    by_name = {fold_header(table.name): table for table in reversed(data)}
    matched: list[MatchedTab] = []
    for sheet in template.sheets:
        table = by_name.get(fold_header(sheet.name)) or _only_table(data, template)
        header = find_header(sheet, table) if table is not None else None
        if table is not None and header is not None:
            matched.append(MatchedTab(sheet, table, header))
        elif not sheet.optional:
            raise _wrong_template(template, f"it has no tab “{sheet.name}” with the columns of that template")
    if not matched:
        raise _wrong_template(template, "none of its tabs has the columns of that template")
    return matched


def _only_table(tables: Sequence[RawTable], template: Template) -> RawTable | None:
    """Other systems name their one tab as they like: it is taken for the one tab that is required."""
    required = [sheet for sheet in template.sheets if not sheet.optional]
    return tables[0] if len(tables) == 1 and len(required) <= 1 else None


def _matched_csv(table: RawTable, template: Template) -> MatchedTab:
    """A CSV holds one tab: that of the template whose columns its header names most."""
    required = [sheet for sheet in template.sheets if not sheet.optional]
    if len(required) > 1:
        tabs = ", ".join(sheet.name for sheet in required)
        raise Invalid("file.needs_workbook", f"{template.title} take an XLSX workbook with the tabs {tabs}, not a CSV.")
    best = max(template.sheets, key=lambda sheet: _columns_named(sheet, table))
    header = find_header(best, table)
    if header is None:
        raise _wrong_template(template, "no line of it names the columns of that template")
    return MatchedTab(best, table, header)


def _columns_named(sheet: Sheet, table: RawTable) -> int:
    try:
        header = find_header(sheet, table)
    except Invalid:
        # A required column is missing; the tab is chosen by what there is, and refused by name afterwards.
        return 0
    return len(header.places) if header else 0


def _wrong_template(template: Template, reason: str) -> Invalid:
    detail = f"This is not the template “{template.kind}” (version {template.version}): {reason}."
    return Invalid("file.wrong_template", detail)


def _notes(sheets: Mapping[str, ParsedSheet]) -> tuple[str, ...]:
    unknown = [(sheet.name, name) for sheet in sheets.values() for name in sheet.unknown]
    return tuple(f"{sheet}: the column “{name}” is not known and was ignored." for sheet, name in unknown[:_NOTES])
