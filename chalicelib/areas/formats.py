"""Owns reading boundary files: which format the bytes are, and each format's features. Heavy; for workers only."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import shapefile
from defusedxml import ElementTree

from chalicelib.areas import geopackage
from chalicelib.areas.features import WGS84, Feature, Layer, Source, attribute_text, geojson_polygons
from chalicelib.kernel.errors import Invalid, Problem

MOST_EXPANDED_BYTES = 500_000_000
MOST_RATIO = 200
_RATIO_FROM_BYTES = 10_000_000
_SHAPE_PARTS = (".shp", ".dbf", ".prj", ".cpg", ".shx")


def read(content: bytes) -> Source:
    """The features of a GeoPackage, GeoJSON, KML, or of a zip with one of these or with a Shapefile.

    `Invalid` when the bytes are none of these or cannot be read; what is wrong with single features is left to them.
    """
    if not content.strip():
        raise _refused("area.file_empty", "The file is empty.")
    if content.startswith(b"SQLite format 3\x00"):
        return geopackage.read(content)
    if content.startswith(b"PK"):
        return _read_archive(content)
    text = content.lstrip(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"{"):
        return read_geojson(text)
    if text.startswith(b"<"):
        return read_kml(text)
    raise _refused("area.file_kind", "This is not a GeoPackage, GeoJSON, KML, zipped Shapefile or list of areas.")


def is_boundary_file(content: bytes) -> bool:
    """Whether bytes are one of the formats read here, rather than a workbook or CSV of lists."""
    start = content.lstrip(b"\xef\xbb\xbf").lstrip()[:1]
    if content.startswith(b"PK"):
        return not _is_workbook(content)
    return content.startswith(b"SQLite format 3\x00") or start in {b"{", b"<"} or not start


def read_geojson(text: bytes) -> Source:
    """A GeoJSON feature collection or single feature; the `crs` member of the 2008 format is honoured."""
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _refused("area.geojson", f"The GeoJSON cannot be read: {error}") from error
    found = data.get("features") if data.get("type") == "FeatureCollection" else [data]
    if data.get("type") not in {"FeatureCollection", "Feature"} or not isinstance(found, list):
        raise _refused("area.geojson", "The GeoJSON is not a FeatureCollection or a Feature.")
    layer = str(data.get("name") or "features")
    features = [_geojson_feature(layer, number, each) for number, each in enumerate(found, 1)]
    return Source("GeoJSON", [Layer(layer, _geojson_system(data), features)])


def _geojson_feature(layer: str, number: int, given: Any) -> Feature:
    if not isinstance(given, Mapping) or given.get("type") != "Feature":
        return Feature(layer, number, {}, problem=Problem("area.feature", "It is not a GeoJSON Feature."))
    properties = given.get("properties")
    held = properties.items() if isinstance(properties, Mapping) else ()
    attributes = {str(name): attribute_text(value) for name, value in held if _is_plain(value)}
    if given.get("id") is not None and _is_plain(given["id"]):
        attributes.setdefault("id", attribute_text(given["id"]))
    polygons, problem = geojson_polygons(given.get("geometry"))
    return Feature(layer, number, attributes, polygons, problem)


def _geojson_system(data: Mapping[str, Any]) -> str | None:
    """What the `crs` member declares; None without one (then RFC 7946 says WGS84)."""
    declared = data.get("crs")
    if declared is None:
        return None
    named = declared.get("properties") if isinstance(declared, Mapping) and declared.get("type") == "name" else None
    name = named.get("name") if isinstance(named, Mapping) else None
    if not isinstance(name, str):
        raise _refused("area.reference_system", "The GeoJSON's crs member does not name a reference system.")
    return name


def _is_plain(value: Any) -> bool:
    return not isinstance(value, list | dict)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def read_kml(text: bytes) -> Source:
    """The placemarks with polygons of a KML file; always longitude and latitude on WGS84."""
    try:
        root = ElementTree.fromstring(text)
    except Exception as error:
        raise _refused("area.kml", f"The KML cannot be read: {error}") from error
    if _tag(root) != "kml":
        raise _refused("area.kml", "The XML is not KML.")
    marks = [element for element in root.iter() if _tag(element) == "Placemark"]
    features = [_placemark(number, mark) for number, mark in enumerate(marks, 1)]
    return Source("KML", [Layer("placemarks", WGS84, features)])


def _placemark(number: int, mark: Any) -> Feature:
    attributes = dict(_kml_attributes(mark))
    polygons = [_kml_polygon(each) for each in mark.iter() if _tag(each) == "Polygon"]
    if any(ring is None for polygon in polygons for ring in polygon):
        problem = Problem("area.coordinates", "Its coordinates are not numbers.", "coordinates", "longitude,latitude")
        return Feature("placemarks", number, attributes, problem=problem)
    if not polygons:
        problem = Problem("area.geometry_missing", "It has no polygon.", "geometry", "a Polygon")
        return Feature("placemarks", number, attributes, problem=problem)
    return Feature("placemarks", number, attributes, polygons)


def _kml_attributes(mark: Any) -> Iterator[tuple[str, str]]:
    for child in mark:
        if _tag(child) == "name":
            yield "name", attribute_text(child.text)
    for element in mark.iter():
        if _tag(element) == "SimpleData":
            yield element.get("name", ""), attribute_text(element.text)
        if _tag(element) == "Data":
            value = next((child.text for child in element if _tag(child) == "value"), None)
            yield element.get("name", ""), attribute_text(value)


def _kml_polygon(polygon: Any) -> list[Any]:
    """The outer ring, then the inner ones; None for a ring whose numbers cannot be read."""
    rings = {"outerBoundaryIs": [], "innerBoundaryIs": []}  # type: dict[str, list[Any]]
    for boundary in polygon:
        for element in boundary.iter():
            if _tag(element) == "coordinates" and _tag(boundary) in rings:
                rings[_tag(boundary)].append(_kml_ring(element.text or ""))
    return [*rings["outerBoundaryIs"], *rings["innerBoundaryIs"]]


def _kml_ring(text: str) -> list[list[float]] | None:
    try:
        return [[float(number) for number in position.split(",")] for position in text.split()]
    except ValueError:
        return None


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _read_archive(content: bytes) -> Source:
    with _opened(content) as archive:
        _check_size(archive, len(content))
        names = [name for name in archive.namelist() if not name.startswith("__MACOSX/") and not name.endswith("/")]
        stems = sorted(name[:-4] for name in names if name.lower().endswith(".shp"))
        if stems:
            return Source("Shapefile", [_shapefile_layer(archive, names, stem) for stem in stems])
        inner = [name for name in names if name.lower().endswith((".kml", ".geojson", ".json", ".gpkg"))]
        if len(inner) != 1:
            raise _refused("area.archive", "The archive holds no Shapefile, and not exactly one other boundary file.")
        return _read_inner(archive.read(inner[0]))


def _read_inner(content: bytes) -> Source:
    if content.startswith(b"PK"):
        raise _refused("area.archive", "The archive holds another archive.")
    return read(content)


def _opened(content: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise _refused("area.archive", "The archive is damaged.") from error


def _check_size(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse an archive that would expand beyond measure, before anything of it is opened."""
    expanded = sum(entry.file_size for entry in archive.infolist())
    if expanded > MOST_EXPANDED_BYTES or (expanded > _RATIO_FROM_BYTES and expanded > MOST_RATIO * size):
        sentence = f"The archive would expand to {expanded // 1_000_000} MB, {expanded // max(size, 1)} times its size."
        most = f"at most {MOST_EXPANDED_BYTES // 1_000_000} MB and {MOST_RATIO} times"
        raise _refused("area.archive_size", sentence, most)
    if any(entry.flag_bits & 1 for entry in archive.infolist()):
        raise _refused("area.archive_encrypted", "The archive is protected by a password.")


def _is_workbook(content: bytes) -> bool:
    with _opened(content) as archive:
        return "[Content_Types].xml" in archive.namelist()


def _shapefile_layer(archive: zipfile.ZipFile, names: list[str], stem: str) -> Layer:
    parts = _shape_parts(archive, names, stem)
    layer = stem.rpartition("/")[2]
    if ".dbf" not in parts:
        raise _refused("area.shapefile", f"The Shapefile {layer} has no .dbf, so its areas have no references.")
    system = parts[".prj"].decode("utf-8", "replace").strip() if ".prj" in parts else None
    try:
        features = list(_shape_features(layer, parts))
    except (shapefile.ShapefileException, UnicodeDecodeError, ValueError, IndexError) as error:
        raise _refused("area.shapefile", f"The Shapefile {layer} cannot be read: {error}") from error
    except Exception as error:  # struct.error and the like, from damaged bytes inside the library
        raise _refused("area.shapefile", f"The Shapefile {layer} is damaged.") from error
    return Layer(layer, system or None, features)


def _shape_parts(archive: zipfile.ZipFile, names: list[str], stem: str) -> dict[str, bytes]:
    wanted = {f"{stem}{ending}".lower(): ending for ending in _SHAPE_PARTS}
    return {wanted[name.lower()]: archive.read(name) for name in names if name.lower() in wanted}


def _shape_features(layer: str, parts: Mapping[str, bytes]) -> Iterator[Feature]:
    encoding = parts.get(".cpg", b"utf-8").decode("ascii", "replace").strip() or "utf-8"
    files = {"shp": io.BytesIO(parts[".shp"]), "dbf": io.BytesIO(parts[".dbf"])}
    with shapefile.Reader(**files, encoding=_known_encoding(encoding), encodingErrors="replace") as reader:
        for number, item in enumerate(reader.iterShapeRecords(), 1):
            attributes = {name: attribute_text(value) for name, value in item.record.as_dict().items()}
            shape = None if item.shape.shapeType == shapefile.NULL else item.shape.__geo_interface__
            polygons, problem = geojson_polygons(shape)
            yield Feature(layer, number, attributes, polygons, problem)


def _known_encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError:
        return f"cp{name}" if name.isdigit() else "utf-8"
    return name


def _refused(code: str, detail: str, allowed: str | None = None) -> Invalid:
    return Invalid(code, detail, [Problem(code, detail, None, allowed)])
