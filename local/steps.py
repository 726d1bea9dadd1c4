"""Owns telling a person how a start goes: `[3/8] creating tables  0.4 s`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Steps:
    """Prints each step as it begins and, when it is done, the seconds it took."""

    def __init__(self, count: int, out: TextIO = sys.stdout) -> None:
        self._count, self._out = count, out
        self._number = 0
        self.current = ""

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        self._number += 1
        self.current = text
        self._print(f"[{self._number}/{self._count}] {text} ", end="")
        started = time.monotonic()
        yield
        self._print(f" {time.monotonic() - started:.1f} s")

    def count(self, done: int, of: int) -> None:
        """Tell progress within a step; only where somebody watches."""
        if self._out.isatty():
            mark = f" {done}/{of}"
            self._print(mark + "\b" * len(mark), end="")

    def _print(self, text: str, end: str = "\n") -> None:
        print(text, end=end, file=self._out, flush=True)
