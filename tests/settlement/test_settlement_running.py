"""Claims about whole runs, in memory: totals, order, splits, clock changes, missing readings, shared delivery."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.settlement.baselines import Question, Statement, baseline
from chalicelib.settlement.fingerprints import Prints, fingerprint
from chalicelib.settlement.methods import Nominated, WeeklyTemplate
from chalicelib.settlement.models import Penalty
from chalicelib.settlement.packing import Packed
from chalicelib.settlement.payment import penny
from chalicelib.settlement.points import Point, connected, points_of
from chalicelib.settlement.rules import PRESETS, standing_rules
from chalicelib.settlement.series import Grid, coarsened
from tests.builders.running import (
    a_promise,
    a_run,
    a_stretch,
    account,
    amounts,
    evening,
    inputs,
    read_month,
    told,
)
from tests.builders.settlement import LONDON, evidence, local, rules, utc

MONDAY, TUESDAY, WEDNESDAY = date(2026, 6, 15), date(2026, 6, 16), date(2026, 6, 17)
DAYS = [date(2026, 6, day) for day in range(1, 31)]
few_days = st.lists(st.sampled_from(DAYS), unique=True, max_size=5)
kilowatts = st.integers(-500, 2500)
QUICK = settings(max_examples=15, deadline=None)


def a_market(days: list[date], delivered: list[int], **but: Any) -> Any:
    """One obligation, available every evening, instructed on some days, with what was delivered on each."""
    promise = a_promise(
        availability_price=Decimal("2.35"),
        service_fee=Decimal("1000"),
        stretches=[a_stretch(day) for day in DAYS],
        **but,
    )
    instructions = [evening(day, f"ins_{day}") for day in days]
    readings = {"m1": read_month(dict(zip(days, delivered, strict=False)))}
    return promise, instructions, readings


@QUICK
@given(few_days, st.lists(kilowatts, min_size=5, max_size=5))
def test_totals_are_sums_of_lines_and_every_line_is_in_pennies(days: list[date], delivered: list[int]) -> None:
    promise, instructions, readings = a_market(days, delivered)
    found = account(inputs([promise], instructions, readings))
    assert found.total == sum(line.amount for line in found.lines if line.amount is not None)
    assert all(line.amount is None or line.amount == round(line.amount, 2) for line in found.lines)
    assert [line.ordinal for line in found.lines] == list(range(len(found.lines)))
    assert len({line.id for line in found.lines}) == len(found.lines)


@QUICK
@given(few_days, st.lists(kilowatts, min_size=5, max_size=5), st.integers(0, 10**6))
def test_the_order_of_what_is_put_in_changes_no_byte(days: list[date], delivered: list[int], seed: int) -> None:
    dice = Random(seed)
    promise, instructions, readings = a_market(days, delivered)
    shuffled = {"m1": dict(dice.sample(sorted(readings["m1"].items()), len(readings["m1"])))}
    stretches = dice.sample(promise.stretches, len(promise.stretches))
    other = a_promise(
        availability_price=promise.availability_price, service_fee=promise.service_fee, stretches=stretches
    )
    again = inputs([other], dice.sample(instructions, len(instructions)), shuffled)
    assert told(account(again)) == told(account(inputs([promise], instructions, readings)))


@QUICK
@given(few_days, st.lists(kilowatts, min_size=5, max_size=5))
def test_quarter_hours_that_say_what_half_hours_said_pay_the_same(days: list[date], delivered: list[int]) -> None:
    promise, instructions, readings = a_market(days, delivered)
    quarters = {at + timedelta(minutes=more): mw for at, mw in readings["m1"].items() for more in (0, 15)}
    fine = inputs([promise], instructions, {"m1": quarters}, grid=Grid(15, LONDON))
    assert amounts(account(fine)) == amounts(account(inputs([promise], instructions, readings)))
    assert coarsened(quarters, 15, 30) == readings["m1"]


def test_the_same_inputs_give_the_same_bytes_and_another_reading_another_fingerprint() -> None:
    promise, instructions, readings = a_market([TUESDAY], [800])
    first = account(inputs([promise], instructions, readings))
    assert told(account(inputs([promise], instructions, readings))) == told(first)
    late = {"m1": readings["m1"] | {local(MONDAY, "03:00"): 1}}
    other = account(inputs([promise], instructions, late))
    changed = [
        was.component for was, now in zip(first.lines, other.lines, strict=True) if was.fingerprint != now.fingerprint
    ]
    assert changed == ["utilisation", "recovery"]
    assert amounts(other) == amounts(first)


def test_other_rules_leave_the_fingerprint_and_change_the_version() -> None:
    promise, instructions, readings = a_market([TUESDAY], [800])
    before = account(inputs([promise], instructions, readings))
    terms = rules(version=2, level="meter")
    after = account(inputs([promise], instructions, readings, terms))
    was, now = before.lines[0], after.lines[0]
    assert was.fingerprint == now.fingerprint
    assert (was.rules_version, now.rules_version) == (1, 2)
    by_component = {line.component: line.rules_version for line in after.lines}
    assert by_component == {"utilisation": 2, "availability": 1, "recovery": 2, "service_fee": 1}


@pytest.mark.parametrize(("day", "hours"), [(date(2024, 3, 31), 5), (date(2024, 10, 27), 7), (date(2024, 7, 1), 6)])
def test_a_night_of_a_clock_change_pays_its_hours(day: date, hours: int) -> None:
    """00:00 to 06:00 in Europe/London: availability and utilisation for 5, 7 or 6 hours."""
    start, end = local(day, "00:00"), local(day, "06:00")
    night = evening(day, "ins_1", starts=start, ends=end)
    days = {start + timedelta(minutes=30 * place): 0 for place in range(-48 * 60, 48)}
    metered = days | {at: -(10**9) for at in days if start <= at < end}
    promise = a_promise(
        period_start=day,
        period_end=day,
        availability_price=Decimal(3),
        stretches=[a_stretch(day, "00:00", "06:00")],
    )
    found = account(inputs([promise], [night], {"m1": metered}, first=day, last=day))
    assert amounts(found) == {
        "utilisation": Decimal(100 * hours),
        "availability": Decimal(3 * hours),
        "recovery": Decimal(0),
    }
    assert found.detail.obligations[0].promised_mwh == hours
    assert len(found.detail.instructions[0].periods) == 2 * hours


@QUICK
@given(few_days.filter(bool), st.integers(-3000, 0))
def test_no_delivery_pays_nothing_and_takes_the_availability_back(days: list[date], kw: int) -> None:
    promise, instructions, readings = a_market(days, [kw] * len(days))
    found = account(inputs([promise], instructions, readings))
    assert {line.amount for line in found.lines if line.component == "utilisation"} == {Decimal(0)}
    paid = amounts(found)
    assert (paid["availability"] or 0) + (paid["recovery"] or 0) == 0


@QUICK
@given(st.integers(0, 3), st.integers(0, 2500))
def test_a_reading_that_is_missing_is_never_zero_delivery(place: int, kw: int) -> None:
    promise, instructions, readings = a_market([TUESDAY, WEDNESDAY], [kw, 1000])
    del readings["m1"][local(TUESDAY, "17:00") + timedelta(minutes=30 * place)]
    found = account(inputs([promise], instructions, readings))
    missing, settled = [line for line in found.lines if line.component == "utilisation"]
    assert (missing.amount, missing.reason) == (None, "MISSING_READINGS")
    assert settled.amount == 200
    assert (amounts(found)["recovery"], found.unsettled) == (0, 1)
    detail = found.detail.instructions[0]
    assert (detail.reason, detail.factor, detail.delivered_mwh) == ("MISSING_READINGS", None, None)
    assert {each.requested_mw for each in detail.periods} == {1}


@QUICK
@given(st.integers(0, 4000), st.integers(1, 4), st.integers(1, 4))
def test_what_one_meter_delivered_is_paid_once_among_overlapping_instructions(kw: int, one: int, two: int) -> None:
    asked = [evening(TUESDAY, "ins_1", str(one)), evening(TUESDAY, "ins_2", str(two), obligation_id="obl_2")]
    promises = [a_promise(), a_promise("obl_2", fsp="org_fsp2")]
    cluster = inputs(promises, [asked[0], asked[1].but(fsp="org_fsp2")], {"m1": read_month({TUESDAY: kw})})
    details = [account(cluster, fsp=fsp).detail.instructions[0] for fsp in ("org_fsp1", "org_fsp2")]
    counted = [Fraction(each.counted_mwh or 0) for each in details]
    assert abs(sum(counted) - min(Fraction(2 * kw, 1000), Fraction(2 * (one + two)))) < Fraction(1, 10**6)
    assert abs(counted[0] * two - counted[1] * one) < Fraction(1, 10**6)


@QUICK
@given(few_days, st.lists(kilowatts, min_size=5, max_size=5))
def test_obligations_without_a_meter_in_common_settle_the_same_together_and_apart(
    days: list[date], delivered: list[int]
) -> None:
    promise, instructions, readings = a_market(days, delivered)
    other = a_promise("obl_2", window_name="Morning")
    theirs = [evening(day, f"ins_b{day}", point="m2", obligation_id="obl_2") for day in days]
    both = readings | {"m2": readings["m1"]}
    together = account(inputs([promise, other], [*instructions, *theirs], both))
    apart = account(inputs([promise], instructions, both), inputs([other], theirs, both)) if days else None
    assert apart is None or told(together) == told(apart)


def test_another_operators_instruction_shares_and_gets_no_line_and_no_meter_is_named() -> None:
    shared = evening(TUESDAY, "ins_1")
    other = evening(TUESDAY, "ins_2", obligation_id="obl_9", so="org_so9", fsp="org_fsp9")
    other = other.but(members=(*other.members, other.members[0].but(point="m9", meters=("m9",))))
    readings = {"m1": read_month({TUESDAY: 1000}), "m9": read_month()}
    found = account(inputs([a_promise()], [shared, other], readings, rules={"ins_1": rules(level="meter")}))
    assert amounts(found) == {"utilisation": Decimal("100.00")}
    assert [each.point for each in found.detail.instructions[0].baselines] == ["m1"]


def test_declined_and_expired_have_no_line_and_failed_bears_the_penalty() -> None:
    terms = rules(performance=Penalty(price=Decimal(11)))
    promise = a_promise(availability_price=Decimal(2), stretches=[a_stretch(TUESDAY)])
    asked = [evening(TUESDAY, f"ins_{state}", state=state) for state in ("declined", "expired", "failed", "cancelled")]
    found = account(inputs([promise], asked, {}, terms))
    assert [(line.instruction_id, line.component, line.amount) for line in found.lines] == [
        ("ins_failed", "utilisation", Decimal(0)),
        ("ins_failed", "penalty", Decimal(-22)),
        (None, "availability", Decimal(4)),
        (None, "recovery", Decimal(-4)),
    ]
    assert {each.state for each in found.detail.instructions} == {"declined", "expired", "failed"}


def test_late_unavailability_counts_as_not_delivered_for_its_energy() -> None:
    """2 MWh delivered whole, 1 MWh taken back late: F = 2/3."""
    late = a_stretch(WEDNESDAY, "17:00", "18:00", available_mw=Decimal(0), late=True)
    promise = a_promise(availability_price=Decimal(3), stretches=[a_stretch(TUESDAY), late])
    found = account(inputs([promise], [evening(TUESDAY, "ins_1")], {"m1": read_month({TUESDAY: 1000})}))
    assert amounts(found) == {
        "utilisation": Decimal(200),
        "availability": Decimal(6),
        "recovery": Decimal(-2),
    }


def test_f_of_months_before_counts_where_nothing_was_instructed_and_is_shown() -> None:
    before = {"2026-02": Fraction(0), "2026-03": Fraction(1, 2), "2026-04": Fraction(1), "2026-05": Fraction(3, 4)}
    promise = a_promise(availability_price=Decimal(3), stretches=[a_stretch(TUESDAY)], performed=before)
    found = account(inputs([promise], [], {}))
    assert amounts(found)["recovery"] == penny(Fraction(-6) * (1 - Fraction(3, 4)))
    assert found.detail.obligations[0].performance_from == "months before"
    without = a_promise(
        terms=rules(recovery_months=0), availability_price=Decimal(3), stretches=[a_stretch(TUESDAY)], performed=before
    )
    found = account(inputs([without], [], {}))
    assert (amounts(found)["recovery"], found.detail.obligations[0].performance_from) == (Decimal(0), "nothing")


def test_rules_without_recovery_have_no_such_line() -> None:
    terms = rules(availability_recovery=False)
    promise = a_promise(terms=terms, availability_price=Decimal(3), stretches=[a_stretch(TUESDAY)])
    assert amounts(account(inputs([promise], [], {}))) == {"availability": Decimal(6)}


def test_shares_of_the_service_fee_come_to_the_whole_over_the_months_of_its_period() -> None:
    promise = a_promise(service_fee=Decimal("1000.01"), period_start=date(2026, 5, 20), period_end=date(2026, 7, 3))
    shares = []
    for first, last in (("2026-05-01", "2026-05-31"), ("2026-06-01", "2026-06-30"), ("2026-07-01", "2026-07-31")):
        days = {"first": date.fromisoformat(first), "last": date.fromisoformat(last)}
        shares.append(amounts(account(inputs([promise], [], {}, **days), run=a_run(**days)))["service_fee"])
    assert shares == [Decimal("266.67"), Decimal("666.67"), Decimal("66.67")]
    assert sum(share for share in shares if share is not None) == Decimal("1000.01")


def test_an_obligation_of_which_nothing_is_to_be_said_has_no_account() -> None:
    promise = a_promise(service_fee=Decimal(5), period_end=date(2026, 7, 31))
    with pytest.raises(ValueError, match="not enough values"):
        account(inputs([promise], [], {}, last=date(2026, 6, 29)))


def test_a_cluster_hashes_the_same_whoever_asks_first() -> None:
    one, two = evening(TUESDAY, "ins_1"), evening(TUESDAY, "ins_2")
    known = evidence({"m1": read_month()}, events={"m1": [one.span, two.span]})
    prints, back = Prints([one, two], known), Prints([two, one], known)
    assert (prints.of_instruction(one), prints.of_instruction(two)) == (
        back.of_instruction(one),
        back.of_instruction(two),
    )
    assert prints.of_instruction(one) != prints.of_instruction(two)
    assert fingerprint(None, 1, Decimal("1.0"), [TUESDAY]) != fingerprint(None, 1, Decimal("1.1"), [TUESDAY])


def test_assets_with_a_meter_in_common_are_one_point() -> None:
    found = points_of({"a": ["in", "out"], "b": ["out"], "c": ["other"], "d": []})
    assert found["a"] == found["b"] == Point(("in", "out"), ("a", "b"))
    assert [found[asset].name for asset in "acd"] == ["in + out", "other", "d"]
    assert connected({"x": ["1", "2"], "y": ["3"], "z": ["2", "3"], "w": []}) == [("w",), ("x", "y", "z")]


@given(
    st.dictionaries(st.integers(0, 400), st.integers(-(10**12), 10**12), max_size=30),
    st.sampled_from([30, 15, 5, 1]),
)
def test_packed_readings_are_the_readings(values: dict[int, int], minutes: int) -> None:
    start = utc("2026-03-28T22:00:00")
    series = {start + timedelta(minutes=minutes * place): value for place, value in values.items()}
    packed = Packed(series, minutes)
    assert dict(packed) == series
    assert len(packed) == len(series)
    assert all(packed.get(at) == value for at, value in series.items())
    for outside in (start - timedelta(minutes=minutes), start + timedelta(seconds=7), start + timedelta(days=99)):
        assert (outside in packed) == (outside in series)


def test_a_period_is_coarsened_only_from_all_of_its_parts() -> None:
    at = utc("2026-06-01T10:00:00")
    quarters = {at: 1, at + timedelta(minutes=15): 4, at + timedelta(minutes=30): 7}
    assert coarsened(quarters, 15, 30) == {at: 2}
    assert coarsened(quarters, 15, 15) == quarters


def test_rules_that_stand_are_the_operators_own_and_before_its_first_those_that_ship() -> None:
    own = [rules(name="summer", version=number, effective_from=f"2026-0{number + 4}-01") for number in (1, 2)]
    assert standing_rules(own, "summer", date(2026, 5, 31)) == own[0]
    assert standing_rules(own, "summer", date(2026, 6, 1)) == own[1]
    early = standing_rules(own, "summer", date(2026, 4, 30))
    assert (early.name, early.version) == ("standard agreement", 0)
    assert standing_rules(own, None, TUESDAY) == early
    assert standing_rules(own, "grace and slope", TUESDAY) == PRESETS["grace and slope"].but(version=0)


def test_a_half_hour_of_a_schedule_speaks_for_its_quarters_and_a_template_is_no_schedule() -> None:
    at = local(TUESDAY, "17:00")
    sent = at - timedelta(days=2)
    schedule, week = Statement(sent, {at: 7 * 10**9}), Statement(sent + timedelta(hours=1), {(1, 34): 8 * 10**9})
    asked = Question((at, at + timedelta(minutes=30)), Grid(15, LONDON), statements=(schedule, week))
    assert set(baseline(Nominated(), asked, {}).values.values()) == {7 * 10**9}
    assert set(baseline(WeeklyTemplate(), asked, {}).values.values()) == {8 * 10**9}
    only_week = Question((at, at + timedelta(minutes=30)), Grid(15, LONDON), statements=(week,))
    assert not baseline(Nominated(), only_week, {}).is_sufficient
