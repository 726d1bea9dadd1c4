"""Fills the asset workbook with an FSP's assets as they stand: the same sheet that can be uploaded again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from chalicelib.assets.actions_reads import assets_of
from chalicelib.assets.models import Asset, Status
from chalicelib.assets.sheets import ASSETS, TEMPLATE
from chalicelib.files.columns import Template
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Value


class AssetFilters(Value):
    """Which assets to download; archived ones only when their status is asked for."""

    status: Status | None = None
    category: str | None = Field(default=None, max_length=100)
    type: str | None = Field(default=None, max_length=100)


def export_assets(call: Call, filters: dict[str, Any]) -> tuple[Template, dict[str, Iterator[dict[str, Any]]]]:
    """The caller's assets in order of reference. ValidationError when the filters are not `AssetFilters`."""
    wanted = AssetFilters.model_validate(filters)
    found = (asset for asset in assets_of(call.organisation) if _fits(asset, wanted))
    return TEMPLATE, {ASSETS: (asset.columns() for asset in found)}


def _fits(asset: Asset, wanted: AssetFilters) -> bool:
    if asset.is_archived and wanted.status is None:
        return False
    return all(value is None or getattr(asset, name) == value for name, value in wanted)
