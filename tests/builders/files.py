"""Builds templates, workbooks, CSVs and drops, and a room whose importer keeps its rows in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from chalicelib.files.columns import (
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
)
from chalicelib.files.importing import Chunk, Importer, RowOutcome, Split, by_rows
from chalicelib.files.models import Drop, Receipt
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Problem
from chalicelib.storage import objects

ARRIVED = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)

EVERY_KIND = Sheet(
    "Assets",
    (
        Column("Asset Ref", "ref", "Your own reference, unique among yours.", True, Text(40), "EV-001"),
        Column("Name", "name", "What people call it.", True, Text(100), "Depot chargers"),
        Column("Capacity (MW)", "mw", "How much it can turn down.", False, DecimalNumber(6), "1.25"),
        Column("Device Count", "count", "How many alike.", False, WholeNumber(1, 1000), "12"),
        Column("Operational Date", "day", "The day it went live.", False, LocalDate(), "2026-04-01"),
        Column("Seen", "seen", "When it was last seen.", False, LocalDateTime(), "2026-04-01 09:00"),
        Column("Start", "start", "From when on it can run.", False, ClockTime(), "16:30"),
        Column("Response Time", "response", "How fast it answers.", False, Duration(), "0 00:30:00"),
        Column("Flexible", "flexible", "Whether it can move.", False, YesNo(), "yes"),
        Column("Status", "status", "Where it stands.", False, Choice(("In Development", "Operational")), "Operational"),
        Column("Postcodes", "postcodes", "Where it serves.", False, TextList(), "IP1 1AA; IP1 1AB"),
        Column("Phase", "phase", "For you to see.", False, Text(), shown_only=True),
    ),
    unique=("ref",),
)
TEMPLATE = Template("assets", "Assets", "3", (EVERY_KIND,), ("Fill in one row per asset.",))

PERIODS = Sheet(
    "Competitions",
    (Column("Competition Ref", "reference", "The key.", True, Text(40)), Column("Name", "name", "Its name.", True)),
    unique=("reference",),
)
WINDOWS = Sheet(
    "Service Windows",
    (
        Column("Competition Ref", "reference", "The key.", True, Text(40)),
        Column("Window", "window", "Its name.", True, aliases=("Window Name",)),
        Column("MW", "mw", "What is needed.", False, DecimalNumber(3, above=Decimal(0))),
    ),
)
NOTES = Sheet("Notes", (Column("Note", "note", "Anything."),), optional=True)
TWO_TABS = Template("competitions", "Competitions", "1", (PERIODS, WINDOWS, NOTES))


def a_row(**changes: Any) -> dict[str, Any]:
    """A row of `TEMPLATE` as a download takes it."""
    return {"ref": "EV-001", "name": "Depot chargers", "mw": Decimal("1.25")} | changes


def a_workbook(
    tabs: Mapping[str, Sequence[Sequence[Any]]], formats: Mapping[tuple[int, int], str] | None = None
) -> bytes:
    """A workbook of raw cells by tab, without anything of ours in it; `formats` are number formats by (row, column)."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"strings_to_formulas": True}) as workbook:
        for name, rows in tabs.items():
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate(rows):
                for place, cell in enumerate(row):
                    look = workbook.add_format({"num_format": (formats or {}).get((number, place), _usual(cell))})
                    sheet.write(number, place, cell, look)
    return stream.getvalue()


def a_csv(rows: Sequence[Sequence[Any]], separator: str = ",", encoding: str = "utf-8") -> bytes:
    return "".join(separator.join(map(str, row)) + "\r\n" for row in rows).encode(encoding)


def repacked(workbook: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """A workbook with some parts of its archive replaced, added, or (None) left out."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as before, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as after:
        for name in dict.fromkeys([*before.namelist(), *changes]):
            content = changes[name] if name in changes else before.read(name)
            if content is not None:
                after.writestr(name, content)
    return stream.getvalue()


def a_drop(content: bytes, kind: str = "assets", name: str = "assets.xlsx", organisation: str = "org_fsp1") -> Drop:
    """An object put in the inbox, as its arrival is told of."""
    return put_drop(f"inbox/{organisation}/{kind}/{name}", content)


def put_drop(key: str, content: bytes, at: datetime = ARRIVED) -> Drop:
    objects.put_object(objects.FILES, key, content)
    head = objects.head_object(objects.FILES, key)
    return Drop(key=key, version=head["version"], size=len(content), at=at)


@dataclass
class Shelf:
    """A room that takes rows by reference: new ones are created, changed ones updated; "bad" names are refused."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    made_by: dict[str, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    def importer(self, template: Template = TEMPLATE, split: Split | None = None, **more: Any) -> Importer:
        return Importer(template.kind, template, self.apply, split or by_rows(2), **more)

    def apply(self, call: Call, receipt: Receipt, chunk: Chunk) -> list[RowOutcome]:
        self.calls.append(call)
        outcomes = [self._apply_row(receipt, sheet, row.row, row.values) for sheet, row in chunk if not row.problems]
        if self.faults:
            raise self.faults.pop()
        return outcomes

    def _apply_row(self, receipt: Receipt, sheet: str, row: int, values: dict[str, Any]) -> RowOutcome:
        ref = values["ref"]
        if values.get("name") == "bad":
            problem = Problem("asset.name", "This name is not taken.", "name", "any other")
            return RowOutcome(row, sheet, "error", ref, (problem,))
        before = self.rows.get(ref)
        self.rows[ref] = values
        if before is None:
            self.made_by[ref] = receipt.id
            return RowOutcome(row, sheet, "created", ref)
        if before == values:
            return RowOutcome(row, sheet, "created" if self.made_by[ref] == receipt.id else "unchanged", ref)
        return RowOutcome(row, sheet, "updated", ref)


def _usual(cell: Any) -> str:
    return "yyyy-mm-dd" if hasattr(cell, "year") and not hasattr(cell, "hour") else "General"
