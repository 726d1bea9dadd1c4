"""The demo's whole line while everything is killed at random points: it ends where the undisturbed line ends.

`HEADROOM_CRASHES` sets how often it is killed (3 by default); `make crash-test` kills it hundreds of times.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.disturbed import SEED, walk
from tests.embedded import RunningMarket

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.usefixtures("patient")]
CRASHES = int(os.environ.get("HEADROOM_CRASHES", "3"))


def test_killed_at_random_points_the_line_ends_where_the_undisturbed_one_does(
    calm: Callable[[], dict[str, Any]], tmp_path: Path
) -> None:
    done = 0
    while done < CRASHES:
        name = f"killed-{done}"
        found, killing = walk(RunningMarket(tmp_path / name), tmp_path / f"{name}-out", CRASHES - done, SEED + done)
        assert killing.done > 0
        assert found == calm()
        done += killing.done
    print(f"killed {done} times")
