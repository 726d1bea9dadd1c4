"""Owns matching: how a place stands to a zone, from the zone's cells alone; pure, exact, and the same everywhere."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from chalicelib.areas.clips import Clip, away_m, unpack, unpack_local
from chalicelib.areas.models import HALO_M, NEAR_MISS_M, Box, MatchKind, ZoneMatch
from chalicelib.kernel import cells

INSIDE = Decimal(0)
KINDS: Mapping[str, MatchKind] = {"a": "area", "b": "bounding box"}

Place = tuple[str, int, int]
Reached = tuple[str, MatchKind, Decimal]

# How many bits of a finest cell's code say where it lies within a cell of each level.
_WIDTHS = tuple((level, 2 * (cells.SIDE_BITS[level] - cells.SIDE_BITS[cells.FINEST])) for level in cells.LEVELS)
_FINEST_BITS = cells.SIDE_BITS[cells.FINEST]
_ENTRY = struct.Struct("<cBQI")
_MOST_BOX_CELLS = 12


@dataclass(frozen=True, slots=True)
class ZoneCell:
    """One cell of a zone's covering: of its polygons (`shape` "a") or its boxes ("b"); no clip where all is inside."""

    shape: str
    level: int
    code: int
    clip: bytes | None


def match_in_cell(zone_id: str, cell: ZoneCell, lat: int, lon: int, within_m: Decimal = HALO_M) -> ZoneMatch | None:
    """How a place (nanodegrees) of this cell matches the zone; None when it is further outside than `within_m`."""
    distance = _distance_in_cell(cell, lat, lon, within_m)
    if distance is None:
        return None
    # made by the hundred for each asset, of values known to be right: checking them again costs more than finding them
    return ZoneMatch.model_construct(zone_id=zone_id, kind=KINDS[cell.shape], distance_m=distance)


def _distance_in_cell(cell: ZoneCell, lat: int, lon: int, within_m: Decimal) -> Decimal | None:
    """Metres from a place of a cell to the zone, 0 inside or on the edge, None beyond `within_m`.

    Unpacks only what it takes: the edges for the distance are many and seldom asked for.
    """
    if cell.clip is None:
        return INSIDE
    south, west = cells.corner(cell.code, cell.level)
    clip = unpack_local(cell.clip)
    if clip.covers(lat - south, lon - west):
        return INSIDE
    if not within_m or clip.away_m > within_m:
        return None
    metres = unpack(cell.clip).distance_m(lat - south, lon - west, south, float(within_m))
    return metres if metres <= within_m else None


def box_cells(boxes: Iterable[Box]) -> list[ZoneCell]:
    """The cells of bounding boxes and of the ground within a near miss of them: few and large, with all the edges."""
    return [cell for box in boxes for cell in _cells_of_box(box)]


def pack_cells(covering: Iterable[ZoneCell]) -> bytes:
    """A covering as one body."""
    return b"".join(
        _ENTRY.pack(cell.shape.encode(), cell.level, cell.code, len(cell.clip or b"")) + (cell.clip or b"")
        for cell in covering
    )


def unpack_cells(packed: bytes) -> Iterator[ZoneCell]:
    """The covering that `pack_cells` packed."""
    at = 0
    while at < len(packed):
        shape, level, code, size = _ENTRY.unpack_from(packed, at)
        at += _ENTRY.size
        yield ZoneCell(shape.decode(), level, code, packed[at : at + size] or None)
        at += size


@dataclass(frozen=True, slots=True)
class Matcher:
    """One zone, ready for many places: for a new competition over every asset."""

    zone_id: str
    covering: Mapping[tuple[int, int], tuple[ZoneCell, ...]] = field(repr=False)

    @classmethod
    def of(cls, zone_id: str, covering: Iterable[ZoneCell]) -> Matcher:
        found: dict[tuple[int, int], tuple[ZoneCell, ...]] = {}
        for cell in covering:
            place = (cell.level, cell.code)
            found[place] = (*found.get(place, ()), cell)
        return cls(zone_id, found)

    def place_cells(self, within_m: Decimal = HALO_M) -> list[int]:
        """The cells, of the level that places are kept by, in which a place can match; in order."""
        found: set[int] = set()
        for held in self.covering.values():
            for cell in held:
                if cell.clip is None or away_m(cell.clip) <= within_m:
                    found.update(_at_place_level(cell))
        return sorted(found)

    def match(self, lat: int, lon: int, within_m: Decimal = HALO_M) -> list[ZoneMatch]:
        """How one place (nanodegrees) matches: at most one match of each kind."""
        held = self._cells_over(cells.cell_at(lat, lon, cells.FINEST))
        found = [match_in_cell(self.zone_id, cell, lat, lon, within_m) for cell in held]
        return nearest_of_each_kind(match for match in found if match)

    def match_each(self, places: Iterable[Place], within_m: Decimal = NEAR_MISS_M) -> Iterator[Reached]:
        """Every place that matches, once for each cell of the zone it is in: its name, how, and how far away.

        As `match`, for thousands of places at once: the cells over each piece of ground are found and unpacked once.
        """
        opened: dict[tuple[int, int], list[_Opened]] = {}
        for name, lat, lon in places:
            finest = (lon - cells.WEST) >> _FINEST_BITS, (lat - cells.SOUTH) >> _FINEST_BITS
            held = opened.get(finest)
            if held is None:
                held = opened[finest] = self._opened_over(cells.join(*finest), within_m)
            for each in held:
                metres = each.distance_m(lat, lon, within_m)
                if metres is not None:
                    yield name, each.kind, metres

    def _opened_over(self, finest: int, within_m: Decimal) -> list[_Opened]:
        """The cells that hold a finest cell, unpacked; without those too far away to matter."""
        found = [_Opened.of(cell, unpack if within_m else unpack_local) for cell in self._cells_over(finest)]
        return [each for each in found if each.clip is None or each.clip.away_m <= within_m]

    def _cells_over(self, finest: int) -> Iterator[ZoneCell]:
        for level, width in _WIDTHS:
            yield from self.covering.get((level, finest >> width), ())


@dataclass(frozen=True, slots=True)
class _Opened:
    """A cell unpacked once for many places, with its corner."""

    kind: MatchKind
    clip: Clip | None
    south: int
    west: int

    @classmethod
    def of(cls, cell: ZoneCell, unpacked: Callable[[bytes], Clip]) -> _Opened:
        corner = cells.corner(cell.code, cell.level)
        return cls(KINDS[cell.shape], unpacked(cell.clip) if cell.clip else None, *corner)

    def distance_m(self, lat: int, lon: int, within_m: Decimal) -> Decimal | None:
        """Metres from a place of this cell to the zone, 0 inside or on the edge, None beyond `within_m`."""
        if self.clip is None or self.clip.covers(lat - self.south, lon - self.west):
            return INSIDE
        if not within_m:
            return None
        metres = self.clip.distance_m(lat - self.south, lon - self.west, self.south, float(within_m))
        return metres if metres <= within_m else None


def nearest_of_each_kind(matches: Iterable[ZoneMatch]) -> list[ZoneMatch]:
    """Of several matches of one kind (overlapping boxes) the nearest, areas first."""
    best: dict[tuple[str, str], ZoneMatch] = {}
    for match in sorted(matches, key=lambda each: (each.kind, each.distance_m)):
        best.setdefault((match.zone_id, match.kind), match)
    return list(best.values())


def _at_place_level(cell: ZoneCell) -> Iterable[int]:
    if cell.level < cells.PLACE_LEVEL:
        return cells.code_range(cell.code, cell.level, cells.PLACE_LEVEL)
    return (cells.ancestor(cell.code, cell.level, cells.PLACE_LEVEL),)


def _cells_of_box(box: Box) -> list[ZoneCell]:
    south, west = cells.nanodegrees(box.south), cells.nanodegrees(box.west)
    north, east = cells.nanodegrees(box.north), cells.nanodegrees(box.east)
    corners = [(west, south), (east, south), (east, north), (west, north)]
    edges = [(*start, *stop) for start, stop in zip(corners, corners[1:] + corners[:1], strict=True)]
    reach = cells.grown((south, west, north, east), float(NEAR_MISS_M))
    level, codes = _fewest_cells(reach)
    return [ZoneCell("b", level, code, _whole_clip(edges, code, level)) for code in codes]


def _fewest_cells(box: cells.Bounds) -> tuple[int, list[int]]:
    """The finest level at which a box is covered by a dozen cells at most; the coarsest where there is none."""
    south, west, north, east = box
    for level in reversed(cells.LEVELS):
        bits = cells.SIDE_BITS[level]
        if ((north - south >> bits) + 2) * ((east - west >> bits) + 2) <= _MOST_BOX_CELLS:
            return level, cells.cells_covering(box, level)
    return cells.COARSEST, cells.cells_covering(box, cells.COARSEST)


def _whole_clip(edges: Iterable[tuple[int, int, int, int]], code: int, level: int) -> bytes:
    south, west, _, _ = cells.bounds(code, level)
    flat = [number for edge in edges for number in (edge[0] - west, edge[1] - south, edge[2] - west, edge[3] - south)]
    return Clip(False, (), len(flat) // 4, tuple(flat), 0.0).pack()
