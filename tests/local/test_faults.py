"""Events twice and out of order: the line ends where the undisturbed one does.

`HEADROOM_FAULT_SEED` draws other faults than the ones that every run of the tests meets.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.disturbed import walk_with

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.usefixtures("patient")]


def test_every_event_twice_and_out_of_order_ends_as_once_and_in_order(
    calm: Callable[[], dict[str, Any]], tmp_path: Path
) -> None:
    found, did = walk_with("--unruly", tmp_path)
    assert found == calm()
    assert did["given"] > 200
    print(f"messages given: {did['given']}")
