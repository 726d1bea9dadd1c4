"""Owns idempotency keys: one business act per caller and key, kept for seven days."""

from __future__ import annotations

from datetime import timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem, Refused
from chalicelib.storage.tables import InstantAttribute, Row, RowMeta, get, table_name
from chalicelib.storage.writes import Write, create

KEPT = timedelta(days=7)
RACED = "idempotency.raced"


class _KeyRow(Row):
    class Meta(RowMeta):
        table_name = table_name("claims")

    request_hash = UnicodeAttribute()
    result = UnicodeAttribute()
    at = InstantAttribute()
    expires_at = NumberAttribute()


def key_writes(call: Call, result: str | None) -> list[Write]:
    """The claim of the call's `Idempotency-Key` on its result; nothing where the call has none."""
    if call.idempotency is None or result is None:
        return []
    row = _KeyRow(
        pk=_place(call),
        sk="-",
        request_hash=call.idempotency.request_hash,
        result=result,
        at=call.now,
        expires_at=int((call.now + KEPT).timestamp()),
    )
    return [create(row, Refused(RACED, "The same request is being answered right now."))]


def find_result(call: Call) -> str | None:
    """The id of what this caller's key made already; `Invalid` when the key came with another request before."""
    if call.idempotency is None:
        return None
    row = get(_KeyRow, _place(call), "-")
    if row is None or row.expires_at < call.now.timestamp():
        return None
    if row.request_hash != call.idempotency.request_hash:
        raise Invalid.of([_reused()])
    return str(row.result)


def _reused() -> Problem:
    return Problem(
        "idempotency.reused",
        "This Idempotency-Key was used before with a different request.",
        "Idempotency-Key",
        "a new key for a new request",
    )


def _place(call: Call) -> str:
    assert call.idempotency is not None
    return f"key#{call.actor.id}#{call.idempotency.key}"
