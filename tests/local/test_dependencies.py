"""The dependency audit asks the index as far as it answers, fails on a known hole, and names what nobody answered."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from local import dependencies
from local.dependencies import Told, ask_for_latest, pins_of, report, unreachable

PAGES = {
    "/versioned/1.0/json": {},
    "/sound/json": {"info": {"version": "2.0"}, "vulnerabilities": []},
    "/holed/json": {"info": {"version": "2.0"}, "vulnerabilities": [{"id": "PYSEC-1"}, {"id": "GHSA-2"}]},
    "/mended/json": {"info": {"version": "2.0"}, "vulnerabilities": [{"id": "PYSEC-3", "withdrawn": "2026-01-01"}]},
}


class Index(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = PAGES.get(self.path)
        self.send_response(404 if page is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(page).encode())

    def log_message(self, *about: object) -> None:
        """Quiet."""


@pytest.fixture
def index() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_index_that_answers_by_version_can_be_asked(index: str) -> None:
    assert unreachable("versioned", "1.0", index) is None


def test_a_mirror_that_answers_by_project_alone_is_told(index: str) -> None:
    assert "404" in str(unreachable("sound", "2.0", index))


def test_no_network_is_told() -> None:
    assert "http://127.0.0.1:9" in str(unreachable("sound", "2.0", "http://127.0.0.1:9"))


def test_the_page_of_a_project_answers_for_its_latest_version(index: str) -> None:
    told = ask_for_latest([("sound", "2.0"), ("holed", "2.0"), ("mended", "2.0")], index)
    assert [each.holes for each in told] == [(), ("PYSEC-1", "GHSA-2"), ()]
    assert not any(each.silent for each in told)


def test_the_page_of_a_project_says_nothing_of_an_older_version(index: str) -> None:
    [older, unknown] = ask_for_latest([("holed", "1.0"), ("nowhere", "1.0")], index)
    assert (older.holes, older.silent) == ((), "the page tells of 2.0 alone")
    assert "404" in str(unknown.silent)


def test_a_known_hole_fails_the_audit_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([Told(("holed", "2.0"), holes=("PYSEC-1",)), Told(("sound", "2.0"))]) == 1
    assert "holed 2.0: PYSEC-1" in capsys.readouterr().out


def test_what_nobody_answered_for_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([Told(("old", "1.0"), silent="the page tells of 2.0 alone"), Told(("sound", "2.0"))]) == 0
    told = capsys.readouterr().out
    assert "not answered for  old 1.0" in told
    assert "1 of 2 packages answered for, 0 with known holes" in told


def test_without_an_index_the_audit_is_skipped_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert dependencies.main("http://127.0.0.1:9") == 0
    assert "dependency audit skipped" in capsys.readouterr().out


def test_the_locks_it_audits_hold_every_package_of_every_other() -> None:
    audited = set(pins_of(dependencies.LOCKS))
    for lock in dependencies.LOCKS[0].parent.glob("*.txt"):
        assert set(pins_of([lock])) <= audited, lock.name
