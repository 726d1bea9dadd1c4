"""Builds assets, rows of the asset workbook and receipts of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.assets.imports import apply_assets, apply_postcodes, split_assets
from chalicelib.assets.lifecycle import Stamp, new_asset
from chalicelib.assets.models import SHIPPED_TYPES, Asset, AssetFields
from chalicelib.assets.requests import read_asset
from chalicelib.assets.sheets import ASSETS, COLUMNS, POSTCODES
from chalicelib.files.importing import Chunk, ParsedRow, ParsedSheet, RowOutcome
from chalicelib.files.models import Receipt
from chalicelib.kernel.call import Call
from tests.builders.calls import NOON, a_call
from tests.builders.workbooks_read import read_row

IPSWICH = {"latitude": "52.0567", "longitude": "1.1482"}


def asset_cells(ref: str = "EV-1", **changes: Any) -> dict[str, Any]:
    """The cells of a valid asset with coordinates; None takes a cell away."""
    cells = {
        "asset_ref": ref,
        "name": f"Charger {ref}",
        "status": "Operational",
        "category": "Demand side response",
        "type": "EV charging",
        "voltage_kv": "0.4",
        "demand_turn_down_mw": "0.0072",
        **IPSWICH,
        **changes,
    }
    return {name: value for name, value in cells.items() if value is not None}


def asset_fields(ref: str = "EV-1", **changes: Any) -> AssetFields:
    checked = read_asset(asset_cells(ref, **changes), SHIPPED_TYPES)
    assert checked.fields is not None, checked.problems
    return checked.fields


def an_asset(ref: str = "EV-1", owner: str = "org_fsp1", at: str = NOON, **changes: Any) -> Asset:
    """A stored asset's value, its id `ast_<ref>`."""
    stamp = Stamp(datetime.fromisoformat(at), "per_1")
    return new_asset(f"ast_{ref}", owner, 0, asset_fields(ref, **changes), None, stamp)


def a_receipt(receipt_id: str = "rcp_1", owner: str = "org_fsp1", at: str = NOON, kind: str = "assets") -> Receipt:
    return Receipt(
        id=receipt_id,
        organisation=owner,
        organisation_kind="fsp",
        kind=kind,
        name=f"{kind}.xlsx",
        state="processing",
        at=datetime.fromisoformat(at),
        actor="per_1",
        actor_kind="person",
        object_key=f"inbox/{owner}/{kind}/{receipt_id}.xlsx",
    )


def asset_rows(rows: Sequence[Mapping[str, Any]]) -> list[ParsedRow]:
    """Rows as the reader hands them on, from row 2 of the sheet."""
    return [_read(number, cells) for number, cells in enumerate(rows, start=2)]


def _read(number: int, cells: Mapping[str, Any]) -> ParsedRow:
    found = read_row(COLUMNS, cells, "ymd")
    assert found is not None
    return replace(found, row=number)


def import_assets(
    rows: Sequence[Mapping[str, Any]],
    receipt: Receipt | None = None,
    call: Call | None = None,
    fields: Sequence[str] = (),
    size: int = 2000,
) -> list[RowOutcome]:
    """Apply rows as an asset workbook's; `fields` are the columns of the file (all of them by default)."""
    receipt = receipt or a_receipt()
    call = call or a_call(receipt.organisation, now=receipt.at.isoformat())
    columns = tuple(fields) or tuple(column.field for column in COLUMNS)
    outcomes: list[RowOutcome] = []
    for start in range(0, len(rows), size):
        part = asset_rows(rows)[start : start + size]
        for chunk in split_assets({ASSETS: ParsedSheet(ASSETS, columns, part)}):
            outcomes += apply_assets(call, receipt, chunk)
    return outcomes


def load_gazetteer(
    points: Mapping[str, tuple[str, str]], receipt_id: str = "rcp_g", call: Call | None = None
) -> list[RowOutcome]:
    """Load postcodes with (latitude, longitude) as a gazetteer file's rows."""
    rows = [
        ParsedRow(number, {"postcode": postcode, "latitude": lat, "longitude": lon})
        for number, (postcode, (lat, lon)) in enumerate(points.items(), start=2)
    ]
    receipt = a_receipt(receipt_id, owner="org_market", kind="postcodes")
    call = call or a_call("org_market", kind="market_operator")
    return apply_postcodes(call, receipt, Chunk(0, {POSTCODES: rows}))
