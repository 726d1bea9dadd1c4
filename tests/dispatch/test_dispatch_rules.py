"""Claims about instructions and answers: what breaks a rule is refused with every reason, by name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dispatch.models import AutoAccept, Rival
from chalicelib.dispatch.rules import (
    Ground,
    answer_problems,
    auto_accepting,
    clashes,
    days_of,
    earliest_start,
    earnings,
    filled_span,
    instruction_problems,
    rules_at,
)
from chalicelib.dispatch.rules_availability import period_of
from tests.builders.dispatch import SET, an_entry, an_instruction, an_obligation, some_rules

START = datetime(2026, 6, 1, 16, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PERIOD = (START, START + 2 * HOUR)
NOW = START - 4 * HOUR
MW = Decimal(2)


def a_ground(**changes: Any) -> Ground:
    obligation = changes.pop("obligation", an_obligation())
    plain = {
        "obligation": obligation,
        "rules": some_rules(),
        "periods": [period_of(obligation, PERIOD, some_rules(), [], None, SET)],
    }
    return Ground(**(plain | changes))


def a_rival(so: str = "org_so") -> Rival:
    return Rival(obligation_id="obl_2", so=so, asset_ids=("ast_1",), starts=START, ends=START + HOUR)


def codes(ground: Ground, start: datetime = START, minutes: int = 60, mw: Decimal = MW, **how: Any) -> list[str]:
    now, urgent = how.get("now", NOW), how.get("urgent", False)
    return [each.code for each in instruction_problems(ground, (start, start + minutes * MINUTE), mw, urgent, now)]


def test_an_instruction_within_everything_has_no_problem() -> None:
    assert codes(a_ground()) == []


def test_nonsense_is_told_before_anything_else() -> None:
    assert codes(a_ground(), NOW - HOUR, 0, Decimal(0)) == [
        "instruction.no_mw",
        "instruction.past",
        "instruction.order",
    ]


def test_a_run_is_neither_longer_nor_shorter_than_agreed() -> None:
    assert codes(a_ground(), minutes=61) == ["instruction.run_time_long"]
    ground = a_ground(minimum_run_time=30 * MINUTE)
    assert codes(ground, minutes=29) == ["instruction.run_time_short"]
    assert codes(ground, minutes=30) == []


def test_it_lies_inside_an_available_period_and_below_what_is_available() -> None:
    assert codes(a_ground(), PERIOD[1] - HOUR / 2) == ["instruction.unavailable"]
    assert codes(a_ground(), PERIOD[1]) == ["instruction.unavailable"]
    assert codes(a_ground(periods=[])) == ["instruction.unavailable"]
    assert codes(a_ground(), mw=Decimal("2.000001")) == ["instruction.above_available"]


def test_notice_is_the_markets_or_the_windows_response_time_whichever_is_longer() -> None:
    ground = a_ground(rules=some_rules(notice=5 * HOUR))
    assert codes(ground) == ["instruction.notice"]
    slow = an_obligation(required_response_time=timedelta(hours=6))
    assert earliest_start(slow, some_rules(notice=5 * HOUR), NOW) == NOW + 6 * HOUR
    assert codes(a_ground(), now=START) == []


def test_the_obligations_other_instruction_is_named() -> None:
    ground = a_ground(entries=[an_entry(START + HOUR / 2, START + HOUR)])
    [problem] = instruction_problems(ground, (START, START + HOUR), MW, False, NOW)
    assert problem.code == "instruction.overlaps"
    assert "ins_9" in problem.detail


def test_assets_recover_between_runs() -> None:
    ground = a_ground(entries=[an_entry(START - HOUR, START)], recovery_time=30 * MINUTE)
    [problem] = instruction_problems(ground, (START, START + HOUR), MW, False, NOW)
    assert (problem.code, problem.allowed) == ("instruction.recovery", "2026-06-01T16:30:00Z or later")
    assert codes(ground, START + HOUR / 2) == []


def test_what_was_cancelled_is_in_nobodys_way() -> None:
    assert codes(a_ground(entries=[an_entry(START, START + HOUR, live=False)])) == []


def test_an_asset_of_the_same_operators_other_obligation_is_busy_and_named() -> None:
    ground = a_ground(rivals=[(a_rival(), [an_entry(START, START + HOUR)])])
    [problem] = instruction_problems(ground, (START, START + HOUR), MW, False, NOW)
    assert problem.code == "instruction.asset_busy"
    assert all(name in problem.detail for name in ("ast_1", "ins_9", "obl_2"))
    assert clashes(ground, (START, START + HOUR)) == []


def test_another_operators_instruction_is_a_conflict_and_no_refusal() -> None:
    rival = a_rival("org_so2")
    entry = an_entry(START + HOUR / 2, START + HOUR)
    ground = a_ground(rivals=[(rival, [entry])], recovery_time=HOUR)
    assert codes(ground) == []
    assert clashes(ground, (START, START + HOUR)) == [(rival, entry)]
    assert clashes(ground, (START, START + HOUR / 2)) == []


def test_an_urgent_one_needs_no_notice_recovery_or_least_run() -> None:
    ground = a_ground(
        rules=some_rules(notice=5 * HOUR),
        minimum_run_time=2 * HOUR,
        entries=[an_entry(START - HOUR, START)],
        recovery_time=HOUR,
    )
    assert codes(ground, urgent=True) == []
    assert set(codes(ground)) == {"instruction.notice", "instruction.run_time_short", "instruction.recovery"}


def test_an_urgent_one_starts_now_and_runs_as_long_as_it_may() -> None:
    assert filled_span(a_ground(), None, None, START) == (START, START + HOUR)
    late = PERIOD[1] - HOUR / 2
    assert filled_span(a_ground(), None, None, late) == (late, PERIOD[1])
    assert filled_span(a_ground(), None, START + HOUR / 2, START) == (START, START + HOUR / 2)
    assert filled_span(a_ground(), None, None, NOW) is None


def answered(mw: str | None, reason: str | None = None, declined: bool = False) -> list[str]:
    given_mw = None if mw is None else Decimal(mw)
    return [each.code for each in answer_problems(an_instruction(), given_mw, reason, declined)]


def test_a_part_lies_between_the_markets_minimum_and_what_was_asked() -> None:
    assert answered(None) == answered("1") == answered("2") == []
    assert answered("0.999") == answered("0") == ["answer.below_part"]
    assert answered("2.001") == ["answer.above_asked"]


def test_a_decline_says_why() -> None:
    assert answered(None, declined=True) == ["answer.no_reason"]
    assert answered(None, "no fuel", declined=True) == []


def test_earnings_are_mw_hours_and_price_to_the_penny() -> None:
    assert earnings(an_instruction()) == Decimal("100.00")
    assert earnings(an_instruction(acknowledged_mw="1.5")) == Decimal("75.00")
    stopped = an_instruction(ended_at=START + timedelta(minutes=40))
    assert earnings(stopped) == Decimal("33.33")
    assert earnings(an_instruction(ended_at=START)) == Decimal("0.00")
    assert earnings(an_instruction(test=True)) is None
    assert earnings(an_instruction(utilisation_price=None)) is None


@given(st.integers(1, 10**7), st.integers(1, 1440), st.integers(-1000, 100000))
def test_earnings_are_within_half_a_penny_and_grow_with_the_run(watts: int, minutes: int, pennies: int) -> None:
    mw, price = Decimal(watts) / 10**6, Decimal(pennies) / 100
    begins = an_instruction().start

    def earned(length: int) -> Decimal:
        found = earnings(
            an_instruction(requested_mw=mw, end=begins + length * MINUTE, utilisation_price=price, respond_by=None)
        )
        assert found is not None
        return found

    assert abs(earned(minutes) - mw * minutes * price / 60) <= Decimal("0.005")
    assert price < 0 or earned(minutes + 1) >= earned(minutes)


def a_rule(**changes: Any) -> AutoAccept:
    return AutoAccept.model_validate({"id": "aut_1", "fsp": "org_fsp1", "created_at": SET} | changes)


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"obligation_id": "obl_1", "so": "org_so", "maximum_mw": "2", "minimum_notice": "PT1H"}, True),
        ({"obligation_id": "obl_2"}, False),
        ({"so": "org_so2"}, False),
        ({"maximum_mw": "1.9"}, False),
        ({"minimum_notice": "PT2H"}, False),
    ],
)
def test_an_auto_accept_rule_fits_all_it_states(changes: dict[str, Any], fits: bool) -> None:
    instruction = an_instruction()
    found = auto_accepting([a_rule(**changes)], instruction, instruction.send_at)
    assert (found is not None) is fits


def test_a_test_is_answered_by_somebody() -> None:
    assert auto_accepting([a_rule()], an_instruction(test=True), SET) is None


def test_the_latest_rules_that_have_begun_hold() -> None:
    old, new = some_rules(), some_rules(version=2, effective_from="2026-05-01")
    mended = some_rules(version=3, effective_from="2026-05-01")
    other = some_rules(ref="storm", version=9)
    known = [new, old, mended, other]
    assert rules_at(known, "default", date(2026, 4, 30)) == old
    assert rules_at(known, "default", date(2026, 5, 1)) == mended
    assert rules_at(known, "default", date(2025, 5, 1)) is None


def test_the_days_of_a_span_do_not_hold_the_midnight_it_ends_at() -> None:
    midnight = datetime(2026, 6, 2, tzinfo=UTC)
    assert days_of((START, midnight)) == [date(2026, 6, 1)]
    assert days_of((START, midnight + MINUTE)) == [date(2026, 6, 1), date(2026, 6, 2)]


def test_lengths_are_told_in_hours_and_minutes() -> None:
    [problem] = instruction_problems(a_ground(), (START, START + 2 * HOUR), MW, False, NOW)
    assert "2 h" in problem.detail
    [problem] = instruction_problems(
        a_ground(minimum_run_time=90 * MINUTE), (START, START + MINUTE / 2), MW, False, NOW
    )
    assert "0 min" in problem.detail
    assert "1 h 30 min" in problem.detail
