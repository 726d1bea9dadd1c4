"""Owns the whole-market join: which of very many places lie in which of very many boundaries. Heavy; for workers only.

Positions are whole nanodegrees held in doubles, which every one fits exactly; GEOS decides orientation in extended
precision, so its answers on them are exact, and the same as those of `areas.clips`.

Places are sorted by latitude, so those in a boundary's box are a slice and one comparison away. Few of them are tested
against the prepared boundary. For many, the box is laid over with cells: a cell that no edge touches is inside or
outside as a whole, and only the places of the others are tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from chalicelib.areas.geometry import to_nano
from chalicelib.kernel.cells import NANO

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# Cells a side of a boundary's box: more cost more to lay, fewer leave more places to test.
_CELLS = 48
# With fewer places than this in its box, testing each costs less than laying cells over it.
_FEW = 8_000
_OUTSIDE, _INSIDE, _TOUCHED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Places:
    """Places sorted by latitude: `order` says where each stood; positions are whole nanodegrees held in doubles."""

    order: Integers
    lons: Floats
    lats: Floats

    @classmethod
    def of(cls, lons: Floats, lats: Floats) -> Places:
        """Places from degrees, WGS84."""
        return cls.of_nano(to_nano(lons), to_nano(lats))

    @classmethod
    def of_nano(cls, lons: Integers, lats: Integers) -> Places:
        """Places from whole nanodegrees."""
        order = np.argsort(lats)
        return cls(order, lons[order].astype(float), lats[order].astype(float))


def join(places: Places, boundaries: Sequence[shapely.Geometry]) -> tuple[Integers, Integers]:
    """Every pair of a place and a boundary (in degrees) that it is inside or on the edge of.

    Two arrays: the place's index as given, the boundary's index; in order of boundary.
    """
    shapes = shapely.transform(np.asarray(boundaries, dtype=object), lambda degrees: np.rint(degrees * NANO))
    boxes = shapely.bounds(shapes)
    starts = np.searchsorted(places.lats, boxes[:, 1])
    stops = np.searchsorted(places.lats, boxes[:, 3], side="right")
    found = [_inside(places, *each) for each in zip(shapes, boxes, starts, stops, strict=True)]
    counts = [len(each) for each in found]
    return places.order[np.concatenate([np.empty(0, np.int64), *found])], np.repeat(np.arange(len(found)), counts)


def _inside(places: Places, shape: shapely.Geometry, box: Floats, start: int, stop: int) -> Integers:
    """Where, among the sorted places, those inside or on the edge of one shape stand."""
    band = places.lons[start:stop]
    near = np.flatnonzero((band >= box[0]) & (band <= box[2])) + start
    if not len(near):
        return near
    shapely.prepare(shape)
    found = near[_tested(places, near, shape)] if len(near) < _FEW else _by_cells(places, near, shape, box)
    shapely.destroy_prepared(shape)
    return found


def _tested(places: Places, near: Integers, shape: shapely.Geometry) -> NDArray[np.bool_]:
    return np.asarray(shapely.intersects_xy(shape, places.lons[near], places.lats[near]))


def _by_cells(places: Places, near: Integers, shape: shapely.Geometry, box: Floats) -> Integers:
    """As `_tested`, with only the places of cells that an edge touches tested."""
    corner, side = box[:2], (box[2:] - box[:2]) / _CELLS * (1 + 1e-12)
    states = _states(shape, corner, side)
    columns = ((places.lons[near] - corner[0]) / side[0]).astype(np.int64)
    rows = ((places.lats[near] - corner[1]) / side[1]).astype(np.int64)
    state = states[rows, columns]
    doubtful = near[state == _TOUCHED]
    return np.concatenate([near[state == _INSIDE], doubtful[_tested(places, doubtful, shape)]])


def _states(shape: shapely.Geometry, corner: Floats, side: Floats) -> NDArray[np.int8]:
    """For each cell, (row, column), whether all of it is outside, inside, or an edge touches it."""
    states = np.full((_CELLS, _CELLS), _OUTSIDE, dtype=np.int8)
    for columns, rows in _edge_cells(shape, corner, side):
        states[rows, columns] = _TOUCHED
    rows, columns = np.nonzero(states == _OUTSIDE)
    middles = corner + (np.column_stack([columns, rows]) + 0.5) * side
    inside = shapely.intersects_xy(shape, middles[:, 0], middles[:, 1])
    states[rows[inside], columns[inside]] = _INSIDE
    return states


def _edge_cells(shape: shapely.Geometry, corner: Floats, side: Floats) -> list[tuple[Integers, Integers]]:
    """Columns and rows of every cell that an edge touches, some several times.

    An edge is in the cells of its ends and of where it crosses the lines between cells; a position within rounding of
    such a line counts for both sides of it.
    """
    rings = shapely.get_rings(shapely.get_parts(shape))
    positions, ring = shapely.get_coordinates(rings, return_index=True)
    scaled = (positions - corner) / side
    same = ring[1:] == ring[:-1]
    touched = np.vstack([scaled, *_crossings(scaled[:-1][same], scaled[1:][same])])
    shifts = [np.clip((touched + shift).astype(np.int64), 0, _CELLS - 1) for shift in (-1e-6, 1e-6)]
    return [(a[:, 0], b[:, 1]) for a in shifts for b in shifts]


def _crossings(a: Floats, b: Floats) -> list[Floats]:
    """Where edges cross the lines between columns, and between rows."""
    found = []
    for axis in (0, 1):
        low, high = np.minimum(a[:, axis], b[:, axis]), np.maximum(a[:, axis], b[:, axis])
        first = np.floor(low).astype(np.int64) + 1
        lines = np.maximum(np.floor(high).astype(np.int64) - first + 1, 0)
        edge = np.repeat(np.arange(len(a)), lines)
        line = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(lines) - lines, lines)
        along = (line - a[edge, axis]) / (b[edge, axis] - a[edge, axis])
        found.append(a[edge] + along[:, None] * (b[edge] - a[edge]))
    return found
