"""Owns reading GeoPackages: an SQLite database in memory, its layers, and the header before each geometry. Heavy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from shapely.errors import GEOSException

from chalicelib.areas.features import WGS84, Feature, Layer, Polygon, Source, attribute_text
from chalicelib.kernel.errors import Invalid, Problem

_ENVELOPE_BYTES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_HEADER_BYTES = 8
_UNDEFINED_CARTESIAN, _UNDEFINED_GEOGRAPHIC = -1, 0
_OTHER_KINDS = {"POINT", "MULTIPOINT", "LINESTRING", "MULTILINESTRING"}
_LAYERS = """
    SELECT c.table_name, g.column_name, g.srs_id, g.geometry_type_name FROM gpkg_contents c
    JOIN gpkg_geometry_columns g ON g.table_name = c.table_name WHERE c.data_type = 'features' ORDER BY c.rowid
"""
_SYSTEM = """
    SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?
"""
# A view in a hostile file could run for ever; this many steps of SQLite's machine read any honest file of ours.
_MOST_STEPS = 20_000


def read(content: bytes) -> Source:
    """The polygon layers of a GeoPackage; `Invalid` when it is not one. Layers of points and lines are passed over."""
    database = sqlite3.connect(":memory:")
    try:
        database.deserialize(content)
        return _read(database)
    except (sqlite3.Error, OverflowError) as error:
        raise _refused("area.geopackage", f"The GeoPackage cannot be read: {error}") from error
    finally:
        database.close()


def _read(database: sqlite3.Connection) -> Source:
    database.execute("PRAGMA trusted_schema = OFF")
    steps = iter(range(_MOST_STEPS))
    database.set_progress_handler(lambda: next(steps, None) is None, 1_000_000)
    found = database.execute(_LAYERS).fetchall()
    passed = [name for name, _, _, kind in found if str(kind).upper() in _OTHER_KINDS]
    layers = [_layer(database, *row[:3]) for row in found if row[0] not in passed]
    if not layers:
        raise _refused("area.geopackage", "The GeoPackage has no layer of polygons.")
    return Source("GeoPackage", layers, [f"Layer {name} was passed over: it has no polygons." for name in passed])


def _layer(database: sqlite3.Connection, table: str, column: str, srs_id: int) -> Layer:
    return Layer(table, _system(database, table, srs_id), list(_features(database, table, column)))


def _system(database: sqlite3.Connection, table: str, srs_id: int) -> str | None:
    """The layer's reference system as `EPSG:27700` or as WKT; None where the file leaves it open."""
    if srs_id == _UNDEFINED_GEOGRAPHIC:
        return None
    known = database.execute(_SYSTEM, (srs_id,)).fetchone()
    if known is None or srs_id == _UNDEFINED_CARTESIAN:
        raise _refused("area.reference_system", f"Layer {table} does not say which reference system it is in.")
    organisation, number, definition = known
    if str(organisation).upper() == "EPSG":
        return WGS84 if number == 4326 else f"EPSG:{number}"
    return str(definition)


def _features(database: sqlite3.Connection, table: str, column: str) -> Iterator[Feature]:
    rows = database.execute(f"SELECT * FROM {_quoted(table)}")  # nosec B608  (a quoted name)
    names = [name for name, *_ in rows.description]
    key = _primary_key(database, table)
    for number, row in enumerate(rows, 1):
        values = dict(zip(names, row, strict=True))
        geometry = values.pop(column, None)
        attributes = {name: attribute_text(value) for name, value in values.items() if _is_attribute(name, value, key)}
        polygons, problem = _polygons(geometry)
        yield Feature(table, number, attributes, polygons, problem)


def _primary_key(database: sqlite3.Connection, table: str) -> str | None:
    """The column of row numbers, which is the file's own counting and names nothing."""
    columns = database.execute(f"PRAGMA table_info({_quoted(table)})").fetchall()
    return next((name for _, name, kind, _, _, key in columns if key and str(kind).upper() == "INTEGER"), None)


def _is_attribute(name: str, value: Any, key: str | None) -> bool:
    return name != key and not isinstance(value, bytes)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _polygons(blob: Any) -> tuple[list[Polygon], Problem | None]:
    """The polygons of a geometry column's value: the GeoPackage header, then WKB."""
    if blob is None:
        return [], Problem("area.geometry_missing", "It has no geometry.", "geometry", "a polygon")
    if not isinstance(blob, bytes) or blob[:2] != b"GP" or len(blob) <= _HEADER_BYTES:
        return [], Problem("area.geometry", "Its geometry is not as GeoPackage has it.", "geometry")
    envelope = _ENVELOPE_BYTES.get(blob[3] >> 1 & 7)
    if envelope is None:
        return [], Problem("area.geometry", "Its geometry is not as GeoPackage has it.", "geometry")
    return wkb_polygons(blob[_HEADER_BYTES + envelope :])


def wkb_polygons(wkb: bytes) -> tuple[list[Polygon], Problem | None]:
    """The polygons of well-known binary, and why they cannot be read; Z and M are dropped."""
    try:
        geometry = shapely.from_wkb(wkb)
    except GEOSException as error:
        return [], _unreadable(str(error))
    if geometry.is_empty:
        return [], Problem("area.geometry_empty", "Its geometry is empty.", "geometry", "a polygon")
    parts = list(shapely.get_parts(shapely.get_parts(geometry)))
    if any(part.geom_type != "Polygon" for part in parts):
        sentence = f"It is a {geometry.geom_type}, not an area."
        return [], Problem("area.geometry_kind", sentence, "geometry", "Polygon or MultiPolygon")
    return [_rings(part) for part in parts], None


def _rings(polygon: shapely.Polygon) -> Polygon:
    rings = [polygon.exterior, *polygon.interiors]
    return [np.asarray(shapely.get_coordinates(ring)) for ring in rings]  # type: ignore[return-value, misc]


def _unreadable(message: str) -> Problem:
    if "closed" in message:
        allowed = "first and last position the same"
        return Problem("area.ring_unclosed", "A ring of it is not closed.", "geometry", allowed)
    return Problem("area.geometry", f"Its geometry cannot be read: {message}", "geometry")


def _refused(code: str, detail: str) -> Invalid:
    return Invalid(code, detail, [Problem(code, detail)])
