"""Owns a receiver of webhooks beside a market: hears the operator's and every provider's, and counts what it was told.

A market lets webhooks go to this machine when its environment says so (`ENVIRONMENT`).
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.demo.line import Line

ENVIRONMENT = {"HEADROOM_WEBHOOK_NETWORKS": "127.0.0.1/32"}


class Receiver:
    """What came, by `webhook-id`: the first message of each, and how often it came."""

    def __init__(self) -> None:
        self._taking = threading.Lock()
        self.messages: dict[str, dict[str, Any]] = {}
        self.times: Counter[str] = Counter()
        self.webhooks: list[tuple[Any, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))

    def take(self, name: str, body: bytes) -> None:
        with self._taking:
            self.times[name] += 1
            self.messages.setdefault(name, json.loads(body))

    def repeats(self, deliveries: Iterable[dict[str, Any]]) -> int:
        """How often messages came beyond the tries that the market's own record of each delivery has."""
        return sum(max(0, self.times[each["id"]] - len(each["attempts"])) for each in deliveries)

    def listen(self, line: Line) -> None:
        """Register a webhook for the operator and every provider of a line."""
        host, port = self._server.server_address[:2]
        for name, session in {"operator": line.operator.session, **_sessions(line)}.items():
            where = f"http://{host!s}:{port}/{len(self.webhooks)}"
            made = session.post("/webhooks", {"url": where}, key=f"webhook/{name}")
            self.webhooks.append((session, made["id"]))

    def deliveries(self) -> list[dict[str, Any]]:
        """Every delivery, as the market tells of it."""
        return [each for session, name in self.webhooks for each in session.all(f"/webhooks/{name}/deliveries")]

    @contextmanager
    def open(self) -> Iterator[Receiver]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _sessions(line: Line) -> dict[str, Any]:
    return {name: member.session for name, member in line.providers.items()}


def _handler_of(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(self.headers["webhook-id"], content)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *words: Any) -> None:
            """Nothing: the story is told elsewhere."""

    return Handler
