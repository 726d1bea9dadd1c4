"""Owns cells: the fixed grid over the globe by which places and areas find each other without any polygon test.

A position is two integers of nanodegrees (a billionth of a degree, about 0.1 mm), so that every test on it is exact.
There are six levels; a cell of one level holds sixteen of the next. A cell's code interleaves the bits of its column
and row, so the cells inside a coarser cell have consecutive codes, and a sorted list of codes finds them by bisection.

| level | side       | at 52° north, km (north-south x east-west) |
|-------|------------|---------------------------------------------|
| 0     | 4.29°      | 478 x 294                                   |
| 1     | 1.07°      | 119 x 74                                    |
| 2     | 0.268°     | 30 x 18                                     |
| 3     | 0.0671°    | 7.5 x 4.6 (places are kept by this one)     |
| 4     | 0.0168°    | 1.9 x 1.15                                  |
| 5     | 0.00419°   | 0.47 x 0.29                                 |

Nothing here wraps over the 180th meridian.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from math import cos, radians

NANO = 1_000_000_000
SIDE_BITS = (32, 30, 28, 26, 24, 22)
LEVELS = range(len(SIDE_BITS))
COARSEST, FINEST = 0, len(SIDE_BITS) - 1
PLACE_LEVEL = 3

# Less than the shortest degree of latitude on WGS84 (110,574 m at the equator): radii in degrees are never too small.
_METRES_PER_DEGREE = 110_500
SOUTH, WEST = -90 * NANO, -180 * NANO
NORTH, EAST = 90 * NANO, 180 * NANO

Bounds = tuple[int, int, int, int]


def nanodegrees(degrees: Decimal | float | int | str) -> int:
    """Whole nanodegrees of a decimal figure of degrees: exact to 9 places, rounded half to even beyond.

    A float is read through its shortest text, as a person wrote it: 51.3 is 51300000000.
    """
    exact = degrees if isinstance(degrees, Decimal) else Decimal(str(degrees))
    return int(exact.scaleb(9).to_integral_value())


def degrees_of(nano: int) -> Decimal:
    """The decimal degrees of whole nanodegrees, exactly."""
    return Decimal(nano).scaleb(-9)


def cell_of(lat: Decimal | float | str, lon: Decimal | float | str, level: int = PLACE_LEVEL) -> int:
    """The code of the cell that holds a position given in degrees, WGS84; ValueError outside the globe."""
    return cell_at(nanodegrees(lat), nanodegrees(lon), level)


def cell_at(lat: int, lon: int, level: int = PLACE_LEVEL) -> int:
    """The code of the cell that holds a position in nanodegrees; one on a border belongs to the north or east."""
    if not (SOUTH <= lat <= NORTH and WEST <= lon <= EAST):
        raise ValueError(f"no position on the globe: latitude {degrees_of(lat)}, longitude {degrees_of(lon)}")
    bits = SIDE_BITS[level]
    return join((lon - WEST) >> bits, (lat - SOUTH) >> bits)


def cell_key(code: int, level: int) -> str:
    """The partition key of rows kept by cell: `cell#3#1f4c9`."""
    return f"cell#{level}#{code:x}"


def bounds(code: int, level: int) -> Bounds:
    """South, west, north and east of a cell in nanodegrees."""
    column, row = split(code)
    bits = SIDE_BITS[level]
    south, west = SOUTH + (row << bits), WEST + (column << bits)
    return south, west, south + (1 << bits), west + (1 << bits)


@lru_cache(maxsize=4_096)
def corner(code: int, level: int) -> tuple[int, int]:
    """Latitude and longitude of a cell's south-west corner in nanodegrees."""
    bits = SIDE_BITS[level]
    return SOUTH + (_gather(code >> 1) << bits), WEST + (_gather(code) << bits)


def ancestor(code: int, level: int, coarser: int) -> int:
    """The code at a coarser (or the same) level of the cell that holds this one."""
    return code >> 2 * (SIDE_BITS[coarser] - SIDE_BITS[level])


def code_range(code: int, level: int, finer: int) -> range:
    """The codes at a finer (or the same) level of all the cells inside this one: consecutive."""
    width = 2 * (SIDE_BITS[level] - SIDE_BITS[finer])
    return range(code << width, (code + 1) << width)


def children(code: int, level: int) -> range:
    """The codes, at the next finer level, of the sixteen cells inside this one."""
    return code_range(code, level, level + 1)


def neighbours(code: int, level: int) -> list[int]:
    """The codes of the (at most eight) cells that touch this one, in order."""
    column, row = split(code)
    bits = SIDE_BITS[level]
    last_column, last_row = 360 * NANO >> bits, 180 * NANO >> bits
    return sorted(
        join(c, r)
        for c in range(max(column - 1, 0), min(column + 1, last_column) + 1)
        for r in range(max(row - 1, 0), min(row + 1, last_row) + 1)
        if (c, r) != (column, row)
    )


def cells_covering(box: Bounds, level: int = PLACE_LEVEL) -> list[int]:
    """The codes of every cell that a box (south, west, north, east in nanodegrees) touches, in order."""
    south, west, north, east = box
    bits = SIDE_BITS[level]
    columns = range((max(west, WEST) - WEST) >> bits, ((min(east, EAST) - WEST) >> bits) + 1)
    rows = range((max(south, SOUTH) - SOUTH) >> bits, ((min(north, NORTH) - SOUTH) >> bits) + 1)
    return sorted(join(column, row) for column in columns for row in rows)


def cells_within(
    lat: Decimal | float | str, lon: Decimal | float | str, metres: float, level: int = PLACE_LEVEL
) -> list[int]:
    """The codes of every cell with ground within `metres` of a position (and a few at the corners), in order."""
    return cells_covering(grown((nanodegrees(lat), nanodegrees(lon)) * 2, metres), level)


def grown(box: Bounds, metres: float) -> Bounds:
    """A box in nanodegrees widened on all sides by at least `metres` on the ground."""
    south, west, north, east = box
    up = round(metres / _METRES_PER_DEGREE * NANO) + 1
    furthest = min(max(abs(south - up), abs(north + up)) / NANO, 89.9)
    across = round(up / cos(radians(furthest))) + 1
    return south - up, west - across, north + up, east + across


def join(column: int, row: int) -> int:
    """The code of a column and a row: their bits interleaved, the column's first."""
    return _spread(column) | _spread(row) << 1


def split(code: int) -> tuple[int, int]:
    """The column and the row of a code."""
    return _gather(code), _gather(code >> 1)


def _spread(value: int) -> int:
    value = (value | value << 16) & 0x0000FFFF0000FFFF
    value = (value | value << 8) & 0x00FF00FF00FF00FF
    value = (value | value << 4) & 0x0F0F0F0F0F0F0F0F
    value = (value | value << 2) & 0x3333333333333333
    return (value | value << 1) & 0x5555555555555555


def _gather(value: int) -> int:
    value &= 0x5555555555555555
    value = (value | value >> 1) & 0x3333333333333333
    value = (value | value >> 2) & 0x0F0F0F0F0F0F0F0F
    value = (value | value >> 4) & 0x00FF00FF00FF00FF
    value = (value | value >> 8) & 0x0000FFFF0000FFFF
    return (value | value >> 16) & 0x00000000FFFFFFFF
