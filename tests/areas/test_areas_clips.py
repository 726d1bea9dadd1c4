"""Claims about coverings and clips: exactly the even-odd rule with edges inside, whatever cell decides."""

from decimal import Decimal

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.areas import clips
from chalicelib.areas.clips import Clip
from chalicelib.areas.covering import cells_at, cover
from chalicelib.areas.distance import MILLIMETRE, nearest_metres
from chalicelib.areas.matching import INSIDE, Matcher, ZoneCell, pack_cells, unpack_cells
from chalicelib.kernel import cells

HALO = 5_000.0


def matcher_of(edges, halo_m=HALO):
    found = cover(np.array(edges, dtype=np.int64), halo_m)
    held = [ZoneCell("a", each.level, each.code, each.clip.pack() if each.clip else None) for each in found]
    return Matcher.of("zon_1", unpack_cells(pack_cells(held)))


def ring(*corners):
    """The edges of a ring through corners (lon, lat in nanodegrees)."""
    return [(*a, *b) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]


def plainly_inside(lon, lat, edges):
    """The even-odd rule as one reads it: on an edge is inside, else count the edges crossed towards the east."""
    crossed = 0
    for a_lon, a_lat, b_lon, b_lat in edges:
        side = (b_lon - a_lon) * (lat - a_lat) - (b_lat - a_lat) * (lon - a_lon)
        in_box = min(a_lon, b_lon) <= lon <= max(a_lon, b_lon) and min(a_lat, b_lat) <= lat <= max(a_lat, b_lat)
        if side == 0 and in_box:
            return True
        if (a_lat > lat) != (b_lat > lat):
            crossed += (side > 0) == (b_lat > a_lat)
    return crossed % 2 == 1


def answer(matcher, lon, lat):
    found = matcher.match(lat, lon)
    return found[0].distance_m if found else None


ORIGIN = (1_150_000_000, 52_050_000_000)
near = st.integers(-80_000_000, 80_000_000)
corner = st.tuples(near.map(lambda n: ORIGIN[0] + n), near.map(lambda n: ORIGIN[1] + n))
shapes = st.lists(corner, min_size=3, max_size=14, unique=True)


@settings(max_examples=120, deadline=None)
@given(shapes, st.lists(corner, min_size=5, max_size=25))
def test_a_covering_answers_as_the_plain_rule_for_any_ring_and_place(corners, places):
    edges = ring(*corners)
    matcher = matcher_of(edges)
    midpoints = [((a + c) // 2, (b + d) // 2) for a, b, c, d in edges]
    for lon, lat in [*places, *corners, *midpoints]:
        flat = [number for edge in edges for number in edge]
        distance = INSIDE if plainly_inside(lon, lat, edges) else max(nearest_metres(lat, lon, flat), MILLIMETRE)
        assert answer(matcher, lon, lat) == (distance if distance <= Decimal(HALO) else None)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 60), st.sampled_from([0.0005, 0.004, 0.03, 0.4]))
def test_a_covering_answers_as_geos_for_stars_of_any_size(seed, corners, radius):
    random = np.random.default_rng(seed)
    turn = np.sort(random.uniform(0, 2 * np.pi, corners))
    away = radius * random.uniform(0.3, 1.0, corners)
    ring_degrees = np.round(np.column_stack([1.15 + away * np.cos(turn) * 1.6, 52.05 + away * np.sin(turn)]), 9)
    whole = np.rint(ring_degrees * 1e9).astype(np.int64)
    edges = np.hstack([whole, np.roll(whole, -1, axis=0)])
    star = shapely.Polygon(whole)
    matcher = matcher_of(edges)
    spread = radius * 1.8 + 0.05
    low, high = [1.15 - 1.6 * spread, 52.05 - spread], [1.15 + 1.6 * spread, 52.05 + spread]
    places = np.rint(random.uniform(low, high, (60, 2)) * 1e9)
    inside = shapely.intersects_xy(star, places[:, 0], places[:, 1]) if star.is_valid else None
    for number, (lon, lat) in enumerate(places.astype(np.int64).tolist()):
        found = answer(matcher, lon, lat)
        if inside is not None:
            assert (found == INSIDE) == bool(inside[number])
        plain = max(nearest_metres(lat, lon, edges.ravel().tolist()), MILLIMETRE)
        if found is None:
            assert plain > Decimal(HALO)
        elif found > 0:
            assert found == plain


def test_a_hole_is_outside_and_its_edge_inside():
    outer = ring((0, 0), (60_000_000, 0), (60_000_000, 60_000_000), (0, 60_000_000))
    hole = ring((20_000_000, 20_000_000), (40_000_000, 20_000_000), (40_000_000, 40_000_000), (20_000_000, 40_000_000))
    matcher = matcher_of(outer + hole)
    assert answer(matcher, 10_000_000, 10_000_000) == INSIDE
    assert answer(matcher, 20_000_000, 30_000_000) == INSIDE
    assert answer(matcher, 30_000_000, 30_000_000) == pytest.approx(Decimal(1_105), abs=1)


def test_a_large_area_is_taken_in_whole_cells():
    east, south, north = 3_000_000_000, 50_000_000_000, 53_000_000_000
    matcher = matcher_of(ring((0, south), (east, south), (east, north), (0, north)))
    assert answer(matcher, 1_500_000_000, 51_500_000_000) == INSIDE
    assert answer(matcher, 3_000_000_000, 51_123_456_789) == INSIDE
    assert answer(matcher, 3_000_000_001, 51_123_456_789) == MILLIMETRE
    assert answer(matcher, 3_100_000_000, 51_500_000_000) is None
    assert len(matcher.covering) < 3_000


def test_a_nanodegree_outside_is_not_inside_though_no_millimetre_away():
    matcher = matcher_of(ring((0, 0), (9_000_000, 0), (9_000_000, 9_000_000), (0, 9_000_000)))
    assert answer(matcher, 9_000_000, 4_000_000) == INSIDE
    assert answer(matcher, 9_000_001, 4_000_000) == MILLIMETRE


@given(
    st.booleans(),
    st.lists(st.integers(0, 2**28), max_size=4).map(sorted),
    st.lists(st.integers(-(2**40), 2**40), max_size=6),
    st.floats(0, 1e6, width=32),
)
def test_a_packed_clip_comes_back_as_it_was(odd, turns, ends, away_m):
    edges = tuple(ends[: len(ends) // 4 * 4])
    clip = Clip(odd, tuple(turns), len(edges) // 4, edges, away_m)
    assert clips.unpack(clip.pack()) == clip
    assert clips.away_m(clip.pack()) == away_m


def test_a_near_clip_takes_sixteen_bytes_an_edge():
    assert len(Clip(False, (), 1, (0, 0, 1, 1), 0.0).pack()) == len(Clip(False, (), 0, (), 0.0).pack()) + 16


@settings(max_examples=40, deadline=None)
@given(shapes, st.lists(corner, min_size=1, max_size=30))
def test_many_places_match_as_each_alone_and_lie_in_the_cells_named(corners, places):
    matcher = matcher_of(ring(*corners))
    named = [(f"ast_{number}", lat, lon) for number, (lon, lat) in enumerate(places)]
    alone = {name: matcher.match(lat, lon)[0].distance_m for name, lat, lon in named if matcher.match(lat, lon)}
    together = {name: distance for name, _, distance in matcher.match_each(named, Decimal(HALO))}
    assert together == alone
    assert {cells.cell_at(lat, lon) for name, lat, lon in named if name in alone} <= set(matcher.place_cells())


@given(shapes, st.lists(corner, min_size=1, max_size=30))
@settings(max_examples=20, deadline=None)
def test_what_is_further_than_asked_for_is_left_out(corners, places):
    matcher = matcher_of(ring(*corners))
    for lon, lat in places:
        found = matcher.match(lat, lon)
        near = [match for match in found if match.distance_m <= 250]
        assert matcher.match(lat, lon, Decimal(250)) == near
        kept = list(matcher.match_each([("a", lat, lon)], Decimal(250)))
        assert [metres for _, _, metres in kept] == [match.distance_m for match in near]


@settings(max_examples=20, deadline=None)
@given(shapes, st.lists(corner, min_size=1, max_size=10))
def test_the_cells_at_some_places_are_those_of_the_whole_covering(corners, places):
    edges = np.array(ring(*corners), dtype=np.int64)
    held = {(lat, lon) for lon, lat in places}
    wanted = {(level, cells.cell_at(lat, lon, level)) for lat, lon in held for level in cells.LEVELS}
    whole = [each for each in cover(edges, HALO) if (each.level, each.code) in wanted]
    found = cells_at(edges, HALO, sorted(held))
    assert {(each.level, each.code): each.clip for each in found} == {
        (each.level, each.code): each.clip for each in whole
    }
