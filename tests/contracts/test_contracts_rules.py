"""Claims about obligations: what an accepted bid becomes, and how its assets share it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts import rules
from chalicelib.contracts.lifecycle import MOVES
from chalicelib.kernel.errors import Refused
from chalicelib.kernel.lifecycle import move

WATTS = st.integers(0, 10**9).map(lambda watts: Decimal(watts) / 1_000_000)


def test_an_obligations_id_follows_from_its_bid() -> None:
    assert rules.obligation_id("bid_01k-001-0007") == "obl_01k-001-0007"


def test_assets_share_in_proportion_to_their_capacity() -> None:
    assert rules.shares(Decimal(3), {"a": Decimal(1), "b": Decimal(2)}) == {"a": Decimal(1), "b": Decimal(2)}


def test_a_watt_that_does_not_divide_goes_to_one_asset() -> None:
    shared = rules.shares(Decimal("0.000002"), dict.fromkeys("abc", Decimal(1)))
    assert shared == {"a": Decimal("0.000001"), "b": Decimal("0.000001"), "c": Decimal(0)}


def test_assets_without_capacity_share_nothing() -> None:
    assert rules.shares(Decimal(1), {"a": Decimal(0)}) == {"a": Decimal(0)}


@given(WATTS, st.dictionaries(st.text("abcdef", min_size=1, max_size=4), WATTS, min_size=1, max_size=12))
def test_shares_sum_to_the_whole_and_no_asset_is_off_by_a_watt(total: Decimal, capacities: dict[str, Decimal]) -> None:
    shared = rules.shares(total, capacities)
    everything = sum(capacities.values(), Decimal(0))
    if everything:
        assert sum(shared.values(), Decimal(0)) == total
        for asset_id, mw in shared.items():
            assert abs(mw - total * capacities[asset_id] / everything) < Decimal("0.0000011")


def test_an_obligation_moves_from_awarded_to_its_end() -> None:
    assert move(MOVES, "obligation", "awarded", "contract") == "contracted"
    assert move(MOVES, "obligation", "contracted", "vary") == "varied"
    assert move(MOVES, "obligation", "varied", "end") == "ended"
    for state in ("ended", "terminated"):
        for action in ("contract", "vary", "end", "terminate"):
            with pytest.raises(Refused, match="Nothing more can be done"):
                move(MOVES, "obligation", state, action)
