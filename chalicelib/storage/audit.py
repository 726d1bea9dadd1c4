"""Owns the audit trail: one record per change, written in the transaction of the change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Instant, Page
from chalicelib.storage.tables import BodyAttribute, Row, RowMeta, query_all, query_index, table_name
from chalicelib.storage.writes import Write, told

BUCKETS = "0123456789abcdef"


class Change(BaseModel):
    """What an action says of a change: the thing (`asset:ast_…`), the act, whose trail it is in, before and after."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    thing: str
    action: str
    organisation: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    reason: str | None = None


class AuditRecord(Change):
    """A change as it is kept: with who, on behalf of whom, when and in which request."""

    id: str
    at: Instant
    actor_kind: str
    actor: str
    actor_organisation: str | None = None
    request_id: str


class _AuditRow(Row):
    """A record. `unsealed` stands until `audit_sealing` has put it into a block."""

    class Meta(RowMeta):
        table_name = table_name("audit")

    thing = UnicodeAttribute()
    unsealed = UnicodeAttribute(null=True)
    body = BodyAttribute(AuditRecord)


def audit_writes(call: Call, changes: Iterable[Change]) -> list[Write]:
    """One audit row per change."""
    return [told(_row(_record(call, change))) for change in changes]


def differences(before: BaseModel, after: BaseModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields in which two values differ, as (before, after)."""
    old, new = json.loads(before.model_dump_json()), json.loads(after.model_dump_json())
    names = [name for name in new if old.get(name) != new[name]]
    return {name: old.get(name) for name in names}, {name: new[name] for name in names}


def trail_of(thing: str, limit: int = 100, cursor: str | None = None) -> Page[AuditRecord]:
    """The records of one thing, newest first."""
    page = query_index(_AuditRow, "by_thing", thing, limit=limit, cursor=cursor, newest_first=True)
    return Page(items=[row.body for row in page.items], next=page.next)


def records_of_day(organisation: str, day: date) -> Iterator[AuditRecord]:
    """All records of an organisation's trail on a UTC day, in order of time."""
    rows = [row for bucket in BUCKETS for row in query_all(_AuditRow, _partition(organisation, day, bucket))]
    return (row.body for row in sorted(rows, key=lambda row: row.sk))


def _record(call: Call, change: Change) -> AuditRecord:
    return AuditRecord(
        **change.model_dump(),
        id=call.new_id("aud"),
        at=call.now,
        actor_kind=call.actor.kind,
        actor=call.actor.id,
        actor_organisation=call.actor.organisation,
        request_id=call.request_id,
    )


def _row(record: AuditRecord) -> _AuditRow:
    bucket = _bucket(record.id)
    place = _partition(record.organisation, record.at, bucket)
    return _AuditRow(pk=place, sk=record.id, thing=record.thing, unsealed=bucket, body=record)


def _partition(organisation: str, day: date | datetime, bucket: str) -> str:
    return f"{organisation}#{day:%Y-%m-%d}#{bucket}"


def _bucket(record_id: str) -> str:
    """Sixteen ways, so that one organisation's bulk import never meets one partition's limit."""
    return BUCKETS[sum(record_id.encode()) % 16]
