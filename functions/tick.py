"""Wakes every minute: what the bus missed goes out again, instructions move with the clock, passed dates are told.

It counts how late it comes itself, and the audit records that nobody has sealed in time: alarms watch both.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.competitions.actions_announcing import announce_due
from chalicelib.dispatch.actions_ticking import move_due
from chalicelib.dispatch.actions_webhooks import queue_overdue
from chalicelib.edge.clock import seconds_since
from chalicelib.edge.entrance import tick
from chalicelib.edge.observe import count
from chalicelib.edge.stopwatch import stopwatch
from chalicelib.kernel.call import Call
from chalicelib.storage import audit_sealing, outbox

MOST_SECONDS = 45
PATIENCE = timedelta(minutes=2)


def announce(call: Call) -> None:
    """One minute's round; what it does not reach in time is still due at the next."""
    count("tick_late_seconds", seconds_since(call.now))
    is_time_up = stopwatch(MOST_SECONDS)
    outbox.publish(outbox.unpublished(before=call.now - PATIENCE))
    move_due(call, is_time_up)
    announce_due(call, is_time_up)
    queue_overdue(call)
    count("audit_unsealed", audit_sealing.count_overdue(call))


handler = tick(announce)
