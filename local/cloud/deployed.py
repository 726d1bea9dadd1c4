"""Owns what a rehearsal of the stacks asks of the emulator beside AWS: the work in hand, and its rules' turn."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.services import sqs

from local.cloud.functions import Functions
from local.cloud.permissions import Permissions

Scope = dict[str, Any]


class Deployed:
    """`PATH/work` tells what waits and what was done; `PATH/hold` keeps schedules from firing until `PATH/tick`."""

    PATH = "/_headroom"

    def __init__(self, folder: Path, fire_due: Callable[[], None]) -> None:
        self._functions = Functions(folder / "bundles")
        self._permissions = Permissions()
        self._fire_due = fire_due
        self._held = False

    def fire(self) -> None:
        """Fire the schedules that are due."""
        if not self._held:
            self._fire_due()

    def trusted(self, scope: Scope) -> Scope:
        """A request on loopback counts as sent by TLS, which the policies of queues and buckets insist on."""
        return scope | {"scheme": "https"}

    async def answer(self, scope: Scope, send: Callable[..., Any]) -> None:
        asked = scope["path"].removeprefix(f"{self.PATH}/")
        self._held = asked == "hold" or (self._held and asked != "tick")
        if asked == "tick":
            self.fire()
        content = json.dumps(self._work()).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _work(self) -> dict[str, Any]:
        waiting = {queue["name"]: len(queue["messages"]) for queue in sqs._queues.all_values()}
        return {
            "waiting": {name: count for name, count in waiting.items() if count},
            "unread": self._functions.unread(),
            "in_hand": self._functions.in_hand(),
            "handled": dict(self._functions.handled),
            "failed": dict(self._functions.failed),
            "allowed": dict(self._permissions.allowed),
            "refused": list(self._permissions.refused),
        }
