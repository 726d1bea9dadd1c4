"""Claims about bringing areas in: whole or not at all, versions that never change, and places found by them at once."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chalicelib.areas import actions, actions_import, imports
from chalicelib.areas.models import AreaChange, AreaQuery, Box
from chalicelib.kernel.errors import Invalid, NotFound, Stale
from chalicelib.kernel.models import PageQuery
from chalicelib.storage import outbox
from tests.builders.areas import (
    SO,
    a_feature,
    a_geojson,
    a_geopackage,
    a_polygon,
    a_receipt,
    a_shapefile,
    a_square,
    a_zip,
    dropped,
)
from tests.builders.calls import a_call

pytestmark = pytest.mark.usefixtures("market")

NORTH = a_square(1.1, 52.1, 1.2, 52.2)
GRID = a_polygon([[614_000, 243_000], [618_000, 243_000], [618_000, 247_000], [614_000, 247_000], [614_000, 243_000]])


def an_so(so=SO, **how):
    return a_call(so, "so", **how)


def bring(content, receipt_id="rec_1", name="areas.geojson", so=SO, **metadata):
    receipt = a_receipt(receipt_id, name, so)
    return imports.apply_object(an_so(so), receipt, dropped(receipt, content, **metadata))


def outcomes(found):
    return [(each.ref, each.outcome) for each in found]


def refusal_of(content, **metadata):
    with pytest.raises(Invalid) as refused:
        bring(content, **metadata)
    return refused.value


def zones_at(lat, lon):
    return [(match.zone_id, match.kind, match.distance_m) for match in actions.zones_near(Decimal(lat), Decimal(lon))]


def zone_of(ref):
    return actions.find_area(SO, ref).zone_id


def test_areas_of_a_file_are_there_and_places_find_them():
    found = bring(a_geojson(a_feature(ref="A", name="South"), a_feature(NORTH, ref="B", name="North")))
    assert outcomes(found) == [("A", "created"), ("B", "created")]
    area = actions.find_area(SO, "A")
    assert (area.version, area.name, area.kinds, area.source) == (1, "South", ("area",), "rec_1")
    assert (zone_of("A"), "area", Decimal(0)) in zones_at("52.05", "1.15")
    on_the_border_of_both = {zone for zone, _, metres in zones_at("52.1", "1.15") if metres == 0}
    assert on_the_border_of_both == {zone_of("A"), zone_of("B")}


def test_a_place_outside_but_near_is_told_its_distance():
    bring(a_geojson(a_feature(ref="A")))
    ((_, kind, metres),) = zones_at("52.05", "1.201")
    assert kind == "area"
    assert Decimal("68.5") < metres < Decimal("68.8")
    assert zones_at("52.05", "1.3") == []
    assert actions.zones_near(Decimal("52.05"), Decimal("1.201"), within_m=Decimal(50)) == []


def test_every_format_makes_the_same_zone():
    features = [a_feature(ref="A", kind="x"), a_feature(NORTH, ref="B", kind="x")]
    files = {
        "rec_1": a_geojson(*features),
        "rec_2": a_geopackage(features),
        "rec_3": a_shapefile(features),
        "rec_4": a_zip({"a.geojson": a_geojson(*features)}),
    }
    came = [outcomes(bring(content, receipt_id)) for receipt_id, content in files.items()]
    assert came[0] == [("A", "created"), ("B", "created")]
    assert came[1:] == [[("A", "unchanged"), ("B", "unchanged")]] * 3
    assert actions.find_area(SO, "A").version == 1


def test_a_file_is_imported_whole_or_not_at_all():
    refused = refusal_of(a_geojson(a_feature(ref="A"), a_feature(a_polygon([[1, 52], [2, 52], [2, 53]]), ref="B")))
    assert [(problem.code, problem.row) for problem in refused.problems] == [("area.ring_unclosed", 2)]
    assert actions.find_area(SO, "A") is None
    assert zones_at("52.05", "1.15") == []


def test_all_that_is_wrong_is_named_feature_by_feature():
    bow_tie = a_polygon([[1, 52], [1.2, 52.2], [1.2, 52], [1, 52.2], [1, 52]])
    refused = refusal_of(
        a_geojson(
            a_feature(ref=""),
            a_feature(bow_tie, ref="A"),
            a_feature(ref="A"),
            {"type": "Feature", "properties": {"ref": "C"}, "geometry": None},
            a_feature(ref="x" * 101),
        ),
        reference_attribute="ref",
    )
    assert [(problem.row, problem.code) for problem in refused.problems] == [
        (1, "area.reference_empty"),
        (2, "area.reference_duplicate"),
        (2, "area.self_intersection"),
        (3, "area.reference_duplicate"),
        (4, "area.geometry_missing"),
        (5, "area.reference"),
    ]
    assert all(problem.detail.startswith(f"Feature {problem.row}: ") for problem in refused.problems)


def test_grid_coordinates_without_saying_so_are_refused_and_with_it_are_taken():
    refused = refusal_of(a_geojson(a_feature(GRID, ref="A")))
    assert refused.problems[0].code == "area.reference_system"
    assert "EPSG:27700" in refused.problems[0].detail
    assert outcomes(bring(a_geojson(a_feature(GRID, ref="A"), crs="urn:ogc:def:crs:EPSG::27700"))) == [("A", "created")]
    assert zones_at("52.05", "1.15")[0][1:] == ("area", Decimal(0))


def test_the_uploader_may_name_the_reference_attribute():
    features = [a_feature(first="1", Second="A"), a_feature(NORTH, first="2", Second="B")]
    assert outcomes(bring(a_geojson(*features))) == [("1", "created"), ("2", "created")]
    by_metadata = bring(a_geojson(*features), "rec_2", reference_attribute="second")
    assert outcomes(by_metadata) == [("A", "created"), ("B", "created")]
    by_name = bring(a_geojson(*features), "rec_3", name="areas [ref=Second].geojson")
    assert outcomes(by_name) == [("A", "unchanged"), ("B", "unchanged")]
    assert refusal_of(a_geojson(*features), reference_attribute="third").code == "area.reference_attribute"


def test_features_that_nothing_tells_apart_are_refused():
    refused = refusal_of(a_geojson(a_feature(kind="x"), a_feature(NORTH, kind="x")))
    assert refused.code == "area.reference_attribute"
    assert "kind" in refused.detail


def test_an_empty_collection_is_refused():
    assert refusal_of(b'{"type": "FeatureCollection", "features": []}').code == "area.no_features"


def test_a_repair_is_told_with_its_square_metres():
    square = a_square()["coordinates"][0]
    spike = [[1.2, 52.05], [1.25, 52.05], [1.2, 52.05]]
    (found,) = bring(a_geojson(a_feature(a_polygon(square[:2] + spike + square[2:]), ref="A")))
    assert found.outcome == "created"
    proposed, repaired = found.problems
    assert "reference is its “ref”" in proposed.detail
    assert repaired.code == "area.repaired"
    assert "0.00 m²" in repaired.detail


def test_a_changed_boundary_is_a_new_version_and_the_old_one_stays():
    bring(a_geojson(a_feature(ref="A")))
    first = actions.find_area(SO, "A")
    assert outcomes(bring(a_geojson(a_feature(NORTH, ref="A")), "rec_2")) == [("A", "updated")]
    second = actions.find_area(SO, "A")
    assert (first.version, second.version) == (1, 2)
    assert first.zone_id != second.zone_id
    assert actions.get_zone(first.zone_id).polygons == 1
    versions = actions.list_area_versions(an_so(), first.id, PageQuery()).items
    assert [(each.version, each.zone_id) for each in versions] == [(1, first.zone_id), (2, second.zone_id)]


def test_the_facts_are_told_once_and_nothing_is_told_where_nothing_changed():
    bring(a_geojson(a_feature(ref="A"), a_feature(NORTH, ref="B")))
    bring(a_geojson(a_feature(ref="A")), "rec_2")
    until = datetime(2027, 1, 1, tzinfo=UTC)
    told = [each for each in outbox.unpublished(until) if each.name == "areas.areas_changed.v1"]
    assert len(told) == 1
    assert set(told[0].body["area_ids"]) == {actions.area_id_of(SO, "A"), actions.area_id_of(SO, "B")}


def test_the_same_import_again_comes_to_the_same_and_changes_nothing():
    content = a_geojson(a_feature(ref="A"), a_feature(NORTH, ref="B"))
    assert bring(content) == bring(content)
    assert actions.find_area(SO, "A").version == 1


def test_an_import_given_twice_at_once_is_told_the_same_both_times(monkeypatch):
    original = actions_import._take_lock
    content = a_geojson(a_feature(ref="A"), a_feature(NORTH, ref="B"))

    def meanwhile(*args):
        monkeypatch.undo()
        bring(content)
        return original(*args)

    monkeypatch.setattr(actions_import, "_take_lock", meanwhile)
    assert outcomes(bring(content)) == [("A", "created"), ("B", "created")]
    assert actions.find_area(SO, "A").version == 1


@pytest.mark.parametrize("step", ["_stage", "_finish", "_settle"])
def test_a_crash_leaves_nothing_half_seen_and_a_retry_goes_on(monkeypatch, step):
    bring(a_geojson(a_feature(ref="A")), "rec_0")
    before = actions.find_area(SO, "A")
    content = a_geojson(a_feature(NORTH, ref="A"), a_feature(ref="B"))
    original = getattr(actions_import, step)

    def crash(*args):
        if step != "_finish":
            original(*args)
        raise ConnectionError("the machine stopped")

    with monkeypatch.context() as patch:
        patch.setattr(actions_import, step, crash)
        with pytest.raises(ConnectionError):
            bring(content, "rec_1")
    seen = actions.find_areas(SO, ["A", "B"])
    if step == "_settle":
        assert (seen["A"].version, seen["B"].version) == (2, 1)
    else:
        assert seen == {"A": before}
        assert [view.ref for view in actions.list_areas(an_so(), AreaQuery()).items] == ["A"]
        assert len(actions.list_area_versions(an_so(), before.id, PageQuery()).items) == 1
    assert outcomes(bring(content, "rec_1")) == [("A", "updated"), ("B", "created")]
    assert {ref: area.version for ref, area in actions.find_areas(SO, ["A", "B"]).items()} == {"A": 2, "B": 1}


def test_an_import_overtaken_by_another_is_not_seen_at_all(monkeypatch):
    original = actions_import._stage

    def meanwhile(*args):
        original(*args)
        monkeypatch.undo()
        bring(a_geojson(a_feature(NORTH, ref="A")), "rec_2")

    monkeypatch.setattr(actions_import, "_stage", meanwhile)
    with pytest.raises(Stale):
        bring(a_geojson(a_feature(ref="A"), a_feature(ref="B")), "rec_1")
    assert actions.find_area(SO, "A").source == "rec_2"
    assert actions.find_area(SO, "B") is None
    assert outcomes(bring(a_geojson(a_feature(ref="A"), a_feature(ref="B")), "rec_1")) == [
        ("A", "updated"),
        ("B", "created"),
    ]


def test_a_rename_during_an_import_is_not_lost(monkeypatch):
    bring(a_geojson(a_feature(ref="A")), "rec_0")
    original = actions_import._stage

    def meanwhile(*args):
        original(*args)
        area = actions.find_area(SO, "A")
        actions.change_area(an_so(), area.id, AreaChange(name="Renamed"), area.version)

    monkeypatch.setattr(actions_import, "_stage", meanwhile)
    with pytest.raises(Stale):
        bring(a_geojson(a_feature(NORTH, ref="A")), "rec_1")
    assert actions.find_area(SO, "A").name == "Renamed"


LISTS = (
    "Area Ref,Area Name,Postcodes,Postcode Sectors,Meter Ids,Box South,Box West,Box North,Box East\n"
    "L,Listed,ip1 1ab; IP11AD,IP4 1,1200051234567,,,,\n"
    "L,,,,,52.0,1.1,52.1,1.2\n"
    "M,,,,,51,0,51.5,0.5\n"
)


def test_lists_make_areas_that_match_by_postcode_sector_meter_and_box():
    assert outcomes(bring(LISTS.encode(), name="areas.csv")) == [("L", "created"), ("M", "created")]
    zone = zone_of("L")
    assert actions.find_area(SO, "L").kinds == ("meter", "postcode", "bounding box")
    assert [match.kind for match in actions.zones_listing("IP1 1AB")] == ["postcode"]
    assert [match.zone_id for match in actions.zones_listing("ip41zz")] == [zone]
    assert actions.zones_listing("IP5 1ZZ", ["9"]) == []
    by_both = actions.zones_listing("IP1 1AD", ["1200051234567", ""])
    assert [match.kind for match in by_both] == ["meter", "postcode"]
    assert zones_at("52.1", "1.2") == [(zone, "bounding box", Decimal(0))]
    assert zones_at("52.1", "1.2001")[0][1] == "bounding box"
    assert actions.zone_lists(zone).sectors == ("IP4 1",)
    assert zones_at("51.25", "0.25")[0][0] == zone_of("M")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("L,,IPX,,,,,,", "area.postcode"),
        ("L,,,IP,,,,,", "area.sector"),
        ("L,,,,,52,1,,", "area.box"),
        ("L,,,,,52,1,51,2", "area.box_latitude"),
        ("L,,,,,52,3,53,2", "area.box_longitude"),
        ("L,,,,,,,,", "area.lists_empty"),
    ],
)
def test_a_bad_list_is_refused_with_its_row(row, code):
    refused = refusal_of((LISTS + row.replace("L,", "N,", 1) + "\n").encode(), name="areas.csv")
    assert [(problem.code, problem.row, problem.sheet) for problem in refused.problems] == [(code, 5, "Areas")]


def test_lists_given_inside_a_competition_are_a_zone_of_their_own():
    from chalicelib.storage.commit import commit

    box = Box(south="52.0", west="1.1", north="52.1", east="1.2")
    zone_id, writes = actions.list_zone_writes(["ip1 1ab"], ["IP4 1"], [box])
    commit(an_so(), writes)
    again, _ = actions.list_zone_writes(["IP1 1AB", "IP11AB"], ["ip4 1"], [box])
    assert again == zone_id
    assert actions.get_zone(zone_id).kinds == ("postcode", "bounding box")
    assert zones_at("52.05", "1.15") == [(zone_id, "bounding box", Decimal(0))]
    with pytest.raises(Invalid) as refused:
        actions.list_zone_writes(["X"], ["Y"], [box.but(north="51")])
    assert len(refused.value.problems) == 3


def test_the_cells_of_a_zone_hold_every_place_it_can_match():
    from chalicelib.kernel.cells import cell_of

    bring(a_geojson(a_feature(ref="A")))
    within = actions.zone_cells(zone_of("A"))
    assert cell_of("52.05", "1.15") in within
    assert cell_of("52.05", "1.26") in within
    assert cell_of("52.5", "1.15") not in within
    assert set(actions.zone_cells(zone_of("A"), Decimal(0))) < set(within)
    with pytest.raises(NotFound):
        actions.get_zone("zon_none")


def test_an_operator_reads_its_areas_and_nobody_else_does():
    bring(a_geojson(a_feature(ref="A"), a_feature(NORTH, ref="B")))
    page = actions.list_areas(an_so(), AreaQuery(limit=1))
    assert [view.ref for view in page.items] == ["A"]
    assert [view.ref for view in actions.list_areas(an_so(), AreaQuery(cursor=page.next)).items] == ["B"]
    assert [view.ref for view in actions.list_areas(an_so(), AreaQuery(ref="B")).items] == ["B"]
    assert actions.list_areas(an_so(), AreaQuery(ref="C")).items == []
    view = actions.get_area(an_so(), page.items[0].id)
    assert view.outline["type"] in {"Polygon", "MultiPolygon"}
    assert Decimal(view.area_km2) == pytest.approx(Decimal("76.3"), abs=Decimal("0.3"))
    with pytest.raises(NotFound):
        actions.get_area(an_so("org_so2"), view.id)
    with pytest.raises(NotFound):
        actions.get_area(an_so(), "are_none")
    assert actions.list_areas(an_so("org_so2"), AreaQuery()).items == []


def test_two_operators_may_use_the_same_reference_and_share_a_zone():
    bring(a_geojson(a_feature(ref="A")))
    bring(a_geojson(a_feature(ref="A")), "rec_2", so="org_so2")
    mine, theirs = actions.find_area(SO, "A"), actions.find_area("org_so2", "A")
    assert mine.id != theirs.id
    assert mine.zone_id == theirs.zone_id


def test_an_area_is_renamed_archived_and_brought_back():
    bring(a_geojson(a_feature(ref="A")))
    area = actions.find_area(SO, "A")
    renamed = actions.change_area(an_so(), area.id, AreaChange(name="Ipswich"), 1)
    assert (renamed.name, renamed.version) == ("Ipswich", 2)
    with pytest.raises(Stale):
        actions.change_area(an_so(), area.id, AreaChange(name="Other"), 1)
    assert actions.change_area(an_so(), area.id, AreaChange(name="Ipswich"), 2).version == 2
    archived = actions.change_area(an_so(), area.id, AreaChange(state="archived"), 2)
    assert archived.state == "archived"
    assert actions.list_areas(an_so(), AreaQuery()).items == []
    assert [view.ref for view in actions.list_areas(an_so(), AreaQuery(state="archived")).items] == ["A"]
    assert outcomes(bring(a_geojson(a_feature(ref="A")), "rec_2")) == [("A", "updated")]
    assert actions.find_area(SO, "A").state == "current"
