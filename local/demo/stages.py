"""Owns telling how the demo goes: stage by stage, with counts, times, and what fell short."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Shortfall(Exception):
    """A stage did not come to what it should."""


class Story:
    """What is printed while the demo runs; `shortfalls` decide its exit status."""

    def __init__(self) -> None:
        self.shortfalls: list[str] = []
        self._number = 0
        self._started = time.monotonic()

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Print a stage's title, what it says, and how long it took; a failure inside ends the demo."""
        self._number += 1
        print(f"\n[{self._number}] {title}", flush=True)
        started = time.monotonic()
        yield
        print(f"    {time.monotonic() - started:.1f} s", flush=True)

    def say(self, text: str) -> None:
        print(f"    {text}", flush=True)

    def expect(self, claim: str, found: object, wanted: object) -> None:
        """Print a claim with what was found; a shortfall when that is not what was wanted."""
        if found == wanted:
            self.say(f"{claim}: {found}")
            return
        self.shortfalls.append(f"stage {self._number}, {claim}: {found!r} instead of {wanted!r}")
        self.say(f"FELL SHORT  {claim}: {found!r} instead of {wanted!r}")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print rows under a header, each column as wide as its widest cell."""
        lines = [[str(cell) for cell in row] for row in [header, *rows]]
        widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
        for line in lines:
            self.say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())

    def end(self) -> int:
        """Print how it ended; 0 when every stage came to what it should."""
        print(f"\n{self._number} stages in {time.monotonic() - self._started:.0f} s.", flush=True)
        for shortfall in self.shortfalls:
            print(f"fell short: {shortfall}", flush=True)
        if not self.shortfalls:
            print("Every stage came to what it should.", flush=True)
        return 1 if self.shortfalls else 0
