"""Lets `keep-keys` answer in this process, by a clock that shows what the asker's does until a test sets it."""

from __future__ import annotations

import json
from datetime import datetime

from chalicelib.edge.clock import use_market_clock, wall_clock
from chalicelib.storage.invoking import Reply, use_transport
from local.invoking import InProcess


class Keeper:
    """`asked` counts invocations. `at`, where it is set, is what the keeper's own clock shows."""

    def __init__(self) -> None:
        self.at: datetime | None = None
        self.asked = 0
        self.heard: list[bytes] = []
        self._askers: datetime | None = None
        self._ask = InProcess()

    def forget(self) -> None:
        self.at, self.asked, self.heard = None, 0, []

    def answer_here(self) -> None:
        use_market_clock(self.now)
        use_transport(self)

    def now(self) -> datetime:
        return self.at or self._askers or wall_clock()

    def __call__(self, function: str, content: bytes) -> Reply:
        self.asked += 1
        self._askers = datetime.fromisoformat(json.loads(content)["now"])
        reply = self._ask(function, content)
        self.heard.append(reply.content)
        return reply


KEEPER = Keeper()
