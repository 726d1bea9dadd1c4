"""Walks the demo's line while its market is killed; tells what everybody has in the end, but for ids and instants.

`python -m tests.crash_test` does it hundreds of times; `tests/local/test_demo_crash.py` a few.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx

from chalicelib.kernel.meters import check_digit
from local import client, market_operator
from local.client import Market, Session
from local.demo.invented import invented_scene
from local.demo.line import Line
from local.demo.scenes import Scene
from local.demo.stages import Story
from tests.embedded import Part, RunningMarket

SEED = 20260401
METER_COLUMN = "Import MPAN"
LONGEST_PEACE_SECONDS = 8.0
PATIENCE_SECONDS = 600
# Of four kills two take everything at once, one the API with the functions, one the embedded AWS under them.
_AGAIN = 0.15  # how often it is killed once more before it has come up
_TAKEN: tuple[Part, ...] = ("everything", "everything", "market", "cloud")


class Patience(httpx.HTTPTransport):
    """A client's transport that keeps asking until it is answered, each act under one Idempotency-Key.

    It asks no more once `is_over` is set: the market will not come back.
    """

    is_over = threading.Event()

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
            if time.monotonic() > until or self.is_over.is_set():
                raise AssertionError(f"{request.method} {request.url.path} was not answered")
            repeated = True
            time.sleep(0.2)


def _moved_already(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
    """A clock that was moved by the first try, whose answer was lost, stands where it should."""
    if request.url.path == "/local/clock" and answer.status_code == 409:
        return httpx.Response(200, json={"now": "moved"}, request=request)
    return answer


@contextmanager
def patience() -> Iterator[None]:
    """Every request of `local.client` waits for a market that is being started again."""

    def patient_client(**how: Any) -> httpx.Client:
        return httpx.Client(transport=Patience(), **how)

    plain, before = patient_client(), client.httpx
    client.httpx = SimpleNamespace(  # type: ignore[assignment]
        Client=patient_client,
        get=plain.get,
        post=plain.post,
        Response=httpx.Response,
        TransportError=httpx.TransportError,
    )
    try:
        yield
    finally:
        client.httpx = before  # type: ignore[assignment]
        plain.close()


class ToldStory(Story):
    """A story that knows which stage is told."""

    current = "starting"

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        self.current = title
        with super().stage(title):
            yield


class Crashes(threading.Thread):
    """Kills a market's processes at random moments and starts it again, so many times or until the end.

    `stages` counts kills by the stage they fell into, `parts` by what was killed.
    """

    def __init__(self, running: RunningMarket, story: ToldStory, times: int, seed: int) -> None:
        super().__init__(daemon=True)
        self._running, self._story, self._left = running, story, times
        self._moments = random.Random(seed)
        self._ended = threading.Event()
        self.stages: Counter[str] = Counter()
        self.parts: Counter[str] = Counter()
        self.failed: Exception | None = None

    @property
    def done(self) -> int:
        return self.stages.total()

    def run(self) -> None:
        try:
            while self._left and not self._ended.wait(self._moments.uniform(0.3, LONGEST_PEACE_SECONDS)):
                self._kill(self._moments.choice(_TAKEN))
                self._left -= 1
        except Exception as error:  # told by `end`, to whoever waits for this thread
            self.failed = error
            Patience.is_over.set()

    def _kill(self, part: Part) -> None:
        self._strike(part, self._story.current)
        while self._left > 1 and self._moments.random() < _AGAIN:
            self._running.begin()
            self._ended.wait(self._moments.uniform(0.1, LONGEST_PEACE_SECONDS / 2))
            self._strike("everything", "(while starting again)")
            self._left -= 1
        self._running.start()

    def _strike(self, part: Part, stage: str) -> None:
        self.stages[stage] += 1
        self.parts[part] += 1
        self._running.kill(part)

    def end(self) -> None:
        """Wait for the last kill to be over; raises what kept the market from starting again."""
        self._ended.set()
        self.join()
        if self.failed is not None:
            raise self.failed


def metered_scene() -> tuple[Scene, set[str]]:
    """The invented scene with a valid meter id at every third asset; the scene and the ids."""
    scene = invented_scene()
    meters: set[str] = set()
    providers = []
    for place, provider in enumerate(scene.providers):
        rows = []
        for number, row in enumerate(provider.assets):
            core = f"10{place:02d}{number:08d}"
            meter = core + str(check_digit(core))
            rows.append({**row, METER_COLUMN: meter} if number % 3 == 0 else row)
            meters |= {meter} if number % 3 == 0 else set()
        providers.append(replace(provider, assets=rows))
    return replace(scene, providers=providers), meters


def walk(
    running: RunningMarket,
    out: Path,
    crashes: int,
    seed: int = SEED,
    line_of: Callable[..., Line] = Line,
    at_end: Callable[[Any], None] | None = None,
) -> tuple[dict[str, Any], Crashes]:
    """Walk the demo's line; what it came to, and how it was killed. AssertionError where a stage fell short.

    `at_end` gets the line (as `line_of` makes it) while its market still runs.
    """
    Patience.is_over.clear()
    running.start()
    market = Market(running.address)
    out.mkdir(parents=True)
    story = ToldStory()
    operator = market.sign_in(market_operator.EMAIL, market_operator.PASSWORD)
    line = line_of(market, operator, metered_scene()[0], story, out, "325120000")
    line.running = running  # type: ignore[attr-defined]
    killing = Crashes(running, story, crashes, seed)
    killing.start()
    try:
        line.walk()
        killing.end()
        assert story.shortfalls == []
        found = outcome(line)
        if at_end is not None:
            at_end(line)
        return found, killing
    finally:
        killing.end()
        running.kill()


def walk_with(
    fault: str,
    folder: Path,
    line_of: Callable[..., Line] = Line,
    at_end: Callable[[Any], None] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the line comes to in a market with a fault (see `tests.faulty_market`), and what the fault did."""
    seed = os.environ.get("HEADROOM_FAULT_SEED", str(SEED))
    faulty = RunningMarket(folder / "state", fault, "--seed", seed, module="tests.faulty_market")
    found, _ = walk(faulty, folder / "out", 0, line_of=line_of, at_end=at_end)
    return found, json.loads((folder / "state" / "faults.json").read_text())


def calm_outcome(folder: Path) -> dict[str, Any]:
    """What the undisturbed line comes to; walked once for all the processes that name the same folder."""
    kept = folder / "calm.json"
    with open(folder / "calm.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            with patience():
                found, _ = walk(RunningMarket(folder / "calm"), folder / "calm-out", crashes=0)
            made = sorted(path.name for path in (folder / "calm-out").iterdir())
            (folder / "calm-made.json").write_text(json.dumps(made))
            kept.write_text(json.dumps(found))
    calm: dict[str, Any] = json.loads(kept.read_text())
    assert all(calm.values()), "the undisturbed line comes to something everywhere"
    return calm


def outcome(line: Line) -> dict[str, Any]:
    """All that the people of the market have in the end, without what differs from run to run (ids, instants)."""
    line.market.settle()
    assets = {
        name: sorted(f"{asset['asset_ref']} v{asset['version']}" for asset in member.session.all("/assets"))
        for name, member in line.providers.items()
    }
    operator = line.operator.session
    mails = sorted({told for mail in line.market.mails() for told in _told(mail)})
    instructions = list(operator.all("/instructions"))
    reports = list(operator.all("/settlement-reports"))
    return {
        "assets": assets,
        "own obligations": {
            name: {each["fsp"] for each in member.session.all("/obligations")} == {member.organisation}
            for name, member in line.providers.items()
        },
        "obligations": _lasting(operator.all("/obligations"), _OBLIGATION),
        "instructions": _lasting(instructions, _INSTRUCTION),
        "reports": _lasting(reports, _REPORT),
        "lines": _lines(operator, reports, {each["id"] for each in instructions if each["state"] == "stopped"}),
        "invoices": _lasting(operator.all("/invoices"), _INVOICE),
        "paid": sorted(
            f"{each['number']}: {each['gross'] == each['paid_amount']}" for each in operator.all("/invoices")
        ),
        "mails": mails,
    }


def _lines(operator: Session, reports: list[dict[str, Any]], stopped: set[str]) -> list[str]:
    """Every line of every report. What an instruction comes to that was stopped by hand hangs on the second."""
    told = []
    for report in reports:
        lines = list(operator.all(f"/settlement-reports/{report['id']}/lines"))
        for line in lines:
            line["amount"] = "by the second" if line["instruction_id"] in stopped else line["amount"]
        told += [f"{report['fsp_name']} {report['state']} {line}" for line in _lasting(lines, _LINE)]
    return sorted(told)


def _lasting(items: Iterable[dict[str, Any]], fields: set[str]) -> list[str]:
    return sorted(repr({field: found for field, found in sorted(each.items()) if field in fields}) for each in items)


def _told(mail: dict[str, Any]) -> list[str]:
    """What a mail tells: its subject, or each competition of a digest; how many it gathers hangs on the moment."""
    for digest in ("new competition", "bidding is open"):
        if digest in mail["subject"].lower():
            told = set(_REFERENCE.findall(f"{mail['subject']} {mail['text']}"))
            return [f"{mail['to'][0]}: {digest} {reference}" for reference in sorted(told)]
    return [f"{mail['to'][0]}: {_INSTRUCTIONS.sub('dispatch instructions', mail['subject'])}"]


_INSTRUCTIONS = re.compile(r"\d+ dispatch instructions?")
_REFERENCE = re.compile(r"T\d+-\d{3}")
_OBLIGATION = {
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
_INSTRUCTION = {
    "competition_reference",
    "requested_mw",
    "acknowledged_mw",
    "state",
    "urgent",
    "test",
}
_REPORT = {"fsp_name", "month", "first", "last", "state", "lines", "unsettled", "currency"}
_LINE = {
    "competition_reference",
    "window_name",
    "month",
    "component",
    "starts",
    "amount",
    "reason",
    "corrects",
    "state",
}
_INVOICE = {"kind", "number", "carried", "months", "line_count", "state"}
