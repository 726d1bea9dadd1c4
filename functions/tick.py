"""Wakes every minute: moves instructions with the clock, then tells the dates that have passed, until its time is up."""

from __future__ import annotations

from chalicelib.competitions.actions_announcing import announce_due
from chalicelib.dispatch.actions_ticking import move_due
from chalicelib.edge.entrance import tick
from chalicelib.edge.stopwatch import stopwatch
from chalicelib.kernel.call import Call

MOST_SECONDS = 45


def announce(call: Call) -> None:
    """One minute's round; what it does not reach in time is still due at the next."""
    is_time_up = stopwatch(MOST_SECONDS)
    move_due(call, is_time_up)
    announce_due(call, is_time_up)


handler = tick(announce)
