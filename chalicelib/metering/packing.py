"""Owns rows of packed bytes, and the part of their keys that says when they came and from where."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

from pynamodb.attributes import BinaryAttribute

from chalicelib.storage.tables import Row

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
STAMP = 9
"""Figures of an instant, to the millisecond, at the front of a key."""


class PackedRow(Row):
    """A row whose `p` is bytes.

    PynamoDB's dict of a row is for JSON, where bytes are base64; DynamoDB takes and gives them as they are, a third
    smaller, which is most of what a month of readings costs.
    """

    p = BinaryAttribute(legacy_encoding=False)

    def item(self) -> dict[str, Any]:
        return super().item() | {"p": {"B": self.p}}

    def from_dynamodb_dict(self, d: dict[str, dict[str, Any]]) -> None:
        super().from_dynamodb_dict(d | {"p": {"B": b64encode(d["p"]["B"]).decode()}})


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
