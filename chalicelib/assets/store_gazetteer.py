"""Owns the gazetteer's rows: one per outward code, its postcodes packed, so that a country is a few thousand rows."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from pynamodb.attributes import BinaryAttribute

from chalicelib.kernel.errors import Stale
from chalicelib.kernel.quantities import plain
from chalicelib.storage.tables import Row, RowMeta, get_many, table_name
from chalicelib.storage.writes import Write, create, replace

_ONLY = "-"
Point = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Postcodes:
    """The postcodes of one outward code: points (latitude, longitude) by inward code ("1AA").

    `receipt` is the file that changed them last, with what it created and what it updated, so that the file read
    again after a crash is told the same.
    """

    outward_code: str
    version: int = 0
    points: dict[str, Point] = field(default_factory=dict)
    receipt: str | None = None
    created: frozenset[str] = frozenset()
    updated: frozenset[str] = frozenset()


class _PostcodesRow(Row):
    class Meta(RowMeta):
        table_name = table_name("assets")

    packed = BinaryAttribute(legacy_encoding=False)


def load_postcodes(outward_codes: Iterable[str]) -> dict[str, Postcodes]:
    """What is kept of outward codes, strongly consistent; those nobody loaded are left out."""
    rows = get_many(_PostcodesRow, [(_key(code), _ONLY) for code in outward_codes])
    return {found.outward_code: found for found in map(_unpacked, rows)}


def postcodes_changed(after: Postcodes) -> Write:
    """The write of an outward code's new state; it fails when another file changed it meanwhile."""
    row = _PostcodesRow(pk=_key(after.outward_code), sk=_ONLY, version=after.version, packed=_packed(after))
    met = Stale("gazetteer.stale", f"Another file changed the postcodes of {after.outward_code} meanwhile.")
    return create(row, met) if after.version == 1 else replace(row, met)


def _key(outward_code: str) -> str:
    return f"gazetteer#{outward_code}"


def _packed(postcodes: Postcodes) -> bytes:
    content = {
        "points": {inward: f"{plain(lat)},{plain(lon)}" for inward, (lat, lon) in sorted(postcodes.points.items())},
        "receipt": postcodes.receipt,
        "created": sorted(postcodes.created),
        "updated": sorted(postcodes.updated),
    }
    return zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 6)


def _unpacked(row: _PostcodesRow) -> Postcodes:
    content = json.loads(zlib.decompress(row.packed))
    return Postcodes(
        outward_code=row.pk.removeprefix("gazetteer#"),
        version=int(row.version),
        points={inward: _point(text) for inward, text in content["points"].items()},
        receipt=content["receipt"],
        created=frozenset(content["created"]),
        updated=frozenset(content["updated"]),
    )


def _point(text: str) -> Point:
    lat, lon = text.split(",")
    return Decimal(lat), Decimal(lon)
