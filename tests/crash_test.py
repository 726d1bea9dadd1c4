"""`python -m tests.crash_test --crashes 200`: kills the market at random points of the demo, so many times in all.

Prints a line for each walk and a table of where the kills fell. A walk that does not end where the undisturbed one does
leaves its state, its log and what differs in the folder; the others leave nothing but what they printed.
"""

from __future__ import annotations

import argparse
import difflib
import json
import shutil
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.disturbed import SEED, Crashes, walk
from tests.embedded import RunningMarket
from tests.patience import patience


class Tally:
    """What the walks came to."""

    def __init__(self) -> None:
        self.equal = self.walks = 0
        self.stages: Counter[str] = Counter()
        self.parts: Counter[str] = Counter()
        self.repeats: Counter[str] = Counter()
        self.faults = 0

    @property
    def kills(self) -> int:
        return self.stages.total()

    def add(self, killing: Crashes, is_equal: bool) -> None:
        self.walks += 1
        self.equal += is_equal
        self.stages += killing.stages
        self.parts += killing.parts
        self.repeats.update(asdict(killing.repeats))
        self.faults += killing.faults

    def tell(self) -> None:
        print("\nkills  where they fell")
        for stage, kills in self.stages.most_common():
            print(f"{kills:>5}  {stage}")
        print("\nkills  what was killed")
        for part, kills in self.parts.most_common():
            print(f"{kills:>5}  {part}")
        told = ", ".join(f"{number} {what}" for what, number in self.repeats.items())
        print(f"\ncame twice under one id, never more often than a walk was killed: {told}")
        print(f"faults answered (5xx), all while something was being killed: {self.faults}")
        print(f"\n{self.kills} kills in {self.walks} walks; {self.equal} of them ended as the undisturbed one.")


def main() -> int:
    asked = _arguments()
    shutil.rmtree(asked.folder, ignore_errors=True)
    tally = Tally()
    with patience():
        calm, day = _undisturbed(asked.folder), _today()
        print(f"{'walk':>4}  {'seed':>8}  {'kills':>5}  {'seconds':>7}  end state", flush=True)
        while tally.kills < asked.crashes:
            if day != _today():  # the demo's calendar begins today
                calm, day = _undisturbed(asked.folder), _today()
            seed = asked.seed + tally.walks
            folder, since = asked.folder / f"walk-{seed}", time.monotonic()
            most = min(asked.per_walk, asked.crashes - tally.kills)
            try:
                found, killing = _walked(folder, most, seed)
            except Exception:
                (folder / "failure.txt").write_text(traceback.format_exc())
                print(f"{tally.walks + 1:>4}  {seed:>8}  failed: see {folder}", flush=True)
                break
            tally.add(killing, found == calm)
            verdict = "equal" if found == calm else f"DIFFERENT: see {folder}"
            print(
                f"{tally.walks:>4}  {seed:>8}  {killing.done:>5}  {time.monotonic() - since:>7.0f}  {verdict}",
                flush=True,
            )
            if found == calm:
                shutil.rmtree(folder)
            else:
                (folder / "difference.txt").write_text("\n".join(_difference(calm, found)))
    tally.tell()
    return 0 if tally.kills >= asked.crashes and tally.equal == tally.walks else 1


def _undisturbed(folder: Path) -> dict[str, Any]:
    return _walked(folder / f"calm-{_today()}", 0, SEED)[0]


def _today() -> str:
    return time.strftime("%F", time.gmtime())


def _walked(folder: Path, crashes: int, seed: int) -> tuple[dict[str, Any], Crashes]:
    folder.mkdir(parents=True)
    with _told_to(folder / "told.txt"):
        return walk(RunningMarket(folder / "state"), folder / "out", crashes, seed)


@contextmanager
def _told_to(file: Path) -> Iterator[None]:
    with open(file, "w", encoding="utf-8", buffering=1) as out, redirect_stdout(out):
        yield


def _difference(calm: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """What the killed walk has more (+) and less (-) than the calm one."""
    texts = [json.dumps(each, indent=1, sort_keys=True).splitlines() for each in (calm, found)]
    return difflib.unified_diff(*texts, "undisturbed", "killed", lineterm="", n=1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash_test")
    parser.add_argument("--crashes", type=int, default=200, help="how often the market is killed in all (200)")
    parser.add_argument("--per-walk", type=int, default=30, help="at most, in one walk (30)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the first walk; each has the next")
    parser.add_argument("--folder", type=lambda text: Path(text).resolve(), default=Path("build/crash-test").resolve())
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
