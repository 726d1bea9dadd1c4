"""Owns knowing when a local market has nothing left to do, so that a client can wait for what follows an act."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from chalicelib.storage import outbox
from chalicelib.storage.clients import client
from functions.wiring import FUNCTIONS
from local.provision import DEAD, queue_url

FAR = datetime(9999, 1, 1, tzinfo=UTC)
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: messages by function, messages set aside as dead by function, facts not yet on the bus."""

    waiting: dict[str, int]
    dead: dict[str, int]
    unpublished: int

    @property
    def is_empty(self) -> bool:
        return not self.waiting and not self.unpublished


Counts = tuple[Counter[str], Counter[str]]


class Work(Protocol):
    """Whoever wakes the functions."""

    def counts(self) -> Counts:
        """What was handled and what failed so far, by function."""

    def backlog(self) -> Backlog:
        """What is still to be given."""


def backlog() -> Backlog:
    names = [function.name for function in FUNCTIONS if function.has_queue]
    waiting = {name: _messages(name) for name in names}
    dead = {name: _messages(name + DEAD) for name in names}
    return Backlog(_counted(waiting), _counted(dead), len(outbox.unpublished(before=FAR)))


def wait(work: Work, most_seconds: float) -> dict[str, Any]:
    """Wait until nothing waits and nothing is in hand, at most so long; tells what is left and what was handled."""
    started = time.monotonic()
    while True:
        quiet, left = _look(work)
        waited = time.monotonic() - started
        if quiet or waited > most_seconds:
            handled, failed = map(dict, work.counts())
            return {
                "quiet": quiet,
                "waited_seconds": round(waited, 3),
                **asdict(left),
                "handled": handled,
                "failed": failed,
            }
        time.sleep(_PAUSE_SECONDS)


def _look(work: Work) -> tuple[bool, Backlog]:
    """Two looks with nothing handled between them: what the first could have missed, the second would see."""
    before = _progress(work)
    first, second = work.backlog(), work.backlog()
    return first.is_empty and second.is_empty and before == _progress(work), second


def _progress(work: Work) -> tuple[int, int]:
    handled, failed = work.counts()
    return handled.total(), failed.total()


def _counted(found: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in found.items() if count}


def _messages(name: str) -> int:
    url = queue_url(name)
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
    return sum(int(found[name]) for name in _COUNTS)
