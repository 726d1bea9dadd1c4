"""Claims about the door of a rehearsal: what API Gateway is asked and answers passes through it as it is."""

from __future__ import annotations

import gzip
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from infrastructure.door import DeployedApi

ASKED: list[tuple[str, str, dict[str, str], bytes]] = []
PACKED = gzip.compress(b"a workbook")


class Gateway(BaseHTTPRequestHandler):
    """Notes what it was asked; answers packed bytes with a status and headers of its own."""

    def do_PATCH(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        ASKED.append((self.command, self.path, {name.lower(): text for name, text in self.headers.items()}, body))
        self.send_response(412)
        for name, text in (("Content-Encoding", "gzip"), ("ETag", '"3"'), ("Content-Length", str(len(PACKED)))):
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(PACKED)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads the log of a test's own server."""


@pytest.fixture
def gateway() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/restapis/r1/api/_user_request_"
    server.shutdown()
    server.server_close()


def test_a_request_and_its_answer_pass_through_the_door_as_they_are(gateway: str) -> None:
    environ = {
        "REQUEST_METHOD": "PATCH",
        "REQUEST_URI": "/v1/assets/a%2Fb?limit=1&x=%C3%A9",
        "HTTP_AUTHORIZATION": "Bearer t",
        "HTTP_IF_MATCH": '"2"',
        "HTTP_HOST": "door",
        "CONTENT_TYPE": "application/json",
        "wsgi.input": io.BytesIO(b'{"mw": 1}'),
    }
    answered: list[Any] = []
    content = b"".join(DeployedApi(gateway)(environ, lambda *answer: answered.extend(answer)))
    method, path, headers, body = ASKED[-1]
    assert (method, path, body) == (
        "PATCH",
        "/restapis/r1/api/_user_request_/v1/assets/a%2Fb?limit=1&x=%C3%A9",
        b'{"mw": 1}',
    )
    assert (headers["authorization"], headers["if-match"], headers["content-type"]) == (
        "Bearer t",
        '"2"',
        "application/json",
    )
    assert headers["host"] != "door"
    status, told = answered
    assert status == "412 Precondition Failed"
    assert {name.lower(): text for name, text in told}.items() >= {("content-encoding", "gzip"), ("etag", '"3"')}
    assert content == PACKED
