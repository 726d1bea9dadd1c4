"""Owns an organisation's trail as a file that anybody can verify without the market: lines of JSON.

First `export` (whose, and as of when), then each `block` with its hash, each `record` as it was written, and each daily
`root` with the head of the chain that day. Blocks are read before records, so that nothing sealed meanwhile is missed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from chalicelib.kernel.call import Call
from chalicelib.kernel.models import iso
from chalicelib.storage import objects
from chalicelib.storage.audit import BUCKETS
from chalicelib.storage.audit_sealing import RecordRow, blocks_of, days_between, head_of
from chalicelib.storage.tables import query_all


def export_trail(call: Call, organisation: str) -> Iterator[str]:
    """The lines of an organisation's whole trail, as of the call; who may have it is for the caller to check."""
    yield _line("export", organisation=organisation, at=iso(call.now))
    for block in blocks_of(organisation):
        yield _line("block", block=block.model_dump(mode="json"), hash=block.hash)
    for record in _records(organisation, call.now.date()):
        yield _line("record", record=record)
    for root in daily_roots():
        if organisation in root["chains"]:
            touched = {"touched": True} if "touched" in root else {}
            yield _line("root", day=root["day"], **root["chains"][organisation], **touched)


def daily_roots() -> Iterator[dict[str, Any]]:
    """The roots of all days, in order, as each was first written into the locked bucket.

    The lock keeps every version but lets others come after it: `touched` tells of a root that somebody wrote again or
    hid, which nothing of ours ever does.
    """
    for first in objects.first_versions(objects.AUDIT_ROOTS):
        root = json.loads(objects.read_object(objects.AUDIT_ROOTS, first.key, first.version))
        yield root if first.untouched else root | {"touched": True}


def _records(organisation: str, today: date) -> Iterator[dict[str, Any]]:
    """Every record, day by day in order of its id; a market whose clock was moved has days that are still to come."""
    head = head_of(organisation)
    first = date.fromisoformat(head.first_day) if head else today
    last = max(today, date.fromisoformat(head.last_day)) if head else today
    for day in days_between(min(first, today), last):
        rows = [row for bucket in BUCKETS for row in query_all(RecordRow, f"{organisation}#{day}#{bucket}")]
        yield from (json.loads(row.body) for row in sorted(rows, key=lambda row: row.sk))


def _line(kind: str, **told: Any) -> str:
    return json.dumps({"kind": kind, **told}, separators=(",", ":"), ensure_ascii=False)
