"""The golden figures of page 7, from public sources; they hold to the penny."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from chalicelib.kernel.periods import at_clock, half_hours_in
from chalicelib.settlement.methods import FixedCapacity
from chalicelib.settlement.models import GraceSlope, LinearCap, Penalty
from chalicelib.settlement.payment import total
from chalicelib.settlement.performance import factor
from chalicelib.settlement.series import Grid
from chalicelib.settlement.settling import settle_instructions
from tests.builders.settlement import KW, a_member, an_instruction, evidence, rules, utc

HOURLY = Grid(60, ZoneInfo("UTC"))
HOUR = utc("2026-06-17T17:00")


@pytest.mark.parametrize(("metered", "paid"), [(7, "14"), (8, "14"), (9, "-4"), (10, "-22"), (11, "-33")])
def test_one_the_one_sided_penalty_of_usef(metered: int, paid: str) -> None:
    instruction = an_instruction(mw="2", starts=HOUR, ends=utc("2026-06-17T18:00"), utilisation_price="7")
    terms = rules(performance=Penalty(price=Decimal(11)), baseline=FixedCapacity(mw=Decimal(10)))
    known = evidence({"m1": {HOUR: metered * 1000 * KW}}, grid=HOURLY)
    [settled] = settle_instructions([instruction], {instruction.id: terms}, known)
    assert total(settled.amounts.values()) == Decimal(paid)


def test_two_a_quarters_utilisation_fully_delivered() -> None:
    start = utc("2026-06-01T00:00")
    periods = list(half_hours_in((start, start.replace(day=6, hour=9))))
    assert len(periods) == 129 * 2
    instruction = an_instruction(
        mw="0.1245", starts=start, ends=start.replace(day=6, hour=9), utilisation_price="181.20"
    )
    terms = rules(performance=LinearCap(), baseline=FixedCapacity(mw=Decimal(1)))
    known = evidence({"m1": dict.fromkeys(periods, 800 * KW)})
    [settled] = settle_instructions([instruction], {instruction.id: terms}, known)
    assert settled.amounts == {"utilisation": Decimal("2910.16")}


@pytest.mark.parametrize(
    ("ratio", "f"),
    [
        ("1", "1"),
        ("0.95", "1"),
        ("0.94", "0.97"),
        ("0.90", "0.85"),
        ("0.85", "0.70"),
        ("0.80", "0.55"),
        ("0.70", "0.25"),
        ("0.63", "0.04"),
        ("0.6166", "0"),
    ],
)
def test_three_grace_and_slope(ratio: str, f: str) -> None:
    assert factor(GraceSlope(), Fraction(ratio)) == Fraction(f)


def test_four_delivered_energy_at_two_meters() -> None:
    members = (a_member("m1", "0.05"), a_member("m2", "0.05"))
    instruction = an_instruction(
        mw="0.1", starts=HOUR, ends=utc("2026-06-17T18:00"), utilisation_price="3500", members=members
    )
    terms = rules(paid_volume="delivered", level="meter", baseline=FixedCapacity(mw=Decimal("0.2")))
    known = evidence({"m1": {HOUR: 50 * KW}, "m2": {HOUR: 55 * KW}}, grid=HOURLY)
    [settled] = settle_instructions([instruction], {instruction.id: terms}, known)
    assert settled.amounts == {"utilisation": Decimal("332.50")}


@pytest.mark.parametrize(("day", "hours"), [(date(2024, 3, 31), 5), (date(2024, 10, 27), 7)])
def test_five_a_window_over_a_clock_change_pays_the_hours_there_were(day: date, hours: int) -> None:
    london = ZoneInfo("Europe/London")
    span = (at_clock(day, 0, london, "first"), at_clock(day, 6 * 60, london, "second"))
    instruction = an_instruction(mw="1", starts=span[0], ends=span[1], utilisation_price="100")
    terms = rules(baseline=FixedCapacity(mw=Decimal(3)))
    known = evidence({"m1": dict.fromkeys(half_hours_in(span), 2000 * KW)})
    [settled] = settle_instructions([instruction], {instruction.id: terms}, known)
    assert settled.amounts == {"utilisation": Decimal(100 * hours)}
    assert settled.performed.megawatt_hours == hours
