"""Owns how long a function has been at work: for those that stop in good time and go on at their next waking."""

from __future__ import annotations

import time
from collections.abc import Callable


def stopwatch(seconds: float) -> Callable[[], bool]:
    """A question that is answered no for so many seconds from now, and yes afterwards."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until
