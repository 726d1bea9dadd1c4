"""Owns how the worker gives functions what it received: as it came, or as badly as AWS ever may.

Queues promise each message at least once and in no order, streams at least once and in order. `Unruly` makes use of
all that is not promised, so that a test can show that nothing in the market relies on it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from random import Random
from typing import Any

Message = dict[str, Any]
_LONGEST_SECONDS = 2


class Delivery:
    """Everything once, as it came."""

    def put_off_seconds(self, message: Message) -> int | None:
        """How much later a message is to come; None to give it now."""
        return None

    def of_queue(self, messages: Sequence[Message]) -> list[list[Message]]:
        """The batches a function is given of these messages, one after the other."""
        return [list(messages)]

    def of_stream(self, records: Sequence[Message]) -> list[list[Message]]:
        return [list(records)]


class Unruly(Delivery):
    """Everything twice; queues also out of order: every other message later, the rest shuffled in batches anew."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._drawing = threading.Lock()
        self._put_off: set[str] = set()
        self.given = 0

    def put_off_seconds(self, message: Message) -> int | None:
        with self._drawing:
            name = message["MessageId"]
            if name in self._put_off or self._random.random() < 0.5:
                return None
            self._put_off.add(name)
            return self._random.randint(0, _LONGEST_SECONDS)

    def of_queue(self, messages: Sequence[Message]) -> list[list[Message]]:
        with self._drawing:
            self.given += 2 * len(messages)
            return [self._random.sample(messages, len(messages)) for _ in range(2)]

    def of_stream(self, records: Sequence[Message]) -> list[list[Message]]:
        return [list(records), list(records)]
