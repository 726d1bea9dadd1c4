"""Events twice and out of order, AWS services that refuse at random: the line ends where the undisturbed one does.

`HEADROOM_FAULT_SEED` draws other faults than the ones that every run of the tests meets.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.disturbed import walk
from tests.embedded import RunningMarket
from tests.faulty_market import SEED

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.usefixtures("patient")]
FAULT_SEED = int(os.environ.get("HEADROOM_FAULT_SEED", SEED))


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the undisturbed line comes to."""
    folder = tmp_path_factory.mktemp("calm")
    found, _ = walk(RunningMarket(folder / "state"), folder / "out", crashes=0)
    assert found["obligations"]
    assert found["mails"]
    return found


def disturbed(folder: Path, fault: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the line comes to in a market with a fault, and what the fault did. A dead letter is a shortfall."""
    faulty = RunningMarket(folder / "state", fault, "--seed", str(FAULT_SEED), module="tests.faulty_market")
    found, _ = walk(faulty, folder / "out", crashes=0)
    return found, json.loads((folder / "state" / "faults.json").read_text())


def test_every_event_twice_and_out_of_order_ends_as_once_and_in_order(calm: dict[str, Any], tmp_path: Path) -> None:
    found, did = disturbed(tmp_path, "--unruly")
    assert found == calm
    assert did["given"] > 200
    print(f"messages given: {did['given']}")


def test_services_that_throttle_at_random_delay_and_change_nothing(calm: dict[str, Any], tmp_path: Path) -> None:
    found, did = disturbed(tmp_path, "--throttle")
    assert found == calm
    assert did["throttled"]["dynamodb operations"] > 5
    # Keys are asked for a few times in a run, so that chance may spare their services.
    assert {"dynamodb", "ses"} <= {kind.split()[0] for kind in did["throttled"]}
    print(f"throttled: {did['throttled']}")
