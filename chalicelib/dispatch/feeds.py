"""Owns what a calendar link is: a secret address under which a calendar program reads an organisation's schedule."""

from __future__ import annotations

from chalicelib.kernel.models import Instant, Value

MOST_LINKS = 20


class CalendarLink(Value):
    """A link of an organisation. Its secret is made from its id and kept nowhere; once removed it opens nothing."""

    id: str
    organisation: str
    organisation_kind: str
    name: str
    created_at: Instant
    created_by: str
    removed: bool = False
    version: int = 1
