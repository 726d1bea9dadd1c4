"""The claims of local time: nothing lost or counted twice when the clocks change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from chalicelib.kernel import periods
from chalicelib.kernel.periods import DAYS

LONDON = ZoneInfo("Europe/London")
SPRING, AUTUMN = date(2024, 3, 31), date(2024, 10, 27)


@dataclass(frozen=True)
class AWindow:
    period_start: date
    period_end: date
    start: str = "00:00"
    end: str = "24:00"
    days: tuple[str, ...] = DAYS
    holidays: str = "include"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 5), (AUTUMN, 7), (date(2024, 4, 1), 6)])
def test_a_window_from_midnight_to_six_has_five_six_or_seven_hours(day: date, hours: int) -> None:
    assert periods.hours_in(AWindow(day, day, "00:00", "06:00"), LONDON, ()) == hours


@pytest.mark.parametrize(("day", "count"), [(SPRING, 46), (AUTUMN, 50), (date(2024, 6, 1), 48)])
def test_the_day_the_clocks_change_has_46_or_50_half_hours(day: date, count: int) -> None:
    found = periods.half_hours(day, LONDON)
    assert len(found) == len(set(found)) == count
    assert all(periods.local_day(start, LONDON) == day for start in found)


def test_a_time_that_does_not_exist_moves_to_the_next_valid_instant() -> None:
    for skipped in ("01:00", "01:30", "01:59"):
        local = datetime.fromisoformat(f"2024-03-31T{skipped}")
        assert periods.instant_of(local, LONDON, "first") == utc("2024-03-31T01:00")
        assert periods.instant_of(local, LONDON, "second") == utc("2024-03-31T01:00")


def test_a_repeated_start_is_the_first_and_a_repeated_end_the_second() -> None:
    local = datetime(2024, 10, 27, 1, 30)  # noqa: DTZ001 (a local clock time has no zone yet)
    assert periods.instant_of(local, LONDON) == utc("2024-10-27T00:30")
    assert periods.instant_of(local, LONDON, "second") == utc("2024-10-27T01:30")
    night = AWindow(AUTUMN, AUTUMN, "01:00", "01:30")
    assert list(periods.occurrences(night, LONDON, ())) == [(utc("2024-10-27T00:00"), utc("2024-10-27T01:30"))]


def test_a_window_wholly_within_the_skipped_hour_does_not_happen() -> None:
    window = AWindow(SPRING - timedelta(days=1), SPRING + timedelta(days=1), "01:00", "02:00")
    found = list(periods.occurrences(window, LONDON, ()))
    assert found == [
        (utc("2024-03-30T01:00"), utc("2024-03-30T02:00")),
        (utc("2024-04-01T00:00"), utc("2024-04-01T01:00")),
    ]


def test_a_window_that_ends_before_it_starts_runs_into_the_next_day_and_past_the_period() -> None:
    night = AWindow(date(2024, 1, 5), date(2024, 1, 5), "22:00", "06:00")
    assert list(periods.occurrences(night, LONDON, ())) == [(utc("2024-01-05T22:00"), utc("2024-01-06T06:00"))]


def test_a_night_that_meets_the_next_in_the_repeated_hour_is_counted_once() -> None:
    window = AWindow(date(2024, 10, 26), AUTUMN, "01:30", "01:00")
    (_, first_end), (second_start, _) = periods.occurrences(window, LONDON, ())
    assert first_end == second_start == utc("2024-10-27T01:00")


def test_days_and_holidays_go_by_the_local_day_a_window_starts_on() -> None:
    friday_nights = AWindow(date(2024, 3, 28), date(2024, 4, 6), "22:00", "02:00", ("Fri",), "exclude")
    good_friday = date(2024, 3, 29)
    assert list(periods.window_days(friday_nights, {good_friday})) == [date(2024, 4, 5)]
    saturday_a_holiday = {date(2024, 4, 6)}
    assert list(periods.window_days(friday_nights, saturday_a_holiday)) == [good_friday, date(2024, 4, 5)]


def test_holidays_count_where_the_window_includes_them() -> None:
    window = AWindow(date(2024, 3, 29), date(2024, 3, 29), holidays="include")
    assert periods.hours_in(window, LONDON, {date(2024, 3, 29)}) == 24


def test_a_zone_whose_midnight_is_skipped_starts_its_day_when_the_day_begins() -> None:
    santiago = ZoneInfo("America/Santiago")
    assert len(periods.half_hours(date(2024, 9, 8), santiago)) == 46
    assert len(periods.half_hours(date(2024, 4, 6), santiago)) == 50


def test_a_zone_that_moves_by_half_an_hour_has_47_and_49() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    assert len(periods.half_hours(date(2024, 10, 6), lord_howe)) == 47
    assert len(periods.half_hours(date(2024, 4, 7), lord_howe)) == 49


def test_hours_of_odd_minutes_are_exact_in_minutes() -> None:
    window = AWindow(date(2024, 1, 1), date(2024, 1, 3), "10:00", "10:20")
    assert periods.minutes_in(periods.occurrences(window, LONDON, ())) == 60
    assert periods.hours_in(window, LONDON, ()) == Decimal(1)


@pytest.mark.parametrize("text", ["24:01", "25:00", "1:00", "10:60", "", "10.30", "aa:bb", "10:00:00"])
def test_what_is_not_a_clock_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a clock time"):
        periods.clock_minutes(text)


def test_clock_times_run_from_midnight_to_midnight() -> None:
    assert [periods.clock_minutes(text) for text in ("00:00", "17:30", "24:00")] == [0, 1050, 1440]


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "/etc/passwd", "../UTC"])
def test_what_is_not_a_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not an IANA time zone"):
        periods.zone_of(name)


def test_a_zone_is_found_by_its_name() -> None:
    assert periods.zone_of("Europe/London") == LONDON


def test_the_span_of_days_includes_the_last() -> None:
    assert periods.days_span(SPRING, SPRING, LONDON) == (utc("2024-03-31T00:00"), utc("2024-03-31T23:00"))


def test_working_days_skip_weekends_and_holidays() -> None:
    holidays = {date(2024, 3, 29), date(2024, 4, 1)}
    assert periods.add_working_days(date(2024, 3, 28), 1, holidays) == date(2024, 4, 2)
    assert periods.add_working_days(date(2024, 3, 30), 0, holidays) == date(2024, 4, 2)
    assert periods.add_working_days(date(2024, 3, 30), 1, holidays) == date(2024, 4, 2)
    assert periods.add_working_days(date(2024, 3, 30), 3, holidays) == date(2024, 4, 4)
    assert periods.add_working_days(date(2024, 3, 28), 0, holidays) == date(2024, 3, 28)
    assert periods.working_days_between(date(2024, 3, 28), date(2024, 4, 3), holidays) == 3


@pytest.mark.parametrize(
    ("instant", "at_work"),
    [
        ("2024-07-01T08:00", True),
        ("2024-07-01T16:00", True),
        ("2024-07-01T16:01", False),
        ("2024-07-01T07:59", False),
        ("2024-06-30T10:00", False),
        ("2024-03-29T10:00", False),
    ],
)
def test_working_time_is_nine_to_five_local_on_working_days(instant: str, at_work: bool) -> None:
    assert periods.is_working_time(utc(instant), LONDON, {date(2024, 3, 29)}) is at_work
