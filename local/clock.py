"""Owns the local market's clock: the machine's, moved forward at will: a calendar of months passes in minutes.

Only what AWS itself would tell is moved: the gateway's request time, and those of objects, messages and schedules.
The moves are kept, so that a file dropped before a move keeps its time however late it is read.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.journal import write_whole


class Backwards(ValueError):
    """The clock was asked to go back."""


@dataclass(frozen=True, slots=True)
class Move:
    """From the machine's instant `at` on, the market is `ahead` of it."""

    at: datetime
    ahead: timedelta


class Clock:
    """The market's time over the machine's, kept in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._moving = threading.Lock()
        self._moves = _read(file)

    def now(self) -> datetime:
        return self.at(datetime.now(UTC))

    def at(self, machine: datetime) -> datetime:
        """The market's time at an instant of the machine's."""
        return machine + self._ahead(machine)

    def begin_at(self, wanted: datetime) -> None:
        """Let an unmoved clock begin in the past, to give a demonstration market one; `Backwards` once it moved."""
        with self._moving:
            if self._moves:
                raise Backwards("the market's clock has moved already")
            self._move(_whole_milliseconds(datetime.now(UTC)), wanted)

    def move_to(self, wanted: datetime) -> datetime:
        """Set the market's time from this moment on; `Backwards` when that has passed already."""
        with self._moving:
            machine = _whole_milliseconds(datetime.now(UTC))
            refuse_backwards(self.at(machine), wanted)
            self._move(machine, wanted)
        return wanted

    def _move(self, machine: datetime, wanted: datetime) -> None:
        self._moves = [*self._moves, Move(machine, wanted - machine)]
        write_whole(self._file, _text(self._moves).encode())

    def _ahead(self, machine: datetime) -> timedelta:
        place = bisect_right(self._moves, machine, key=lambda move: move.at)
        return self._moves[place - 1].ahead if place else timedelta(0)


def refuse_backwards(now: datetime, wanted: datetime) -> None:
    if wanted < now:
        raise Backwards(f"the market's clock stands at {now:%Y-%m-%dT%H:%M:%SZ} and only goes forward")


def _whole_milliseconds(at: datetime) -> datetime:
    """As queues stamp their messages, so that what is sent after a move is not taken for earlier."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _read(file: Path) -> list[Move]:
    if not file.exists():
        return []
    kept = json.loads(file.read_text())
    return [Move(datetime.fromisoformat(move["at"]), timedelta(seconds=move["ahead_seconds"])) for move in kept]


def _text(moves: list[Move]) -> str:
    kept = [{"at": move.at.isoformat(), "ahead_seconds": move.ahead.total_seconds()} for move in moves]
    return json.dumps(kept, indent=1)
