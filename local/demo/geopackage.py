"""Owns writing a GeoPackage as an operator's GIS would: one layer of polygons with their attributes, WGS84."""

from __future__ import annotations

import sqlite3
import struct
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shapely.geometry import MultiPolygon, Polygon, shape

_APPLICATION_ID = 0x47504B47
_VERSION = 10300
_WGS84 = 4326


def geopackage(collection: Mapping[str, Any], layer: str, attributes: Sequence[str]) -> bytes:
    """A GeoJSON feature collection as a GeoPackage with one layer and these text attributes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "areas.gpkg"
        with sqlite3.connect(file) as database:
            _write(database, collection, layer, attributes)
        database.close()
        return file.read_bytes()


def _write(database: sqlite3.Connection, collection: Mapping[str, Any], layer: str, attributes: Sequence[str]) -> None:
    database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {_VERSION}")
    database.executescript(_TABLES)
    database.execute(
        "INSERT INTO gpkg_spatial_ref_sys VALUES ('WGS 84 geodetic', ?, 'EPSG', ?, ?, 'longitude/latitude')",
        (_WGS84, _WGS84, _WGS84_WKT),
    )
    columns = ", ".join(f'"{name}"' for name in attributes)
    declared = ", ".join(f'"{name}" TEXT' for name in attributes)
    marks = ", ".join("?" for _ in attributes)
    database.execute(f'CREATE TABLE "{layer}" (fid INTEGER PRIMARY KEY, geom BLOB, {declared})')
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, 'features', ?, ?)",
        (layer, layer, _WGS84),
    )
    database.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'MULTIPOLYGON', ?, 0, 0)", (layer, _WGS84))
    for feature in collection["features"]:
        row = [_blob(feature["geometry"]), *(feature["properties"][name] for name in attributes)]
        database.execute(f'INSERT INTO "{layer}" (geom, {columns}) VALUES (?, {marks})', row)  # nosec B608  (our own names)


def _blob(geometry: Mapping[str, Any]) -> bytes:
    """The GeoPackage header with the envelope, then the geometry as WKB."""
    found = shape(geometry)
    polygons = found if isinstance(found, MultiPolygon) else MultiPolygon([Polygon(found)])
    west, south, east, north = polygons.bounds
    header = b"GP" + struct.pack("<BBi4d", 0, 0b00000011, _WGS84, west, east, south, north)
    return header + polygons.wkb


_WGS84_WKT = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]'
)
_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME DEFAULT '2026-04-01T00:00:00Z',
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER);
CREATE TABLE gpkg_geometry_columns (table_name TEXT PRIMARY KEY, column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL);
"""
