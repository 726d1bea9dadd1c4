"""Claims about settling many meters at once: it gives the plain rule's pence, whatever the readings and the rules."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.settlement.calculation import (
    UNSETTLED,
    Block,
    Called,
    can_settle,
    plain_pence,
    settle_many,
)
from chalicelib.settlement.methods import PRESETS, Historical, SameDayAdjustment, Zero
from chalicelib.settlement.models import FloorLinear, GraceSlope, LinearCap, MarketRules, Penalty, Step, Threshold
from tests.builders.settlement import LONDON, rules

DAYS = 40
METERS = 6
FIRST = date(2026, 5, 4)
STEP = Step(
    thresholds=(
        Threshold(ratio=Decimal("0.6"), factor=Decimal("0.5")),
        Threshold(ratio=Decimal("0.9"), factor=Decimal(1)),
    )
)
RATIO = SameDayAdjustment(kind="ratio", hours=Decimal(2))
METHODS = [
    *PRESETS.values(),
    Historical(days=10, keep=8, choose="mid", adjustment=RATIO),
    Historical(days=6, keep=2, choose="mid", day_class="any", exclude_event_days=False, exclude_holidays=False),
    Historical(days=10, keep=8, choose="mid", look_back_days=4, adjustment=RATIO.but(guard=False)),
]
PERFORMANCES = [LinearCap(), FloorLinear(), GraceSlope(), STEP]


def a_block(seed: int, level: int = 300, gaps: bool = False, spread: int = 40) -> Block:
    """Readings of a few meters, 300 W or so, with events on some days; few levels, so that days often tie."""
    chance = np.random.default_rng(seed)
    values = level + chance.integers(-spread, spread + 1, (METERS, DAYS, 48)) // 10 * 10
    there = chance.random((METERS, DAYS, 48)) > 0.0005 if gaps else None
    events = chance.random((METERS, DAYS)) < 0.1
    holidays = frozenset({date(2026, 5, 4), date(2026, 5, 25)})
    return Block(FIRST, LONDON, 30, values.astype(np.int32), 1000, events, there, holidays)


def a_call(day: int, start: int = 34, periods: int = 4, notice: int = 34, mw: int = 60, **but: object) -> Called:
    meters = np.arange(METERS)
    return Called(day, start, start + periods, notice, meters, meters * 10 + mw, Decimal("181.2037"), **but)  # type: ignore[arg-type]


def by_the_plain_rule(terms: MarketRules, block: Block, call: Called) -> list[int]:
    return [plain_pence(terms, block, call, place) for place in range(METERS)]


@settings(max_examples=60)
@given(
    st.integers(0, 10**6),
    st.sampled_from(METHODS),
    st.sampled_from(PERFORMANCES),
    st.integers(8, DAYS - 1),
    st.integers(0, 34),
    st.booleans(),
    st.sampled_from(["deficit", "excess"]),
    st.sampled_from([300, 20, 0, -300]),
)
def test_many_at_once_pay_what_the_plain_rule_pays(
    seed: int, method: Historical, how: object, day: int, notice: int, gaps: bool, direction: str, level: int
) -> None:
    terms = rules(baseline=method, performance=how)
    block = a_block(seed, level, gaps)
    call = a_call(day, notice=notice, direction=direction)
    [found] = settle_many(terms, block, [call])
    assert found.tolist() == by_the_plain_rule(terms, block, call)


def test_some_are_paid_and_some_have_no_history() -> None:
    """The property above compares something: money, not only zeros, and reasons."""
    terms = rules(performance=LinearCap())
    block = a_block(1)
    paid, early = settle_many(terms, block, [a_call(30, mw=5), a_call(3)])
    assert paid.max() > 0
    assert set(early.tolist()) == {UNSETTLED}


def test_a_day_of_a_flat_load_pays_exactly_half_a_penny_up() -> None:
    values = np.full((METERS, DAYS, 48), 1000, np.int32)
    values[:, 30, 34:38] = 500
    block = Block(FIRST, LONDON, 30, values, 1000, np.zeros((METERS, DAYS), bool))
    call = Called(30, 34, 38, 34, np.array([2]), np.array([500]), Decimal("5.005"))
    [found] = settle_many(rules(), block, [call])
    assert found.tolist() == [1]
    assert plain_pence(rules(), block, call, 0) == 1


def test_a_share_right_at_the_floor_is_paid() -> None:
    values = np.full((METERS, DAYS, 48), 1000, np.int32)
    values[:, 30, 34:38] = 1000 - 56
    block = Block(FIRST, LONDON, 30, values, 1000, np.zeros((METERS, DAYS), bool))
    call = Called(30, 34, 38, 34, np.array([0]), np.array([70]), Decimal(100_000))
    terms = rules(performance=FloorLinear(floor=Decimal("0.8")))
    [found] = settle_many(terms, block, [call])
    assert found.tolist() == [1120]


def test_nothing_asked_earns_nothing() -> None:
    [found] = settle_many(rules(), a_block(2), [a_call(30, mw=0)])
    assert found[0] == 0


def test_rules_of_another_kind_and_clock_changes_are_left_to_the_plain_rule() -> None:
    for other in (
        rules(baseline=Zero()),
        rules(performance=Penalty(price=Decimal(1))),
        rules(paid_volume="delivered"),
        rules(over_delivery=Decimal("1.1")),
        rules(baseline=PRESETS["mid-8-of-10"].but(rank="interval")),
        rules(baseline=PRESETS["mid-8-of-10"].but(adjustment=SameDayAdjustment(kind="additive"))),
    ):
        assert not can_settle(other)
        with pytest.raises(ValueError, match="plain rule"):
            settle_many(other, a_block(1), [])
    block = Block(date(2026, 3, 1), LONDON, 30, np.zeros((1, 31, 48), np.int32), 1000, np.zeros((1, 31), bool))
    with pytest.raises(ValueError, match="the clocks change on 2026-03-29"):
        settle_many(rules(), block, [Called(28, 34, 36, 34, np.array([0]), np.array([1]), Decimal(1))])
