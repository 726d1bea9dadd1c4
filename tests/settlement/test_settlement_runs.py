"""Claims about runs: what they gather, what their reports say, how versions differ, made once however often woken."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.builders.settling import SettlingMarket

pytestmark = pytest.mark.usefixtures("market")
TUESDAY = date(2026, 6, 16)


@pytest.fixture
def settling(market: None) -> SettlingMarket:
    return SettlingMarket()


def test_a_month_is_settled_to_the_penny(settling: SettlingMarket) -> None:
    settling.obligation(availability_price="3", service_fee="1000")
    settling.instruction(TUESDAY)
    settling.read(delivered={TUESDAY: 1500})
    run = settling.run()
    assert (run.state, run.number, run.lines, run.unsettled) == ("done", 1, 4, 0)
    hours = 22 * 2
    assert settling.amounts(run) == {
        "utilisation": Decimal("300.00"),
        "availability": Decimal(2 * hours * 3),
        "recovery": Decimal(-2 * hours * 3) / 4,
        "service_fee": Decimal("2000.00"),
    }
    assert run.total == sum(line.amount for line in settling.lines(run) if line.amount is not None)
