"""Owns a clock that a tree of processes lives by: libfaketime under each, and a file that says how far ahead it is.

Sleeps and waits keep the machine's pace. The library is a tool at the desk: no bundle holds it.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from local.clock import Clock, Move, refuse_backwards
from local.journal import write_whole

_LIBRARY = Path("vendor/libfaketime/src/libfaketime.so.1")
_ASK = "import time; print(int(time.time()))"
_PROBE_SECONDS = 10**7


class Unmovable(Exception):
    """The clock of other processes cannot be moved on this machine; the text says why."""


class MovedClock(Clock):
    """The time of every process started in `environment`, which it therefore stamps on all it makes by itself."""

    def __init__(self, file: Path) -> None:
        super().__init__(file.with_suffix(".json"))
        self._told = file
        self.before_each_move: Callable[[], None] = _nothing
        self.environment = _environment(file)
        self._try_out()
        self._tell(0)

    def now(self) -> datetime:
        machine = datetime.now(UTC)
        return machine + self._ahead(machine)

    def at(self, machine: datetime) -> datetime:
        """What those processes stamped is on this clock already."""
        return machine

    def move_to(self, wanted: datetime) -> datetime:
        with self._moving:
            refuse_backwards(self.now(), wanted)
            self.before_each_move()
            machine, wanted = datetime.now(UTC), max(wanted, self.now())
            self._moves = [*self._moves, Move(machine, wanted - machine)]
            self._tell((wanted - machine).total_seconds())
        return wanted

    def _tell(self, seconds: float) -> None:
        write_whole(self._told, f"{seconds:+.6f}s".encode())

    def _try_out(self) -> None:
        self._tell(_PROBE_SECONDS)
        asked = subprocess.run(
            [sys.executable, "-c", _ASK], env=self.environment, capture_output=True, text=True, check=False
        )
        ahead = int(asked.stdout or 0) - datetime.now(UTC).timestamp()
        if abs(ahead - _PROBE_SECONDS) > 60:
            raise Unmovable(
                f"libfaketime moves no clock on this machine: {asked.stderr.strip() or 'it was ignored'}\n"
                "Where its wheel does not fit, compile it: "
                f"uv pip install --python {sys.executable} --reinstall --no-binary libfaketime libfaketime"
            )


def _nothing() -> None:
    """Nobody has to come to rest first."""


def _environment(file: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "LD_PRELOAD": str(_library()),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # waits would never end
        "NO_FAKE_STAT": "1",  # files would seem to change at each move, and all code be compiled again
    }


def _library() -> Path:
    found = importlib.util.find_spec("libfaketime")
    if not sys.platform.startswith("linux") or found is None or not found.submodule_search_locations:
        raise Unmovable(
            "The rehearsal moves the clock of the embedded AWS and its functions by weeks, with libfaketime, which is "
            f"tried on Linux only (this is {sys.platform}): run `make deploy-local` in a Linux container or machine."
        )
    return Path(found.submodule_search_locations[0]) / _LIBRARY
