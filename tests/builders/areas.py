"""Builds boundary files and receipts for them: valid ones, from which a test spoils what it is about."""

from __future__ import annotations

import io
import json
import sqlite3
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import shapefile
import shapely
from shapely.geometry import shape

from chalicelib.files.models import Receipt
from chalicelib.storage import objects
from tests.builders.calls import NOON

SO = "org_so1"
IPSWICH = (1.1, 52.0, 1.2, 52.1)

Position = Sequence[float]
Geometry = Mapping[str, Any]


def a_square(west: float = 1.1, south: float = 52.0, east: float = 1.2, north: float = 52.1) -> dict[str, Any]:
    """A polygon over a box, as a GeoJSON geometry."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def a_polygon(*rings: Sequence[Position]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(position) for position in ring] for ring in rings]}


def a_feature(geometry: Geometry | None = None, **attributes: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": attributes or {"ref": "A"}, "geometry": geometry or a_square()}


def a_geojson(*features: Mapping[str, Any], crs: str | None = None) -> bytes:
    collection: dict[str, Any] = {"type": "FeatureCollection", "features": list(features) or [a_feature()]}
    if crs:
        collection["crs"] = {"type": "name", "properties": {"name": crs}}
    return json.dumps(collection).encode()


def a_geopackage(features: Iterable[Mapping[str, Any]], epsg: int = 4326, srs_id: int | None = None) -> bytes:
    """A GeoPackage of one layer `areas`, every geometry with an envelope in its header."""
    held = list(features)
    names = list(held[0]["properties"])
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE gpkg_contents (table_name TEXT, data_type TEXT, identifier TEXT, srs_id INTEGER)")
    database.execute(
        "CREATE TABLE gpkg_geometry_columns"
        " (table_name TEXT, column_name TEXT, geometry_type_name TEXT, srs_id INTEGER)"
    )
    database.execute(
        "CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER, organization TEXT,"
        " organization_coordsys_id INTEGER, definition TEXT)"
    )
    number = epsg if srs_id is None else srs_id
    database.execute("INSERT INTO gpkg_contents VALUES ('areas', 'features', 'areas', ?)", (number,))
    database.execute("INSERT INTO gpkg_geometry_columns VALUES ('areas', 'geom', 'GEOMETRY', ?)", (number,))
    database.execute("INSERT INTO gpkg_spatial_ref_sys VALUES ('it', ?, 'EPSG', ?, '')", (epsg, epsg))
    columns = "".join(f', "{name}" TEXT' for name in names)
    database.execute(f"CREATE TABLE areas (fid INTEGER PRIMARY KEY, geom BLOB{columns})")
    for feature in held:
        values = [feature["properties"][name] for name in names]
        marks = ", ".join("?" * (len(values) + 2))
        blob = _geopackage_blob(feature["geometry"], number)
        database.execute(f"INSERT INTO areas VALUES ({marks})", (None, blob, *values))
    database.commit()
    return database.serialize()


def _geopackage_blob(geometry: Geometry | bytes, srs_id: int) -> bytes:
    if isinstance(geometry, bytes):
        return b"GP\x00\x01" + struct.pack("<i", srs_id) + geometry
    made = shape(geometry)
    west, south, east, north = made.bounds
    return b"GP\x00\x03" + struct.pack("<i4d", srs_id, west, east, south, north) + shapely.to_wkb(made)


def a_kml(*placemarks: str) -> bytes:
    body = "".join(placemarks)
    return (
        f'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'.encode()
    )


def a_placemark(ring: Sequence[Position], name: str = "A", **attributes: str) -> str:
    data = "".join(f'<Data name="{key}"><value>{text}</value></Data>' for key, text in attributes.items())
    positions = " ".join(",".join(str(number) for number in position) for position in ring)
    boundary = f"<outerBoundaryIs><LinearRing><coordinates>{positions}</coordinates></LinearRing></outerBoundaryIs>"
    polygon = f"<Polygon>{boundary}</Polygon>"
    return f"<Placemark><name>{name}</name><ExtendedData>{data}</ExtendedData>{polygon}</Placemark>"


def a_shapefile(features: Iterable[Mapping[str, Any]], prj: str | None = None) -> bytes:
    """A zipped Shapefile; attributes are texts."""
    held = list(features)
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with shapefile.Writer(shp=shp, shx=shx, dbf=dbf) as writer:
        for name in held[0]["properties"]:
            writer.field(name, "C", 80)
        for feature in held:
            writer.shape(feature["geometry"])
            writer.record(**feature["properties"])
    parts = {"areas/a.shp": shp.getvalue(), "areas/a.shx": shx.getvalue(), "areas/a.dbf": dbf.getvalue()}
    return a_zip(parts | ({"areas/a.prj": prj.encode()} if prj else {}))


def a_zip(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def a_receipt(receipt_id: str = "rec_1", name: str = "areas.geojson", so: str = SO, at: str = NOON) -> Receipt:
    return Receipt(
        id=receipt_id,
        organisation=so,
        organisation_kind="so",
        kind="areas",
        name=name,
        state="processing",
        at=datetime.fromisoformat(at),
        actor="per_1",
        object_key=f"inbox/{so}/areas/{receipt_id}/{name}",
    )


def dropped(receipt: Receipt, content: bytes, **metadata: str) -> bytes:
    """Put the object a receipt is for, with its metadata; gives the bytes back."""
    named = {key.replace("_", "-"): text for key, text in metadata.items()}
    objects.put_object(objects.FILES, receipt.object_key, content, metadata=named)
    return content
