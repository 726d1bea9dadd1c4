"""Owns what other rooms ask of the asset register, and the commitments they write into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from chalicelib.assets import store, store_places
from chalicelib.assets.actions_gazetteer import place_of, place_unplaced, places_of
from chalicelib.assets.models import SHIPPED_TYPES, Asset, Commitment, Placed, TypeTree
from chalicelib.kernel.postcodes import normalise_postcode, normalise_sector
from chalicelib.storage.writes import Write

__all__ = [
    "asset_as_at",
    "assets_in_cells",
    "assets_of",
    "assets_with_meters",
    "assets_with_postcodes",
    "assets_with_sectors",
    "commitment_writes",
    "commitments_of",
    "current_types",
    "find_by_refs",
    "load_assets",
    "place_of",
    "place_unplaced",
    "places_of",
    "release_writes",
]


def load_assets(asset_ids: Iterable[str]) -> dict[str, Asset]:
    """Assets by id as they stand; unknown ids are left out."""
    return store.load_assets(asset_ids)


def assets_of(owner: str) -> Iterator[Asset]:
    """Every asset of an FSP, archived ones too, in order of reference."""
    return store.list_of_owner(owner)


def asset_as_at(asset_id: str, instant: datetime) -> Asset | None:
    """The version of an asset that stood at an instant; None before its first, or for an unknown id."""
    return store.find_version_at(asset_id, instant)


def find_by_refs(owner: str, refs: Iterable[str]) -> dict[str, Asset]:
    """An FSP's assets by reference; unknown references are left out."""
    return store.find_by_refs(owner, refs)


def assets_in_cells(cells: Iterable[int]) -> Iterator[Placed]:
    """The assets that stand in cells of `cells.PLACE_LEVEL`: (asset_id, lat, lon), degrees WGS84."""
    return store_places.placed_in(cells)


def assets_with_meters(meter_ids: Iterable[str]) -> list[str]:
    """The ids of the assets behind any of these meters, whoever has them, each once, in order."""
    holders = store.holders_of_meters(meter_ids).values()
    return sorted({holder for held in holders for holder in held})


def assets_with_postcodes(postcodes: Iterable[str]) -> list[str]:
    """The ids of the assets with any of these postcodes, each once, in order."""
    wanted = {normalise_postcode(postcode) for postcode in postcodes}
    return sorted({asset_id for postcode in wanted for asset_id in store_places.in_postcode(postcode)})


def assets_with_sectors(sectors: Iterable[str]) -> list[str]:
    """The ids of the assets with a postcode in any of these sectors ("IP1 1"), each once, in order."""
    wanted = {normalise_sector(sector) for sector in sectors}
    return sorted({asset_id for sector in wanted for asset_id in store_places.in_sector(sector)})


def commitments_of(asset_ids: Iterable[str]) -> dict[str, list[Commitment]]:
    """What obligations hold each of these assets to, past ones too; assets never committed have an empty list."""
    wanted = list(dict.fromkeys(asset_ids))
    committed = store.committed_among(wanted)
    return {asset_id: store.list_commitments(asset_id) if asset_id in committed else [] for asset_id in wanted}


def commitment_writes(
    obligation_id: str,
    so: str,
    competition_id: str,
    starts: datetime,
    ends: datetime,
    shares: Mapping[str, Decimal],
    windows: tuple[str, ...] = (),
) -> list[Write]:
    """The writes that commit assets to an obligation, two per asset; written again they leave the same.

    `shares` holds the MW each asset backs, by asset id; `windows` the window ids it serves (none: the whole span).
    """
    return [
        write
        for asset_id, mw in shares.items()
        for write in store.committed(
            asset_id,
            Commitment(
                obligation_id=obligation_id,
                so=so,
                competition_id=competition_id,
                starts=starts,
                ends=ends,
                windows=windows,
                mw=mw,
            ),
        )
    ]


def release_writes(obligation_id: str, asset_ids: Iterable[str]) -> list[Write]:
    """The writes by which an obligation lets assets go, two per asset."""
    return [write for asset_id in asset_ids for write in store.released(asset_id, obligation_id)]


def current_types() -> TypeTree:
    """The categories and types in use: those shipped, and those the market operator added."""
    added = store.find_types()
    if added is None:
        return SHIPPED_TYPES
    names = dict.fromkeys([*SHIPPED_TYPES.categories, *added.categories])
    return TypeTree(
        version=added.version,
        categories={name: _both(SHIPPED_TYPES, added, name) for name in names},
    )


def _both(shipped: TypeTree, added: TypeTree, category: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*shipped.categories.get(category, ()), *added.categories.get(category, ())]))
