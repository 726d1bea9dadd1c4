"""Owns the rows that find assets by place: by cell, by postcode sector, and those whose place is not known yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chalicelib.assets.models import Asset, Placed
from chalicelib.kernel.cells import PLACE_LEVEL, cell_at, cell_key, degrees_of, nanodegrees
from chalicelib.kernel.postcodes import outward_of, sector_of
from chalicelib.storage.tables import Row, RowMeta, sort_keys, table_name
from chalicelib.storage.writes import Write, put, remove

Key = tuple[str, str]


class _PlaceRow(Row):
    """Says all in its key: the partition is the cell, sector or outward code, the sort key what is there."""

    class Meta(RowMeta):
        table_name = table_name("assets")


def place_moves(before: Asset | None, after: Asset) -> list[Write]:
    """The writes that move an asset in what it is found by; none where it stays."""
    old = _keys(before) if before else set()
    new = _keys(after)
    gone = [remove(_PlaceRow, pk, sk) for pk, sk in sorted(old - new)]
    return gone + [put(_PlaceRow(pk=pk, sk=sk)) for pk, sk in sorted(new - old)]


def placed_in(cells: Iterable[int]) -> Iterator[Placed]:
    """The assets in cells of `PLACE_LEVEL`, with their positions."""
    for cell in cells:
        for key in sort_keys(_PlaceRow, cell_key(cell, PLACE_LEVEL)):
            lat, lon, asset_id = key.split("#")
            yield Placed(asset_id, degrees_of(int(lat)), degrees_of(int(lon)))


def in_postcode(postcode: str) -> Iterator[str]:
    """The ids of assets with a postcode."""
    keys = sort_keys(_PlaceRow, _sector_key(sector_of(postcode)), f"{postcode}#")
    return (key.rsplit("#", 1)[1] for key in keys)


def in_sector(sector: str) -> Iterator[str]:
    """The ids of assets with a postcode of a sector ("IP1 1")."""
    return (key.rsplit("#", 1)[1] for key in sort_keys(_PlaceRow, _sector_key(sector)))


def unplaced_in(outward_code: str) -> Iterator[str]:
    """The ids of assets waiting for a place of their postcode, which has this outward code ("IP1")."""
    return sort_keys(_PlaceRow, _unplaced_key(outward_code))


def _keys(asset: Asset) -> set[Key]:
    keys: set[Key] = set()
    if asset.place is not None:
        lat, lon = nanodegrees(asset.place.lat), nanodegrees(asset.place.lon)
        keys.add((cell_key(cell_at(lat, lon), PLACE_LEVEL), f"{lat}#{lon}#{asset.id}"))
    if asset.postcode is not None:
        keys.add((_sector_key(sector_of(asset.postcode)), f"{asset.postcode}#{asset.id}"))
        if asset.place is None:
            keys.add((_unplaced_key(outward_of(asset.postcode)), asset.id))
    return keys


def _sector_key(sector: str) -> str:
    return f"postcode-sector#{sector}"


def _unplaced_key(outward_code: str) -> str:
    return f"unplaced#{outward_code}"
