"""Claims about the clocks of answers, in plain and in working time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.dispatch.rules_clocks import Deadlines, add_working_time, deadlines
from chalicelib.dispatch.terms import PRESETS, DispatchTerms
from chalicelib.kernel import periods
from chalicelib.kernel.holidays import holidays_of

LONDON = periods.zone_of("Europe/London")
HOLIDAYS = holidays_of("england-and-wales")
HOUR = timedelta(hours=1)
FRIDAY = datetime(2026, 5, 22, 15, tzinfo=UTC)  # 16:00 in London, before the bank holiday of Monday 25 May
LATER = FRIDAY + timedelta(days=60)


def clocks(preset: str, end: datetime = LATER) -> Deadlines:
    return deadlines(PRESETS[preset], FRIDAY, end, LONDON, HOLIDAYS)  # type: ignore[index]


def test_an_answer_is_due_in_the_markets_time_and_half_of_it_escalates() -> None:
    assert clocks("30 minutes") == Deadlines(FRIDAY + HOUR / 2, FRIDAY + HOUR / 4)
    assert clocks("4 hours").respond_by == FRIDAY + 4 * HOUR


def test_where_no_answer_is_needed_there_is_no_clock() -> None:
    assert clocks("no answer needed") == Deadlines()


def test_the_clock_never_runs_past_the_instructions_end() -> None:
    end = FRIDAY + timedelta(minutes=20)
    assert clocks("30 minutes", end) == Deadlines(end, FRIDAY + HOUR / 4)
    soon = FRIDAY + timedelta(minutes=10)
    assert clocks("30 minutes", soon) == Deadlines(soon, None)


def test_working_time_skips_nights_weekends_and_holidays() -> None:
    two_hours = add_working_time(FRIDAY, 2 * HOUR, LONDON, HOLIDAYS)
    assert two_hours == datetime(2026, 5, 26, 9, tzinfo=UTC)  # one hour on Friday, one on Tuesday until 10:00


def test_forty_eight_working_hours_are_six_working_days() -> None:
    assert clocks("48 working hours").respond_by == datetime(2026, 6, 2, 15, tzinfo=UTC)


def test_a_clock_started_at_night_runs_from_the_morning() -> None:
    night = datetime(2026, 5, 21, 22, tzinfo=UTC)
    assert add_working_time(night, HOUR, LONDON, HOLIDAYS) == datetime(2026, 5, 22, 9, tzinfo=UTC)
    early = datetime(2026, 5, 22, 2, tzinfo=UTC)
    assert add_working_time(early, HOUR, LONDON, HOLIDAYS) == datetime(2026, 5, 22, 9, tzinfo=UTC)


def test_working_terms_are_kept_as_given() -> None:
    terms = DispatchTerms.model_validate({"acceptance_time": "PT48H", "in_working_time": True})
    assert terms.acceptance_time == timedelta(hours=48)


STARTS = st.integers(0, 525_600).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


@given(STARTS, st.integers(1, 3000), st.integers(1, 3000))
def test_working_time_adds_up(start: datetime, first: int, second: int) -> None:
    one = add_working_time(start, timedelta(minutes=first), LONDON, HOLIDAYS)
    both = add_working_time(start, timedelta(minutes=first + second), LONDON, HOLIDAYS)
    assert add_working_time(one, timedelta(minutes=second), LONDON, HOLIDAYS) == both
    assert periods.is_working_time(both, LONDON, HOLIDAYS)
    assert both - start >= timedelta(minutes=first + second)


def test_no_time_of_a_market_is_negative_and_no_clock_without_its_form() -> None:
    for broken in ({"notice": "-PT1H"}, {"notice": "P400D"}, {"gate_clock": "25:00"}):
        with pytest.raises(ValidationError):
            DispatchTerms.model_validate(broken)
