"""Owns features: what a boundary file holds before anything is checked, and the attribute that names each area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from chalicelib.kernel.errors import Problem

Ring = Sequence[Sequence[float]]
Polygon = Sequence[Ring]

JOINER = " + "
WGS84 = "EPSG:4326"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature as read: where it stands (`number` counts from 1 in its layer), what is said of it, its polygons.

    Rings are as given, in the layer's reference system, longitude or easting first. `problem` says why its geometry
    could not be read at all.
    """

    layer: str
    number: int
    attributes: Mapping[str, str]
    polygons: Sequence[Polygon] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """Features of one reference system. `system` is what the file declares (a code, a URN or WKT); None if nothing."""

    name: str
    system: str | None
    features: Sequence[Feature]


@dataclass(frozen=True, slots=True)
class Source:
    """A boundary file as read: its layers, and remarks worth telling the uploader."""

    form: str
    layers: Sequence[Layer]
    notes: Sequence[str] = field(default=())

    @property
    def features(self) -> list[Feature]:
        return [feature for layer in self.layers for feature in layer.features]


def attribute_text(value: Any) -> str:
    """An attribute as text: whole numbers without a point, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())


def propose_reference(features: Sequence[Feature]) -> str | None:
    """The first attribute that every feature has and no two share; failing that the first pair that is so together."""
    names = list(dict.fromkeys(name for feature in features for name in feature.attributes))
    for name in names:
        if _names_each(features, name):
            return name
    filled = [name for name in names if all(feature.attributes.get(name) for feature in features)]
    pairs = (JOINER.join(pair) for pair in combinations(filled, 2))
    return next((pair for pair in pairs if _names_each(features, pair)), None)


def find_reference(features: Sequence[Feature], wanted: str) -> str | None:
    """The attribute (or joined attributes) of that name, matched without case; None when no feature has it."""
    known = {name.casefold(): name for feature in features for name in feature.attributes}
    found = [known.get(part.strip().casefold()) for part in wanted.split(JOINER.strip())]
    whole = known.get(wanted.strip().casefold())
    if whole:
        return whole
    return JOINER.join(part for part in found if part) if all(found) else None


def reference_of(feature: Feature, attribute: str) -> str:
    """A feature's reference; joined attributes are joined by a space."""
    if attribute in feature.attributes:
        return feature.attributes[attribute]
    return " ".join(feature.attributes.get(part, "") for part in attribute.split(JOINER)).strip()


def _names_each(features: Sequence[Feature], attribute: str) -> bool:
    found = [reference_of(feature, attribute) for feature in features]
    return all(found) and len(set(found)) == len(found)


def geojson_polygons(geometry: Any) -> tuple[Sequence[Polygon], Problem | None]:
    """The polygons of a GeoJSON-like geometry, and why they cannot be read."""
    if not geometry or not isinstance(geometry, Mapping):
        return (), Problem("area.geometry_missing", "It has no geometry.", "geometry", "a polygon")
    kind, held = str(geometry.get("type"))[:40], geometry.get("coordinates")
    if kind == "GeometryCollection":
        parts = [geojson_polygons(part) for part in _listed(geometry.get("geometries"))]
        problem = next((problem for _, problem in parts if problem), None)
        return [polygon for polygons, _ in parts for polygon in polygons], problem
    if kind not in {"Polygon", "MultiPolygon"}:
        return (), Problem("area.geometry_kind", f"It is a {kind}, not an area.", "geometry", "Polygon or MultiPolygon")
    polygons = [_listed(rings) for rings in ([held] if kind == "Polygon" else _listed(held))]
    if not polygons or not all(polygons):
        return (), Problem("area.geometry_empty", "Its geometry is empty.", "geometry", "a polygon")
    return polygons, None


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()
