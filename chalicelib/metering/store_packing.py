"""Owns rows of packed bytes, and the part of their keys that says when they came and from where."""

from __future__ import annotations

import hashlib

from pynamodb.attributes import BinaryAttribute

from chalicelib.storage.tables import Row

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
STAMP = 9
"""Figures of an instant, to the millisecond, at the front of a key."""


class PackedRow(Row):
    """A row whose `p` is bytes."""

    p = BinaryAttribute(legacy_encoding=False)


def mark_of(source: str) -> str:
    """The mark of a source (a receipt's id, a request's) in its rows' keys: eight figures of its hash."""
    return hashlib.sha256(source.encode()).hexdigest()[:8]


def base36(number: int) -> str:
    """A number in nine figures of base 36, which sort as it does."""
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits.rjust(STAMP, "0")
