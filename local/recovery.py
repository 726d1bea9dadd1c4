"""Owns what a start does before it opens: facts written but not told are told, files nobody took in are taken in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chalicelib.edge.identity import tick_call
from chalicelib.storage import outbox
from functions import sweep
from local import events

_FAR = datetime(9999, 1, 1, tzinfo=UTC)


def recover(now: datetime) -> None:
    """Nobody else works yet, so every unpublished fact was cut short, whatever its age; then the hourly sweep."""
    outbox.publish(outbox.unpublished(before=_FAR))
    sweep.sweep_files(tick_call(now), patience=timedelta(0))
    answer = sweep.handler(events.of_schedule(now), events.Context("sweep", 512, 300, "start"))
    if answer["batchItemFailures"]:
        raise RuntimeError("the sweep failed; the market's log says why")
