"""Owns waking every scheduled function at once, when a market starts and when its clock moves."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

from chalicelib.storage.clients import client
from functions.wiring import FUNCTIONS, Every
from local.provision import queue_url


def wake_schedules() -> None:
    """Send each schedule's queue what its rule would; the worker puts the message's time on the market's clock."""
    body = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
    told = body | {"id": str(uuid.uuid4()), "time": datetime.now(UTC).isoformat()}
    for function in FUNCTIONS:
        if isinstance(function.trigger, Every):
            client("sqs").send_message(QueueUrl=queue_url(function.name), MessageBody=json.dumps(told))
