"""The demo's whole line while everything is killed at random points: it ends where the undisturbed line ends.

`HEADROOM_CRASHES` sets how often it is killed (3 by default; 50 takes about a quarter of an hour).
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from local import client, market_operator
from local.client import Market
from local.demo.invented import invented_scene
from local.demo.line import Line
from local.demo.stages import Story
from tests.embedded import RunningMarket

pytestmark = [pytest.mark.flow, pytest.mark.slow]
CRASHES = int(os.environ.get("HEADROOM_CRASHES", "3"))
LONGEST_PEACE_SECONDS = 8
PATIENCE_SECONDS = 600
SEED = 20260401


class Patience(httpx.HTTPTransport):
    """A client's transport that keeps asking until it is answered, each act under one Idempotency-Key."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.startswith("/v1/"):
            request.headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        until = time.monotonic() + PATIENCE_SECONDS
        repeated = False
        while True:
            try:
                answer = super().handle_request(request)
                answer.read()
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                return _moved_already(request, answer) if repeated else answer
            if time.monotonic() > until:
                raise AssertionError(f"{request.method} {request.url.path} was not answered")
            repeated = True
            time.sleep(0.2)


def _moved_already(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
    """A clock that was moved by the first try, whose answer was lost, stands where it should."""
    if request.url.path == "/local/clock" and answer.status_code == 409:
        return httpx.Response(200, json={"now": "moved"}, request=request)
    return answer


class Crashes(threading.Thread):
    """Kills a market's processes at random moments and starts it again, so many times or until the end."""

    def __init__(self, running: RunningMarket, times: int) -> None:
        super().__init__(daemon=True)
        self._running, self._left = running, times
        self._moments = random.Random(SEED + times)
        self._ended = threading.Event()
        self.done = 0

    def run(self) -> None:
        while self._left and not self._ended.wait(self._moments.uniform(0.3, LONGEST_PEACE_SECONDS)):
            self._running.kill()
            self._running.start()
            self._left -= 1
            self.done += 1

    def end(self) -> None:
        self._ended.set()
        self.join()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every request of `local.client` waits for a market that is being started again."""

    def patient_client(**how: Any) -> httpx.Client:
        return httpx.Client(transport=Patience(), **how)

    plain = patient_client()
    shim = SimpleNamespace(
        Client=patient_client,
        get=plain.get,
        post=plain.post,
        Response=httpx.Response,
        TransportError=httpx.TransportError,
    )
    monkeypatch.setattr(client, "httpx", shim)
    yield
    plain.close()


def walk(running: RunningMarket, out: Path, crashes: int) -> tuple[dict[str, Any], int]:
    """Walk the demo's line; what it came to, and how often it was killed."""
    running.start()
    market = Market(running.address)
    out.mkdir()
    story = Story()
    operator = market.sign_in(market_operator.EMAIL, market_operator.PASSWORD)
    line = Line(market, operator, invented_scene(), story, out, "325120000")
    killing = Crashes(running, crashes)
    killing.start()
    try:
        line.walk()
        killing.end()
        assert story.shortfalls == []
        return outcome(line), killing.done
    finally:
        killing.end()
        running.kill()


def outcome(line: Line) -> dict[str, Any]:
    """All that the people of the market have in the end, without what differs from run to run (ids, instants)."""
    line.market.settle()
    assets = {
        name: sorted((asset["asset_ref"], asset["version"]) for asset in member.session.all("/assets"))
        for name, member in line.providers.items()
    }
    obligations = sorted(
        repr({field: found for field, found in each.items() if field in _LASTING})
        for each in line.operator.session.all("/obligations")
    )
    mails = sorted({told for mail in line.market.mails() for told in _told(mail)})
    return {"assets": assets, "obligations": obligations, "mails": mails}


def _told(mail: dict[str, Any]) -> list[tuple[str, str]]:
    """What a mail tells: its subject, or each competition of a digest; how many it gathers hangs on the moment."""
    for digest in ("new competition", "Bidding is open"):
        if digest in mail["subject"]:
            return [(mail["to"][0], f"{digest} {reference}") for reference in _REFERENCE.findall(mail["text"])]
    return [(mail["to"][0], mail["subject"])]


_REFERENCE = re.compile(r"T\d+-\d{3}")
_LASTING = {
    "competition_reference",
    "fsp_name",
    "window_name",
    "period_start",
    "period_end",
    "capacity_mw",
    "availability_price",
    "utilisation_price",
    "state",
    "asset_count",
}


def test_killed_at_random_points_the_line_ends_where_the_undisturbed_one_does(patient: None, tmp_path: Path) -> None:
    calm, _ = walk(RunningMarket(tmp_path / "calm"), tmp_path / "calm-out", crashes=0)
    assert calm["obligations"]
    done = 0
    while done < CRASHES:
        name = f"killed-{done}"
        found, killed = walk(RunningMarket(tmp_path / name), tmp_path / f"{name}-out", CRASHES - done)
        assert killed > 0
        assert found == calm
        done += killed
    print(f"killed {done} times")
