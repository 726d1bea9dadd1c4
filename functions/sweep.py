"""Wakes every hour and when a market starts: finds what was lost between tables and queues, and sends it again."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.edge.entrance import tick
from chalicelib.files import actions as files
from chalicelib.kernel.call import Call
from chalicelib.storage import outbox

PATIENCE = timedelta(minutes=2)


def sweep(call: Call) -> None:
    outbox.publish(outbox.unpublished(before=call.now - PATIENCE))
    files.sweep(call)


handler = tick(sweep)
