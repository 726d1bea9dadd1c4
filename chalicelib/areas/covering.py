"""Owns coverings: which cells a boundary with its halo takes up, and the clip of each. Heavy; for workers only.

From the coarsest cells inwards, a cell is dropped when all of it is further away than the halo, kept whole when all of
it is inside, and otherwise kept with its clip, or split in sixteen while the clip has too many edges. All that is
estimated here (in floating point) errs towards keeping an edge; the clips decide exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from chalicelib.areas.clips import Clip
from chalicelib.areas.distance import metres_per_nanodegree
from chalicelib.kernel import cells

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]

# Above this level a cell is wider than one flat frame may be; from it on, distances decide which edges a cell keeps.
_FRAME_LEVEL = 3
# A cell with more edges through it than this is split while it can be; more edges are allowed for the distance, since
# they are seldom reached, and small cells far from a boundary keep nearly the same ones as large cells.
_MOST_LOCAL = 32
_MOST_NEAR = 1_024
_SLACK = 1.01


@dataclass(frozen=True, slots=True)
class Covered:
    """A cell that a boundary takes up; without a clip all of it is inside."""

    level: int
    code: int
    clip: Clip | None


@dataclass(frozen=True, slots=True)
class _Part:
    """A cell with the edges still of interest: `band` for the ray to the east, `near` for the distance."""

    level: int
    code: int
    band: Integers
    near: Integers


def cover(edges: Integers, halo_m: float) -> list[Covered]:
    """The cells of a boundary and of all ground within `halo_m` metres of it.

    `edges` is (n, 4): longitude, latitude, longitude, latitude in nanodegrees, of closed rings; inside is by the
    even-odd rule. No cell holds another; every place inside or within the halo is in exactly one of them.
    """
    return list(_cover(edges, halo_m, lambda part: True))


def cells_at(edges: Integers, halo_m: float, places: Sequence[tuple[int, int]]) -> list[Covered]:
    """Those cells of `cover` that hold one of some places (latitude, longitude in nanodegrees), without the rest."""
    wanted = {(level, cells.cell_at(lat, lon, level)) for lat, lon in places for level in cells.LEVELS}
    return list(_cover(edges, halo_m, lambda part: (part.level, part.code) in wanted))


def _cover(edges: Integers, halo_m: float, is_wanted: Callable[[_Part], bool]) -> Iterator[Covered]:
    box = _box(edges, halo_m)
    level = _first_level(box)
    waiting = [_Part(level, code, edges, edges) for code in cells.cells_covering(box, level)]
    while waiting:
        part = waiting.pop()
        for child in _decide(part, halo_m) if is_wanted(part) else ():
            if isinstance(child, _Part):
                waiting.append(child)
            else:
                yield child


def _box(edges: Integers, halo_m: float) -> cells.Bounds:
    lons, lats = edges[:, 0], edges[:, 1]
    return cells.grown((int(lats.min()), int(lons.min()), int(lats.max()), int(lons.max())), halo_m)


def _first_level(box: cells.Bounds) -> int:
    """The finest level at which the box is at most a few cells, but none finer than places are kept by."""
    south, west, north, east = box
    extent = max(north - south, east - west)
    fitting = [level for level in range(_FRAME_LEVEL + 1) if extent <= 4 << cells.SIDE_BITS[level]]
    return max(fitting, default=cells.COARSEST)


def _decide(part: _Part, halo_m: float) -> list[Covered | _Part]:
    """What becomes of one cell: nothing, a covered cell, or its sixteen parts."""
    south, west, north, east = cells.bounds(part.code, part.level)
    band = part.band[_in_band(part.band, south, north, west)]
    through, right = _sides(band, south, west, north, east)
    odd, turns = _turns(band[right], south, north)
    if part.level < _FRAME_LEVEL:
        return _decide_coarse(part, band, band[through], odd, not turns, halo_m)
    near, away_m = _near(part.near, part.level, south, west, north, east, halo_m)
    if not through.any() and not turns:
        if odd:
            return [Covered(part.level, part.code, None)]
        if not len(near):
            return []
    if _must_split(part.level, int(through.sum()), len(near)):
        return _split(part, band, near)
    return [Covered(part.level, part.code, _clip(band[through], near, odd, turns, away_m, south, west))]


def _decide_coarse(
    part: _Part, band: Integers, through: Integers, odd: bool, even_sided: bool, halo_m: float
) -> list[Covered | _Part]:
    if not len(through) and even_sided:
        if odd:
            return [Covered(part.level, part.code, None)]
        reach = cells.grown(cells.bounds(part.code, part.level), halo_m)
        if not _touching(part.near, *reach).any():
            return []
    return _split(part, band, part.near)


def _must_split(level: int, through: int, near: int) -> bool:
    return level < cells.FINEST and (through > _MOST_LOCAL or near > _MOST_NEAR)


def _split(part: _Part, band: Integers, near: Integers) -> list[Covered | _Part]:
    return [_Part(part.level + 1, code, band, near) for code in cells.children(part.code, part.level)]


def _in_band(edges: Integers, south: int, north: int, west: int) -> Booleans:
    """Edges at the latitudes of a cell that are not wholly to the west of it."""
    low, high = np.minimum(edges[:, 1], edges[:, 3]), np.maximum(edges[:, 1], edges[:, 3])
    return (low <= north) & (high >= south) & (np.maximum(edges[:, 0], edges[:, 2]) >= west)


def _touching(edges: Integers, south: int, west: int, north: int, east: int) -> Booleans:
    """Edges whose own box touches a box."""
    return (
        (np.minimum(edges[:, 0], edges[:, 2]) <= east)
        & (np.maximum(edges[:, 0], edges[:, 2]) >= west)
        & (np.minimum(edges[:, 1], edges[:, 3]) <= north)
        & (np.maximum(edges[:, 1], edges[:, 3]) >= south)
    )


def _sides(band: Integers, south: int, west: int, north: int, east: int) -> tuple[Booleans, Booleans]:
    """Which edges may run through the cell, and which run wholly to the east of it."""
    corners = [_side(band, west, south), _side(band, west, north), _side(band, east, south), _side(band, east, north)]
    least, most = np.minimum.reduce(corners), np.maximum.reduce(corners)
    beyond = np.minimum(band[:, 0], band[:, 2]) > east
    through = ~beyond & (least <= 0) & (most >= 0)
    return through, beyond | (least > 0)


def _side(edges: Integers, lon: int, lat: int) -> Floats:
    """Above 0 where a position is surely to the west of the edge's line, below 0 to the east, 0 where it is in doubt.

    Level edges and those in doubt give 0: they are kept for the exact test.
    """
    up, right = (edges[:, 3] - edges[:, 1]).astype(float), (edges[:, 2] - edges[:, 0]).astype(float)
    first, second = right * (lat - edges[:, 1]), up * (lon - edges[:, 0])
    side = np.where(up >= 0, first - second, second - first)
    doubtful = (np.abs(first - second) <= 1e-14 * (np.abs(first) + np.abs(second))) | (up == 0)
    return np.where(doubtful, 0.0, side)


def _turns(right: Integers, south: int, north: int) -> tuple[bool, tuple[int, ...]]:
    """Parity, on the southern border, of the edges to the east, and the latitudes above it where it turns."""
    low, high = np.minimum(right[:, 1], right[:, 3]), np.maximum(right[:, 1], right[:, 3])
    odd = bool(np.count_nonzero((low <= south) & (high > south)) & 1)
    ends = np.concatenate([low, high])
    latitudes, times = np.unique(ends[(ends > south) & (ends < north)], return_counts=True)
    return odd, tuple((latitudes[times % 2 == 1] - south).tolist())


def _near(
    edges: Integers, level: int, south: int, west: int, north: int, east: int, halo_m: float
) -> tuple[Integers, float]:
    """The edges that can be the nearest, within the halo, of some place of the cell; and what none is nearer than."""
    if not len(edges):
        return edges, inf
    lat, lon = (south + north) // 2, (west + east) // 2
    away = _frame_metres(edges, lat, lon)
    half = _half_diagonal_m(south, north, cells.SIDE_BITS[level])
    nearest = float(away.min())
    limit = min(nearest + 2 * half, halo_m + half) * _SLACK + 1
    kept = edges[away <= limit]
    return kept, max((nearest - half) / _SLACK - 1, 0.0) if len(kept) else inf


def _half_diagonal_m(south: int, north: int, side_bits: int) -> float:
    up, right = metres_per_nanodegree(min(abs(south), abs(north)))
    return float(np.hypot(up, right)) * (1 << side_bits) / 2


def _frame_metres(edges: Integers, lat: int, lon: int) -> Floats:
    """Metres from a position to each edge in the flat frame of `areas.distance`."""
    up, right = metres_per_nanodegree(lat)
    scale = np.array([right, up])
    a = (edges[:, :2] - [lon, lat]) * scale
    b = (edges[:, 2:] - [lon, lat]) * scale
    run = b - a
    length = np.einsum("ij,ij->i", run, run)
    along = -np.einsum("ij,ij->i", a, run) / np.where(length > 0, length, 1.0)
    nearest = a + np.clip(along, 0.0, 1.0)[:, None] * run
    return np.hypot(nearest[:, 0], nearest[:, 1])


def _clip(
    through: Integers, near: Integers, odd: bool, turns: tuple[int, ...], away_m: float, south: int, west: int
) -> Clip:
    """The clip of a cell: edges through it first, then those near it that are not among them."""
    known = {tuple(edge) for edge in through.tolist()}
    others = [edge for edge in near.tolist() if tuple(edge) not in known]
    corner = [west, south, west, south]
    flat = (np.array(through.tolist() + others, dtype=np.int64).reshape(-1, 4) - corner).ravel().tolist()
    return Clip(odd, turns, len(through), tuple(flat), away_m)
