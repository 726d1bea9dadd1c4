"""Claims about availability: what is promised when, what variations leave of it, and the gates of what is offered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dispatch.models import OfferedPeriod
from chalicelib.dispatch.rules_availability import (
    available_mw,
    gates,
    is_late,
    is_variable,
    period_of,
    promised_spans,
    segments,
    variation_problems,
)
from chalicelib.kernel.holidays import holidays_of
from tests.builders.dispatch import SET, a_variation, an_obligation, some_rules

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
START = datetime(2026, 6, 1, 16, tzinfo=UTC)
SPAN = (START, START + 2 * HOUR)
NO_NOTICE = timedelta(0)
TWO = Decimal(2)


def test_promised_periods_are_on_the_local_clock() -> None:
    found = promised_spans(an_obligation(), frozenset(), (START - HOUR, START + 7 * DAY + HOUR))
    assert found[0] == SPAN
    assert [start.date().isoformat() for start, _ in found] == [f"2026-06-{day:02}" for day in (1, 2, 3, 4, 5, 8)]


def test_a_period_that_a_span_only_touches_counts_and_one_beside_it_does_not() -> None:
    inside = START + HOUR
    assert promised_spans(an_obligation(), frozenset(), (inside, inside + HOUR / 2)) == [SPAN]
    assert promised_spans(an_obligation(), frozenset(), (SPAN[1], SPAN[1] + HOUR)) == []


def test_public_holidays_are_left_out_where_the_window_says_so() -> None:
    may = an_obligation(period_start="2026-05-25", period_end="2026-05-25", holidays="exclude")
    span = (datetime(2026, 5, 24, tzinfo=UTC), datetime(2026, 5, 27, tzinfo=UTC))
    assert promised_spans(may, holidays_of("england-and-wales"), span) == []
    assert len(promised_spans(may.but(holidays="include"), holidays_of("england-and-wales"), span)) == 1


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 5), ("2024-10-27", 7), ("2024-06-02", 6)])
def test_a_window_across_the_clock_change_is_shorter_or_longer_by_it(day: str, hours: int) -> None:
    night = an_obligation(period_start=day, period_end=day, days=("Sun",), start="00:00", end="06:00")
    noon = datetime.fromisoformat(f"{day}T12:00:00Z")
    [(start, end)] = promised_spans(night, frozenset(), (noon - DAY, noon))
    assert end - start == hours * HOUR


def test_without_a_variation_all_of_a_period_is_available() -> None:
    [segment] = segments(SPAN, TWO, [], NO_NOTICE)
    assert (segment.start, segment.end, segment.available_mw, segment.late) == (*SPAN, TWO, False)


def test_a_variation_takes_only_its_own_span() -> None:
    found = segments(SPAN, TWO, [a_variation(START + HOUR / 2, START + HOUR, "0.5")], NO_NOTICE)
    assert [str(each.available_mw) for each in found] == ["2", "0.5", "2"]


def test_the_last_word_on_an_instant_holds() -> None:
    broken = a_variation(START - DAY, START + DAY)
    mended = a_variation(START + HOUR, START + DAY, "2", SET + HOUR)
    assert [each.available_mw for each in segments(SPAN, TWO, [mended, broken], NO_NOTICE)] == [Decimal(0), TWO]


def test_more_than_is_promised_is_never_available() -> None:
    [segment] = segments(SPAN, TWO, [a_variation(START, START + DAY, "5")], NO_NOTICE)
    assert segment.available_mw == TWO


def test_what_is_taken_back_inside_the_notice_is_late_and_what_lies_beyond_is_not() -> None:
    variation = a_variation(START, START + DAY, declared_at=START - 3 * HOUR)
    found = segments(SPAN, TWO, [variation], 4 * HOUR)
    assert [(each.late, each.end - each.start) for each in found] == [(True, HOUR), (False, HOUR)]


def test_giving_back_is_never_late() -> None:
    given_back = a_variation(START, START + DAY, "2", START - HOUR)
    assert not any(each.late for each in segments(SPAN, TWO, [given_back], DAY))
    assert not is_late(START, TWO, TWO, START, DAY)
    assert is_late(START, Decimal(1), TWO, START - HOUR, DAY)
    assert not is_late(START, Decimal(1), TWO, START - DAY, DAY)


INSTANTS = st.integers(-180, 300).map(lambda minutes: START + timedelta(minutes=minutes))
VARIATIONS = st.lists(
    st.tuples(INSTANTS, INSTANTS, st.integers(0, 3), st.integers(0, 400)).filter(lambda it: it[0] < it[1]), max_size=6
)


@given(VARIATIONS, st.integers(0, 300))
def test_segments_cover_the_period_once_and_obey_the_last_word(drawn: list, notice: int) -> None:
    variations = [
        a_variation(starts, ends, str(mw), START - timedelta(minutes=ago), id=f"var_{place}")
        for place, (starts, ends, mw, ago) in enumerate(drawn)
    ]
    found = segments(SPAN, TWO, variations, timedelta(minutes=notice))
    assert (found[0].start, found[-1].end) == SPAN
    assert all(left.end == right.start for left, right in pairwise(found))
    for minute in range(0, 120, 7):
        at = START + timedelta(minutes=minute)
        over = [each for each in variations if each.starts <= at < each.ends]
        last = max(over, key=lambda each: (each.declared_at, each.id), default=None)
        [here] = [each for each in found if each.start <= at < each.end]
        assert here.available_mw == (min(last.available_mw, TWO) if last else TWO)
        assert here.late == bool(last and last.available_mw < 2 and at < last.declared_at + timedelta(minutes=notice))


def an_offer(state: str = "offered", mw: str = "1") -> OfferedPeriod:
    return OfferedPeriod(
        obligation_id="obl_1",
        start=START,
        end=SPAN[1],
        mw=Decimal(mw),
        state=state,
        offered_at=SET,  # type: ignore[arg-type]
    )


VARIABLE = an_obligation(product_type="OU + Variable Availability")


def test_variable_availability_is_what_was_offered_and_accepted() -> None:
    def seen(offer: OfferedPeriod | None, now: datetime = SET) -> tuple[str, Decimal]:
        period = period_of(VARIABLE, SPAN, some_rules(), [], offer, now)
        return period.state, period.segments[0].available_mw

    assert seen(None) == ("not offered", 0)
    assert seen(an_offer()) == ("offered", 0)
    assert seen(an_offer(), START) == ("lapsed", 0)
    assert seen(an_offer("accepted"), START) == ("accepted", 1)
    assert seen(an_offer("declined")) == ("declined", 0)
    assert is_variable(VARIABLE)


def test_a_promise_is_promised_until_it_is_varied() -> None:
    def state(*variations: object) -> str:
        return period_of(an_obligation(), SPAN, some_rules(), variations, None, SET).state  # type: ignore[arg-type]

    assert state() == "promised"
    assert state(a_variation(START, START + HOUR)) == "varied"
    assert state(a_variation(START - HOUR, START + DAY)) == "varied"


def test_the_gates_are_on_the_week_before() -> None:
    gate, decide_by = gates(START + 2 * DAY, some_rules(), "Europe/London")
    assert gate == datetime(2026, 5, 27, 23, tzinfo=UTC)  # Wednesday midnight, summer time
    assert decide_by == datetime(2026, 5, 28, 11, tzinfo=UTC)


def test_a_span_has_the_least_mw_of_all_its_parts_and_none_outside() -> None:
    period = period_of(an_obligation(), SPAN, some_rules(), [a_variation(START, START + HOUR, "0.5")], None, SET)
    assert available_mw([period], (START, SPAN[1])) == Decimal("0.5")
    assert available_mw([period], (START + HOUR, SPAN[1])) == TWO
    assert available_mw([period], (START, SPAN[1] + HOUR)) is None
    assert available_mw([period], (START - HOUR, SPAN[1])) is None
    assert available_mw([], SPAN) is None


def test_a_variation_lies_ahead_has_length_and_is_below_the_promise() -> None:
    def codes(start: datetime, end: datetime, mw: str) -> list[str]:
        return [each.code for each in variation_problems(an_obligation(), start, end, Decimal(mw), START)]

    assert codes(START, SPAN[1], "2") == []
    assert codes(START - HOUR, START - HOUR, "3") == [
        "variation.past", "variation.order", "variation.above_promise"
    ]  # fmt: skip
