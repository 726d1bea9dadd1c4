"""Walks the demo's line while its market is killed or its AWS misbehaves; what all come to in the end: `tests.ends`.

`python -m tests.crash_test` does it hundreds of times; `tests/local/test_demo_crash.py` a few.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from chalicelib.kernel.meters import check_digit
from local import market_operator
from local.client import Market
from local.demo.invented import invented_scene
from local.demo.line import Line
from local.demo.scenes import Scene
from local.demo.stages import Story
from tests.embedded import Part, RunningMarket
from tests.ends import Repeats, outcome
from tests.patience import Patience, patience
from tests.receiver import ENVIRONMENT, Receiver

SEED = 20260401
METER_COLUMN = "Import MPAN"
LONGEST_PEACE_SECONDS = 8.0
# Of four kills two take everything at once, one the API with the functions, one the embedded AWS under them.
_AGAIN = 0.15  # how often it is killed once more before it has come up
_TAKEN: tuple[Part, ...] = ("everything", "everything", "market", "cloud")


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

    `stages` counts kills by the stage they fell into, `parts` by what was killed. In the end `repeats` tells what came
    twice, and `faults` how many answers of a kill's own moments told of a fault; no other answer may.
    """

    def __init__(self, running: RunningMarket, story: ToldStory, times: int, seed: int) -> None:
        super().__init__(daemon=True)
        self._running, self._story, self._left = running, story, times
        self._moments = random.Random(seed)
        self._ended = threading.Event()
        self.stages: Counter[str] = Counter()
        self.parts: Counter[str] = Counter()
        self.failed: Exception | None = None
        self.repeats = Repeats(0, 0, 0)
        self.faults = 0
        self.down: list[tuple[float, float]] = []

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
        since = time.monotonic()
        self._strike(part, self._story.current)
        while self._left > 1 and self._moments.random() < _AGAIN:
            self._running.begin()
            self._ended.wait(self._moments.uniform(0.1, LONGEST_PEACE_SECONDS / 2))
            self._strike("everything", "(while starting again)")
            self._left -= 1
        self._running.start()
        self.down.append((since, time.monotonic()))

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

    def judge(self, repeats: Repeats, refused: int = 0) -> None:
        """Keep what came twice and which answers told of faults; AssertionError where that is more than is explained.

        A kill may fall between handing something over and marking it, and so may an operation that was refused to the
        last try (`refused` of them): each explains one repeat. A fault is answered while something is killed, or for
        an operation refused.
        """
        self.repeats, allowed = repeats, self.done + refused
        assert repeats.most <= allowed, f"{repeats}, after {self.done} kills and {refused} refusals"
        unexplained = [told for at, told in Patience.faults if not any(a <= at <= b for a, b in self.down)]
        self.faults = len(Patience.faults) - len(unexplained)
        assert len(unexplained) <= refused, unexplained


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
    refused: Callable[[], int] = lambda: 0,
) -> tuple[dict[str, Any], Crashes]:
    """Walk the demo's line; what it came to, and how it was killed. AssertionError where a stage fell short.

    `at_end` gets the line (as `line_of` makes it) while its market still runs; `refused` tells how many operations its
    AWS refused to the last try.
    """
    Patience.is_over.clear()
    Patience.faults.clear()
    running.environment = ENVIRONMENT
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
        with Receiver().open() as receiver:
            _walk_heard(line, receiver)
            killing.end()
            assert story.shortfalls == []
            found, repeats = outcome(line, running.cloud_port, receiver)
        killing.judge(repeats, refused())
        if at_end is not None:
            at_end(line)
        return found, killing
    finally:
        killing.end()
        running.kill()


def _walk_heard(line: Line, receiver: Receiver) -> None:
    """Walk, and have the receiver told by webhook from the moment everybody has joined."""
    join = line.join

    def join_and_listen() -> None:
        join()
        receiver.listen(line)

    line.join = join_and_listen  # type: ignore[method-assign]
    line.walk()


def walk_with(
    fault: str,
    folder: Path,
    line_of: Callable[..., Line] = Line,
    at_end: Callable[[Any], None] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the line comes to in a market with a fault (see `tests.faulty_market`), and what the fault did."""
    seed = os.environ.get("HEADROOM_FAULT_SEED", str(SEED))
    faulty = RunningMarket(folder / "state", fault, "--seed", seed, module="tests.faulty_market")

    def did() -> dict[str, Any]:
        told: dict[str, Any] = json.loads((folder / "state" / "faults.json").read_text())
        return told

    def refused() -> int:
        return sum(count for kind, count in did()["throttled"].items() if kind.endswith(" operations"))

    found, _ = walk(faulty, folder / "out", 0, line_of=line_of, at_end=at_end, refused=refused)
    return found, did()


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
