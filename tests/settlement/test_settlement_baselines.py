"""Claims about baselines: which days count, how they are ranked and averaged, and what is told of them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.settlement.baselines import Statement, baseline, windows
from chalicelib.settlement.methods import (
    PRESETS,
    FixedCapacity,
    FixedReference,
    Historical,
    MeterBefore,
    Nominated,
    SameDayAdjustment,
    WeeklyTemplate,
    Zero,
    preset,
)
from chalicelib.settlement.packing import Summed, completeness, netted
from chalicelib.settlement.series import Grid
from tests.builders.settlement import (
    EVENT_DAY,
    HALF_HOURLY,
    KW,
    LONDON,
    a_question,
    days_back,
    flat_days,
    local,
    utc,
)

MID = PRESETS["mid-8-of-10"]
WORKING_BEFORE = [date(2026, 6, day) for day in (16, 15, 12, 11, 10, 9, 8, 5, 4, 3)]


def levels(values: list[int]) -> dict[date, int]:
    """One level per working day before the event, latest first, kW, and 1 kW on weekends."""
    return days_back(14, 1) | dict(zip(WORKING_BEFORE, values, strict=False))


def only(found: object) -> set[Fraction]:
    return {value / KW for value in found.values.values()}  # type: ignore[attr-defined]


def test_mid_eight_of_ten_leaves_out_the_highest_and_the_lowest_day() -> None:
    found = baseline(MID, a_question(), flat_days(levels([100, 200, 10, 100, 100, 100, 100, 100, 100, 100])))
    assert only(found) == {Fraction(100)}
    assert len(found.days_used) == 8
    assert {(day, why) for day, why in found.days_refused if why == "RANKED_OUT"} == {
        (date(2026, 6, 15), "RANKED_OUT"),
        (date(2026, 6, 12), "RANKED_OUT"),
    }


def test_high_five_of_ten_means_the_five_highest() -> None:
    found = baseline(PRESETS["high-5-of-10"], a_question(), flat_days(levels([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])))
    assert only(found) == {Fraction(8)}


def test_ten_of_ten_means_all() -> None:
    found = baseline(PRESETS["10-of-10"], a_question(), flat_days(levels([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])))
    assert only(found) == {Fraction(55, 10)}


def test_weekends_have_two_days_of_their_own_class() -> None:
    saturday = date(2026, 6, 20)
    method = PRESETS["5 working / 2 non-working"]
    found = baseline(method, a_question(day=saturday), flat_days(days_back(20, 7, saturday)))
    assert found.days_used == (date(2026, 6, 13), date(2026, 6, 14))


def test_rolling_working_days_serve_weekends_too() -> None:
    saturday = date(2026, 6, 20)
    found = baseline(PRESETS["rolling 5 working days"], a_question(day=saturday), flat_days(days_back(20, 7, saturday)))
    assert found.days_used == tuple(date(2026, 6, day) for day in range(15, 20))


def test_any_class_takes_the_calendar_days_before() -> None:
    method = Historical(days=5, keep=5, day_class="any")
    found = baseline(method, a_question(), flat_days(days_back(20)))
    assert found.days_used == tuple(EVENT_DAY - timedelta(days=back) for back in range(5, 0, -1))


def test_event_days_outages_and_incomplete_days_are_refused_with_the_reason() -> None:
    readings = flat_days(days_back(40))
    for moment in [moment for moment in readings if moment.astimezone(LONDON).date() == date(2026, 6, 12)]:
        del readings[moment]
    asked = a_question(event_days=frozenset({date(2026, 6, 16)}), outage_days=frozenset({date(2026, 6, 15)}))
    found = baseline(PRESETS["10-of-10"], asked, readings)
    assert found.is_sufficient
    assert found.days_refused == (
        (date(2026, 6, 12), "INCOMPLETE"),
        (date(2026, 6, 15), "OUTAGE_DAY"),
        (date(2026, 6, 16), "EVENT_DAY"),
    )


def test_exclusions_may_be_turned_off() -> None:
    method = Historical(days=5, keep=5, exclude_event_days=False, exclude_outage_days=False, exclude_holidays=False)
    days = frozenset(WORKING_BEFORE)
    found = baseline(method, a_question(event_days=days, outage_days=days), flat_days(days_back(14)))
    assert len(found.days_used) == 5


def test_a_holiday_is_not_a_working_day_and_no_ones_history() -> None:
    holiday = date(2026, 6, 15)
    working = baseline(PRESETS["10-of-10"], a_question(holidays=frozenset({holiday})), flat_days(days_back(40)))
    assert holiday not in working.days_used
    saturday = date(2026, 6, 20)
    asked = a_question(day=saturday, holidays=frozenset({holiday}))
    weekend = baseline(PRESETS["5 working / 2 non-working"], asked, flat_days(days_back(20, 7, saturday)))
    assert (holiday, "HOLIDAY") in weekend.days_refused


def test_too_few_days_are_insufficient_and_never_zero() -> None:
    found = baseline(MID, a_question(), flat_days(days_back(6)))
    assert found.status == "INSUFFICIENT"
    assert found.values == {}
    assert found.why == "4 eligible days in the last 45, 5 are needed"


def test_five_days_are_enough_and_the_outer_two_are_left_out() -> None:
    found = baseline(MID, a_question(), flat_days({day: 10 * n for n, day in enumerate(WORKING_BEFORE[:5], 1)}))
    assert only(found) == {Fraction(30)}
    assert len(found.days_used) == 3


def test_one_or_two_days_are_kept_whole_where_the_rules_allow_so_few() -> None:
    method = MID.but(minimum_days=2)
    found = baseline(method, a_question(), flat_days({WORKING_BEFORE[0]: 10, WORKING_BEFORE[1]: 20}))
    assert only(found) == {Fraction(15)}


def test_look_back_ends() -> None:
    found = baseline(MID.but(look_back_days=6), a_question(), flat_days(days_back(40)))
    assert found.status == "INSUFFICIENT"


def test_ties_at_a_cut_go_to_the_more_recent_day() -> None:
    found = baseline(PRESETS["high-5-of-10"], a_question(), flat_days(days_back(20)))
    assert found.days_used == tuple(sorted(WORKING_BEFORE[:5]))
    middle = baseline(MID, a_question(), flat_days(days_back(20)))
    assert set(WORKING_BEFORE) - set(middle.days_used) == set(WORKING_BEFORE[-2:])


def test_ranking_by_interval_chooses_anew_in_each_period() -> None:
    readings = flat_days(levels([100] * 10))
    readings[local(WORKING_BEFORE[0], "17:00")] = 1000 * KW
    readings[local(WORKING_BEFORE[1], "18:00")] = 1000 * KW
    by_day = baseline(MID, a_question(), readings)
    by_interval = baseline(MID.but(rank="interval"), a_question(), readings)
    assert only(by_interval) == {Fraction(100)}
    assert only(by_day) != {Fraction(100)}
    assert len(by_interval.days_used) == 10


def test_a_period_no_kept_day_has_is_insufficient() -> None:
    readings = flat_days(days_back(20))
    for day in WORKING_BEFORE:
        del readings[local(day, "17:00")]
    found = baseline(PRESETS["10-of-10"].but(completeness=Decimal("0.5")), a_question(), readings)
    assert found.status == "INSUFFICIENT"
    assert found.why == "no day has a reading for the period of 2026-06-17T16:00:00Z"


def test_completeness_is_told() -> None:
    readings = flat_days(days_back(20))
    del readings[local(WORKING_BEFORE[0], "17:00")]
    found = baseline(PRESETS["10-of-10"].but(completeness=Decimal("0.5")), a_question(), readings)
    assert found.completeness == Fraction(39, 40)


def test_days_are_compared_by_the_local_clock_over_a_clock_change() -> None:
    monday = date(2026, 3, 30)
    readings = flat_days(days_back(20, 10, monday), {17: 90, 18: 90})
    found = baseline(PRESETS["5 working / 2 non-working"], a_question(day=monday), readings)
    assert only(found) == {Fraction(100)}


def test_a_clock_time_the_clocks_skipped_is_missing_on_that_day() -> None:
    sunday = date(2026, 4, 5)
    asked = a_question("01:00", "02:00", sunday)
    readings = flat_days(days_back(20, 10, sunday))
    found = baseline(PRESETS["5 working / 2 non-working"], asked, readings)
    assert (date(2026, 3, 29), "INCOMPLETE") in found.days_refused
    assert HALF_HOURLY.shifted(asked.span[0], 7) is None


def test_every_preset_gives_a_baseline_of_a_flat_history() -> None:
    readings = flat_days(days_back(45) | {EVENT_DAY: 100})
    for name in PRESETS:
        assert only(baseline(preset(name), a_question(), readings)) == {Fraction(100)}
    with pytest.raises(ValueError, match="is not a baseline preset"):
        preset("nine of ten")


RATIO = PRESETS["10-of-10 with 2 h same-day ratio clamped 0.8–1.2"]


def with_adjustment(**but: object) -> Historical:
    return Historical(days=10, keep=10, adjustment=SameDayAdjustment.model_validate(but))


def test_a_ratio_is_told_before_and_after_its_clamp() -> None:
    readings = flat_days(days_back(20) | {EVENT_DAY: 150})
    found = baseline(RATIO, a_question(), readings)
    assert found.adjustment is not None
    assert (found.adjustment.kind, found.adjustment.raw, found.adjustment.applied) == (
        "ratio",
        Fraction(3, 2),
        Fraction(6, 5),
    )
    assert only(found) == {Fraction(120)}
    lower = baseline(RATIO, a_question(), flat_days(days_back(20) | {EVENT_DAY: 50}))
    assert only(lower) == {Fraction(80)}


def test_an_addition_moves_the_baseline_by_the_difference_of_the_means() -> None:
    readings = flat_days(days_back(20) | {EVENT_DAY: 130})
    assert only(baseline(with_adjustment(kind="additive"), a_question(), readings)) == {Fraction(130)}
    limited = with_adjustment(kind="additive", limit_mw="0.01")
    assert only(baseline(limited, a_question(), readings)) == {Fraction(110)}
    shared = with_adjustment(kind="additive", limit_share="0.2")
    assert only(baseline(shared, a_question(), readings)) == {Fraction(120)}


def test_a_ratio_across_zero_becomes_an_addition_within_the_same_bounds() -> None:
    readings = flat_days(days_back(20) | {EVENT_DAY: -100})
    found = baseline(RATIO, a_question(), readings)
    assert found.adjustment is not None
    assert found.adjustment.kind == "additive"
    assert found.adjustment.why is not None
    assert only(found) == {Fraction(80)}


def test_the_guard_ends_the_window_at_notice() -> None:
    asked = a_question(notice_at=local(EVENT_DAY, "12:10"))
    assert RATIO.adjustment is not None
    assert windows(RATIO, asked)[0] == local(EVENT_DAY, "10:00")
    assert windows(RATIO, asked)[-1] == local(EVENT_DAY, "11:30")
    unguarded = with_adjustment(kind="ratio", guard=False)
    assert windows(unguarded, asked)[-1] == local(EVENT_DAY, "16:30")
    assert windows(MID, asked) == ()


def test_a_window_that_would_begin_the_day_before_adjusts_nothing() -> None:
    asked = a_question(notice_at=local(EVENT_DAY, "01:00"))
    found = baseline(RATIO, asked, flat_days(days_back(20) | {EVENT_DAY: 150}))
    assert found.adjustment is not None
    assert (found.adjustment.kind, found.adjustment.why) == ("none", "the window would begin before the day")
    assert only(found) == {Fraction(100)}


def test_a_window_without_readings_adjusts_nothing() -> None:
    found = baseline(RATIO, a_question(), flat_days(days_back(20)))
    assert found.adjustment is not None
    assert (found.adjustment.kind, found.adjustment.why) == ("none", "readings are missing in the window")


def test_a_nomination_counts_as_it_stood_at_the_gate() -> None:
    periods = a_question().periods
    early = Statement(local(EVENT_DAY, "09:00"), dict.fromkeys(periods, 5 * KW))
    newer = Statement(local(EVENT_DAY, "15:59"), dict.fromkeys(periods, 6 * KW))
    late = Statement(local(EVENT_DAY, "16:00"), dict.fromkeys(periods, 7 * KW))
    found = baseline(Nominated(), a_question(statements=(early, newer, late)), {})
    assert only(found) == {Fraction(6)}
    none = baseline(Nominated(), a_question(statements=(late,)), {})
    assert (none.status, none.why) == ("INSUFFICIENT", "nothing was stated before 2026-06-17T15:00:00Z")
    gap = baseline(Nominated(), a_question(statements=(Statement(early.submitted_at, {periods[0]: 1}),)), {})
    assert (gap.status, gap.why) == ("INSUFFICIENT", "nothing was stated for the period of 2026-06-17T16:30:00Z")


def test_a_weekly_template_goes_by_local_weekday_and_clock() -> None:
    values = {(weekday, half): weekday * 100 + half for weekday in range(7) for half in range(48)}
    sent = Statement(local(date(2026, 6, 1), "09:00"), values)
    found = baseline(WeeklyTemplate(), a_question(statements=(sent,)), {})
    assert [int(value) for value in found.values.values()] == [234, 235, 236, 237]


def test_fixed_baselines_need_no_readings() -> None:
    assert only(baseline(Zero(), a_question(), {})) == {Fraction(0)}
    assert only(baseline(FixedCapacity(mw=Decimal("-0.5")), a_question(), {})) == {Fraction(-500)}
    working = tuple(Decimal(half) for half in range(48))
    method = FixedReference(profile="ev-charger 2026", working_kw=working, non_working_kw=(Decimal(1),) * 48)
    asked = a_question(devices=10)
    assert [value / KW for value in baseline(method, asked, {}).values.values()] == [340, 350, 360, 370]
    weekend = a_question(day=date(2026, 6, 20), devices=2)
    assert only(baseline(method, weekend, {})) == {Fraction(2)}


def test_meter_before_holds_the_mean_before_the_start() -> None:
    readings = flat_days({EVENT_DAY: 10}, {16: 20})
    assert only(baseline(MeterBefore(), a_question(), readings)) == {Fraction(30)}
    assert only(baseline(MeterBefore(minutes=120), a_question(), readings)) == {Fraction(20)}
    missing = baseline(MeterBefore(), a_question(), {})
    assert (missing.status, missing.why) == (
        "INSUFFICIENT",
        "there is no reading for the period of 2026-06-17T15:30:00Z, before the start",
    )


def test_methods_that_cannot_be_are_refused() -> None:
    for fields in (
        {"days": 5, "keep": 6},
        {"days": 10, "keep": 8},
        {"days": 10, "keep": 10, "choose": "mid"},
        {"days": 10, "keep": 7, "choose": "mid"},
        {"days": 10, "keep": 8, "choose": "mid", "non_working_days": 2},
    ):
        with pytest.raises(ValidationError):
            Historical.model_validate(fields)
    with pytest.raises(ValidationError):
        SameDayAdjustment(kind="ratio", lower=Decimal("1.1"))


LEVELS = st.lists(st.integers(-500, 500), min_size=10, max_size=10)


@given(LEVELS, st.randoms(use_true_random=False))
def test_the_order_in_which_readings_come_changes_nothing(values: list[int], random: object) -> None:
    readings = flat_days(levels(values) | {EVENT_DAY: 50})
    items = list(readings.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    for method in PRESETS.values():
        one, other = baseline(method, a_question(), readings), baseline(method, a_question(), dict(items))
        assert one == other
        assert one.fingerprint == other.fingerprint


@given(LEVELS)
def test_a_baseline_lies_within_its_days(values: list[int]) -> None:
    for name in ("mid-8-of-10", "high-5-of-10", "10-of-10"):
        for value in only(baseline(PRESETS[name], a_question(), flat_days(levels(values)))):
            assert min(values) <= value <= max(values)


def test_a_fingerprint_changes_with_what_is_used_and_with_nothing_else() -> None:
    readings = flat_days(days_back(20))
    first = baseline(MID, a_question(), readings).fingerprint
    assert baseline(MID, a_question(), readings | {local(date(2026, 6, 16), "03:00"): 1}).fingerprint == first
    assert baseline(MID, a_question(), readings | {local(date(2026, 6, 16), "17:00"): 1}).fingerprint != first
    assert baseline(MID.but(look_back_days=60), a_question(), readings).fingerprint != first


def test_a_days_periods_at_any_resolution() -> None:
    for minutes in (30, 15, 5, 1):
        grid = Grid(minutes, ZoneInfo("UTC"))
        span = (utc("2026-06-17T16:10"), utc("2026-06-17T17:10"))
        assert sum(grid.share(period, span) for period in grid.periods(span)) * grid.hours == 1


def test_channels_are_netted_and_members_summed_where_all_were_read() -> None:
    one, two = utc("2026-06-17T00:00"), utc("2026-06-17T00:30")
    assert netted([{one: 5, two: 6}, {one: -7}]) == {one: -2}
    assert netted([]) == {}
    both = Summed([{one: 5, two: 6}, {two: 4}])
    assert both == {two: 10}
    assert (len(both), one in both, two in both) == (1, False, True)
    assert completeness({}, []) == 1
