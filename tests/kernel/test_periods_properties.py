"""Properties of local time over any day, zone and window."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.kernel import periods
from chalicelib.kernel.periods import DAYS, HALF_HOUR
from tests.kernel.test_periods import AWindow

ZONES = st.sampled_from(
    [ZoneInfo(name) for name in ("Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC", "America/Santiago")]
)
DATES = st.dates(date(2000, 1, 1), date(2037, 12, 1))
CLOCKS = st.integers(0, 23 * 60 + 59).map(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}")
DAY_SETS = st.sets(st.sampled_from(DAYS), min_size=1).map(lambda names: tuple(sorted(names, key=DAYS.index)))


@st.composite
def windows(draw: st.DrawFn) -> AWindow:
    first = draw(DATES)
    start, end = draw(st.tuples(CLOCKS, CLOCKS).filter(lambda pair: pair[0] != pair[1]))
    last = first + timedelta(days=draw(st.integers(0, 400)))
    return AWindow(first, last, start, end, draw(DAY_SETS), draw(st.sampled_from(["include", "exclude"])))


@settings(deadline=None, max_examples=40)
@given(st.integers(2000, 2036), ZONES)
def test_every_half_hour_of_a_year_is_counted_once(year: int, zone: ZoneInfo) -> None:
    days = periods.days_between(date(year, 1, 1), date(year, 12, 31))
    found = [start for day in days for start in periods.half_hours(day, zone)]
    first, last = periods.days_span(date(year, 1, 1), date(year, 12, 31), zone)
    assert found == [first + number * HALF_HOUR for number in range((last - first) // HALF_HOUR)]


@settings(deadline=None)
@given(st.integers(2000, 2036), ZONES)
def test_whole_days_fill_a_year_without_gap_or_overlap(year: int, zone: ZoneInfo) -> None:
    window = AWindow(date(year, 1, 1), date(year, 12, 31))
    spans = list(periods.occurrences(window, zone, ()))
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]
    assert (spans[0][0], spans[-1][1]) == periods.days_span(window.period_start, window.period_end, zone)


@settings(deadline=None)
@given(windows(), ZONES, st.sets(DATES, max_size=5))
def test_occurrences_are_disjoint_in_order_and_start_inside_the_period(
    window: AWindow, zone: ZoneInfo, holidays: set[date]
) -> None:
    spans = list(periods.occurrences(window, zone, holidays))
    opens, closes = periods.days_span(window.period_start, window.period_end, zone)
    assert all(opens <= start < end <= closes + timedelta(days=1, hours=1) for start, end in spans)
    assert all(start < closes for start, _ in spans)
    assert all(before_end <= start for (_, before_end), (start, _) in pairwise(spans))


@settings(deadline=None)
@given(windows(), ZONES, st.sets(DATES, max_size=5))
def test_a_window_and_the_rest_of_the_day_make_whole_days(window: AWindow, zone: ZoneInfo, holidays: set[date]) -> None:
    rest = AWindow(window.period_start, window.period_end, window.end, window.start, window.days, window.holidays)
    whole = AWindow(window.period_start, window.period_end, days=window.days, holidays=window.holidays)
    both = [hours for part in (window, rest) for hours in periods.occurrences(part, zone, holidays)]
    days = len(list(periods.window_days(whole, holidays)))
    assert abs(periods.minutes_in(both) - days * periods.MIDNIGHT) <= 4 * 60 * (1 + days // 150)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)), ZONES)  # noqa: DTZ001 (local clock times)
def test_an_instant_survives_the_trip_to_local_and_back(moment: datetime, zone: ZoneInfo) -> None:
    instant = moment.replace(tzinfo=UTC, microsecond=0)
    local = periods.local_of(instant, zone)
    assert instant in {periods.instant_of(local, zone, "first"), periods.instant_of(local, zone, "second")}


@given(DATES, st.integers(0, 1440), ZONES)
def test_clock_times_of_a_day_stay_in_order(day: date, minutes: int, zone: ZoneInfo) -> None:
    opens, closes = periods.day_span(day, zone)
    first, second = (periods.at_clock(day, minutes, zone, which) for which in ("first", "second"))
    assert opens <= first <= second <= closes + timedelta(hours=1 if minutes == 1440 else 0)


@given(st.lists(DATES, max_size=6).map(frozenset), DATES, st.integers(0, 30))
def test_adding_working_days_counts_exactly_so_many(holidays: frozenset[date], day: date, count: int) -> None:
    moved = periods.add_working_days(day, count, holidays)
    assert periods.is_working_day(moved, holidays)
    after = periods.working_days_between(day + timedelta(days=1), moved, holidays)
    assert after == count or (count == 0 and not periods.is_working_day(day, holidays) and after == 1)


@given(DATES, ZONES, st.times(), st.times())
def test_half_hours_of_a_span_touch_it_and_cover_it(day: date, zone: ZoneInfo, one: time, two: time) -> None:
    start, end = sorted(datetime.combine(day, moment, UTC) for moment in (one, two))
    found = list(periods.half_hours_in((start, end)))
    assert all(moment < end and moment + HALF_HOUR > start for moment in found)
    assert not found or (found[0] <= start and found[-1] + HALF_HOUR >= end)
