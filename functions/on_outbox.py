"""Wakes on the outbox table's stream and puts what was written there on the bus."""

from __future__ import annotations

from typing import Any

from chalicelib.storage import outbox


def handler(event: dict[str, Any], context: Any) -> None:
    """Publish the batch; whatever fails is raised, so that the stream gives the batch again, halved."""
    outbox.publish(list(outbox.envelopes_of_stream(event["Records"])))
