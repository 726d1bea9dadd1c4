"""Owns the rows of disputes: heads, and every dispute there was of a line through the versions of its month."""

from __future__ import annotations

from chalicelib.kernel.errors import Stale
from chalicelib.kernel.models import Page, iso
from chalicelib.settlement.models_runs import Dispute, ReportLine
from chalicelib.settlement.store_listing import ListedRow
from chalicelib.storage.tables import BodyAttribute, Row, RowMeta, get, get_many, query_index, sort_keys, table_name
from chalicelib.storage.writes import Write, create, put, replace

_MOVED = Stale("dispute.changed", "This dispute changed meanwhile. Read it again and repeat it.")


class _DisputeRow(ListedRow):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(Dispute)


class _OfLineRow(Row):
    class Meta(RowMeta):
        table_name = table_name("settlement")


def find_dispute(dispute_id: str) -> Dispute | None:
    row = get(_DisputeRow, dispute_id, "dispute")
    return row.body if row else None


def save_dispute(dispute: Dispute) -> Write:
    """Write a dispute, new at version 1."""
    row = _DisputeRow(
        pk=dispute.id,
        sk="dispute",
        version=dispute.version,
        so=dispute.so,
        fsp=dispute.fsp,
        sort=f"dispute#{iso(dispute.raised_at)}#{dispute.id}",
        body=dispute,
    )
    return create(row) if dispute.version == 1 else replace(row, _MOVED)


def remember_of_line(dispute: Dispute) -> Write:
    """Say of a line that there was this dispute, whichever version of its month it is read in."""
    return put(_OfLineRow(pk=_about(dispute), sk=dispute.id))


def list_disputes(side: str, organisation: str, limit: int, cursor: str | None) -> Page[Dispute]:
    """Disputes of one side ("so" or "fsp"), latest first; a moment behind what was written."""
    page = query_index(
        _DisputeRow, f"by_{side}", organisation, prefix="dispute#", limit=limit, cursor=cursor, newest_first=True
    )
    return Page(items=[row.body for row in page.items], next=page.next)


def list_of_line(line: ReportLine) -> list[Dispute]:
    """Every dispute of what a line is about, in the order they were raised, strongly consistent."""
    rows = get_many(_DisputeRow, [(each, "dispute") for each in sort_keys(_OfLineRow, _about(line))])
    return sorted((row.body for row in rows), key=lambda dispute: (dispute.raised_at, dispute.id))


def _about(what: ReportLine | Dispute) -> str:
    """What a line is about, the same in every version of a month."""
    parts = (what.so, what.fsp, what.month, what.obligation_id, what.instruction_id or "-", what.component)
    return "#".join(("disputes", *parts))
