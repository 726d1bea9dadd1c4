"""Wakes on the audit table's stream and seals what was written there into the organisations' chains."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib.edge import identity
from chalicelib.storage import audit_sealing


def handler(event: dict[str, Any], context: Any) -> None:
    """Seal the batch; whatever fails is raised, so that the stream gives the batch again, halved."""
    records = event["Records"]
    latest = max(float(record["dynamodb"]["ApproximateCreationDateTime"]) for record in records)
    call = identity.tick_call(datetime.fromtimestamp(latest, UTC))
    audit_sealing.seal_records(call, audit_sealing.keys_of_stream(records))
