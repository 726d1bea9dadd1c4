"""Owns sealing the audit trail after the fact: records into blocks, heads of the chains, and the locked daily roots.

| pk | sk | holds |
|---|---|---|
| organisation # chain | block#sequence | a block, never changed |
| chains | organisation | the head of its chain: version = sequence, hash, the days its records are of |

A block, the head it moves and the mark on each of its records are one transaction: two sealers cannot fork a chain, and
a record that is told of again is in its block already. Writers of records never wait for any of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.call import Call, timed_id
from chalicelib.kernel.errors import Stale
from chalicelib.kernel.models import iso
from chalicelib.storage import objects
from chalicelib.storage.audit import BUCKETS
from chalicelib.storage.audit_chain import GENESIS, PATIENCE, Block, day_root, next_block
from chalicelib.storage.commit import commit
from chalicelib.storage.tables import (
    BodyAttribute,
    Key,
    Row,
    RowMeta,
    get,
    get_many,
    query_all,
    query_index_all,
    table_name,
)
from chalicelib.storage.writes import Write, create, number, replace, update_if

MOST_RECORDS = 90
MOST_ROOTS = 400  # of days at once: more than a year of nobody looking
_CHAINS = "chains"
_ATTEMPTS = 10


class RecordRow(Row):
    """A record as it stands: its text, and the block it is in once it is sealed."""

    class Meta(RowMeta):
        table_name = table_name("audit")

    body = UnicodeAttribute()
    unsealed = UnicodeAttribute(null=True)
    block = NumberAttribute(null=True)


class _BlockRow(Row):
    class Meta(RowMeta):
        table_name = table_name("audit")

    body = BodyAttribute(Block)


class HeadRow(Row):
    """Where a chain stands: `version` is the sequence of its last block, whose hash it names."""

    class Meta(RowMeta):
        table_name = table_name("audit")

    hash = UnicodeAttribute()
    first_day = UnicodeAttribute()
    last_day = UnicodeAttribute()


def keys_of_stream(records: Iterable[dict[str, Any]]) -> list[Key]:
    """The keys of the audit records that a batch of the table's stream tells of; blocks and marks are passed over."""
    images = [record["dynamodb"]["NewImage"] for record in records if record["eventName"] == "INSERT"]
    return [(image["pk"]["S"], image["sk"]["S"]) for image in images if "unsealed" in image]


def seal_records(call: Call, keys: Iterable[Key]) -> int:
    """Seal records, each organisation's into blocks of its chain; how many. Those that are sealed stay as they are."""
    sealed = 0
    for organisation, own in groupby(sorted(set(keys), key=_by_organisation), key=lambda key: _owner(key[0])):
        waiting = list(own)
        for start in range(0, len(waiting), MOST_RECORDS):
            sealed += _seal(call, organisation, waiting[start : start + MOST_RECORDS])
    return sealed


def seal_waiting(call: Call) -> int:
    """Seal every record that waits: what the stream lost. The list may be a moment behind; the sealing is not."""
    found = [row for bucket in BUCKETS for row in query_index_all(RecordRow, "unsealed", bucket)]
    return seal_records(call, [(row.pk, row.sk) for row in found])


def count_overdue(call: Call) -> int:
    """How many records older than five minutes are in no block yet; a moment behind the table."""
    latest = timed_id("aud", call.now - PATIENCE, 0)
    pages = (query_index_all(RecordRow, "unsealed", bucket, between=("0", latest)) for bucket in BUCKETS)
    return sum(1 for page in pages for _ in page)


def head_of(organisation: str) -> HeadRow | None:
    """Where an organisation's chain stands, None before its first block."""
    return get(HeadRow, _CHAINS, organisation)


def blocks_of(organisation: str) -> Iterator[Block]:
    """The blocks of an organisation's chain, from the first."""
    return (row.body for row in query_all(_BlockRow, _chain(organisation), "block#"))


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from the first to the last, both included."""
    return (first + timedelta(days=count) for count in range((last - first).days + 1))


def write_daily_roots(call: Call) -> list[str]:
    """Write the heads of all chains into the locked bucket for each day that has ended without; the keys that are new.

    They are the heads at the first moment after the day at which somebody looked: sealing never stops for a day. No
    day is left out, so that a root nobody wrote, or somebody removed, is missed.
    """
    heads = {row.sk: {"sequence": int(row.version), "hash": row.hash} for row in query_all(HeadRow, _CHAINS)}
    if not heads:
        return []
    return [key for day in _days_without_root(call) if _is_new_root(key := f"{day}.json", day, call, heads)]


def _days_without_root(call: Call) -> list[date]:
    """The days after the last root, until yesterday; yesterday alone before the first."""
    yesterday = (call.now - timedelta(days=1)).date()
    roots = objects.first_versions(objects.AUDIT_ROOTS)
    written = [date.fromisoformat(root.key.removesuffix(".json")) for root in roots]
    first = max(written) + timedelta(days=1) if written else yesterday
    return list(days_between(first, yesterday))[:MOST_ROOTS]


def _is_new_root(key: str, day: date, call: Call, heads: dict[str, dict[str, Any]]) -> bool:
    root = {"day": str(day), "at": iso(call.now), "root": day_root(heads), "chains": heads}
    text = json.dumps(root, sort_keys=True, indent=1)
    return objects.put_new(objects.AUDIT_ROOTS, key, text.encode(), "application/json")


def _seal(call: Call, organisation: str, keys: Sequence[Key]) -> int:
    for _ in range(_ATTEMPTS):
        rows = [row for row in get_many(RecordRow, keys) if row.block is None]
        if not rows:
            return 0
        try:
            commit(call, _block_writes(organisation, sorted(rows, key=lambda row: row.sk)))
        except Stale:
            continue
        return len(rows)
    raise _lost()


def _block_writes(organisation: str, rows: Sequence[RecordRow]) -> list[Write]:
    head = head_of(organisation)
    sequence, previous = (int(head.version), head.hash) if head else (0, GENESIS)
    block = next_block(organisation, sequence, previous, [json.loads(row.body) for row in rows])
    days = sorted([_day(row.pk) for row in rows] + ([head.first_day, head.last_day] if head else []))
    moved = HeadRow(
        pk=_CHAINS, sk=organisation, version=block.sequence, hash=block.hash, first_day=days[0], last_day=days[-1]
    )
    placed = _BlockRow(pk=_chain(organisation), sk=f"block#{block.sequence:012d}", body=block)
    marks = [_mark(row, block.sequence) for row in rows]
    return [replace(moved, _lost()) if head else create(moved, _lost()), create(placed, _lost()), *marks]


def _mark(row: RecordRow, sequence: int) -> Write:
    change = "SET #block = :block REMOVE #unsealed"
    condition = "attribute_exists(#body) AND attribute_not_exists(#block)"
    return update_if(RecordRow, row.pk, row.sk, change, condition, {":block": number(sequence)}, _lost())


def _lost() -> Stale:
    return Stale("audit.sealed", "Another sealer was first.")


def _by_organisation(key: Key) -> tuple[str, str]:
    return _owner(key[0]), key[1]


def _owner(pk: str) -> str:
    return pk.rsplit("#", 2)[0]


def _day(pk: str) -> str:
    return pk.rsplit("#", 2)[1]


def _chain(organisation: str) -> str:
    return f"{organisation}#chain"
