"""Owns geometry: reference systems honoured, rings checked and repaired, and boundaries made exact. Heavy.

Everything is kept on WGS84 in whole nanodegrees. What comes out of here is a multipolygon in degrees whose every
coordinate is the nearest floating-point number to a whole nanodegree, in one canonical order of rings and positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError
from shapely.geometry import MultiPolygon, mapping

from chalicelib.areas.features import WGS84, Polygon
from chalicelib.areas.models import Box
from chalicelib.kernel.cells import NANO, degrees_of
from chalicelib.kernel.errors import Invalid, Problem

Coordinates = NDArray[np.float64]

# A side longer than this is given more positions before it leaves a flat map, whose straight lines are not straight on
# the graticule: at this length they part by a decimetre at most.
_LONGEST_SIDE_M = 2_000.0
# What a repair may change without doubt: two different repairs agree, and neither moves the area by more than this.
_DOUBT_M2 = 10.0
_DOUBT_SHARE = 1e-5
# A ring whose ends are nearer than this was cut short by rounding, not left open by mistake.
_CLOSING_GAP_M = 0.01
# A part of fewer square nanodegrees (about a hundredth of a square metre) is an artefact of rounding.
_SLIVER = 1e6
_OUTLINE_STEPS = 400
_GLOBE = pyproj.Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class System:
    """A coordinate reference system, ready to be turned into WGS84. `declared` is False when it is assumed."""

    name: str
    declared: bool
    crs: pyproj.CRS
    to_wgs84: pyproj.Transformer | None


@dataclass(frozen=True, slots=True)
class Checked:
    """A feature's boundary, exact; `repaired_m2` is the area that a repair changed, None when nothing was repaired."""

    shape: MultiPolygon
    repaired_m2: float | None = None


def system_of(declared: str | None) -> System:
    """The system that a layer declares, WGS84 where it declares none; `Invalid` when nobody knows it."""
    if declared is None:
        return System("WGS84", False, pyproj.CRS(WGS84), None)
    try:
        crs = pyproj.CRS.from_user_input(declared)
    except CRSError as error:
        raise _not_a_system(f"The file declares a reference system that is not known: {declared[:80]!r}.") from error
    if not (crs.is_geographic or crs.is_projected or crs.is_compound):
        raise _not_a_system(f"The reference system {crs.name} does not place anything on the ground.")
    if crs.to_epsg() == 4326 or crs.to_authority() == ("OGC", "CRS84"):
        return System("WGS84", True, crs, None)
    return System(_name(crs), True, crs, pyproj.Transformer.from_crs(crs, WGS84, always_xy=True))


def outside_problem(system: System, polygons: Sequence[Polygon]) -> Problem | None:
    """A boundary must lie where its declared or assumed system has its ground; says which system is the likely one."""
    found = _all_positions(polygons)
    if not len(found):
        return None
    placed = found if system.to_wgs84 is None else _turned(system.to_wgs84, found)
    west, south, east, north = _ground(system)
    lons, lats = placed[:, 0], placed[:, 1]
    inside = np.isfinite(placed).all() and ((lons >= west) & (lons <= east) & (lats >= south) & (lats <= north)).all()
    if inside and not (system.crs.is_projected and _are_degrees(found)):
        return None
    return _outside(system, found)


def check(polygons: Sequence[Polygon], system: System) -> Checked | Problem:
    """A feature's exact boundary, or why it cannot have one. Assumes that it lies on its system's ground."""
    rings = [_degrees(ring, system) for polygon in polygons for ring in polygon]
    problem = next((problem for ring in rings if (problem := _ring_problem(ring))), None)
    if problem:
        return problem
    given = _assembled(polygons, [_closed(ring) for ring in rings])
    if given.is_valid:
        return _exact(given, None)
    return _repaired(given)


def area_m2(shape: Any) -> float:
    """Square metres on the ground (WGS84 ellipsoid) of a polygon or multipolygon in degrees."""
    return float(sum(_polygon_m2(polygon) for polygon in shapely.get_parts(shape)))


def nano_edges(shape: MultiPolygon) -> NDArray[np.int64]:
    """The edges of a boundary, (n, 4): longitude, latitude, longitude, latitude in nanodegrees."""
    rings = shapely.get_rings(shapely.get_parts(shape))
    positions, ring = shapely.get_coordinates(rings, return_index=True)
    whole = to_nano(positions)
    same = ring[1:] == ring[:-1]
    return np.hstack([whole[:-1][same], whole[1:][same]])


def to_nano(positions: Coordinates) -> NDArray[np.int64]:
    """Degrees as whole nanodegrees."""
    return np.rint(positions * NANO).astype(np.int64)


def wkb_of(shape: MultiPolygon) -> bytes:
    """The one well-known binary of a boundary: the same boundary always gives the same bytes."""
    return bytes(shapely.to_wkb(shape, byte_order=1, output_dimension=2))


def shape_of(wkb: bytes) -> MultiPolygon:
    """The boundary kept as well-known binary."""
    return shapely.from_wkb(wkb)


def outline_of(shape: MultiPolygon) -> dict[str, Any]:
    """The boundary simplified for a screen, as a GeoJSON geometry to a metre; never used to decide anything."""
    west, south, east, north = shape.bounds
    step = max(east - west, north - south) / _OUTLINE_STEPS
    simple = shapely.set_precision(shapely.simplify(shape, step), 1e-5)
    shown = simple if not simple.is_empty else shape
    return _lists(mapping(shown))


def bounds_of(shape: MultiPolygon) -> Box:
    """The box around a boundary, in degrees to 9 places."""
    west, south, east, north = (degrees_of(int(side)) for side in to_nano(np.array(shape.bounds)))
    return Box(south=south, west=west, north=north, east=east)


def square_kilometres(shape: MultiPolygon) -> Decimal:
    """Square kilometres on the ground, to the square metre."""
    return Decimal(round(area_m2(shape))).scaleb(-6)


def _degrees(ring: Any, system: System) -> Coordinates:
    found = _positions(ring)
    if system.to_wgs84 is None or len(found) < 2 or not np.isfinite(found).all():
        return found
    if system.crs.is_projected:
        found = shapely.get_coordinates(shapely.segmentize(shapely.linestrings(found), _longest_side(system)))
    return _turned(system.to_wgs84, found)


def _longest_side(system: System) -> float:
    return _LONGEST_SIDE_M / float(system.crs.axis_info[0].unit_conversion_factor or 1.0)


def _positions(ring: Any) -> Coordinates:
    """A ring's positions without Z and M; positions that are no pair of numbers become NaN."""
    try:
        return np.array([position[:2] for position in ring], dtype=float).reshape(-1, 2)
    except (TypeError, ValueError, IndexError):
        return np.full((1, 2), np.nan)


def _all_positions(polygons: Sequence[Polygon]) -> Coordinates:
    rings = [_positions(ring) for polygon in polygons for ring in polygon]
    found = np.concatenate(rings) if rings else np.empty((0, 2))
    return found[np.isfinite(found).all(axis=1)]


def _turned(transformer: pyproj.Transformer, positions: Coordinates) -> Coordinates:
    lons, lats = transformer.transform(positions[:, 0], positions[:, 1])
    return np.column_stack([lons, lats])


def _ground(system: System) -> tuple[float, float, float, float]:
    """West, south, east and north of the ground a system is for, a degree wider; the globe where it does not say."""
    use = system.crs.area_of_use if system.declared else None
    if use is None or use.west > use.east:
        return -180.0, -90.0, 180.0, 90.0
    return max(use.west - 1, -180.0), max(use.south - 1, -90.0), min(use.east + 1, 180.0), min(use.north + 1, 90.0)


def _outside(system: System, found: Coordinates) -> Problem:
    how = "declares" if system.declared else "declares no reference system, so it is read as"
    first = f"{found[0][0]:.10g}, {found[0][1]:.10g}"
    sentence = f"The file {how} {system.name}, in which its coordinates ({first} …) cannot be."
    return Problem("area.reference_system", f"{sentence}{_likely(found)}", "geometry", "declare the system in the file")


def _likely(found: Coordinates) -> str:
    eastings, northings = found[:, 0], found[:, 1]
    if _are_degrees(found):
        return " They look like degrees of longitude and latitude (WGS84, EPSG:4326)."
    if ((eastings >= 0) & (eastings <= 700_000) & (northings >= 0) & (northings <= 1_300_000)).all():
        return " They look like the British National Grid (EPSG:27700)."
    if ((eastings >= 100_000) & (eastings <= 900_000) & (northings <= 10_000_000)).all():
        return " They look like a zone of Universal Transverse Mercator."
    if (np.abs(found) <= 20_037_509).all():
        return " They look like Web Mercator (EPSG:3857)."
    return ""


def _are_degrees(found: Coordinates) -> bool:
    return bool((np.abs(found) <= (180.0, 90.0)).all())


def _ring_problem(ring: Coordinates) -> Problem | None:
    if not len(ring) or not np.isfinite(ring).all():
        return Problem("area.coordinates", "A ring of it has positions that are not numbers.", "geometry", "numbers")
    gap = _metres(ring[0], ring[-1])
    if gap > _CLOSING_GAP_M:
        sentence = f"A ring of it is not closed: its ends, near {_where(ring[0])}, are {gap:,.2f} m apart."
        return Problem("area.ring_unclosed", sentence, "geometry", "first and last position the same")
    if len(np.unique(to_nano(ring), axis=0)) < 3:
        sentence = f"A ring of it, near {_where(ring[0])}, has fewer than three corners."
        return Problem("area.ring_short", sentence, "geometry", "three corners or more")
    return None


def _closed(ring: Coordinates) -> Coordinates:
    return np.vstack([ring[:-1], ring[:1]]) if len(ring) > 3 else np.vstack([ring, ring[:1]])


def _assembled(polygons: Sequence[Polygon], rings: Sequence[Coordinates]) -> MultiPolygon:
    """The multipolygon of rings given flat in the order of the polygons they belong to."""
    each = iter(rings)
    made = []
    for polygon in polygons:
        shell, *holes = [next(each) for _ in polygon]
        made.append(shapely.Polygon(shell, holes))
    return MultiPolygon(made)


def _exact(shape: Any, repaired_m2: float | None) -> Checked | Problem:
    """The shape on whole nanodegrees, in canonical order; slivers that rounding closes are dropped."""
    snapped = _snapped(shape)
    tidy = snapped if snapped.is_valid else _snapped(_polygonal(shapely.make_valid(snapped, method="structure")))
    parts = [shapely.remove_repeated_points(part) for part in shapely.get_parts(tidy) if _square_nanos(part) > _SLIVER]
    if not parts:
        return Problem("area.geometry_empty", "It has no ground inside it.", "geometry", "a polygon")
    return Checked(shapely.normalize(MultiPolygon(parts)), repaired_m2)


def _square_nanos(polygon: Any) -> float:
    """Square nanodegrees of a polygon, counted from its own corner so that nothing is lost to rounding."""
    corner = shapely.get_coordinates(polygon)[0]
    return float(shapely.transform(polygon, lambda positions: np.rint((positions - corner) * NANO)).area)


def _snapped(shape: Any) -> Any:
    return shapely.transform(shape, lambda positions: np.rint(positions * NANO) / NANO)


def _repaired(given: MultiPolygon) -> Checked | Problem:
    """The boundary put right where that is beyond doubt; otherwise the place where it crosses itself."""
    by_lines = _polygonal(shapely.make_valid(given, method="linework"))
    by_rings = _polygonal(shapely.make_valid(given, method="structure", keep_collapsed=False))
    changed = abs(area_m2(by_rings) - _as_drawn_m2(given))
    apart = area_m2(_polygonal(shapely.symmetric_difference(by_lines, by_rings)))
    if by_rings.is_empty or max(changed, apart) > max(_DOUBT_M2, _DOUBT_SHARE * area_m2(by_rings)):
        return _crossing(given)
    return _exact(by_rings, max(changed, apart))


def _polygonal(shape: Any) -> MultiPolygon:
    parts = shapely.get_parts(shapely.get_parts(shape))
    return MultiPolygon([part for part in np.atleast_1d(parts) if part.geom_type == "Polygon" and not part.is_empty])


def _as_drawn_m2(given: MultiPolygon) -> float:
    """Square metres as the rings themselves run: shells less holes, crossings and all."""
    return float(sum(_polygon_m2(polygon) for polygon in given.geoms))


def _polygon_m2(polygon: Any) -> float:
    return _ring_m2(polygon.exterior) - sum(_ring_m2(hole) for hole in polygon.interiors)


def _ring_m2(ring: Any) -> float:
    lons, lats = shapely.get_coordinates(ring).T
    return abs(float(_GLOBE.polygon_area_perimeter(lons, lats)[0]))


def _crossing(given: MultiPolygon) -> Problem:
    reason, _, place = shapely.is_valid_reason(given).partition("[")
    what = {"Self-intersection": "Its boundary crosses itself", "Ring Self-intersection": "A ring of it crosses itself"}
    sentence = f"{what.get(reason, f'Its boundary is not valid ({reason})')} near {_text_where(place.rstrip(']'))}."
    return Problem("area.self_intersection", sentence, "geometry", "a boundary that nowhere crosses or overlaps itself")


def _text_where(place: str) -> str:
    lon, lat = (float(part) for part in place.split()[:2])
    return _where((lon, lat))


def _where(position: Any) -> str:
    return f"latitude {position[1]:.6f}, longitude {position[0]:.6f}"


def _metres(a: Any, b: Any) -> float:
    return float(_GLOBE.inv(a[0], a[1], b[0], b[1])[2])


def _lists(geometry: Any) -> dict[str, Any]:
    """A GeoJSON geometry with lists and five places: what JSON keeps."""

    def rounded(value: Any) -> Any:
        return round(value, 5) if isinstance(value, float) else [rounded(part) for part in value]

    return {"type": geometry["type"], "coordinates": rounded(geometry["coordinates"])}


def _name(crs: pyproj.CRS) -> str:
    number = crs.to_epsg()
    return f"{crs.name} (EPSG:{number})" if number else str(crs.name)


def _not_a_system(sentence: str) -> Invalid:
    return Invalid("area.reference_system", sentence, [Problem("area.reference_system", sentence)])
