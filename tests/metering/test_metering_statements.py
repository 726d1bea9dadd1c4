"""Claims about what providers state ahead: kept by version, whole days at a time, as it stood at every instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.periods import half_hours
from chalicelib.metering import actions
from chalicelib.metering.actions_statements import schedules_between, state_days, state_weeks, weeks_of
from chalicelib.metering.models_statements import ByStart, Schedule, TypicalWeek
from chalicelib.metering.reading import LOCAL, expected_periods
from chalicelib.metering.rules_statements import (
    as_stated,
    by_start,
    kilowatts,
    latest_by_day,
    milliwatts,
    schedule_problems,
    week_problems,
    weeks_as_stated,
)
from chalicelib.storage.audit import trail_of
from tests.builders.calls import a_call
from tests.builders.metering import AUTUMN, SPRING, SUMMER

T1, T2 = (datetime(2026, 6, 10, hour, tzinfo=UTC) for hour in (9, 12))
NEXT = SUMMER + timedelta(days=1)


def a_schedule(day: date = SUMMER, mw: int = 5, at: datetime = T1, source: str = "nom_1", **but: Any) -> Schedule:
    fields = {"asset_id": "ast_1", "day": day, "values": (mw,) * expected_periods(day, 30), "submitted_at": at}
    return Schedule.model_validate({**fields, "source": source, **but})


def a_week(mw: int = 7, at: datetime = T1, source: str = "nom_1") -> TypicalWeek:
    return TypicalWeek(asset_id="ast_1", values=(mw,) * 336, submitted_at=at, source=source)


def test_what_stood_at_an_instant_is_every_days_latest_schedule_until_then() -> None:
    first, second = as_stated([a_schedule(NEXT, 2, T2, "nom_2"), a_schedule(SUMMER, 1, T1), a_schedule(NEXT, 9, T1)])
    summer, following = half_hours(SUMMER, LOCAL)[0], half_hours(NEXT, LOCAL)[0]
    assert (first.submitted_at, first.by_start[summer], first.by_start[following]) == (T1, 1, 9)
    assert (second.submitted_at, second.by_start[summer], second.by_start[following]) == (T2, 1, 2)


def test_a_later_schedule_takes_the_whole_place_of_the_days_earlier_one() -> None:
    silent = a_schedule(values=(None,) * 47 + (3,), at=T2, source="nom_2")
    _, later = as_stated([a_schedule(mw=5), silent])
    assert list(later.by_start.values()) == [3]
    assert latest_by_day([silent, a_schedule()]) == {SUMMER: silent}


@pytest.mark.parametrize(("day", "periods"), [(SPRING, 46), (SUMMER, 48), (AUTUMN, 50)])
def test_a_schedule_has_as_many_half_hours_as_its_day(day: date, periods: int) -> None:
    assert schedule_problems(day, [Decimal(1)] * periods, "kw") == []
    assert [each.code for each in schedule_problems(day, [Decimal(1)] * (periods - 1), "kw")] == ["nomination.count"]
    assert list(by_start(a_schedule(day))) == half_hours(day, LOCAL)


def test_figures_are_whole_milliwatts_and_some_stand_there() -> None:
    assert [each.code for each in schedule_problems(SUMMER, [None] * 48, "kw")] == ["nomination.empty"]
    fine = [Decimal("0.0000001"), *[None] * 47]
    assert [each.code for each in schedule_problems(SUMMER, fine, "kw")] == ["nomination.figure"]
    assert [each.code for each in schedule_problems(SUMMER, [Decimal("1e10"), *[None] * 47], "kw")] == [
        "nomination.figure"
    ]
    assert [each.code for each in week_problems([Decimal(1)] * 335, "kw")] == ["nomination.count"]
    assert week_problems([Decimal(-1)] * 336, "kw") == []


def test_a_weekly_template_is_told_by_weekday_and_half_hour() -> None:
    [stated] = weeks_as_stated([TypicalWeek(asset_id="a", values=(*range(335), None), submitted_at=T1, source="n")])
    assert (stated.kind, stated.by_week[0, 0], stated.by_week[1, 0], stated.by_week[6, 46]) == (
        "weekly_template",
        0,
        48,
        334,
    )
    assert (6, 47) not in stated.by_week


@given(st.dictionaries(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(-9, 9), max_size=5))
def test_schedules_together_are_a_mapping_of_all_their_half_hours(levels: dict[date, int]) -> None:
    days = {day: by_start(a_schedule(day, mw)) for day, mw in levels.items()}
    plain = {start: value for of_day in days.values() for start, value in of_day.items()}
    together = ByStart(days)
    assert dict(together) == plain
    assert len(together) == len(plain)
    assert half_hours(date(2027, 1, 1), LOCAL)[0] not in together


@given(st.lists(st.one_of(st.none(), st.decimals(-1000, 1000, places=6)), max_size=50))
def test_kilowatts_survive_the_round_trip(figures: list[Decimal | None]) -> None:
    assert list(kilowatts(milliwatts(figures))) == figures


@pytest.mark.usefixtures("market")
def test_every_statement_is_kept_and_the_same_again_is_unchanged() -> None:
    call = a_call()
    days = [a_schedule(), a_schedule(NEXT), a_schedule(date(2026, 7, 1))]
    assert [each.outcome for each in state_days(call, "org_fsp1", days)] == ["created"] * 3
    [again] = state_days(call, "org_fsp1", [a_schedule(at=T2, source="nom_2")])
    assert (again.outcome, again.before and again.before.submitted_at) == ("unchanged", T1)
    [changed] = state_days(call, "org_fsp1", [a_schedule(mw=6, at=T2, source="nom_3")])
    assert changed.outcome == "updated"
    kept = schedules_between("ast_1", SUMMER, SUMMER)
    assert [(each.values[0], each.submitted_at) for each in kept] == [(5, T1), (6, T2)]


@pytest.mark.usefixtures("market")
def test_statements_kept_twice_from_one_source_are_kept_once() -> None:
    for _ in range(2):
        [kept] = state_days(a_call(), "org_fsp1", [a_schedule()])
        [week] = state_weeks(a_call(), "org_fsp1", [a_week()])
        assert (kept.outcome, week.outcome) == ("created", "created")
    assert len(schedules_between("ast_1", SUMMER, SUMMER)) == len(weeks_of("ast_1")) == 1


@pytest.mark.usefixtures("market")
def test_a_months_days_of_one_statement_are_one_row_and_many_assets_go_in_parts() -> None:
    many = [a_schedule(asset_id=f"ast_{number}", day=day) for number in range(100) for day in (SUMMER, NEXT)]
    state_days(a_call(), "org_fsp1", many)
    assert all(len(schedules_between(f"ast_{number}", SUMMER, NEXT)) == 2 for number in range(100))


@pytest.mark.usefixtures("market")
def test_settlement_is_told_all_that_stood_by_point() -> None:
    state_days(a_call(), "org_fsp1", [a_schedule(), a_schedule(NEXT, 6)])
    state_weeks(a_call(), "org_fsp1", [a_week(7)])
    state_weeks(a_call(), "org_fsp1", [a_week(8, T2, "nom_2")])
    told = actions.statements_of({"point": "ast_1", "other": "ast_2"}, SUMMER, SUMMER)
    assert [(each.kind, each.submitted_at) for each in told["point"]] == [
        ("nominated", T1),
        ("weekly_template", T1),
        ("weekly_template", T2),
    ]
    assert len(told["point"][0].by_start) == 48
    assert told["other"] == []


@pytest.mark.usefixtures("market")
def test_who_stated_what_is_on_record() -> None:
    state_days(a_call(), "org_fsp1", [a_schedule()])
    [change] = trail_of("asset:ast_1").items
    assert (change.action, change.organisation) == ("nomination.stated", "org_fsp1")
