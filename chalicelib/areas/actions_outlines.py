"""Owns what later rooms show of zones on a map: outlines simplified for the screen, and bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.areas import store
from chalicelib.areas.models import Box


def zone_outlines(zone_ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """GeoJSON geometries by zone; the bounds as a polygon for a zone of boxes; zones that are no shape are left out."""
    found: dict[str, Mapping[str, Any]] = {}
    for zone_id, zone in store.load_zones(set(zone_ids)).items():
        if zone.outline:
            found[zone_id] = store.load_outline(zone.outline)
        elif zone.bounds:
            found[zone_id] = _rectangle(zone.bounds)
    return found


def zone_bounds(zone_ids: Iterable[str]) -> dict[str, Box | None]:
    """The box around each zone; None for one that is lists of postcodes or meters only."""
    return {zone_id: zone.bounds for zone_id, zone in store.load_zones(set(zone_ids)).items()}


def _rectangle(box: Box) -> dict[str, Any]:
    west, south, east, north = (float(side) for side in (box.west, box.south, box.east, box.north))
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
