"""AWS services that refuse at random: the line ends where the undisturbed one does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.disturbed import walk_with

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.usefixtures("patient")]


def test_services_that_throttle_at_random_delay_and_change_nothing(
    calm: Callable[[], dict[str, Any]], tmp_path: Path
) -> None:
    found, did = walk_with("--throttle", tmp_path)
    assert found == calm()
    assert did["throttled"]["dynamodb operations"] > 5
    # Keys are asked for a few times in a run, so that chance may spare their services.
    assert {"dynamodb", "ses"} <= {kind.split()[0] for kind in did["throttled"]}
    print(f"throttled: {did['throttled']}")
