"""Claims about packed readings: a run made from them leaves the bytes that the plain look-up of each reading leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.kernel.periods import days_between, half_hours
from chalicelib.settlement import actions_runs
from chalicelib.settlement.actions_gathering import gather
from chalicelib.settlement.baselines import Statement
from chalicelib.settlement.inputs import Inputs
from chalicelib.settlement.methods import (
    PRESETS,
    FixedCapacity,
    Historical,
    MeterBefore,
    Method,
    Nominated,
    SameDayAdjustment,
    Zero,
)
from chalicelib.settlement.models import (
    FloorLinear,
    GraceSlope,
    Instruction,
    LinearCap,
    Penalty,
    Performance,
    Step,
    Threshold,
)
from chalicelib.settlement.packing import Packed
from chalicelib.settlement.running import accounts, settle
from chalicelib.settlement.series import Grid
from tests.builders.running import a_promise, a_run, a_stretch, inputs, told
from tests.builders.settlement import LONDON, a_member, an_instruction, local, rules
from tests.builders.settling import SettlingMarket

D = Decimal
MONTHS = [(date(2026, 6, 1), date(2026, 6, 30)), (date(2026, 4, 1), date(2026, 4, 30))]
"""In the second the clocks changed within the days looked back to."""
ADJUSTMENTS = [
    None,
    SameDayAdjustment(kind="ratio", hours=D(2)),
    SameDayAdjustment(kind="ratio", hours=D(3), guard=False, lower=D("0.5"), upper=D("1.7")),
    SameDayAdjustment(kind="additive", limit_share=D("0.1")),
]
HISTORIES = [
    *PRESETS.values(),
    Historical(days=10, keep=8, choose="mid", rank="interval"),
    Historical(days=6, keep=2, choose="mid", day_class="any", exclude_event_days=False, exclude_holidays=False),
    Historical(days=10, keep=5, choose="high", look_back_days=12, minimum_days=3, completeness=D("0.5")),
]
STEP = Step(thresholds=(Threshold(ratio=D("0.6"), factor=D("0.5")),))
PERFORMANCES: list[Performance] = [LinearCap(), FloorLinear(), GraceSlope(), Penalty(price=D(11)), STEP]


def both_ways(market: Inputs) -> tuple[bytes, bytes]:
    """What a market's run leaves of readings packed, and of the same as plain dictionaries."""
    known, minutes = market.known, market.known.grid.minutes
    packed = {meter: Packed(series, minutes) for meter, series in known.readings.items()}
    plain = {meter: dict(series) for meter, series in known.readings.items()}
    return left_by(market, packed), left_by(market, plain)


def left_by(market: Inputs, readings: Mapping[str, Any]) -> bytes:
    found = settle(replace(market, known=replace(market.known, readings=readings)))
    run = a_run(first=market.first, last=market.last)
    return b"".join(told(account) for account in accounts(run, [found]))


def a_market(dice: Random, method: Method, level: str, how: Performance, share: str, step: int) -> Inputs:
    """Meters with gaps here and there, one point of two channels, and a few instructions, some of them at once."""
    first, last = dice.choice(MONTHS)
    terms = rules(baseline=method, performance=how, level=level, max_missing_share=D(share), over_delivery=D("1.2"))
    meters = {f"m{number}": a_season(dice, first, last, step) for number in range(4)}
    asked = [an_evening(dice, number, first) for number in range(dice.randint(1, 5))]
    points = sorted({member.point for each in asked for member in each.members})
    promise = a_promise(
        "obl_1",
        terms,
        availability_price=D("2.35"),
        period_start=first,
        period_end=last,
        stretches=[a_stretch(first + timedelta(days=3))],
    )
    schedule = {at: 4 * 10**9 for day in days_between(first, last) for at in half_hours(day, LONDON)}
    market = inputs(
        [promise],
        asked,
        meters,
        terms,
        first=first,
        last=last,
        grid=Grid(step, LONDON),
        events={point: [each.span for each in asked if point in names_of(each)] for point in points},
        statements={point: [Statement(local(first, "00:00"), schedule)] for point in points[:2]},
    )
    off = frozenset({first + timedelta(days=2), first - timedelta(days=9)})
    outage = {"p0": frozenset({first + timedelta(days=1), first - timedelta(days=3)})}
    return replace(market, known=replace(market.known, holidays=off, outage_days=outage))


def names_of(instruction: Instruction) -> set[str]:
    return {member.point for member in instruction.members}


def a_season(dice: Random, first: date, last: date, step: int) -> dict[datetime, int]:
    level, unit = dice.choice([5000, 50, 0, -300]), 10 ** dice.choice([3, 6])
    gap, days = dice.choice([0, 0, 0.002, 0.02]), days_between(first - timedelta(days=62), last + timedelta(days=1))
    return {
        at + timedelta(minutes=more): (level + dice.randint(-4, 4) * 10) * unit
        for day in days
        if dice.random() >= gap
        for at in half_hours(day, LONDON)
        for more in range(0, 30, step)
        if dice.random() >= gap
    }


def an_evening(dice: Random, number: int, first: date) -> Instruction:
    starts = local(first + timedelta(days=dice.randint(0, 25)), dice.choice(["17:00", "17:10", "02:00", "23:00"]))
    ends = starts + timedelta(minutes=dice.choice([30, 90, 175]))
    members = [
        a_member(f"p{place}", str(dice.randint(0, 2))).but(meters=(f"m{place}", *(["m3"] if place == 1 else [])))
        for place in sorted(dice.sample(range(3), dice.randint(1, 3)))
    ]
    return an_instruction(
        f"ins_{number}",
        str(dice.randint(1, 4)),
        starts=starts,
        ends=ends,
        members=tuple(members),
        notice_at=dice.choice([None, starts - timedelta(hours=dice.randint(0, 5))]),
        direction=dice.choice(["deficit", "excess"]),
        available_mw=dice.choice([None, D(1)]),
        state=dice.choice(["delivered", "stopped", "failed"]),
    )


@settings(max_examples=20)
@given(
    st.integers(0, 10**9),
    st.sampled_from(HISTORIES),
    st.sampled_from(ADJUSTMENTS),
    st.sampled_from(["group", "meter"]),
    st.sampled_from(PERFORMANCES),
    st.sampled_from(["0.1", "0.7"]),
    st.sampled_from([30, 15]),
)
def test_packed_readings_leave_the_same_bytes_by_history(
    seed: int, method: Historical, change: Any, level: str, how: Performance, share: str, step: int
) -> None:
    packed, plain = both_ways(a_market(Random(seed), method.but(adjustment=change), level, how, share, step))
    assert packed == plain


@settings(max_examples=6)
@given(
    st.integers(0, 10**9),
    st.sampled_from([Zero(), MeterBefore(minutes=45), FixedCapacity(mw=D("3.3")), Nominated()]),
    st.sampled_from(["group", "meter"]),
)
def test_packed_readings_leave_the_same_bytes_by_other_methods(seed: int, method: Method, level: str) -> None:
    packed, plain = both_ways(a_market(Random(seed), method, level, LinearCap(), "0.7", 30))
    assert packed == plain


def test_the_markets_compared_are_paid_short_and_refused() -> None:
    """The properties above compare something: money, reasons, points left out, days refused for gaps."""
    history = Historical(days=10, keep=8, choose="mid", adjustment=SameDayAdjustment(kind="ratio"))
    left = b"".join(
        both_ways(a_market(Random(seed), history, level, LinearCap(), "0.7", 30))[0]
        for seed in range(10)
        for level in ("group", "meter")
    )
    for word in (b"MISSING_READINGS", b'"INCOMPLETE"', b'"RANKED_OUT"', b'"adjustment":"ratio"', b'"amount":"1'):
        assert word in left, word


@pytest.mark.parametrize("level", ["group", "meter"])
def test_a_month_out_of_the_store_leaves_the_same_bytes_read_plainly(market: None, level: str) -> None:
    settling = SettlingMarket()
    settling.rules(name="summer", effective_from="2026-06-01", level=level)
    settling.obligation(meters=("m1", "m2", "m3"), availability_price="3", market_rules="summer")
    tuesday, thursday = date(2026, 6, 16), date(2026, 6, 18)
    settling.instruction(tuesday)
    settling.instruction(thursday)
    settling.read("m1", delivered={tuesday: 1500, thursday: 400})
    settling.read("m2", minutes=15, delivered={tuesday: 300})
    settling.read("m3", days=(date(2026, 5, 20), thursday))
    view = settling.run()
    run = a_run(so=settling.so, first=view.first, last=view.last)
    [found] = gather(run, datetime(2026, 7, 8, 9, tzinfo=UTC))
    assert all(isinstance(series, Packed) for series in found.known.readings.values())
    packed, plain = both_ways(found)
    assert packed == plain
    assert actions_runs.get_run(settling.operator(), view.id).unsettled == 0
