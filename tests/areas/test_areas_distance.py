"""Claims about the rule of distance: metres on the ground, equal to the geodesic within a centimetre."""

from decimal import Decimal
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from chalicelib.areas.distance import nearest_metres

GLOBE = Geod(ellps="WGS84")
NANO = 10**9

latitudes = st.integers(-60 * NANO, 61 * NANO)
longitudes = st.integers(-179 * NANO, 179 * NANO)
offsets = st.integers(-30_000_000, 30_000_000)


def geodesic(lat, lon, edge):
    """Metres to an edge by Karney's geodesic: the nearest of a thousand positions, then of a thousand around that."""
    along = sampled(lat, lon, edge, np.linspace(0, 1, 1_001))[1]
    return sampled(lat, lon, edge, np.clip(np.linspace(along - 0.001, along + 0.001, 1_001), 0, 1))[0]


def sampled(lat, lon, edge, steps):
    a_lon, a_lat, b_lon, b_lat = edge
    lons, lats = (a_lon + steps * (b_lon - a_lon)) / NANO, (a_lat + steps * (b_lat - a_lat)) / NANO
    away = GLOBE.inv(np.full_like(lons, lon / NANO), np.full_like(lats, lat / NANO), lons, lats)[2]
    return away.min(), steps[away.argmin()]


@settings(max_examples=150, deadline=None)
@given(latitudes, longitudes, st.tuples(offsets, offsets, offsets, offsets))
def test_the_distance_is_the_geodesic_within_a_centimetre(lat, lon, ends):
    edge = (lon + ends[0], lat + ends[1], lon + ends[2], lat + ends[3])
    true = geodesic(lat, lon, edge)
    if true <= 5_000:
        assert float(nearest_metres(lat, lon, edge)) == pytest.approx(true, abs=0.01)


def test_a_known_baseline_is_measured_as_the_geodesic_has_it():
    lat, lon = 52_000_000_000, 1_000_000_000
    edge = (1_010_000_000, 52_010_000_000, 1_010_000_000, 52_020_000_000)
    assert float(nearest_metres(lat, lon, edge)) == pytest.approx(GLOBE.inv(1.0, 52.0, 1.01, 52.01)[2], abs=0.001)


def test_an_edge_through_the_place_is_at_no_distance():
    assert nearest_metres(0, 0, (-5, -5, 5, 5)) == Decimal("0.000")


def test_a_point_like_edge_is_a_position():
    assert nearest_metres(0, 0, (1_000_000, 0, 1_000_000, 0)) == Decimal("111.319")


def test_without_edges_nothing_is_near():
    assert nearest_metres(0, 0, ()) == Decimal(inf)


@given(latitudes, longitudes, st.lists(st.tuples(offsets, offsets, offsets, offsets), min_size=1, max_size=8))
def test_the_origin_of_the_numbers_does_not_matter(lat, lon, ends):
    flat = [number for edge in ends for number in edge]
    true = [number + (lon, lat)[at % 2] for at, number in enumerate(flat)]
    assert nearest_metres(0, 0, flat, south=lat) == nearest_metres(lat, lon, true)


@given(latitudes, st.lists(st.tuples(offsets, offsets, offsets, offsets), min_size=1, max_size=8))
def test_the_nearest_of_several_edges_is_the_least_of_each(lat, ends):
    flat = [number for edge in ends for number in edge]
    assert nearest_metres(0, 0, flat, south=lat) == min(nearest_metres(0, 0, edge, south=lat) for edge in ends)


many = st.lists(st.tuples(offsets, offsets, offsets, offsets), min_size=1, max_size=30)


@given(latitudes, many, st.integers(1, 5_000))
def test_asked_within_some_metres_the_answer_is_the_same_or_that_it_is_further(lat, ends, within_m):
    flat = [number for edge in ends for number in edge]
    true = nearest_metres(0, 0, flat, south=lat)
    found = nearest_metres(0, 0, flat, south=lat, within_m=within_m)
    assert found == true if true <= within_m else found > within_m
