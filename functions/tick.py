"""Wakes every minute: tells the dates of competitions that have passed, until its time is up."""

from __future__ import annotations

from chalicelib.competitions.actions_announcing import announce_due
from chalicelib.edge.entrance import tick
from chalicelib.edge.stopwatch import stopwatch
from chalicelib.kernel.call import Call

MOST_SECONDS = 45


def announce(call: Call) -> None:
    """One minute's round; what it does not reach in time is still due at the next."""
    announce_due(call, stopwatch(MOST_SECONDS))


handler = tick(announce)
