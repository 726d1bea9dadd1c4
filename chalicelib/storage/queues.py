"""Owns sending work to our own queues: bodies with the instant and request they belong to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from chalicelib.kernel.call import Call
from chalicelib.kernel.models import iso
from chalicelib.storage import settings
from chalicelib.storage.clients import client

_AT_ONCE = 10


def send(call: Call, queue: str, bodies: Sequence[dict[str, Any]], delay_seconds: int = 0) -> None:
    """Queue bodies (≤ 256 kB each, JSON) for the function named `queue`; raises when any was not taken.

    With a delay (at most 900 seconds) nobody sees them sooner.
    """
    for start in range(0, len(bodies), _AT_ONCE):
        _send_batch(call, queue, bodies[start : start + _AT_ONCE], delay_seconds)


def _send_batch(call: Call, queue: str, bodies: Sequence[dict[str, Any]], delay_seconds: int) -> None:
    entries = [
        {"Id": str(number), "MessageBody": _message(call, body), "DelaySeconds": delay_seconds}
        for number, body in enumerate(bodies)
    ]
    answer = client("sqs").send_message_batch(QueueUrl=_queue_url(queue), Entries=entries)
    if answer.get("Failed"):
        raise RuntimeError(f"queue {queue} refused {len(answer['Failed'])} of {len(entries)} messages")


def _message(call: Call, body: dict[str, Any]) -> str:
    return json.dumps({"at": iso(call.now), "request_id": call.request_id, "body": body}, separators=(",", ":"))


def _queue_url(queue: str) -> str:
    return _cached_url(settings.queue_name(queue), settings.endpoint_url())


@cache
def _cached_url(name: str, endpoint: str | None) -> str:
    return str(client("sqs").get_queue_url(QueueName=name)["QueueUrl"])


def forget_queues() -> None:
    """Forget queue addresses, so that the next use asks for them anew."""
    _cached_url.cache_clear()
