"""Owns the address a demo speaks to: the deployed API behind it, and beside it what only a local market tells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.request import urlopen

import httpx

from chalicelib.storage import outbox, settings
from functions.wiring import FUNCTIONS
from local import quiet
from local.provision import DEAD
from local.quiet import FAR, Backlog, Counts
from local.web import StartResponse

_SECONDS = 60
_MOST_WAIT_SECONDS = 600
_OF_THE_CONNECTION = {"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"}


class DeployedApi:
    """WSGI: passes a request to a stage of API Gateway and the answer back, as they are."""

    def __init__(self, stage_address: str) -> None:
        self._address = stage_address
        self._http = httpx.Client(timeout=_SECONDS, limits=httpx.Limits(max_connections=None))

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        asked = self._http.build_request(
            environ["REQUEST_METHOD"],
            self._address + environ["REQUEST_URI"],
            headers=_headers(environ),
            content=environ["wsgi.input"].read(),
        )
        answer = self._http.send(asked, stream=True)
        content = b"".join(answer.iter_raw())
        answer.close()
        told = [(name, text) for name, text in answer.headers.multi_items() if name not in _OF_THE_CONNECTION]
        status = HTTPStatus(answer.status_code)
        start_response(f"{status.value} {status.phrase}", [*told, ("Content-Length", str(len(content)))])
        return [content]


class DeployedWork:
    """What the emulator's Lambda was given and has still to be given, by function."""

    def __init__(self, address: str) -> None:
        self._address = address

    def counts(self) -> Counts:
        told = self.told()
        return Counter(told["handled"]), Counter(told["failed"])

    def backlog(self) -> Backlog:
        """Messages in queues, records of streams not yet read, invocations in hand, facts not yet on the bus."""
        told = self.told()
        queues = {function.name: settings.queue_name(function.name) for function in FUNCTIONS}
        waiting = {
            name: sum(told[place].get(queue, 0) for place in ("waiting", "unread", "in_hand"))
            for name, queue in queues.items()
        }
        dead = {name: told["waiting"].get(settings.queue_name(name + DEAD), 0) for name in queues}
        return Backlog(_some(waiting), _some(dead), len(outbox.unpublished(before=FAR)))

    def rest(self) -> None:
        """Let nothing new begin and wait for what has: a request signed before a move of the clock would be refused."""
        self.told("hold")
        left = quiet.wait(self, _MOST_WAIT_SECONDS)
        if not left["quiet"]:
            raise TimeoutError(f"the functions did not come to rest: {left}")

    def wake(self) -> None:
        """Have the rules fire that came due, and go on from there."""
        self.told("tick")

    def told(self, page: str = "work") -> dict[str, Any]:
        with urlopen(f"{self._address}/_headroom/{page}", timeout=_SECONDS) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    named = {name[5:]: text for name, text in environ.items() if name.startswith("HTTP_")}
    named |= {name: environ[name] for name in ("CONTENT_TYPE",) if environ.get(name)}
    headers = {name.replace("_", "-").lower(): text for name, text in named.items()}
    return {name: text for name, text in headers.items() if name not in _OF_THE_CONNECTION}


def _some(counted: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counted.items() if count}
