"""Fills the contracts workbook with what the caller is party to."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.contracts import actions
from chalicelib.contracts.models import AvailabilityVariation, ObligatedAsset, Obligation
from chalicelib.contracts.sheets import ASSETS, OBLIGATIONS, TEMPLATE, VARIATIONS
from chalicelib.files.columns import Template
from chalicelib.kernel.call import Call

Rows = dict[str, list[dict[str, Any]]]


def export_contracts(call: Call, filters: dict[str, Any]) -> tuple[Template, Rows]:
    """The caller's obligations, their assets and variations; `competition_id` narrows to one competition."""
    rows: Rows = {OBLIGATIONS: [], ASSETS: [], VARIATIONS: []}
    for obligation, behind, variations in actions.obligations_of(call):
        if filters.get("competition_id") not in (None, obligation.competition_id):
            continue
        rows[OBLIGATIONS].append(_obligation_row(call, obligation))
        rows[ASSETS] += [_asset_row(asset) for asset in behind]
        rows[VARIATIONS] += [_variation_row(variation, ZoneInfo(obligation.time_zone)) for variation in variations]
    return TEMPLATE, rows


def _obligation_row(call: Call, obligation: Obligation) -> dict[str, Any]:
    view = actions.get_obligation(call, obligation.id).model_dump()
    return view | {"obligation_id": obligation.id, "days": ", ".join(obligation.days)}


def _asset_row(asset: ObligatedAsset) -> dict[str, Any]:
    return asset.model_dump()


def _variation_row(variation: AvailabilityVariation, zone: ZoneInfo) -> dict[str, Any]:
    local = {name: _local(getattr(variation, name), zone) for name in ("starts", "ends", "declared_at")}
    return variation.model_dump() | local


def _local(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)
