"""Owns the outbox: facts written with the change they tell of, put on the bus afterwards, swept when one was lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope, Event
from chalicelib.kernel.models import iso
from chalicelib.storage import settings
from chalicelib.storage.clients import client
from chalicelib.storage.tables import BodyAttribute, InstantAttribute, Row, RowMeta, query_index_all, table_name
from chalicelib.storage.writes import Write, told

SOURCE = "headroom"
KEPT = timedelta(days=90)
_AT_ONCE = 10
_PENDING = "1"


class _OutboxRow(Row):
    class Meta(RowMeta):
        table_name = table_name("outbox")

    pending = UnicodeAttribute(null=True)
    at = InstantAttribute()
    expires_at = NumberAttribute()
    body = BodyAttribute(Envelope)


def outbox_writes(call: Call, events: Iterable[Event]) -> list[Write]:
    """One outbox row per event, to be written in the transaction of the change the event tells of."""
    return [told(_row(_envelope(call, event))) for event in events]


def envelopes_of_stream(records: Iterable[dict[str, Any]]) -> Iterator[Envelope]:
    """The envelopes in a batch of the outbox table's stream; only INSERTs carry news."""
    for record in records:
        if record["eventName"] == "INSERT":
            yield Envelope.model_validate_json(record["dynamodb"]["NewImage"]["body"]["S"])


def publish(envelopes: Sequence[Envelope]) -> None:
    """Put envelopes on the bus, ten at a time, and mark each as published; a refused entry raises, to be retried."""
    for start in range(0, len(envelopes), _AT_ONCE):
        part = envelopes[start : start + _AT_ONCE]
        _put_on_bus(part)
        for envelope in part:
            _mark_published(envelope)


def unpublished(before: datetime) -> list[Envelope]:
    """Envelopes written before an instant that the bus has not taken yet, oldest first."""
    until = iso(before)
    rows = query_index_all(_OutboxRow, "unpublished", _PENDING, between=("0", until))
    return [row.body for row in rows]


def _envelope(call: Call, event: Event) -> Envelope:
    body = event.model_dump(mode="json")
    return Envelope(id=call.new_id("evt"), name=event.name, at=call.now, request_id=call.request_id, body=body)


def _row(envelope: Envelope) -> _OutboxRow:
    expires_at = int((envelope.at + KEPT).timestamp())
    return _OutboxRow(pk=envelope.id, sk="-", pending=_PENDING, at=envelope.at, expires_at=expires_at, body=envelope)


def _put_on_bus(envelopes: Sequence[Envelope]) -> None:
    entries = [
        {
            "Source": SOURCE,
            "DetailType": envelope.name,
            "Detail": envelope.model_dump_json(),
            "EventBusName": settings.bus_name(),
        }
        for envelope in envelopes
    ]
    answer = client("events").put_events(Entries=entries)
    if answer["FailedEntryCount"]:
        failed = [entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry]
        raise RuntimeError(f"the bus refused {len(failed)} of {len(entries)} events: {', '.join(failed)}")


def _mark_published(envelope: Envelope) -> None:
    client("dynamodb").update_item(
        TableName=_OutboxRow.table(),
        Key={"pk": {"S": envelope.id}, "sk": {"S": "-"}},
        UpdateExpression="REMOVE pending",
        ConditionExpression="attribute_exists(pk)",
    )
