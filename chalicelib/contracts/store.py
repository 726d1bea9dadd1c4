"""Owns the rows of contracts: obligations with their versions, the assets behind them, and what was drawn up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from chalicelib.contracts.models import AvailabilityVariation, ObligatedAsset, Obligation
from chalicelib.kernel.errors import Stale
from chalicelib.kernel.models import Page
from chalicelib.storage.tables import (
    BodyAttribute,
    InstantAttribute,
    Row,
    RowMeta,
    get,
    get_many,
    query,
    query_all,
    query_index,
    query_index_all,
    table_name,
)
from chalicelib.storage.writes import Write, create, put, replace


class _ObligationRow(Row):
    class Meta(RowMeta):
        table_name = table_name("contracts")

    fsp = UnicodeAttribute(null=True)
    so = UnicodeAttribute(null=True)
    sort = UnicodeAttribute(null=True)
    body = BodyAttribute(Obligation)


class _AssetRow(Row):
    class Meta(RowMeta):
        table_name = table_name("contracts")

    asset = UnicodeAttribute()
    body = BodyAttribute(ObligatedAsset)


class _VariationRow(Row):
    class Meta(RowMeta):
        table_name = table_name("contracts")

    body = BodyAttribute(AvailabilityVariation)


class _DrawnUpRow(Row):
    class Meta(RowMeta):
        table_name = table_name("contracts")

    at = InstantAttribute()


def find_obligation(obligation_id: str) -> Obligation | None:
    row = get(_ObligationRow, obligation_id, "head")
    return row.body if row else None


def load_obligations(obligation_ids: Iterable[str]) -> dict[str, Obligation]:
    rows = get_many(_ObligationRow, [(obligation_id, "head") for obligation_id in obligation_ids])
    return {row.pk: row.body for row in rows}


def list_obligations(side: str, organisation: str, limit: int, cursor: str | None) -> Page[Obligation]:
    """Obligations of one side ("fsp" or "so") by period start, then competition, window and id."""
    page = query_index(_ObligationRow, f"by_{side}", organisation, limit=limit, cursor=cursor)
    return Page(items=[row.body for row in page.items], next=page.next)


def list_all_obligations(side: str, organisation: str) -> Iterator[Obligation]:
    return (row.body for row in query_index_all(_ObligationRow, f"by_{side}", organisation))


def list_assets(obligation_id: str, limit: int, cursor: str | None) -> Page[ObligatedAsset]:
    page = query(_AssetRow, obligation_id, "asset#", limit, cursor)
    return Page(items=[row.body for row in page.items], next=page.next)


def list_all_assets(obligation_id: str) -> Iterator[ObligatedAsset]:
    return (row.body for row in query_all(_AssetRow, obligation_id, "asset#"))


def list_variations(obligation_id: str) -> list[AvailabilityVariation]:
    return [row.body for row in query_all(_VariationRow, obligation_id, "avail#")]


def list_obligations_of_asset(asset_id: str) -> list[str]:
    """The ids of the obligations an asset is behind."""
    return [row.pk for row in query_index_all(_AssetRow, "by_asset", asset_id)]


def is_drawn_up(competition_id: str) -> bool:
    return get(_DrawnUpRow, f"drawn#{competition_id}", "-") is not None


def drawn_up(competition_id: str, at: datetime) -> Write:
    """The mark that every obligation of a competition stands: written once."""
    return create(_DrawnUpRow(pk=f"drawn#{competition_id}", sk="-", at=at))


def new_obligation(obligation: Obligation) -> list[Write]:
    return [create(_head(obligation)), create(_version(obligation))]


def changed_obligation(obligation: Obligation) -> list[Write]:
    return [replace(_head(obligation)), create(_version(obligation))]


def obligated(assets: Sequence[ObligatedAsset]) -> list[Write]:
    """The rows of assets behind an obligation: the same whenever they are written."""
    return [
        put(
            _AssetRow(
                pk=asset.obligation_id, sk=f"asset#{asset.asset_ref}#{asset.asset_id}", asset=asset.asset_id, body=asset
            )
        )
        for asset in assets
    ]


def new_variation(variation: AvailabilityVariation) -> Write:
    declared = Stale("variation.declared", "This variation was declared already.")
    return create(_VariationRow(pk=variation.obligation_id, sk=f"avail#{variation.id}", body=variation), declared)


def _head(obligation: Obligation) -> _ObligationRow:
    sort = f"{obligation.period_start}#{obligation.competition_reference}#{obligation.window_id}#{obligation.id}"
    return _ObligationRow(
        pk=obligation.id,
        sk="head",
        version=obligation.version,
        fsp=obligation.fsp,
        so=obligation.so,
        sort=sort,
        body=obligation,
    )


def _version(obligation: Obligation) -> _ObligationRow:
    return _ObligationRow(
        pk=obligation.id, sk=f"v#{obligation.version:06d}", version=obligation.version, body=obligation
    )
