"""Owns the contract between a dropped file and the room it is for: parsed rows, chunks, outcomes and the `Importer`.

A room provides `<room>/imports.py` with `IMPORTER = Importer(...)`, registered in `functions/imports.py`; who may drop
the kind stands in `files/kinds.py`. The files room reads the file, checks each cell by the template, splits the rows,
and calls `apply` once per chunk, each in its own function call, in any order, some of them twice.

What `apply` must hold to:
- It answers a `RowOutcome` for every row it was given. Rows in which the reader found problems come with them in
  `row.problems`: never apply such a row. It may be left out of the answer (it becomes an error with the reader's
  problems), or be answered as an error with the room's own problems only, so that a person sees all at once.
- After a crash it is called again with the same chunk. A row it had stored must not be stored twice, and is answered as
  the first time: what this receipt created (`created_by == row_id(...)`, or its id is that) is `created` again.
- Commit each group of rows under `call_for_row(call, receipt, sheet, first row of the group)`, whose ids and audit
  records stay apart from those of groups committed before the crash.
- `call.now` is the instant the object arrived, `call.actor` the organisation's own person or machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from chalicelib.files.columns import Template
from chalicelib.files.models import Outcome, Receipt
from chalicelib.kernel.call import Call, derived_id, ordered_ids
from chalicelib.kernel.errors import Problem

ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """One row as read: its number in the sheet, values by field (see `files.columns`), and the reader's problems."""

    row: int
    values: dict[str, Any]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedSheet:
    """A tab as read: `fields` are the columns that the file has, `unknown` the headers nobody knows."""

    name: str
    fields: tuple[str, ...]
    rows: Sequence[ParsedRow]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of a row. `ref` is the reference or id a person finds the thing by."""

    row: int
    sheet: str
    outcome: Outcome
    ref: str | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """The rows one call applies, by sheet name; `number` counts from 0 within the file."""

    number: int
    sheets: Mapping[str, Sequence[ParsedRow]]

    def rows(self, sheet: str) -> Sequence[ParsedRow]:
        return self.sheets.get(sheet, ())

    def clean(self, sheet: str) -> list[ParsedRow]:
        """The rows in which the reader found no problem."""
        return [row for row in self.rows(sheet) if not row.problems]

    @property
    def size(self) -> int:
        return sum(len(rows) for rows in self.sheets.values())

    def __iter__(self) -> Iterator[tuple[str, ParsedRow]]:
        return ((sheet, row) for sheet, rows in self.sheets.items() for row in rows)

    def as_json(self) -> dict[str, Any]:
        return {name: [_row_json(row) for row in rows] for name, rows in self.sheets.items()}

    @classmethod
    def from_json(cls, number: int, data: Mapping[str, Any]) -> Chunk:
        return cls(number, {name: [_row_from(row) for row in rows] for name, rows in data.items()})


Split = Callable[[Mapping[str, ParsedSheet]], list[Chunk]]
Apply = Callable[[Call, Receipt, Chunk], list[RowOutcome]]
ApplyObject = Callable[[Call, Receipt, bytes], list[RowOutcome]]
CheckFile = Callable[[Call, Receipt, Mapping[str, ParsedSheet]], list[Problem]]


def by_rows(most: int = ROWS_AT_ONCE) -> Split:
    """Rows stand alone: chunks of at most `most` rows, in the order of the sheets."""

    def split(sheets: Mapping[str, ParsedSheet]) -> list[Chunk]:
        units = [{sheet.name: [row]} for sheet in sheets.values() for row in sheet.rows]
        return _packed(units, most)

    return split


def by_key(key_field: str, most: int = ROWS_AT_ONCE) -> Split:
    """Rows of all tabs with the same reference stay together; a chunk closes once it holds `most` rows.

    Keys are compared without case; rows without a key stand together, last.
    """

    def split(sheets: Mapping[str, ParsedSheet]) -> list[Chunk]:
        units: dict[str, dict[str, list[ParsedRow]]] = {}
        for sheet in sheets.values():
            for row in sheet.rows:
                key = str(row.values.get(key_field, "")).casefold()
                units.setdefault(key, {}).setdefault(sheet.name, []).append(row)
        keyless = units.pop("", None)
        return _packed([*units.values(), *([keyless] if keyless else [])], most)

    return split


def whole() -> Split:
    """The file as one chunk: for kinds that are taken or refused whole."""

    def split(sheets: Mapping[str, ParsedSheet]) -> list[Chunk]:
        return [Chunk(0, {sheet.name: list(sheet.rows) for sheet in sheets.values()})]

    return split


@dataclass(frozen=True, slots=True)
class Importer:
    """How a kind of file is read and applied.

    `check` may refuse the whole file before any row is applied (problems that no single row has). A kind whose objects
    are not rows (areas) gives `apply_object` in place of `apply` and gets the object's bytes.
    """

    kind: str
    template: Template
    apply: Apply | None = None
    split: Split = field(default_factory=by_rows)
    check: CheckFile | None = None
    apply_object: ApplyObject | None = None


def row_id(prefix: str, receipt: Receipt, sheet: str, row: int) -> str:
    """The id of the thing that this row of this file creates: the same however often the row is applied."""
    return derived_id(prefix, receipt.id, sheet, str(row))


def call_for_row(call: Call, receipt: Receipt, sheet: str, row: int) -> Call:
    """The call under which to commit a group of rows: its ids depend on the receipt and the group's first row alone."""
    return replace(call, new_id=ordered_ids(receipt.at, receipt.id, sheet, str(row)))


def _packed(units: Sequence[Mapping[str, Sequence[ParsedRow]]], most: int) -> list[Chunk]:
    """Units, each kept whole, packed into chunks of at most `most` rows (more only where one unit has more)."""
    chunks: list[Chunk] = []
    sheets: dict[str, list[ParsedRow]] = {}
    size = 0
    for unit in units:
        extra = sum(len(rows) for rows in unit.values())
        if size and size + extra > most:
            chunks.append(Chunk(len(chunks), sheets))
            sheets, size = {}, 0
        for name, rows in unit.items():
            sheets.setdefault(name, []).extend(rows)
        size += extra
    return [*chunks, Chunk(len(chunks), sheets)] if size else chunks


def _row_json(row: ParsedRow) -> list[Any]:
    if not row.problems:
        return [row.row, row.values]
    return [row.row, row.values, [problem.as_dict() for problem in row.problems]]


def _row_from(data: Sequence[Any]) -> ParsedRow:
    return ParsedRow(data[0], data[1], tuple(Problem(**problem) for problem in (data[2] if len(data) > 2 else ())))


def outcome_json(outcome: RowOutcome) -> list[Any]:
    return [outcome.sheet, outcome.row, outcome.outcome, outcome.ref, [asdict(each) for each in outcome.problems]]


def outcome_from(data: Sequence[Any]) -> RowOutcome:
    return RowOutcome(data[1], data[0], data[2], data[3], tuple(Problem(**each) for each in data[4]))
