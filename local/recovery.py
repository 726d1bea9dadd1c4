"""Owns what a start does before it opens: facts that were written and not told are told, and every schedule is due."""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.storage import outbox
from local.schedules import wake_schedules

_FAR = datetime(9999, 1, 1, tzinfo=UTC)


def recover() -> None:
    """Nobody else works yet, so every unpublished fact was cut short, whatever its age.

    The sweep, woken with the other schedules, finds files nobody took in and work that stands still.
    """
    outbox.publish(outbox.unpublished(before=_FAR))
    wake_schedules()
