"""Claims about the whole-market join: the pairs of geopandas, edges included, tested singly or by cells."""

import geopandas
import numpy as np
import pytest
import shapely

from chalicelib.areas import join as whole_market
from chalicelib.areas.join import Places, join
from chalicelib.areas.matching import INSIDE, Matcher, ZoneCell


@pytest.fixture(params=[1, 8_000])
def few(request, monkeypatch):
    """Both ways: cells laid over every box, and every place in a box tested."""
    monkeypatch.setattr(whole_market, "_FEW", request.param)


def a_market(seed=7, places=4_000, areas=60):
    random = np.random.default_rng(seed)
    positions = np.round(random.normal((1.1, 52.0), (0.3, 0.2), (places, 2)), 9)
    stars = []
    for _ in range(areas):
        corners = int(random.integers(3, 120))
        turn = np.sort(random.uniform(0, 2 * np.pi, corners))
        away = random.uniform(0.2, 1.0, corners) * random.uniform(0.005, 0.3)
        middle = random.normal((1.1, 52.0), (0.3, 0.2))
        ring = middle + np.column_stack([np.cos(turn), np.sin(turn)]) * away[:, None]
        stars.append(shapely.Polygon(np.round(ring, 9)))
    whole = [star for star in stars if star.is_valid]
    with_hole = shapely.box(0.9, 51.8, 1.3, 52.2).difference(shapely.box(1.0, 51.9, 1.1, 52.0))
    return positions, [*whole, with_hole, shapely.MultiPolygon(whole[:1]), shapely.box(5, 5, 6, 6)]


def pairs(places, areas):
    return set(zip(places.tolist(), areas.tolist(), strict=True))


@pytest.mark.usefixtures("few")
def test_the_pairs_are_those_of_geopandas():
    positions, areas = a_market()
    left = geopandas.GeoDataFrame(geometry=shapely.points(positions), crs=4326)
    right = geopandas.GeoDataFrame(geometry=areas, crs=4326)
    theirs = geopandas.sjoin(left, right, predicate="within")
    ours = join(Places.of(positions[:, 0], positions[:, 1]), areas)
    assert pairs(*ours) == pairs(theirs.index.to_numpy(), theirs["index_right"].to_numpy())
    assert len(ours[0]) > 1_000


@pytest.mark.usefixtures("few")
def test_the_edge_counts_and_a_nanodegree_beyond_does_not():
    triangle = shapely.Polygon([(0.1, 52.3), (0.2, 52.6), (0.4, 52.3)])
    on_edge = [(0.15, 52.45), (0.1, 52.3), (0.3, 52.3), (0.3, 52.45)]
    beyond = [(0.149_999_999, 52.45), (0.3, 52.299_999_999), (0.300_000_001, 52.45)]
    lons, lats = np.array(on_edge + beyond).T
    found, _ = join(Places.of(lons, lats), [triangle])
    assert sorted(found.tolist()) == list(range(len(on_edge)))


@pytest.mark.usefixtures("few")
def test_no_places_and_no_areas_make_no_pairs():
    nothing = np.empty(0)
    assert len(join(Places.of(nothing, nothing), [shapely.box(0, 0, 1, 1)])[0]) == 0
    assert len(join(Places.of(np.array([1.0]), np.array([52.0])), [])[0]) == 0


def test_the_join_and_the_cells_of_each_zone_agree():
    from chalicelib.areas.covering import cover
    from chalicelib.areas.geometry import nano_edges, to_nano

    positions, areas = a_market(seed=11, places=800, areas=12)
    ours = pairs(*join(Places.of(positions[:, 0], positions[:, 1]), areas))
    named = [(str(number), lat, lon) for number, (lon, lat) in enumerate(to_nano(positions).tolist())]
    by_cells = set()
    for number, area in enumerate(areas):
        held = cover(nano_edges(area), 1_000.0)
        cells = [ZoneCell("a", each.level, each.code, each.clip.pack() if each.clip else None) for each in held]
        found = Matcher.of("zon_1", cells).match_each(named)
        by_cells |= {(int(name), number) for name, _, metres in found if metres == INSIDE}
    assert by_cells == ours
