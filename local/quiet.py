"""Owns knowing when a local market has nothing left to do, so that a client can wait for what follows an act."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib.storage import outbox
from chalicelib.storage.clients import client
from functions.wiring import FUNCTIONS
from local.provision import DEAD, queue_url
from local.worker import Worker

_FAR = datetime(9999, 1, 1, tzinfo=UTC)
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


def backlog() -> Backlog:
    names = [function.name for function in FUNCTIONS if function.has_queue]
    waiting = {name: _messages(name) for name in names}
    dead = {name: _messages(name + DEAD) for name in names}
    return Backlog(_counted(waiting), _counted(dead), len(outbox.unpublished(before=_FAR)))


def wait(worker: Worker, most_seconds: float) -> dict[str, Any]:
    """Wait until nothing waits and nothing is in hand, at most so long; tells what is left and what was handled."""
    started = time.monotonic()
    while True:
        quiet, left = _look(worker)
        waited = time.monotonic() - started
        if quiet or waited > most_seconds:
            handled, failed = dict(worker.handled), dict(worker.failed)
            return {
                "quiet": quiet,
                "waited_seconds": round(waited, 3),
                **asdict(left),
                "handled": handled,
                "failed": failed,
            }
        time.sleep(_PAUSE_SECONDS)


def _look(worker: Worker) -> tuple[bool, Backlog]:
    """Two looks with nothing handled between them: what the first could have missed, the second would see."""
    before = _progress(worker)
    first, second = backlog(), backlog()
    return first.is_empty and second.is_empty and before == _progress(worker), second


def _progress(worker: Worker) -> tuple[int, int]:
    return worker.handled.total(), worker.failed.total()


def _counted(found: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in found.items() if count}


def _messages(name: str) -> int:
    url = queue_url(name)
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
    return sum(int(found[name]) for name in _COUNTS)
