"""Owns the packed meter-day: a few bytes per reading, exact both ways.

Layout: version; minutes; decimal places taken off; count of values (2 bytes); whether any is missing; then, if so, a
bitmap of what is there; then the differences between values that are there, each a zigzag number of 7-bit groups.
Values that are whole watts, as most are, lose their three zeros first.
"""

from __future__ import annotations

from collections.abc import Sequence

VERSION = 1
_HEAD = 6
_MOST_PLACES = 9


def pack(minutes: int, values: Sequence[int | None]) -> bytes:
    """A day's values, milliwatts, in period order, None where missing; ValueError beyond 65,535 of them."""
    if not 0 < minutes < 256 or len(values) > 0xFFFF:
        raise ValueError("a day has at most 65,535 periods of 1 to 255 minutes")
    there = [value for value in values if value is not None]
    places = _shared_zeros(there)
    gaps = len(there) < len(values)
    head = bytes([VERSION, minutes, places]) + len(values).to_bytes(2, "big") + bytes([gaps])
    return head + (_bitmap(values) if gaps else b"") + _deltas(there, 10**places)


def unpack(packed: bytes) -> tuple[int, tuple[int | None, ...]]:
    """The minutes and values of a packed day; ValueError for bytes of another layout."""
    if len(packed) < _HEAD or packed[0] != VERSION:
        raise ValueError("not a packed meter-day of this version")
    count = int.from_bytes(packed[3:5], "big")
    width = (count + 7) // 8 if packed[5] else 0
    found = iter(_values(packed[_HEAD + width :], 10 ** packed[2]))
    if not packed[5]:
        return packed[1], tuple(found)
    bitmap = int.from_bytes(packed[_HEAD : _HEAD + width], "little")
    return packed[1], tuple(next(found) if bitmap >> place & 1 else None for place in range(count))


def _shared_zeros(values: Sequence[int]) -> int:
    """How many zeros all values end in, at most nine."""
    for places in (_MOST_PLACES, 6, 3, 2, 1):
        if all(value % 10**places == 0 for value in values):
            return places
    return 0


def _bitmap(values: Sequence[int | None]) -> bytes:
    bits = sum(1 << place for place, value in enumerate(values) if value is not None)
    return bits.to_bytes((len(values) + 7) // 8, "little")


def _deltas(values: Sequence[int], unit: int) -> bytes:
    out = bytearray()
    before = 0
    for value in values:
        scaled = value // unit
        step = scaled - before
        before = scaled
        rest = step << 1 if step >= 0 else (-step << 1) - 1
        while rest > 127:
            out.append(rest & 127 | 128)
            rest >>= 7
        out.append(rest)
    return bytes(out)


def _values(packed: bytes, unit: int) -> list[int]:
    found: list[int] = []
    value = shift = rest = 0
    for byte in packed:
        rest |= (byte & 127) << shift
        if byte > 127:
            shift += 7
            continue
        value += -((rest + 1) >> 1) if rest & 1 else rest >> 1
        found.append(value * unit)
        rest = shift = 0
    return found
