"""The whole line, driven through the API and file drops alone: from the first registration to the obligations."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local import market_operator as operator
from local.client import Market
from local.demo.line import Line
from local.demo.scenes import Scene
from local.demo.stages import Story

DATA = Path(os.environ.get("HEADROOM_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))

pytestmark = [pytest.mark.flow, pytest.mark.slow]


def walked(market: Market, scene: Scene, out: Path) -> tuple[Line, Story]:
    story = Story()
    market_operator = market.sign_in(operator.EMAIL, operator.PASSWORD)
    line = Line(market, market_operator, scene, story, out, time.strftime("%j%H%M%S"))
    line.walk()
    return line, story


def test_a_round_runs_from_files_to_obligations(
    calm: Callable[[], dict[str, Any]], calm_files: Callable[[], set[str]]
) -> None:
    """The undisturbed walk, which the disturbed ones are held against: a shortfall anywhere fails it."""
    made = {"competitions.xlsx", "decisions.xlsx", "contracts.xlsx", "qualified-assets.xlsx", "mails"}
    assert made <= calm_files()
    owns = calm()["own obligations"]
    assert owns
    assert all(owns.values())


@pytest.mark.real_data
@pytest.mark.skipif(not DATA.exists(), reason="the public data is not beside this checkout")
def test_the_market_agrees_with_shapely_on_real_areas_and_projects(running_market: Market, tmp_path: Path) -> None:
    from local.demo.real import real_scene

    _, story = walked(running_market, real_scene(DATA), tmp_path)
    assert story.shortfalls == []
