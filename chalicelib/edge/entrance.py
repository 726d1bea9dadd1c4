"""Owns the doors of functions that AWS wakes: batches of messages in, one call each, failures named one by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from chalicelib.edge import identity
from chalicelib.edge.observe import logger
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class CouldNotAnswer(RuntimeError):
    """A fault of a function that was asked by another."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """An object that arrived in a bucket: its key, its version where the bucket keeps them, its size in bytes, when."""

    key: str
    version: str | None
    size: int
    at: datetime


def reaction(do: Callable[[Call, Envelope], None]) -> Handler:
    """A handler of market events: each message is the bus's event, its detail an envelope.

    The call's instant is the event's, and the ids it makes depend on the event and the function alone, so that a
    repeated message makes the same things.
    """

    def one(record: dict[str, Any]) -> None:
        envelope = Envelope.model_validate(json.loads(record["body"])["detail"])
        do(identity.reaction_call(envelope.at, f"{do.__module__}/{envelope.id}", envelope.request_id), envelope)

    return _batch(one)


def messages(do: Callable[[Call, dict[str, Any]], None]) -> Handler:
    """A handler of our own queues (`storage.queues.send`): a body with the instant and request it belongs to."""

    def one(record: dict[str, Any]) -> None:
        sent = json.loads(record["body"])
        cause = f"{do.__module__}/{record['messageId']}"
        do(identity.reaction_call(datetime.fromisoformat(sent["at"]), cause, sent["request_id"]), sent["body"])

    return _batch(one)


def tick(do: Callable[[Call], None]) -> Handler:
    """A handler of a schedule: the call's instant is the schedule's own time."""

    def one(record: dict[str, Any]) -> None:
        at = datetime.fromisoformat(json.loads(record["body"])["time"])
        do(identity.tick_call(at))

    return _batch(one)


def notices(do: Callable[[Call, dict[str, Any]], None]) -> Handler:
    """A handler of what the post tells of mails: each message one notice as SES words it, of the instant it names."""

    def one(record: dict[str, Any]) -> None:
        notice = json.loads(record["body"])
        at = datetime.fromisoformat(notice["mail"]["timestamp"])
        do(identity.reaction_call(at, f"{do.__module__}/{record['messageId']}"), notice)

    return _batch(one)


def drops(do: Callable[[Call, Arrived], None]) -> Handler:
    """A handler of objects created in a bucket: the call's instant is S3's own time of the object."""

    def one(record: dict[str, Any]) -> None:
        for told in json.loads(record["body"]).get("Records", []):
            arrived = _arrived(told)
            cause = f"{do.__module__}/{arrived.key}/{arrived.version or told['s3']['object'].get('sequencer', '')}"
            do(identity.reaction_call(arrived.at, cause), arrived)

    return _batch(one)


def asked(do: Callable[[Call, dict[str, Any]], dict[str, Any]]) -> Handler:
    """A handler that other functions invoke and wait for: the call's instant is its own clock's.

    What is asked and answered is not logged, here or by Lambda: a fault is told by its name alone.
    """

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        call = identity.asked_call(str(event.get("request_id", "unknown")))
        try:
            return do(call, event)
        except Exception as error:
            logger().exception("what was asked could not be answered", extra={"request_id": call.request_id})
            raise CouldNotAnswer(f"{type(error).__name__}; the log tells more by the request id") from None

    return handler


def _arrived(told: dict[str, Any]) -> Arrived:
    item = told["s3"]["object"]
    at = datetime.fromisoformat(told["eventTime"])
    version = item.get("versionId")
    return Arrived(unquote_plus(item["key"]), None if version == "null" else version, int(item["size"]), at)


def _batch(one: Callable[[dict[str, Any]], None]) -> Handler:
    """Handle each record; those that failed are named to the queue, which gives them again and then sets them aside."""

    def record_handler(record: SQSRecord) -> None:
        try:
            one(record.raw_event)
        except Exception:
            logger().exception("message failed", extra={"message_id": record.message_id})
            raise

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        return dict(process_partial_response(event, record_handler, processor, context))

    return handler
