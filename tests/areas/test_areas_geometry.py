"""Claims about geometry: systems honoured, places that cannot be refused, rings repaired only without doubt."""

import numpy as np
import pyproj
import pytest
import shapely
from shapely.geometry import MultiPolygon, box

from chalicelib.areas import geometry
from chalicelib.areas.geometry import Checked
from chalicelib.kernel.errors import Invalid, Problem

WGS84 = geometry.system_of(None)
GRID = geometry.system_of("EPSG:27700")
SQUARE = [[1.1, 52.0], [1.2, 52.0], [1.2, 52.1], [1.1, 52.1], [1.1, 52.0]]
# around Ipswich, in metres of the British National Grid
GRID_SQUARE = [[614_000, 243_000], [618_000, 243_000], [618_000, 247_000], [614_000, 247_000], [614_000, 243_000]]


def check(*rings, system=WGS84):
    return geometry.check([list(rings)], system)


def test_a_good_boundary_stays_as_it_is():
    found = check(SQUARE)
    assert isinstance(found, Checked)
    assert found.repaired_m2 is None
    assert found.shape.equals(shapely.Polygon(SQUARE))


def test_the_same_boundary_drawn_otherwise_is_the_same_bytes():
    turned = SQUARE[2:-1] + SQUARE[:3]
    again = [position for pair in zip(SQUARE, SQUARE, strict=True) for position in pair]
    with_height = [[*position, 7.0] for position in reversed(SQUARE)]
    kept = {geometry.wkb_of(check(ring).shape) for ring in (SQUARE, turned, again, with_height)}
    assert len(kept) == 1


def test_coordinates_are_the_nearest_to_whole_nanodegrees_and_round_nowhere_else():
    found = check([[1.12345678949, 52.0], [1.2, 52.0], [1.2, 52.1], [1.12345678949, 52.0]])
    edges = geometry.nano_edges(found.shape)
    assert 1_123_456_789 in edges[:, 0]
    assert (geometry.to_nano(shapely.get_coordinates(geometry.shape_of(geometry.wkb_of(found.shape)))) ==
            geometry.to_nano(shapely.get_coordinates(found.shape))).all()  # fmt: skip


def test_an_unclosed_ring_is_named_with_its_gap():
    found = check(SQUARE[:-1])
    assert isinstance(found, Problem)
    assert found.code == "area.ring_unclosed"
    assert "apart" in found.detail


def test_a_ring_cut_short_by_rounding_is_closed():
    found = check([*SQUARE[:-1], [1.100_000_01, 52.0]])
    assert isinstance(found, Checked)


@pytest.mark.parametrize(
    ("ring", "code"),
    [
        ([], "area.coordinates"),
        ([[1, 52], ["x", 52], [1, 52]], "area.coordinates"),
        ([[1, 52], [float("nan"), 52], [1, 53], [1, 52]], "area.coordinates"),
        ([[1, 52], [1.1], [1, 52]], "area.coordinates"),
        ([[1, 52], [1.1, 52], [1, 52]], "area.ring_short"),
        ([[1, 52], [1, 52], [1, 52], [1, 52]], "area.ring_short"),
        ([[1, 52], [1.1, 52.1], [1.2, 52.2], [1, 52]], "area.geometry_empty"),
    ],
)
def test_a_ring_that_bounds_nothing_is_named(ring, code):
    found = check(ring)
    assert isinstance(found, Problem)
    assert found.code == code


def test_a_bow_tie_is_refused_with_the_place_of_its_crossing():
    found = check([[1, 52], [1.2, 52.2], [1.2, 52], [1, 52.2], [1, 52]])
    assert found.code == "area.self_intersection"
    assert "latitude 52.1" in found.detail
    assert "longitude 1.1" in found.detail


def test_a_spike_is_taken_off_and_said_to_change_nothing():
    spike = [[1.2, 52.05], [1.25, 52.05], [1.2, 52.05]]
    found = check(SQUARE[:2] + spike + SQUARE[2:])
    assert isinstance(found, Checked)
    assert found.repaired_m2 == pytest.approx(0, abs=0.01)
    assert found.shape.equals(shapely.Polygon(SQUARE))


def test_a_tiny_loop_is_taken_off_and_its_square_metres_are_told():
    loop = [[1.1, 52.0], [1.2, 52.0], [1.2, 52.1], [1.15002, 52.1], [1.15, 52.10001], [1.15, 52.09999], [1.15002, 52.1],
            [1.1, 52.1], [1.1, 52.0]]  # fmt: skip
    found = check(loop)
    assert isinstance(found, Checked)
    assert 0 < found.repaired_m2 < 10


def test_parts_that_overlap_by_much_are_refused():
    other = [[1.15, 52.05], [1.3, 52.05], [1.3, 52.2], [1.15, 52.2], [1.15, 52.05]]
    found = geometry.check([[SQUARE], [other]], WGS84)
    assert found.code == "area.self_intersection"


def test_a_hole_is_kept():
    hole = [[1.12, 52.02], [1.14, 52.02], [1.14, 52.04], [1.12, 52.04], [1.12, 52.02]]
    found = check(SQUARE, hole)
    assert len(found.shape.geoms[0].interiors) == 1
    assert not shapely.intersects_xy(found.shape, 1.13, 52.03)


@pytest.mark.parametrize(
    "name", ["EPSG:27700", "urn:ogc:def:crs:EPSG::27700", pyproj.CRS("EPSG:27700").to_wkt("WKT1_ESRI")]
)
def test_the_british_national_grid_is_honoured_however_it_is_declared(name):
    system = geometry.system_of(name)
    found = check(GRID_SQUARE, system=system)
    to_grid = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:27700", always_xy=True)
    back = shapely.transform(found.shape, lambda at: np.column_stack(to_grid.transform(at[:, 0], at[:, 1])))
    assert back.symmetric_difference(shapely.Polygon(GRID_SQUARE)).area < 20  # a millimetre along 16 km
    assert geometry.outside_problem(system, [[GRID_SQUARE]]) is None


def test_long_sides_of_a_flat_map_stay_straight_on_it():
    wide = [[500_000, 200_000], [600_000, 200_000], [600_000, 300_000], [500_000, 300_000], [500_000, 200_000]]
    found = check(wide, system=GRID)
    to_wgs84 = pyproj.Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True)
    lon, lat = to_wgs84.transform(550_500, 200_000.2)
    assert shapely.intersects_xy(found.shape, lon, lat)
    lon, lat = to_wgs84.transform(550_500, 199_999.8)
    assert not shapely.intersects_xy(found.shape, lon, lat)


@pytest.mark.parametrize("name", [None, "urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"])
def test_wgs84_is_taken_as_it_is(name):
    assert geometry.system_of(name).to_wgs84 is None


def test_grid_coordinates_without_saying_so_are_refused_with_the_likely_system():
    problem = geometry.outside_problem(WGS84, [[GRID_SQUARE]])
    assert problem.code == "area.reference_system"
    assert "declares no reference system" in problem.detail
    assert "EPSG:27700" in problem.detail


@pytest.mark.parametrize(
    ("ring", "likely"),
    [
        ([[400_000, 5_800_000], [400_010, 5_800_000], [400_000, 5_800_010]], "Universal Transverse Mercator"),
        ([[-120_000, 6_800_000], [-110_000, 6_800_000], [-120_000, 6_900_000]], "EPSG:3857"),
        ([[1e9, 1e9], [1e9, 2e9], [2e9, 1e9]], "cannot be."),
    ],
)
def test_other_likely_systems_are_named(ring, likely):
    assert likely in geometry.outside_problem(WGS84, [[ring]]).detail


def test_degrees_declared_as_grid_are_refused():
    problem = geometry.outside_problem(GRID, [[SQUARE]])
    assert "They look like degrees" in problem.detail


def test_a_boundary_off_the_ground_of_its_system_is_refused():
    assert geometry.outside_problem(GRID, [[[[5_000_000, 100], [5_000_100, 100], [5_000_000, 200]]]]) is not None
    assert geometry.outside_problem(WGS84, []) is None


@pytest.mark.parametrize("name", ["EPSG:1", "nonsense", "EPSG:5701"])
def test_a_system_nobody_knows_or_that_places_nothing_is_refused(name):
    with pytest.raises(Invalid) as refusal:
        geometry.system_of(name)
    assert refusal.value.code == "area.reference_system"


def test_square_kilometres_are_of_the_ground():
    shape = MultiPolygon([box(0, 0, 1, 1)])
    assert float(geometry.square_kilometres(shape)) == pytest.approx(12_308.8, abs=1)


def test_an_outline_is_lighter_and_a_speck_keeps_its_shape():
    circle = MultiPolygon([shapely.Point(1, 52).buffer(0.5, quad_segs=500)])
    outline = geometry.outline_of(circle)
    assert len(outline["coordinates"][0][0] if outline["type"] == "MultiPolygon" else outline["coordinates"][0]) < 300
    speck = geometry.outline_of(MultiPolygon([box(1, 52, 1.000_000_1, 52.000_000_1)]))
    assert speck["coordinates"]


def test_the_box_around_a_boundary_is_exact():
    assert str(geometry.bounds_of(check(SQUARE).shape).east) == "1.200000000"
