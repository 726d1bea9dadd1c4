"""The dependency audit asks the index where it can, and says in a sentence that it could not where it cannot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from local import dependencies


class Index(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/known/1.0/json" else 404)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *about: object) -> None:
        """Quiet."""


@pytest.fixture
def index() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_index_that_answers_can_be_asked(index: str) -> None:
    assert dependencies.unreachable("known", "1.0", index) is None


def test_a_mirror_that_knows_no_vulnerabilities_is_told(index: str) -> None:
    assert "404" in str(dependencies.unreachable("other", "1.0", index))


def test_no_network_is_told() -> None:
    assert "http://127.0.0.1:9" in str(dependencies.unreachable("known", "1.0", "http://127.0.0.1:9"))


def test_without_an_index_the_audit_is_skipped_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dependencies, "unreachable", lambda *pin: "no route")
    assert dependencies.main() == 0
    assert "dependency audit skipped" in capsys.readouterr().out


def test_the_lock_it_audits_holds_every_package_that_is_deployed() -> None:
    audited = set(dependencies._PIN.findall(dependencies.LOCK.read_text()))
    for group in ("api", "files", "geo", "mail", "reports", "local"):
        lock = dependencies.LOCK.with_name(f"{group}.txt")
        assert set(dependencies._PIN.findall(lock.read_text())) <= audited, group
