"""Claims about statements as settlement takes them: by kind, by the half-hour, summed at a meter point."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chalicelib.metering.models_statements import Stated
from chalicelib.settlement.baselines import Question, Statement, baseline, timely_statement
from chalicelib.settlement.methods import Nominated, WeeklyTemplate, Zero
from chalicelib.settlement.series import Grid
from chalicelib.settlement.statements import gate_of, statements_of_point
from tests.builders.settlement import EVENT_DAY, KW, LONDON, a_question, local

T1, T2 = (datetime(2026, 6, 10, hour, tzinfo=UTC) for hour in (9, 12))
START = local(EVENT_DAY, "17:00")
NEXT = START + timedelta(minutes=30)


def nominated(at: datetime, **kw: int) -> Stated:
    places = {"first": START, "second": NEXT}
    return Stated("nominated", at, by_start={places[name]: value * KW for name, value in kw.items()})


def weekly(at: datetime, kw: int) -> Stated:
    return Stated("weekly_template", at, by_week={(2, place): kw * KW for place in range(48)})


def test_assets_behind_one_meter_are_stated_together() -> None:
    one = [nominated(T1, first=1, second=2), nominated(T2, first=5)]
    two = [nominated(T2, first=10, second=20), weekly(T1, 7)]
    first, second, week = statements_of_point([one, two])
    assert (first.submitted_at, dict(first.values)) == (T1, {START: KW, NEXT: 2 * KW})
    assert (second.submitted_at, dict(second.values)) == (T2, {START: 15 * KW, NEXT: 20 * KW})
    assert (week.is_weekly, len(week.values), second.is_weekly) == (True, 48, False)
    assert START - timedelta(days=1) not in second.values


def test_one_asset_is_told_as_it_is() -> None:
    [told] = statements_of_point([[nominated(T1, first=1)]])
    assert told == Statement(T1, {START: KW})


def test_a_method_takes_statements_of_its_own_kind() -> None:
    both = statements_of_point([[nominated(T1, first=1), weekly(T2, 7)]])
    asked = a_question(statements=both)
    assert timely_statement(Nominated(), asked) == both[0]
    assert timely_statement(WeeklyTemplate(), asked) == both[1]


def test_quarter_hours_take_the_half_hour_they_lie_in() -> None:
    stated = statements_of_point([[nominated(T1, first=1, second=2)]])
    asked = Question((START, START + timedelta(hours=1)), Grid(15, LONDON), statements=stated)
    found = baseline(Nominated(), asked, {})
    assert [value // KW for value in found.values.values()] == [1, 1, 2, 2]


def test_what_another_period_was_stated_does_not_change_a_fingerprint() -> None:
    span = (START, NEXT)
    one, other = (
        baseline(Nominated(), Question(span, Grid(30, LONDON), statements=statements_of_point([[told]])), {})
        for told in (nominated(T1, first=1), nominated(T1, first=1, second=9))
    )
    changed = Question(span, Grid(30, LONDON), statements=statements_of_point([[nominated(T1, first=2)]]))
    assert one.fingerprint == other.fingerprint != baseline(Nominated(), changed, {}).fingerprint


def test_methods_that_take_no_statements_have_no_gate() -> None:
    assert gate_of(Zero()) is None
    assert (gate_of(Nominated()), gate_of(WeeklyTemplate())) == (timedelta(hours=1), timedelta(hours=24))
