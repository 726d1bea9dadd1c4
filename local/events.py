"""Owns the events as Lambda gets them: what the queues and streams gave, with times on the market's clock."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from chalicelib.storage import settings
from local.clock import Clock

Event = dict[str, Any]


@dataclass(slots=True)
class Context:
    """What Lambda tells a handler of its own run."""

    function_name: str
    memory_limit_in_mb: int
    timeout_seconds: int
    aws_request_id: str
    function_version: str = "$LATEST"
    _started: float = field(default_factory=monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{settings.region()}:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self.timeout_seconds - (monotonic() - self._started)))


def of_queue(messages: Iterable[dict[str, Any]], queue_arn: str, clock: Clock) -> Event:
    """The event of a batch of messages as `receive_message` gave them."""
    return {"Records": [_record(message, queue_arn, clock) for message in messages]}


def of_stream(records: Iterable[dict[str, Any]], stream_arn: str, clock: Clock) -> Event:
    """The event of a batch of a table's stream as `get_records` gave it."""
    return {"Records": [_change(record, stream_arn, clock) for record in records]}


def _record(message: dict[str, Any], queue_arn: str, clock: Clock) -> Event:
    attributes = message.get("Attributes", {})
    sent = clock.at(datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC))
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": _timed(message["Body"], sent),
        "attributes": attributes | {"SentTimestamp": str(int(sent.timestamp() * 1000))},
        "messageAttributes": message.get("MessageAttributes", {}),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": settings.region(),
    }


def _timed(body: str, sent: datetime) -> str:
    """A message's body, where S3 or EventBridge wrote it, with the market's instant of its sending as its time.

    The emulator writes whole seconds there, too coarse to tell what came before a move of the clock from what came
    after it.
    """
    told = _object(body)
    if "detail-type" in told:
        return json.dumps(told | {"time": _text(sent)})
    if isinstance(told.get("Records"), list):
        return json.dumps(told | {"Records": [record | {"eventTime": _text(sent)} for record in told["Records"]]})
    return body


def _object(body: str) -> dict[str, Any]:
    """A body's JSON object; an empty one for any other body, which is passed on as it came."""
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _change(record: dict[str, Any], stream_arn: str, clock: Clock) -> Event:
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = int(clock.at(change["ApproximateCreationDateTime"]).timestamp())
    return record | {"dynamodb": change, "eventSource": "aws:dynamodb", "eventSourceARN": stream_arn}
