"""Owns holding the market's location answers against shapely, computed apart from everything the market does."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from pyproj import Transformer
from shapely import Geometry, Point, covers, distance, transform
from shapely.geometry import shape

from local.demo.real import POSTCODE, area_ref
from local.demo.scenes import Need, Row, Scene
from local.demo.stages import Story

_AT_THE_EDGE_M = 5.0


def compare_locations(story: Story, scene: Scene, need: Need, reference: str, answers: list[dict[str, Any]]) -> None:
    """Compare which assets pass the location rule of one competition; a difference is a shortfall.

    With a buffer, assets within 5 m of its edge are left aside: the two measure metres by different projections.
    """
    if not scene.real:
        return
    areas = [_areas(scene.area_files[0][1])[name] for name in need.areas]
    buffer = float(need.row.get("Area Buffer (m)", 0))
    passed = {answer["asset_ref"] for answer in answers if _located(answer)}
    known = {row["Asset Ref"] for provider in scene.providers for row in provider.assets if is_sound(row)}
    expected, aside = set(), set()
    for asset_ref in known:
        place = scene.located[asset_ref]
        if place is not None:
            inside, at_edge = _is_inside(place, areas, buffer)
            expected |= {asset_ref} if inside else set()
            aside |= {asset_ref} if at_edge else set()
    wrong = sorted((passed ^ expected) - aside)
    story.expect(f"{reference}: {len(passed)} assets located, different from shapely", wrong, [])


def _is_inside(place: tuple[float, float], areas: list[Geometry], buffer: float) -> tuple[bool, bool]:
    point = Point(place[1], place[0])
    if any(covers(area, point) for area in areas):
        return True, False
    if not buffer:
        return False, False
    metres = min(distance(_metric(area), _metric(point)) for area in areas)
    return metres <= buffer, abs(metres - buffer) < _AT_THE_EDGE_M


def _located(answer: dict[str, Any]) -> bool:
    return next(bool(rule["passed"]) for rule in answer["rules"] if rule["rule"] == "location")


def is_sound(row: Row) -> bool:
    """Whether a row can become an asset: it states a capacity, and its postcode, if any, is one."""
    postcode = str(row.get("Postcode", "")).replace(" ", "")
    has_capacity = any(value for header, value in row.items() if header.endswith("(MW)"))
    return has_capacity and (not postcode or POSTCODE.fullmatch(postcode) is not None)


@cache
def _areas(content: bytes) -> dict[str, Geometry]:
    return {area_ref(each["properties"]): shape(each["geometry"]) for each in json.loads(content)["features"]}


@cache
def _metric(geometry: Geometry) -> Geometry:
    """A geometry on the national grid, metres."""
    to_grid = Transformer.from_crs("EPSG:4326", "EPSG:27700", always_xy=True)
    return transform(geometry, to_grid.transform, interleaved=False)
