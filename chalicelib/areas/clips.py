"""Owns clips: the part of a boundary that decides the places of one cell, and the exact test on integers against it.

A clip keeps whole edges, never cut ones, so nothing is rounded. A place is inside when a ray to the east crosses the
boundary an odd number of times. For the places of one cell the edges fall in three: those wholly to the west never
count; those wholly to the east count by latitude alone, and are kept as one parity and the latitudes where it turns
(`turns`); only the edges through the cell itself are kept for the test (`local` of them, first in `edges`). After them
stand the edges that can be the nearest to a place of the cell that is outside.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from decimal import Decimal
from typing import NamedTuple

from chalicelib.areas.distance import MILLIMETRE, nearest_metres

_HEAD = struct.Struct("<cBHHHf")
_FORMS = {b"i": "i", b"q": "q"}
_NARROW = 1 << 31


class Clip(NamedTuple):
    """What decides the places of one cell; positions in nanodegrees, counted from the cell's south-west corner.

    `odd` says whether, on the cell's southern border, the edges wholly to the east are odd in number. `away_m` is a
    distance in metres that no place of the cell is nearer than.
    """

    odd: bool
    turns: tuple[int, ...]
    local: int
    edges: tuple[int, ...]
    away_m: float

    def covers(self, lat: int, lon: int) -> bool:
        """Whether a place of this cell (nanodegrees from its corner) is inside or on the edge: exactly."""
        inside = self.odd ^ (bisect_right(self.turns, lat) & 1 == 1)
        edges = self.edges
        for at in range(0, 4 * self.local, 4):
            a_lat, b_lat = edges[at + 1], edges[at + 3]
            if (a_lat > lat and b_lat > lat) or (a_lat < lat and b_lat < lat):
                continue
            a_lon, b_lon = edges[at], edges[at + 2]
            side = (b_lon - a_lon) * (lat - a_lat) - (b_lat - a_lat) * (lon - a_lon)
            if side == 0 and (a_lon <= lon <= b_lon or b_lon <= lon <= a_lon):
                return True
            if (a_lat > lat) != (b_lat > lat) and (side > 0) == (b_lat > a_lat):
                inside = not inside
        return inside

    def distance_m(self, lat: int, lon: int, south: int, within_m: float) -> Decimal:
        """Metres from a place of this cell to the boundary; `south` is the latitude of the cell's corner.

        Right only for places that the clip does not cover and that are within the halo of the boundary; beyond
        `within_m`, that it is further. Never less than a millimetre: no distance at all means inside.
        """
        return max(nearest_metres(lat, lon, self.edges, south, within_m), MILLIMETRE)

    def pack(self) -> bytes:
        """The clip as bytes: 16 an edge where its ends are within 2.1° of the corner, else 32."""
        numbers = (*self.turns, *self.edges)
        wide = any(not -_NARROW <= number < _NARROW for number in numbers)
        form = b"q" if wide else b"i"
        head = _HEAD.pack(form, self.odd, len(self.turns), self.local, len(self.edges) // 4, self.away_m)
        return head + struct.pack(f"<{len(numbers)}{form.decode()}", *numbers)


def unpack(packed: bytes) -> Clip:
    """The clip that `Clip.pack` packed."""
    form, odd, turns, local, edges, away_m = _HEAD.unpack_from(packed)
    numbers = struct.unpack_from(f"<{turns + 4 * edges}{_FORMS[form]}", packed, _HEAD.size)
    return Clip(bool(odd), numbers[:turns], local, numbers[turns:], away_m)


def unpack_local(packed: bytes) -> Clip:
    """As `unpack`, with only the edges through the cell: all that `covers` needs, for a fraction of the work."""
    form, odd, turns, local, _, away = _HEAD.unpack_from(packed)
    if not turns and not local:
        return Clip(bool(odd), (), 0, (), away)
    numbers = struct.unpack_from(f"<{turns + 4 * local}{_FORMS[form]}", packed, _HEAD.size)
    return Clip(bool(odd), numbers[:turns], local, numbers[turns:], away)


def away_m(packed: bytes) -> float:
    """`Clip.away_m` of a packed clip, without unpacking the rest."""
    return float(_HEAD.unpack_from(packed)[5])
