"""Takes asset workbooks and postcode gazetteers in: each row for itself, the same end state however often read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from chalicelib.assets.actions_bulk import Draft, Taken, take_rows
from chalicelib.assets.actions_gazetteer import load_points
from chalicelib.assets.actions_reads import current_types, find_by_refs
from chalicelib.assets.actions_views import sharers_of, sharing
from chalicelib.assets.lifecycle import Stamp, duplicate_notices, notices_of
from chalicelib.assets.models import Asset, Notice, TypeTree
from chalicelib.assets.rules import Checked, check_row
from chalicelib.assets.sheets import ASSETS, COLUMNS, GAZETTEER_TEMPLATE, POSTCODES, TEMPLATE
from chalicelib.files.importing import (
    Chunk,
    Importer,
    ParsedRow,
    ParsedSheet,
    RowOutcome,
    by_rows,
    call_for_row,
)
from chalicelib.files.models import Receipt
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.periods import local_day, zone_of
from chalicelib.kernel.postcodes import is_postcode, normalise_postcode, outward_of

_LONDON = zone_of("Europe/London")
_KEEPS = "keeps"
_HEADERS = {column.field: column.header for column in COLUMNS}


def split_assets(sheets: Mapping[str, ParsedSheet]) -> list[Chunk]:
    """Chunks of rows. Rows of a file that lacks columns say which: what those columns hold stays as it is."""
    return by_rows()({name: _with_keeps(sheet) for name, sheet in sheets.items()})


def apply_assets(call: Call, receipt: Receipt, chunk: Chunk) -> list[RowOutcome]:
    """Create and update the organisation's assets by the rows of a chunk."""
    types = current_types()
    rows = list(chunk.rows(ASSETS))
    checked = {row.row: _checked(row, kept, types) for row, kept in _with_kept(receipt.organisation, rows)}
    stamp = Stamp(receipt.at, call.actor.id, receipt.id)
    drafts = [
        Draft(row.row, fields, call_for_row(call, receipt, ASSETS, row.row))
        for row in rows
        if not row.problems and (fields := checked[row.row].fields) is not None
    ]
    taken = {answer.row: answer for answer in take_rows(call, receipt.organisation, drafts, stamp)}
    warnings = _warnings(call, list(taken.values()))
    return [_outcome(row, checked[row.row], taken.get(row.row), warnings) for row in rows]


def split_postcodes(sheets: Mapping[str, ParsedSheet]) -> list[Chunk]:
    """Chunks of rows in order of postcode, so that an outward code's postcodes come together."""
    return by_rows()(
        {name: replace(sheet, rows=sorted(sheet.rows, key=_postcode_of)) for name, sheet in sheets.items()}
    )


def apply_postcodes(call: Call, receipt: Receipt, chunk: Chunk) -> list[RowOutcome]:
    """Take postcodes and their points into the gazetteer, one outward code at a time."""
    rows = chunk.rows(POSTCODES)
    outcomes = [_not_a_postcode(row) for row in rows if not row.problems and not is_postcode(_postcode_of(row))]
    by_outward: dict[str, list[ParsedRow]] = {}
    for row in rows:
        if not row.problems and is_postcode(_postcode_of(row)):
            by_outward.setdefault(outward_of(_postcode_of(row)), []).append(row)
    for outward_code, of_code in sorted(by_outward.items()):
        outcomes += _loaded(call, receipt, outward_code, of_code)
    return outcomes


def _with_keeps(sheet: ParsedSheet) -> ParsedSheet:
    absent = [column.field for column in COLUMNS if column.field not in sheet.fields]
    if not absent:
        return sheet
    mask = _mask(absent)
    return replace(sheet, rows=[replace(row, values={**row.values, _KEEPS: mask}) for row in sheet.rows])


def _mask(fields: Sequence[str]) -> int:
    """Columns as the bits of one number: every row of a file carries it."""
    return sum(1 << place for place, column in enumerate(COLUMNS) if column.field in fields)


def _with_kept(owner: str, rows: Sequence[ParsedRow]) -> Iterator[tuple[ParsedRow, dict[str, Any]]]:
    """Each row with what its asset holds in columns that the file lacks."""
    partial = [str(row.values["asset_ref"]) for row in rows if row.values.get(_KEEPS) and "asset_ref" in row.values]
    stored = find_by_refs(owner, partial) if partial else {}
    for row in rows:
        asset = stored.get(str(row.values.get("asset_ref")))
        yield row, _kept(asset, row.values[_KEEPS]) if asset and _KEEPS in row.values else {}


def _kept(asset: Asset, mask: int) -> dict[str, Any]:
    columns = asset.columns()
    return {column.field: columns[column.field] for place, column in enumerate(COLUMNS) if mask >> place & 1}


def _checked(row: ParsedRow, kept: Mapping[str, Any], types: TypeTree) -> Checked:
    stated = {name: value for name, value in row.values.items() if name != _KEEPS}
    unread = {problem.field for problem in row.problems if problem.field and problem.field not in stated}
    return check_row({**kept, **stated}, types, unread)


def _warnings(call: Call, taken: Sequence[Taken]) -> dict[int, list[Notice]]:
    """By row, what is worth looking at in what was created or updated. A missing consent is told by the asset alone."""
    made = [answer for answer in taken if answer.asset and answer.outcome in ("created", "updated")]
    sharers = sharers_of([answer.asset for answer in made if answer.asset])
    day = local_day(call.now, _LONDON)
    found = {}
    for answer in made:
        assert answer.asset is not None
        own = [notice for notice in notices_of(answer.asset, answer.asset.place, day) if notice.code != "asset.consent"]
        found[answer.row] = [*own, *duplicate_notices(answer.asset, sharing(answer.asset, sharers))]
    return found


def _outcome(
    row: ParsedRow, checked: Checked, taken: Taken | None, warnings: Mapping[int, Sequence[Notice]]
) -> RowOutcome:
    ref = row.values.get("asset_ref")
    if taken is None or taken.outcome is None:
        problems = checked.problems + (taken.problems if taken else ())
        return RowOutcome(row.row, ASSETS, "error", ref, tuple(_at(row, problem) for problem in problems))
    told = tuple(_warning(row, notice) for notice in warnings.get(row.row, ()))
    return RowOutcome(row.row, ASSETS, taken.outcome, ref, told)


def _at(row: ParsedRow, problem: Problem) -> Problem:
    return problem.at(sheet=ASSETS, row=row.row, column=_HEADERS.get(problem.field or ""))


def _warning(row: ParsedRow, notice: Notice) -> Problem:
    return _at(row, Problem(notice.code, notice.detail, notice.field, notice.allowed))


def _postcode_of(row: ParsedRow) -> str:
    return normalise_postcode(str(row.values.get("postcode", "")))


def _not_a_postcode(row: ParsedRow) -> RowOutcome:
    text = row.values["postcode"]
    problem = Problem(
        "gazetteer.postcode_format",
        f"{text} is not a postcode.",
        "postcode",
        "a postcode such as IP1 1AA",
        POSTCODES,
        row.row,
        "Postcode",
    )
    return RowOutcome(row.row, POSTCODES, "error", text, (problem,))


def _loaded(call: Call, receipt: Receipt, outward_code: str, rows: Sequence[ParsedRow]) -> list[RowOutcome]:
    points = {
        _postcode_of(row).partition(" ")[2]: (Decimal(row.values["latitude"]), Decimal(row.values["longitude"]))
        for row in rows
    }
    outcomes = load_points(call, receipt.organisation, receipt.id, outward_code, points)
    return [
        RowOutcome(row.row, POSTCODES, outcomes[_postcode_of(row).partition(" ")[2]], _postcode_of(row)) for row in rows
    ]


IMPORTER = Importer("assets", TEMPLATE, apply_assets, split_assets)
GAZETTEER_IMPORTER = Importer("postcodes", GAZETTEER_TEMPLATE, apply_postcodes, split_postcodes)
