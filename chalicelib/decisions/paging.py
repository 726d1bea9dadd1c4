"""Owns pages of lists that are ranked as a whole. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from chalicelib.kernel.errors import Invalid, Problem
from chalicelib.kernel.models import PageQuery

T = TypeVar("T")


def cut(things: Sequence[T], ids: Sequence[str], query: PageQuery) -> tuple[Sequence[T], str | None]:
    """A page of a list that was ranked as a whole, and the cursor after it: the id of the last thing shown."""
    start = 0
    if query.cursor is not None:
        if query.cursor not in ids:
            raise Invalid.of([Problem("cursor.unknown", "The cursor is not one that this list gave.", "cursor")])
        start = ids.index(query.cursor) + 1
    end = start + query.limit
    return things[start:end], ids[end - 1] if end < len(things) else None
