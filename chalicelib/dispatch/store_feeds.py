"""Owns the rows of calendar links: each by its id, and listed under its organisation."""

from __future__ import annotations

from chalicelib.dispatch.feeds import CalendarLink
from chalicelib.storage.tables import BodyAttribute, Row, RowMeta, get, query_all, table_name
from chalicelib.storage.writes import Write, create, put, replace


class _LinkRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(CalendarLink)


def find_link(link_id: str) -> CalendarLink | None:
    row = get(_LinkRow, link_id, "calendar")
    return row.body if row else None


def list_links(organisation: str) -> list[CalendarLink]:
    """An organisation's links that were not removed, oldest first."""
    rows = query_all(_LinkRow, f"calendars#{organisation}")
    return [row.body for row in rows if not row.body.removed]


def save_link(link: CalendarLink) -> list[Write]:
    """Write a link, new at version 1, and its place in the organisation's list."""
    row = _LinkRow(pk=link.id, sk="calendar", version=link.version, body=link)
    listed = _LinkRow(pk=f"calendars#{link.organisation}", sk=link.id, body=link)
    return [create(row) if link.version == 1 else replace(row), put(listed)]
