"""Many requests of one client at the same moment are counted one by one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.edge import limits
from chalicelib.edge.limits import Door, Rate
from chalicelib.kernel.errors import TooMany
from tests.builders.calls import a_call

pytestmark = pytest.mark.flow


def test_of_many_at_once_no_more_than_the_rate_are_let_in(embedded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADROOM_RATE_LIMITS", "1")
    door = Door(Rate(3, 60))

    def is_let_in(_: int) -> bool:
        try:
            limits.check_door("door", door, a_call(), "192.0.2.7", {}, {})
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(is_let_in, range(16)))
    assert 1 <= found.count(True) <= 3
