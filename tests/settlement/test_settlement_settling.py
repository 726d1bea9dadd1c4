"""Claims about settling: who is left out, what concurrent instructions share, what each factor pays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.settlement.baselines import Statement
from chalicelib.settlement.methods import FixedCapacity, MeterBefore, Nominated, SameDayAdjustment, Zero
from chalicelib.settlement.models import (
    FloorLinear,
    GraceSlope,
    LinearCap,
    MarketRules,
    Penalty,
    Performance,
    ScheduleAccuracy,
    Step,
    Threshold,
)
from chalicelib.settlement.payment import total
from chalicelib.settlement.performance import factor, schedule_accuracy
from chalicelib.settlement.series import Series
from chalicelib.settlement.settling import Settled, settle_instructions
from chalicelib.settlement.sharing import members_of, settled_together
from tests.builders.settlement import (
    EVENT_DAY,
    KW,
    a_member,
    an_instruction,
    days_back,
    evidence,
    flat_days,
    local,
    rules,
)

MW = 1000
BASE = rules(baseline=FixedCapacity(mw=Decimal(10)))
STEPS = Step(
    thresholds=(
        Threshold(ratio=Decimal("0.6"), factor=Decimal("0.5")),
        Threshold(ratio=Decimal("0.9"), factor=Decimal(1)),
    )
)
FACTORS: list[Performance] = [LinearCap(), FloorLinear(), GraceSlope(), STEPS, Penalty(price=Decimal(50))]


def metered(level_mw: float, **hours: float) -> dict[Any, int]:
    """The event day at a level, MW; `h18=3.0` for another level in an hour of the local clock."""
    moments = flat_days({EVENT_DAY: 0})
    shift = timedelta(hours=1)
    return {at: round(hours.get(f"h{(at + shift).hour}", level_mw) * MW * KW) for at in moments}


def settle(
    *instructions: Any, terms: MarketRules = BASE, readings: Mapping[str, Series] | None = None, **but: Any
) -> list[Settled]:
    known = evidence(readings if readings is not None else {"m1": metered(9)}, **but)
    return settle_instructions(list(instructions), {each.id: terms for each in instructions}, known)


def test_full_delivery_pays_what_was_asked() -> None:
    [settled] = settle(an_instruction())
    assert settled.amounts == {"utilisation": Decimal("200.00")}
    assert (settled.ratio, settled.factor, settled.performed.f) == (1, 1, 1)


def test_more_than_asked_pays_no_more_and_less_in_another_period_is_not_made_up() -> None:
    [settled] = settle(an_instruction(), readings={"m1": metered(10, h17=8, h18=9.5)})
    assert settled.ratio == Fraction(3, 4)
    assert settled.amounts == {"utilisation": Decimal("150.00")}


def test_over_delivery_counts_as_far_as_the_rules_let_it() -> None:
    terms = BASE.but(over_delivery=Decimal("1.5"), paid_volume="delivered")
    [settled] = settle(an_instruction(), terms=terms, readings={"m1": metered(8)})
    assert settled.amounts == {"utilisation": Decimal("300.00")}
    assert settled.ratio == 1


def test_an_excess_is_met_by_using_more() -> None:
    [settled] = settle(an_instruction(direction="excess"), readings={"m1": metered(10.5)})
    assert settled.ratio == Fraction(1, 2)


def test_negative_delivery_is_shown_and_pays_nothing() -> None:
    [settled] = settle(an_instruction(), readings={"m1": metered(11)})
    assert {row.delivered for row in settled.deliveries} == {-MW * KW}
    assert settled.amounts == {"utilisation": Decimal("0.00")}


def test_an_instruction_within_a_period_asks_for_its_mean() -> None:
    start = local(EVENT_DAY, "17:00")
    short = an_instruction(starts=start, ends=start + timedelta(minutes=15))
    [settled] = settle(short, readings={"m1": metered(9.5)})
    assert settled.ratio == 1
    assert settled.amounts == {"utilisation": Decimal("25.00")}


def test_import_and_export_channels_are_netted() -> None:
    member = a_member(meters=("in", "out"))
    readings = {"in": metered(12), "out": metered(-3)}
    [settled] = settle(an_instruction(members=(member,)), readings=readings)
    assert settled.ratio == 1


def test_missing_readings_are_never_zero_delivery() -> None:
    [settled] = settle(an_instruction(), readings={})
    assert (settled.reason, settled.amounts, settled.performed.f) == ("MISSING_READINGS", {}, None)
    assert settled.left_out == (("m1", "MISSING_READINGS"),)


def two_members(second: str = "0.1") -> Any:
    return an_instruction(members=(a_member("m1", "0.9"), a_member("m2", second)))


def test_a_small_meter_without_readings_is_left_out_of_both_sides_and_listed() -> None:
    terms = rules(baseline=FixedCapacity(mw=Decimal(10)))
    [settled] = settle(two_members(), terms=terms, readings={"m1": metered(8.1)})
    assert settled.left_out == (("m2", "MISSING_READINGS"),)
    assert settled.ratio == Fraction(9, 10)


def test_more_than_the_share_that_may_be_missing_settles_nothing() -> None:
    [settled] = settle(two_members("0.2"), readings={"m1": metered(9)})
    assert settled.reason == "MISSING_READINGS"
    [none] = settle(an_instruction(members=()))
    assert none.reason == "MISSING_READINGS"


def test_a_history_too_short_is_insufficient_and_says_so() -> None:
    [settled] = settle(an_instruction(), terms=rules())
    assert (settled.reason, settled.amounts) == ("INSUFFICIENT_BASELINE", {})


def test_gaps_that_fall_apart_leave_the_group_without_history() -> None:
    readings = {name: flat_days(days_back(10) | {EVENT_DAY: 100}) for name in ("m1", "m2")}
    days = sorted({at.date() for at in readings["m1"] if at.date() < EVENT_DAY and at.weekday() < 5})
    for name, gaps in (("m1", days[:3]), ("m2", days[3:])):
        for day in gaps:
            del readings[name][local(day, "17:00")]
    terms = rules(baseline=rules().baseline.but(minimum_days=3))
    members = (a_member("m1"), a_member("m2"))
    [settled] = settle(an_instruction(members=members), terms=terms, readings=readings)
    assert settled.left_out == ()
    assert settled.reason == "INSUFFICIENT_BASELINE"


def test_readings_missing_before_the_event_are_missing_to_a_baseline_that_needs_them() -> None:
    event = {at: watts for at, watts in metered(9).items() if at >= local(EVENT_DAY, "17:00")}
    [settled] = settle(an_instruction(), terms=rules(baseline=MeterBefore()), readings={"m1": event})
    assert settled.reason == "MISSING_READINGS"
    adjusting = rules(baseline=rules().baseline.but(adjustment=SameDayAdjustment(kind="ratio")))
    [settled] = settle(an_instruction(), terms=adjusting, readings={"m1": flat_days(days_back(40)) | event})
    assert settled.reason == "MISSING_READINGS"


def test_the_group_is_summed_first_and_meters_stand_alone_by_meter() -> None:
    """One meter delivers twice its part, the other nothing: the group made it, by meter it did not."""
    instruction = an_instruction(members=(a_member("m1", "0.5"), a_member("m2", "0.5")))
    readings = {"m1": metered(4), "m2": metered(5)}
    [group] = settle(instruction, readings=readings)
    [meter] = settle(instruction, terms=BASE.but(level="meter"), readings=readings)
    assert group.ratio == 1
    assert meter.ratio == Fraction(1, 2)
    assert [name for name, _ in meter.baselines] == ["m1", "m2"]


def test_history_of_the_group_and_by_meter_leave_out_event_days_of_any_operator() -> None:
    history = flat_days(days_back(40) | {EVENT_DAY: 100})
    other = (local(date(2026, 6, 16), "03:00"), local(date(2026, 6, 16), "04:00"))
    outages = {"m1": frozenset({date(2026, 6, 15)})}
    for level in ("group", "meter"):
        terms = rules(level=level)
        [settled] = settle(
            an_instruction(), terms=terms, readings={"m1": history}, events={"m1": [other]}, outage_days=outages
        )
        refused = dict(settled.baselines[0][1].days_refused)
        assert refused[date(2026, 6, 16)] == "EVENT_DAY"
        assert refused[date(2026, 6, 15)] == "OUTAGE_DAY"


def test_concurrent_instructions_share_what_one_meter_delivered_once() -> None:
    one, two = an_instruction("ins_1", "1"), an_instruction("ins_2", "3", so="org_so2")
    first, second = settle(one, two, readings={"m1": metered(8)})
    assert (first.ratio, second.ratio) == (Fraction(1, 2), Fraction(1, 2))
    delivered = sum(row.counted * row.hours for row in (*first.deliveries, *second.deliveries))
    assert delivered == 2 * MW * KW * 2


def test_another_operators_instruction_takes_its_share_and_gets_no_line() -> None:
    one, two = an_instruction("ins_1", "1"), an_instruction("ins_2", "1", so="org_so2")
    known = evidence({"m1": metered(9)})
    [settled] = settle_instructions([one, two], {"ins_1": BASE}, known)
    assert settled.ratio == Fraction(1, 2)


def test_who_is_settled_together() -> None:
    start = local(EVENT_DAY, "17:00")
    hour = timedelta(hours=1)

    def at(id_: str, begins: int, ends: int, *points: str, **but: Any) -> Any:
        members = tuple(a_member(point) for point in points)
        return an_instruction(id_, starts=start + begins * hour, ends=start + ends * hour, members=members, **but)

    groups = settled_together(
        [
            at("a", 0, 2, "m1"),
            at("b", 1, 3, "m1", "m2"),
            at("c", 2, 4, "m2"),
            at("d", 2, 3, "m1", direction="excess"),
            at("e", 4, 5, "m2"),
            at("f", 0, 9, "m9"),
            at("g", 3, 4, "m1"),
        ]
    )
    assert [[each.id for each in group] for group in groups] == [["a", "b", "c"], ["f"], ["d"], ["g"], ["e"]]
    long_one = settled_together([at("a", 0, 9, "m1"), at("b", 1, 2, "m1"), at("c", 3, 4, "m1")])
    assert [[each.id for each in group] for group in long_one] == [["a", "b", "c"]]


def test_a_point_behind_two_instructions_counts_once_with_its_larger_share() -> None:
    one = an_instruction("a", members=(a_member("m1", "1"),))
    two = an_instruction("b", members=(a_member("m1", "2"), a_member("m2", "1")))
    assert [(each.point, each.capacity_mw) for each in members_of((one, two))] == [
        ("m1", Decimal(2)),
        ("m2", Decimal(1)),
    ]


def test_points_without_stated_capacity_share_alike() -> None:
    instruction = an_instruction(members=(a_member("m1", "0"), a_member("m2", "0")))
    [settled] = settle(instruction, terms=BASE.but(level="meter"), readings={"m1": metered(4.5), "m2": metered(4.5)})
    assert settled.ratio == 1


def test_what_was_never_run_pays_nothing_and_counts_nothing_delivered() -> None:
    for state in ("declined", "expired"):
        [settled] = settle(an_instruction(state=state, acknowledged_mw="0"))
        assert (settled.amounts, settled.performed.f, settled.performed.megawatt_hours) == ({}, 0, 2)
    for state in ("scheduled", "sent", "cancelled"):
        assert settle(an_instruction(state=state)) == []


def test_a_failed_instruction_pays_nothing_and_bears_its_penalty() -> None:
    [failed] = settle(an_instruction(state="failed"))
    assert failed.amounts == {"utilisation": Decimal(0)}
    terms = BASE.but(performance=Penalty(price=Decimal(11)))
    [charged] = settle(an_instruction(state="failed"), terms=terms)
    assert total(charged.amounts.values()) == Decimal("-22.00")


def test_a_failed_instruction_of_another_operator_is_none_of_ours() -> None:
    known = evidence({})
    assert settle_instructions([an_instruction(state="failed")], {}, known) == []


def test_the_month_is_judged_on_what_was_instructed_within_what_was_available() -> None:
    part = an_instruction(mw="1", acknowledged_mw="0.5")
    [settled] = settle(part, readings={"m1": metered(9.5)})
    assert (settled.factor, settled.performed.f) == (1, Fraction(1, 2))
    declared = an_instruction(mw="1", acknowledged_mw="0.5", available_mw="0.5")
    [settled] = settle(declared, readings={"m1": metered(9.5)})
    assert settled.performed.f == 1
    assert settled.performed.megawatt_hours == 1


def test_nothing_acknowledged_shares_nothing() -> None:
    [settled] = settle(an_instruction(acknowledged_mw="0"))
    assert settled.amounts == {"utilisation": Decimal(0)}


def test_without_a_price_there_is_no_utilisation_line() -> None:
    [settled] = settle(an_instruction(utilisation_price=None))
    assert settled.amounts == {}


def test_thresholds_pay_from_the_highest_reached() -> None:
    assert [factor(STEPS, Fraction(part, 10)) for part in (10, 9, 8, 6, 5)] == [1, 1, Fraction(1, 2), Fraction(1, 2), 0]


def test_floors_pay_nothing_below_and_all_delivered_from_there_on() -> None:
    floor = BASE.but(performance=FloorLinear(floor=Decimal("0.8")), paid_volume="delivered")
    [below] = settle(an_instruction(), terms=floor, readings={"m1": metered(9.25)})
    [above] = settle(an_instruction(), terms=floor, readings={"m1": metered(9.2)})
    assert below.amounts == {"utilisation": Decimal(0)}
    assert above.amounts == {"utilisation": Decimal(160)}
    instructed = BASE.but(performance=FloorLinear(floor=Decimal("0.8")))
    [below] = settle(an_instruction(), terms=instructed, readings={"m1": metered(9.25)})
    assert below.amounts == {"utilisation": Decimal(0)}


ACCURATE = rules(performance=ScheduleAccuracy(), baseline=Nominated())


def nominated(level_mw: float, **hours: float) -> dict[str, list[Statement]]:
    return {"m1": [Statement(local(EVENT_DAY, "00:00") - timedelta(days=1), metered(level_mw, **hours))]}  # type: ignore[arg-type]


def test_schedule_accuracy_is_judged_outside_events() -> None:
    [exact] = settle(
        an_instruction(), terms=ACCURATE, readings={"m1": metered(10, h17=2, h18=2)}, statements=nominated(10)
    )
    assert exact.factor == 1
    [loose] = settle(an_instruction(), terms=ACCURATE, readings={"m1": metered(10)}, statements=nominated(9))
    assert loose.factor == Fraction(85, 100)


def test_schedule_accuracy_needs_a_schedule_outside_the_event() -> None:
    [none] = settle(an_instruction(), terms=ACCURATE, readings={"m1": metered(10)})
    assert none.reason == "INSUFFICIENT_BASELINE"
    only_event = {
        at: mw for at, mw in metered(10).items() if local(EVENT_DAY, "17:00") <= at < local(EVENT_DAY, "19:00")
    }
    sent = {"m1": [Statement(local(EVENT_DAY, "00:00"), only_event)]}  # type: ignore[arg-type]
    [silent] = settle(an_instruction(), terms=ACCURATE, readings={"m1": metered(10)}, statements=sent)
    assert silent.reason == "INSUFFICIENT_BASELINE"


def test_schedule_accuracy_with_another_baseline_cannot_be_judged() -> None:
    terms = rules(performance=ScheduleAccuracy(), baseline=Zero())
    [settled] = settle(an_instruction(direction="excess"), terms=terms)
    assert settled.reason == "INSUFFICIENT_BASELINE"


def test_a_mean_near_zero_tells_nothing_of_a_schedule() -> None:
    assert schedule_accuracy([(5, 100)], Decimal("0.001")) is None
    assert schedule_accuracy([(10**9, 0), (10**9, 10**9)], Decimal("0.001")) == Fraction(1, 2)
    assert schedule_accuracy([(0, 5)], Decimal(0)) is None


LEVELS = st.integers(0, 20_000).map(lambda kw: kw / 1000)


@given(st.sampled_from(FACTORS), LEVELS, LEVELS)
def test_pay_never_falls_as_delivery_grows(how: Performance, one: float, other: float) -> None:
    terms = BASE.but(performance=how)
    more, less = sorted((one, other))
    [high] = settle(an_instruction(mw="2"), terms=terms, readings={"m1": metered(more)})
    [low] = settle(an_instruction(mw="2"), terms=terms, readings={"m1": metered(less)})
    assert total(high.amounts.values()) >= total(low.amounts.values())


@given(st.sampled_from(FACTORS), st.integers(10_000, 30_000))
def test_no_delivery_no_pay(how: Performance, kw: int) -> None:
    [settled] = settle(an_instruction(), terms=BASE.but(performance=how), readings={"m1": metered(kw / 1000)})
    assert total(settled.amounts.values()) <= 0


@given(LEVELS, LEVELS, st.integers(1, 9_000), st.integers(1, 9_000))
def test_what_concurrent_instructions_are_credited_is_never_more_than_was_delivered(
    level: float, later: float, one: int, other: int
) -> None:
    first = an_instruction("ins_1", str(Decimal(one) / 1000))
    second = an_instruction("ins_2", str(Decimal(other) / 1000), starts=local(EVENT_DAY, "18:00"))
    settled = settle(first, second, readings={"m1": metered(level, h18=later)})
    for period in {row.period for each in settled for row in each.deliveries}:
        rows = [row for each in settled for row in each.deliveries if row.period == period]
        delivered = 10 * MW * KW - metered(level, h18=later)[period]
        assert sum(row.delivered for row in rows) == delivered
        assert sum(row.counted for row in rows) <= max(delivered, 0)


@given(st.integers(1, 30), st.randoms(use_true_random=False))
def test_splitting_readings_or_shuffling_them_changes_no_amount(kw: int, random: Any) -> None:
    from chalicelib.settlement.series import Grid
    from tests.builders.settlement import LONDON

    coarse = metered(10 - kw / 20)
    fine = {at + timedelta(minutes=5 * n): watts for at, watts in coarse.items() for n in range(6)}
    items = list(fine.items())
    random.shuffle(items)
    [one] = settle(an_instruction(), readings={"m1": coarse})
    [other] = settle(an_instruction(), readings={"m1": dict(items)}, grid=Grid(5, LONDON))
    assert one.amounts == other.amounts


@pytest.mark.parametrize("how", FACTORS, ids=lambda how: how.kind)
def test_the_same_inputs_settle_to_the_same_values(how: Performance) -> None:
    def once() -> list[Settled]:
        return settle(an_instruction(), terms=BASE.but(performance=how))

    assert once() == once()
    assert [each.baselines[0][1].fingerprint for each in once()] == [
        each.baselines[0][1].fingerprint for each in once()
    ]
