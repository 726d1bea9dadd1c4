"""Claims about cells: every position has one, they nest, and none within a radius is missed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel import cells

nano_lat = st.integers(-90 * cells.NANO, 90 * cells.NANO)
nano_lon = st.integers(-180 * cells.NANO, 180 * cells.NANO)
british_lat = st.decimals("49.8", "60.9", places=9)
british_lon = st.decimals("-8.2", "1.8", places=9)
levels = st.sampled_from(list(cells.LEVELS))


def test_degrees_become_nanodegrees_exactly_however_they_are_written():
    assert cells.nanodegrees("51.3") == cells.nanodegrees(51.3) == cells.nanodegrees(Decimal("51.3")) == 51_300_000_000
    assert cells.degrees_of(-123_456_789) == Decimal("-0.123456789")


@given(nano_lat, nano_lon, levels)
def test_a_position_lies_in_its_own_cell(lat, lon, level):
    south, west, north, east = cells.bounds(cells.cell_at(lat, lon, level), level)
    assert cells.corner(cells.cell_at(lat, lon, level), level) == (south, west)
    assert south <= lat < north
    assert west <= lon < east


@given(nano_lat, nano_lon)
def test_the_cells_of_a_position_nest(lat, lon):
    finest = cells.cell_at(lat, lon, cells.FINEST)
    for level in cells.LEVELS:
        code = cells.cell_at(lat, lon, level)
        assert cells.ancestor(finest, cells.FINEST, level) == code
        assert finest in cells.code_range(code, level, cells.FINEST)


def test_a_cell_holds_sixteen_of_the_next_level():
    code = cells.cell_of("51.5", "-0.12", 2)
    assert len(cells.children(code, 2)) == 16
    assert {cells.ancestor(child, 3, 2) for child in cells.children(code, 2)} == {code}


@given(st.integers(0, 2**17 - 1), st.integers(0, 2**17 - 1))
def test_a_code_gives_back_its_column_and_row(column, row):
    assert cells.split(cells.join(column, row)) == (column, row)


@given(nano_lat, nano_lon, levels)
def test_neighbours_know_each_other_and_never_hold_the_cell_itself(lat, lon, level):
    code = cells.cell_at(lat, lon, level)
    around = cells.neighbours(code, level)
    assert code not in around
    assert 3 <= len(around) <= 8
    assert all(code in cells.neighbours(other, level) for other in around)


@given(british_lat, british_lon, st.integers(1, 6000), st.floats(-1, 1), st.floats(-1, 1))
def test_no_place_within_the_radius_is_outside_the_cells_within_it(lat, lon, metres, north, east):
    from math import cos, hypot, radians

    if hypot(north, east) > 1:
        return
    # degrees of at least 111.2 km north and as much times the cosine east: never further than the metres asked for
    other_lat = float(lat) + north * metres / 111_700
    other_lon = float(lon) + east * metres / (111_700 * cos(radians(max(abs(other_lat), abs(float(lat))) - 1e-9)))
    inside = cells.cells_within(lat, lon, metres)
    assert cells.cell_of(round(other_lat, 9), round(other_lon, 9)) in inside


def test_a_position_off_the_globe_is_refused():
    with pytest.raises(ValueError, match="no position on the globe"):
        cells.cell_of("90.000000001", "0")
    with pytest.raises(ValueError, match="no position on the globe"):
        cells.cell_of("0", "-180.5")


def test_keys_name_level_and_code():
    assert cells.cell_key(255, 3) == "cell#3#ff"
