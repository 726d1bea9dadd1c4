"""Claims about files of readings: units, signs, clocks and stamps are said or asked, and clock changes lose nothing."""

from __future__ import annotations

import csv
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.errors import Invalid
from chalicelib.metering.codec import pack, unpack
from chalicelib.metering.reading import expected_periods, meters_in, to_milliwatts
from chalicelib.metering.rules import readings_of
from tests.builders.metering import (
    AUTUMN,
    METER,
    SPRING,
    SUMMER,
    WINTER,
    codes,
    days_of,
    long_table,
    only_day,
    wide_table,
)

SHARED = Path(os.environ.get("HEADROOM_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
KW = 10**6


def refusal(table: Any, **how: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        days_of(table, **how)
    return [problem.code for problem in caught.value.problems]


@pytest.mark.parametrize(("day", "periods"), [(SUMMER, 48), (SPRING, 46), (AUTUMN, 50)])
def test_a_long_file_in_utc_gives_each_local_day_its_periods(day: date, periods: int) -> None:
    found = only_day(long_table(day))
    assert (len(found.values), set(found.values), found.minutes) == (periods, {KW}, 30)


@pytest.mark.parametrize(("day", "periods"), [(SUMMER, 48), (SPRING, 46), (AUTUMN, 50)])
def test_a_long_file_of_the_local_clock_does_too(day: date, periods: int) -> None:
    for header in (("meter_id", "start_local", "kwh"), ("mpan", "Start Local", "kWh")):
        found = only_day(long_table(day, header=header, clock="local"))
        assert (len(found.values), found.present) == (periods, periods)


def test_stamps_at_the_end_of_periods_shift_by_one() -> None:
    rows = long_table(SUMMER)
    shifted = [["meter_id", "end", "kwh"]] + [
        [METER, (datetime.fromisoformat(at) + timedelta(minutes=30)).isoformat(), kwh] for _, at, kwh in rows[1:]
    ]
    assert only_day(shifted) == only_day(rows)


def test_midnight_may_be_written_as_twenty_four() -> None:
    rows = [["meter_id", "end_local", "kwh"]] + [
        [METER, f"{WINTER} {half // 2:02d}:{half % 2 * 30:02d}:00", half] for half in range(1, 49)
    ]
    assert only_day(rows).values[-1] == 96 * KW


def test_whole_days_alone_tell_start_from_end() -> None:
    starts = long_table(WINTER, header=("meter_id", "timestamp", "kwh"))
    ends = [starts[0]] + [
        [METER, (datetime.fromisoformat(at) + timedelta(minutes=30)).isoformat(), kwh] for _, at, kwh in starts[1:]
    ]
    assert only_day(starts) == only_day(ends)


def test_stamps_that_fit_two_readings_are_asked_about() -> None:
    part = long_table(WINTER, header=("meter_id", "timestamp", "kwh"))[:5]
    assert refusal(part) == ["stamps.start_or_end"]
    summer = long_table(SUMMER, clock="local")
    assert refusal(summer) == ["stamps.clock"]
    neither = long_table(SUMMER, header=("meter_id", "timestamp", "kwh"), clock="local")[:5]
    assert refusal(neither) == ["stamps.start_or_end", "stamps.clock"]


def test_stamps_with_and_without_an_offset_are_not_mixed() -> None:
    assert refusal([*long_table(SUMMER), [METER, f"{SUMMER} 12:00", 1]]) == ["stamps.mixed"]


def test_in_winter_both_clocks_are_one() -> None:
    assert only_day(long_table(WINTER, clock="local")).present == 48


def test_a_clock_change_tells_the_clock() -> None:
    assert only_day(long_table(AUTUMN, clock="local")).present == 50


def test_a_local_time_that_the_clocks_skipped_is_refused() -> None:
    rows = [["meter_id", "start_local", "kwh"], [METER, f"{SPRING} 00:30", 1], [METER, f"{SPRING} 01:00", 1]]
    assert codes(rows) == ["stamps.skipped"]


def test_two_figures_for_one_period_are_refused_and_the_same_twice_is_one() -> None:
    rows = long_table(SUMMER)
    assert only_day([*rows, rows[-1]]).present == 48
    assert codes([*rows, [METER, rows[-1][1], "9"]]) == ["readings.repeated"]


def test_gaps_stay_missing() -> None:
    rows = long_table(SUMMER)
    del rows[10]
    rows[20][2] = ""
    found = only_day(rows)
    assert found.present == 46
    assert found.values[9] is None


def test_a_stamp_off_the_grid_and_a_word_for_a_figure_are_named_by_row() -> None:
    rows = [*long_table(SUMMER), [METER, f"{SUMMER} 12:17:00Z", 1], [METER, "noon", 1], ["", "", 1]]
    found = days_of([["Minutes", 30], *rows])
    rows[5][2] = "n/a"
    more = [
        (problem.code, problem.row) for each in days_of(long_table(SUMMER)[:3] + rows[5:6]) for problem in each.problems
    ]
    assert [each.problems[0].code for each in found] == ["stamps.unreadable", "cell.required", "stamps.off_grid"]
    assert more == [("readings.not_a_figure", 4)]


def test_period_lengths_are_told_from_the_stamps_or_asked() -> None:
    for minutes in (30, 15, 5, 1):
        start = datetime(2026, 6, 16, 23, tzinfo=UTC)
        rows = [["meter_id", "start", "kw"]] + [
            [METER, (start + timedelta(minutes=minutes * n)).isoformat(), "2.5"] for n in range(1440 // minutes)
        ]
        found = only_day(rows)
        assert (found.minutes, found.present, set(found.values)) == (minutes, 1440 // minutes, {2_500_000})
    one = [["meter_id", "start", "kw"], [METER, "2026-06-17T00:00Z", 1]]
    assert refusal(one) == ["stamps.minutes"]
    assert only_day([["Minutes", 30], *one]).present == 1
    assert refusal([["meter_id", "start", "kw"], *[[METER, f"2026-06-17T{h:02d}:00Z", 1] for h in range(3)]]) == [
        "stamps.minutes"
    ]


@pytest.mark.parametrize(
    ("unit", "figure", "milliwatts"), [("kWh", "1.5", 3 * KW), ("Wh", "1500", 3 * KW), ("kW", "3", 3 * KW)]
)
def test_units_come_to_average_power(unit: str, figure: str, milliwatts: int) -> None:
    rows = [["Unit", unit], *long_table(SUMMER, header=("meter_id", "start", "value"), kwh=figure)]
    assert set(only_day(rows).values) == {milliwatts}


def test_a_file_without_a_unit_is_asked() -> None:
    assert refusal(long_table(SUMMER, header=("meter_id", "start", "value"))) == ["readings.unit"]


def test_signs_are_said_for_export_meters() -> None:
    rows = long_table(SUMMER)
    assert refusal(rows, export_meters={METER}) == ["readings.sign"]
    said = only_day([["Positive", "export"], *rows], export_meters={METER})
    assert set(said.values) == {-KW}
    named = only_day(long_table(SUMMER, header=("meter_id", "start", "export_kwh")), export_meters={METER})
    assert named == said


def test_a_file_that_says_two_things_or_nothing_sensible_is_refused() -> None:
    rows = long_table(SUMMER)
    assert refusal([["Unit", "kW"], *rows]) == ["file.two_declarations"]
    assert refusal([["Clock", "moon"], *rows]) == ["file.declaration"]
    assert refusal([["name", "age"]]) == ["file.header"]
    assert refusal([["meter_id", "start"]]) == ["file.no_values"]
    assert refusal([["meter_id", "kwh"]]) == ["file.no_time"]
    assert refusal([["meter_id", "day", "a", "b"]]) == ["file.periods"]
    assert refusal([["Unit", "kWh"], ["meter_id", "day", 1, 2, 3], [METER, "2026-01-01", 1]]) == ["readings.columns"]


def test_columns_may_declare_row_by_row() -> None:
    rows = long_table(SUMMER, header=("meter_id", "start", "value"))
    rows = [[*rows[0], "unit"], *[[*row, "kWh"] for row in rows[1:]], ["", "", "", ""]]
    assert only_day(rows).present == 48


LOCAL_CLOCK = [["Clock", "local"]]


@pytest.mark.parametrize(("day", "columns"), [(SUMMER, 48), (SPRING, 48), (AUTUMN, 50), (SUMMER, 50)])
def test_a_wide_file_counts_the_periods_of_the_local_day(day: date, columns: int) -> None:
    found = only_day(wide_table(day, columns=columns, above=LOCAL_CLOCK))
    assert found.present == len(found.values) == expected_periods(day, 30)


def test_forty_seven_values_on_a_day_of_forty_eight_are_refused() -> None:
    assert codes(wide_table(SUMMER, figures=47, above=LOCAL_CLOCK)) == ["readings.count"]
    assert codes(wide_table(SPRING, figures=48, above=LOCAL_CLOCK)) == ["readings.count"]
    assert codes(wide_table(AUTUMN, figures=48, above=LOCAL_CLOCK)) == ["readings.count"]


def test_a_blank_between_figures_is_a_gap() -> None:
    table = wide_table(SUMMER, above=LOCAL_CLOCK)
    table[-1][10] = None
    assert only_day(table).present == 47


def test_a_wide_file_over_a_summer_day_says_its_clock() -> None:
    assert refusal(wide_table(SUMMER)) == ["stamps.clock"]
    assert only_day(wide_table(WINTER)).present == 48


def test_days_of_utc_are_put_together_into_local_days() -> None:
    table = wide_table(SUMMER, date(2026, 6, 18), figures=48, above=[["Clock", "UTC"]])
    assert [(each.day.day.day, each.day.present) for each in days_of(table) if each.day] == [
        (17, 46),
        (18, 48),
        (19, 2),
    ]


def clock_table(day: date, blank: tuple[int, ...] = (), repeated: bool = False, ends: bool = False) -> Any:
    times = [f"{n // 2:02d}:{n % 2 * 30:02d}" for n in range(48)]
    times = times[:4] + (times[2:4] if repeated else []) + times[4:]
    header = [*times[1:], "24:00"] if ends else times
    figures = [None if n in blank else n for n in range(len(times))]
    return [["Unit", "kW"], ["Clock", "local"], ["meter_id", "day", *header], [METER, str(day), *figures]]


def test_a_row_that_nobody_filled_in_says_nothing() -> None:
    day = only_day([["Unit", "kWh"], ["Clock", "local"], ["meter_id", "day", *range(1, 51)], [METER, str(SUMMER)]])
    assert (day.present, len(day.values)) == (0, 48)


def test_rows_of_one_wide_file_may_differ_in_what_positive_figures_stand_for() -> None:
    header = ["meter_id", "day", "unit", "positive", "clock", *range(1, 51)]
    rows = [[METER, str(SUMMER), "kWh", "import", "local", *["0.5"] * 48]]
    rows += [["1200000000029", str(SUMMER), "kWh", "Export", "local", *["0.5"] * 48]]
    found = days_of([header, *rows], export_meters=["1200000000029"])
    assert [each.day.values[0] for each in found if each.day] == [10**6, -(10**6)]
    unsaid = [[METER, str(WINTER), "kWh", "", "local", *["0.5"] * 48]]
    assert codes([header, *rows, *unsaid]) == ["readings.sign"]
    with pytest.raises(Invalid):
        days_of([["Positive", "import"], header, *rows])


def test_columns_named_by_the_clock_skip_and_repeat_with_it() -> None:
    spring = only_day(clock_table(SPRING, blank=(2, 3)))
    assert [value // KW for value in spring.values[:4] if value is not None] == [0, 1, 4, 5]
    assert codes(clock_table(SPRING)) == ["readings.count"]
    autumn = only_day(clock_table(AUTUMN, repeated=True))
    assert [value // KW for value in autumn.values[:6] if value is not None] == [0, 1, 2, 3, 4, 5]
    assert only_day(clock_table(AUTUMN)).present == 48
    assert codes(clock_table(SUMMER, repeated=True)) == ["readings.count"]
    assert only_day(clock_table(SUMMER, ends=True)) == only_day(clock_table(SUMMER))


def test_a_meters_day_stands_on_one_row_and_rows_need_both() -> None:
    table = wide_table(SUMMER, SUMMER, above=LOCAL_CLOCK)
    assert codes(table) == ["row.repeated"]
    assert codes([*table[:3], [METER, "someday", 1], [None, str(SUMMER), 1], [None, None]]) == [
        "stamps.unreadable",
        "cell.required",
    ]
    table = wide_table(SUMMER, above=LOCAL_CLOCK)
    table[-1][5] = "x"
    assert codes(table) == ["readings.not_a_figure"]


def test_cells_of_a_workbook_are_read_as_they_are() -> None:
    table = wide_table(SUMMER, above=LOCAL_CLOCK)
    table[-2] = ["meter_id", "day", *[float(n) for n in range(1, 49)]]
    table[-1] = [1200000000000.0, datetime(2026, 6, 17), *[0.5] * 48]  # noqa: DTZ001
    assert only_day(table).meter_id == METER
    table[-1][1] = SUMMER
    assert only_day(table).present == 48
    assert meters_in(table) == [METER]


@pytest.mark.parametrize("figure", ["nan", "inf", "1e300", "0.00000001", "1,5", "yes"])
def test_what_is_no_figure_is_refused(figure: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        to_milliwatts(figure, 2 * KW)


VALUES = st.lists(st.none() | st.integers(-(10**13), 10**13), max_size=1500)
WATTS = st.lists(st.none() | st.integers(-(10**10), 10**10).map(lambda watts: watts * 1000), max_size=60)


@given(st.sampled_from([30, 15, 5, 1]), VALUES | WATTS)
def test_a_packed_day_comes_back_exactly(minutes: int, values: list[int | None]) -> None:
    assert unpack(pack(minutes, values)) == (minutes, tuple(values))


def test_other_bytes_are_not_a_day() -> None:
    for other in (b"", b"\x09\x1e\x00\x00\x01\x00"):
        with pytest.raises(ValueError, match="not a packed meter-day"):
            unpack(other)
    with pytest.raises(ValueError, match="at most"):
        pack(0, [])


@given(st.integers(0, 400), st.sampled_from([30, 15, 5, 1]))
def test_a_days_readings_stand_at_its_periods(offset: int, minutes: int) -> None:
    day = date(2026, 1, 1) + timedelta(days=offset)
    start = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=2)
    rows = [["meter_id", "start", "kw"]] + [
        [METER, (start + timedelta(days=offset, minutes=minutes * n)).isoformat(), n % 1000 / 1000]
        for n in range(1680 // minutes)
    ]
    [found] = [each.day for each in days_of(rows) if each.day and each.day.day == day]
    assert found.present == len(found.values) == expected_periods(day, minutes)
    for at, value in readings_of(found).items():
        assert value == (at - start - timedelta(days=offset)) // timedelta(minutes=minutes) % 1000 * 1000


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["nged_2024-01_head.csv", "ssen_2024-02-12_head.csv"])
def test_two_operators_files_alike_in_all_but_their_stamps_are_asked_about(name: str) -> None:
    """One stamps the start and one the end of a half-hour; a few rows of either fit both."""
    path = SHARED / "meter_file_shapes" / name
    if not path.exists():
        pytest.skip("the public data is not beside the checkout")
    with path.open(newline="") as file:
        rows = [{key.casefold(): text for key, text in row.items()} for row in csv.DictReader(file)]
    table = [["Unit", "Wh"], ["meter_id", "timestamp", "value"]]
    table += [
        [row["secondary_substation_id"], row["data_collection_log_timestamp"], row["total_consumption_active_import"]]
        for row in rows
    ]
    assert refusal(table) == ["stamps.start_or_end"]
    stamp = "start" if name.startswith("nged") else "end"
    found = days_of([["Stamps", stamp], *table])
    assert {each.day.present for each in found if each.day} == {len(rows)}
    assert min(min(readings_of(each.day)) for each in found if each.day).minute == 0


def test_twenty_four_oclock_of_no_day_and_broken_rows_of_utc_days_are_named() -> None:
    assert codes([["Minutes", 30], ["meter_id", "start", "kwh"], [METER, "2026-13-45 24:00", 1]]) == [
        "stamps.unreadable"
    ]
    table = [*wide_table(SUMMER, above=[["Clock", "UTC"]]), [METER, "someday", 1]]
    assert codes(table) == ["stamps.unreadable"]


def test_a_skipped_local_time_fits_no_reading_of_the_local_clock() -> None:
    """So a file with one is of UTC, even where nothing says so."""
    start = datetime(2026, 3, 29, tzinfo=UTC)
    rows = [["meter_id", "start", "kwh"]] + [
        [METER, (start + timedelta(minutes=30 * n)).strftime("%Y-%m-%d %H:%M"), 1] for n in range(48)
    ]
    assert [each.day.present for each in days_of(rows) if each.day] == [46, 2]


def test_stamps_of_a_workbook_are_times_already() -> None:
    rows = long_table(WINTER, clock="local")
    real = [rows[0], *[[METER, datetime.fromisoformat(at), kwh] for _, at, kwh in rows[1:]]]
    assert only_day(real) == only_day(rows)
