"""Claims about boundary files: every format gives the same features, and what cannot be read is refused by name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.areas import formats
from chalicelib.areas.features import Feature, find_reference, propose_reference, reference_of
from chalicelib.areas.geopackage import wkb_polygons
from chalicelib.kernel.errors import Invalid
from tests.builders.areas import (
    a_feature,
    a_geojson,
    a_geopackage,
    a_kml,
    a_placemark,
    a_polygon,
    a_shapefile,
    a_square,
    a_zip,
)

SQUARE = a_square()["coordinates"][0]
TWO = [a_feature(ref="A", kind="x"), a_feature(a_square(2, 51, 2.5, 51.5), ref="B", kind="x")]


def told(source):
    return [(dict(feature.attributes), [[list(map(float, p[:2])) for p in ring] for ring in feature.polygons[0]])
            for feature in source.features]  # fmt: skip


def sorted_ring(told_features):
    return [(attributes, sorted(map(tuple, rings[0]))) for attributes, rings in told_features]


def test_every_format_gives_the_same_features():
    expected = sorted_ring(told(formats.read(a_geojson(*TWO))))
    assert sorted_ring(told(formats.read(a_geopackage(TWO)))) == expected
    assert sorted_ring(told(formats.read(a_shapefile(TWO)))) == expected
    assert sorted_ring(told(formats.read(a_zip({"in/side.geojson": a_geojson(*TWO)})))) == expected
    marks = [a_placemark(each["geometry"]["coordinates"][0], each["properties"]["ref"], kind="x") for each in TWO]
    as_kml = sorted_ring(told(formats.read(a_kml(*marks))))
    assert [({"ref": held["name"], "kind": held["kind"]}, ring) for held, ring in as_kml] == expected


def test_a_kmz_is_read_as_the_kml_inside_it():
    source = formats.read(a_zip({"doc.kml": a_kml(a_placemark(SQUARE))}))
    assert source.form == "KML"
    assert source.features[0].attributes == {"name": "A"}


def test_kml_schema_data_are_attributes_and_heights_are_kept_out_of_the_way():
    mark = (
        "<Placemark><ExtendedData><SchemaData><SimpleData name='SITE'>S1</SimpleData></SchemaData></ExtendedData>"
        "<MultiGeometry><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        "1,52,9 1.1,52,9 1.1,52.1,9 1,52,9</coordinates></LinearRing></outerBoundaryIs></Polygon></MultiGeometry>"
        "</Placemark>"
    )
    (feature,) = formats.read(a_kml(mark)).features
    assert feature.attributes == {"SITE": "S1"}
    assert len(feature.polygons) == 1
    assert feature.polygons[0][0][0][:2] == [1.0, 52.0]


def test_old_geojson_declares_its_reference_system():
    layer = formats.read(a_geojson(crs="urn:ogc:def:crs:EPSG::27700")).layers[0]
    assert layer.system == "urn:ogc:def:crs:EPSG::27700"
    assert formats.read(a_geojson()).layers[0].system is None


def test_a_geopackage_declares_the_system_of_its_layer():
    assert formats.read(a_geopackage(TWO, epsg=27700)).layers[0].system == "EPSG:27700"
    assert formats.read(a_geopackage(TWO, srs_id=0)).layers[0].system is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "area.file_empty"),
        (b"  \n", "area.file_empty"),
        (b"hello", "area.file_kind"),
        (b"{", "area.geojson"),
        (b'{"type": "Topology"}', "area.geojson"),
        (b'{"type": "FeatureCollection", "features": 3}', "area.geojson"),
        (b'{"type": "FeatureCollection", "features": [NaN]}', "area.geojson"),
        (b"[" * 100_000, "area.file_kind"),
        (b'{"a":' + b"[" * 100_000, "area.geojson"),
        (b'{"type": "FeatureCollection", "features": [], "crs": {"type": "link"}}', "area.reference_system"),
        (b"<html/>", "area.kml"),
        (b"<kml", "area.kml"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><kml>&b;</kml>', "area.kml"),
        (b"SQLite format 3\x00 and no more", "area.geopackage"),
        (b"PK\x03\x04 and no more", "area.archive"),
        (a_zip({"readme.txt": b"x"}), "area.archive"),
        (a_zip({"a.kml": b"PK\x03\x04"}), "area.archive"),
        (a_zip({"a.shp": b"x"}), "area.shapefile"),
        (a_zip({"a.shp": b"x" * 200, "a.dbf": b"y" * 50}), "area.shapefile"),
        (a_geopackage(TWO, srs_id=-1), "area.reference_system"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(content, code):
    with pytest.raises(Invalid) as refusal:
        formats.read(content)
    assert refusal.value.code == code
    assert refusal.value.problems


def test_an_archive_that_expands_beyond_measure_is_not_opened():
    bomb = a_zip({"a.geojson": b" " * 60_000_000})
    with pytest.raises(Invalid) as refusal:
        formats.read(bomb)
    assert refusal.value.code == "area.archive_size"


def test_a_geopackage_without_polygons_is_refused_and_other_layers_are_passed_over():
    import sqlite3

    database = sqlite3.connect(":memory:")
    database.deserialize(a_geopackage(TWO))
    database.execute("CREATE TABLE pipes (geom BLOB)")
    database.execute("INSERT INTO gpkg_contents VALUES ('pipes', 'features', 'pipes', 4326)")
    database.execute("INSERT INTO gpkg_geometry_columns VALUES ('pipes', 'geom', 'LINESTRING', 4326)")
    database.commit()
    source = formats.read(database.serialize())
    assert [layer.name for layer in source.layers] == ["areas"]
    assert "pipes" in source.notes[0]
    database.execute("DELETE FROM gpkg_geometry_columns WHERE table_name = 'areas'")
    database.commit()
    with pytest.raises(Invalid, match="no layer of polygons"):
        formats.read(database.serialize())


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (None, "area.geometry_missing"),
        ({"type": "Point", "coordinates": [1, 52]}, "area.geometry_kind"),
        ({"type": "Polygon", "coordinates": []}, "area.geometry_empty"),
        (
            {"type": "GeometryCollection", "geometries": [a_square(), {"type": "Point", "coordinates": [1, 52]}]},
            "area.geometry_kind",
        ),
    ],
)
def test_a_feature_that_is_no_area_says_why(geometry, code):
    feature = {"type": "Feature", "properties": {}, "geometry": geometry}
    (found,) = formats.read(a_geojson(feature)).features
    assert found.problem.code == code


def test_an_item_that_is_no_feature_is_named():
    text = json.dumps({"type": "FeatureCollection", "features": ["x", a_feature()]}).encode()
    first, second = formats.read(text).features
    assert first.problem.code == "area.feature"
    assert second.problem is None


@pytest.mark.parametrize("blob", [b"no", b"GP\x00\x0fxxxxxxxxxxxx", 7])
def test_a_damaged_geometry_of_a_geopackage_is_named(blob):
    import sqlite3

    database = sqlite3.connect(":memory:")
    database.deserialize(a_geopackage(TWO))
    database.execute("UPDATE areas SET geom = ? WHERE fid = 1", (blob,))
    database.commit()
    assert formats.read(database.serialize()).features[0].problem.code == "area.geometry"


def test_an_unclosed_ring_in_binary_is_named():
    ring = b"".join(bytes(8) + (n).to_bytes(8, "little") for n in (1, 2, 3, 4))
    wkb = b"\x01" + (3).to_bytes(4, "little") + (1).to_bytes(4, "little") + (4).to_bytes(4, "little") + ring
    polygons, problem = wkb_polygons(wkb)
    assert not polygons
    assert problem.code in {"area.ring_unclosed", "area.geometry"}


def read_or_refused(content):
    """The file's features, or the problems for which it is refused; anything else raised is a fault of the reader."""
    try:
        return formats.read(content)
    except Invalid as refusal:
        return refusal.problems


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content):
    assert read_or_refused(content)


@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "features", "properties", "geometry", "coordinates", "crs", "id"]), inner, max_size=4
    ),
))  # fmt: skip
def test_any_json_is_read_or_refused(data):
    feature = {"type": "Feature", **data} if isinstance(data, dict) else data
    for collection in ({"features": [data]}, {"features": [feature]}, {"features": [], "crs": data}):
        assert read_or_refused(json.dumps({"type": "FeatureCollection", **collection}).encode())


def features_of(*attributes):
    return [Feature("l", number, held) for number, held in enumerate(attributes, 1)]


def test_the_first_attribute_unique_over_all_features_is_proposed():
    found = features_of({"kind": "x", "gap": "", "ref": "1"}, {"kind": "x", "gap": "g", "ref": "2"})
    assert propose_reference(found) == "ref"
    assert reference_of(found[0], "ref") == "1"


def test_where_no_attribute_is_unique_two_together_may_be():
    found = features_of({"gsp": "G", "group": "_A"}, {"gsp": "G", "group": "_C"}, {"gsp": "H", "group": "_A"})
    assert propose_reference(found) == "gsp + group"
    assert [reference_of(each, "gsp + group") for each in found] == ["G _A", "G _C", "H _A"]


def test_nothing_is_proposed_where_nothing_tells_features_apart():
    assert propose_reference(features_of({"a": "1"}, {"a": "1"})) is None


def test_a_wanted_attribute_is_found_without_case():
    found = features_of({"Site ID": "1", "b": "2"})
    assert find_reference(found, "site id") == "Site ID"
    assert find_reference(found, "SITE ID+B") == "Site ID + b"
    assert find_reference(found, "other") is None


def test_workbooks_and_text_are_left_to_the_list_reader():
    assert not formats.is_boundary_file(a_zip({"[Content_Types].xml": b"", "xl/workbook.xml": b""}))
    assert not formats.is_boundary_file(b"Area Ref,Postcodes\nA,IP1 1AA\n")
    assert formats.is_boundary_file(a_geojson())
    assert formats.is_boundary_file(a_geopackage(TWO))
    assert formats.is_boundary_file(a_shapefile(TWO))
    assert formats.is_boundary_file(b"")
    assert a_polygon(SQUARE)["coordinates"] == [SQUARE]
