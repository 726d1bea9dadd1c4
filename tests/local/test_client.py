"""Claims about a client's session: it signs in by itself, again when its token ran out, and no more than that."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from local.client import Market, Refusal


class Door(BaseHTTPRequestHandler):
    """Gives out tokens one after the other and takes the one that is good; all else is refused."""

    given, good, asked = 0, "token-1", 0

    def do_POST(self) -> None:
        Door.given += 1
        self._answer(201, {"access_token": f"token-{Door.given}"})

    def do_GET(self) -> None:
        Door.asked += 1
        good = self.headers["Authorization"] == f"Bearer {Door.good}"
        self._answer(200 if good else 401, {"name": "Kestrel"} if good else {"code": "token.expired"})

    def _answer(self, status: int, told: dict[str, Any]) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads the log of a test's own server."""


@pytest.fixture
def market() -> Iterator[Market]:
    Door.given, Door.good, Door.asked = 0, "token-1", 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Market(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


def test_a_token_is_used_until_it_runs_out_and_then_a_new_one(market: Market) -> None:
    session = market.sign_in("ann@kestrel.example", "password")
    for good, signed_in in (("token-1", 1), ("token-1", 1), ("token-2", 2), ("token-2", 2)):
        Door.good = good
        assert session.get("/me") == {"name": "Kestrel"}
        assert Door.given == signed_in


def test_who_is_refused_with_a_new_token_too_is_told_so(market: Market) -> None:
    Door.good = "of somebody else"
    with pytest.raises(Refusal, match=r"401 token\.expired"):
        market.sign_in("ann@kestrel.example", "password").get("/me")
    assert (Door.given, Door.asked) == (2, 2)


def test_nobody_is_not_signed_in(market: Market) -> None:
    with pytest.raises(Refusal, match="401"):
        market.public().get("/me")
    assert (Door.given, Door.asked) == (0, 1)
