"""What one cell means: every kind, from a spreadsheet or a CSV, and what is refused with which words."""
# ruff: noqa: DTZ001 (local clock times have no zone)

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.files.cells import Fault, as_text, neutralise, read_cell, restore
from chalicelib.files.columns import (
    CellKind,
    Choice,
    ClockTime,
    DecimalNumber,
    Duration,
    LocalDate,
    LocalDateTime,
    Text,
    TextList,
    WholeNumber,
    YesNo,
    allowed_values,
    describe_kind,
)

MW = DecimalNumber(6)
LADDER = Choice(("Operational", "In Development", "30", "1.5"), {"live": "Operational"})


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Text(), "  EV 1 ", "EV 1"),
        (Text(), 1234567890123.0, "1234567890123"),
        (Text(), 2.5, "2.5"),
        (Text(), True, "TRUE"),
        (Text(), False, "FALSE"),
        (Text(), date(2026, 4, 1), "2026-04-01"),
        (Text(), datetime(2026, 4, 1, 9, 30), "2026-04-01 09:30:00"),
        (Text(), time(9, 5), "09:05"),
        (Text(), time(9, 5, 7), "09:05:07"),
        (Text(), timedelta(hours=30), "P1DT6H"),
        (Text(), timedelta(hours=-1), "-1 day, 23:00:00"),
        (Text(), "'=1+1", "=1+1"),
        (Text(pattern=r"[A-Z]{2}\d"), "AB1", "AB1"),
        (MW, 0.0036, "0.0036"),
        (MW, 0.1 + 0.2, "0.3"),
        (MW, "12.50", "12.5"),
        (MW, 10.0, "10"),
        (MW, 7, "7"),
        (MW, Decimal("1.250"), "1.25"),
        (MW, "-0", "0"),
        (MW, 0.00001, "0.00001"),
        (DecimalNumber(2, None), "'-2.5", "-2.5"),
        (DecimalNumber(2, maximum=Decimal(3)), 3.0, "3"),
        (DecimalNumber(2, above=Decimal(0)), 0.01, "0.01"),
        (WholeNumber(), 12.0, 12),
        (WholeNumber(), "12", 12),
        (WholeNumber(None), -3, -3),
        (LocalDate(), date(2026, 4, 1), "2026-04-01"),
        (LocalDate(), datetime(2026, 4, 1), "2026-04-01"),
        (LocalDate(), "2026-04-01", "2026-04-01"),
        (LocalDate(), "2026-4-1", "2026-04-01"),
        (LocalDate(), " 1/4/2026 ", "2026-04-01"),
        (LocalDate(), "01.04.2026", "2026-04-01"),
        (LocalDateTime(), datetime(2026, 4, 1, 9, 30), "2026-04-01T09:30:00"),
        (LocalDateTime(), datetime(2026, 4, 1, 8, 59, 59, 999_999), "2026-04-01T09:00:00"),
        (LocalDateTime(), date(2026, 4, 1), "2026-04-01T00:00:00"),
        (LocalDateTime(), "2026-04-01T09:30", "2026-04-01T09:30:00"),
        (LocalDateTime(), "01/04/2026 09:30:05", "2026-04-01T09:30:05"),
        (LocalDateTime(), "01/04/2026", "2026-04-01T00:00:00"),
        (ClockTime(), time(9, 5), "09:05"),
        (ClockTime(), "9:05", "09:05"),
        (ClockTime(), "09:05:00", "09:05"),
        (ClockTime(), "24:00", "24:00"),
        (ClockTime(), date(1900, 1, 1), "24:00"),
        (ClockTime(), timedelta(days=1), "24:00"),
        (Duration(), time(0, 30), "PT30M"),
        (Duration(), timedelta(hours=26), "P1DT2H"),
        (Duration(), datetime(1900, 1, 2, 6), "P2DT6H"),
        (Duration(), "1 02:00:00", "P1DT2H"),
        (Duration(), "00:00:00", "PT0S"),
        (Duration(), "pt15m", "PT15M"),
        (YesNo(), True, True),
        (YesNo(), "Yes", True),
        (YesNo(), "n", False),
        (YesNo(), 1.0, True),
        (LADDER, "operational", "Operational"),
        (LADDER, "In  development", "In Development"),
        (LADDER, "IN_DEVELOPMENT", "In Development"),
        (LADDER, 30.0, "30"),
        (LADDER, 1.5, "1.5"),
        (LADDER, "Live", "Operational"),
        (TextList(), "a; b,,c\nd ;", ["a", "b", "c", "d"]),
        (TextList(), 12.0, ["12"]),
        (TextList(), " ; ", None),
    ],
)
def test_a_cell_is_read_as_what_it_means(kind: CellKind, raw: Any, value: Any) -> None:
    assert read_cell(kind, raw) == value


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        (Text(3), "four", "cell.too_long"),
        (Text(pattern=r"\d+", pattern_help="digits"), "x", "cell.pattern"),
        (MW, "twelve", "cell.not_a_number"),
        (MW, "1,5", "cell.not_a_number"),
        (MW, "1e300", "cell.not_a_number"),
        (MW, "=1+1", "cell.not_a_number"),
        (MW, True, "cell.not_a_number"),
        (MW, date(2026, 4, 1), "cell.not_a_number"),
        (MW, float("inf"), "cell.not_a_number"),
        (MW, float("nan"), "cell.not_a_number"),
        (MW, 1e20, "cell.not_a_number"),
        (MW, -1.0, "cell.negative"),
        (MW, "0.1234567", "cell.too_precise"),
        (DecimalNumber(2, Decimal(1)), "0.5", "cell.too_small"),
        (DecimalNumber(2, Decimal(1)), "-0.5", "cell.negative"),
        (DecimalNumber(2, Decimal(-2)), -3, "cell.too_small"),
        (DecimalNumber(2, maximum=Decimal(3)), "3.01", "cell.too_large"),
        (DecimalNumber(2, above=Decimal(0)), 0.0, "cell.too_small"),
        (WholeNumber(), 1.5, "cell.not_whole"),
        (WholeNumber(), "-1", "cell.negative"),
        (WholeNumber(1, 9), 10.0, "cell.too_large"),
        (WholeNumber(), "many", "cell.not_a_number"),
        (LocalDate(), "2026-02-30", "cell.no_such_day"),
        (LocalDate(), "30/02/2026", "cell.no_such_day"),
        (LocalDate(), "1/4/26", "cell.not_a_date"),
        (LocalDate(), "2026/04/01", "cell.not_a_date"),
        (LocalDate(), "soon", "cell.not_a_date"),
        (LocalDate(), 46113.0, "cell.not_a_date"),
        (LocalDate(), datetime(2026, 4, 1, 9), "cell.not_a_date"),
        (LocalDate(), date(1900, 1, 1), "cell.no_such_day"),
        (LocalDate(), "9999-01-01", "cell.no_such_day"),
        (LocalDateTime(), "2026-04-01T09:30Z", "cell.not_a_time"),
        (LocalDateTime(), "2026-04-01 25:00", "cell.not_a_time"),
        (LocalDateTime(), datetime(1899, 12, 31, 9), "cell.no_such_day"),
        (LocalDateTime(), True, "cell.not_a_date"),
        (ClockTime(), "25:00", "cell.not_a_time"),
        (ClockTime(), "noon", "cell.not_a_time"),
        (ClockTime(), "09:05:30", "cell.not_a_time"),
        (ClockTime(), 0.5, "cell.not_a_time"),
        (ClockTime(), timedelta(hours=25), "cell.not_a_time"),
        (ClockTime(), timedelta(hours=-1), "cell.not_a_time"),
        (ClockTime(), date(2026, 4, 1), "cell.not_a_time"),
        (Duration(), "half an hour", "cell.not_a_duration"),
        (Duration(), 30.0, "cell.not_a_duration"),
        (Duration(), date(2026, 4, 1), "cell.not_a_duration"),
        (Duration(1), "2 00:00:00", "cell.too_long"),
        (Duration(), timedelta(hours=-1), "cell.negative"),
        (YesNo(), "maybe", "cell.not_yes_or_no"),
        (LADDER, "Broken", "cell.not_a_choice"),
        (LADDER, "15", "cell.not_a_choice"),
        (TextList(2), "a;b;c", "cell.too_many"),
        (TextList(9, 3), "four", "cell.too_long"),
    ],
)
def test_a_cell_that_does_not_fit_is_refused_with_a_code(kind: CellKind, raw: Any, code: str) -> None:
    fault = read_cell(kind, raw)
    assert isinstance(fault, Fault)
    assert fault.code == code
    assert fault.allowed == allowed_values(kind)
    assert fault.detail.endswith(".")


@pytest.mark.parametrize("blank", [None, "", "  ", "\t\n"])
def test_a_blank_cell_has_no_value_of_any_kind(blank: str | None) -> None:
    kinds: list[CellKind] = [
        Text(),
        MW,
        WholeNumber(),
        LocalDate(),
        ClockTime(),
        Duration(),
        YesNo(),
        LADDER,
        TextList(),
    ]
    assert [read_cell(kind, blank) for kind in kinds] == [None] * len(kinds)


@pytest.mark.parametrize(
    ("order", "text", "day"),
    [
        ("dmy", "03/04/2026", "2026-04-03"),
        ("mdy", "03/04/2026", "2026-03-04"),
        ("ymd", "2026/04/03", "2026-04-03"),
        ("mdy", "2026-04-03", "2026-04-03"),
    ],
)
def test_the_order_of_day_and_month_is_a_setting_and_never_a_guess(order: Any, text: str, day: str) -> None:
    assert read_cell(LocalDate(), text, order) == day


def test_a_day_beyond_the_twelfth_is_not_read_the_other_way_round() -> None:
    fault = read_cell(LocalDate(), "25/04/2026", "mdy")
    assert isinstance(fault, Fault)
    assert fault.code == "cell.no_such_day"
    assert "month, day, year" in fault.detail


def test_a_long_text_is_cut_in_the_sentence_about_it() -> None:
    fault = read_cell(MW, "x" * 500)
    assert isinstance(fault, Fault)
    assert len(fault.detail) < 150


def test_what_is_no_cell_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError):
        as_text(object())


@pytest.mark.parametrize("start", [*"=+-@＝", "'=", "''+"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start: str) -> None:
    assert neutralise(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["\n=1", "\r\n=1", " =1", "\t@x", "\n", "\n\n+1", "'\n=1"])
def test_what_a_spreadsheet_passes_over_does_not_hide_a_formula(text: str) -> None:
    assert neutralise(text) == f"'{text}"
    assert restore(neutralise(text)) == text


@pytest.mark.parametrize("text", ["-12.50", "-1", "12", "0.5"])
def test_a_number_given_as_text_stays_a_number(text: str) -> None:
    assert neutralise(text) == text == restore(text)


def test_other_text_stays_as_it_is() -> None:
    assert neutralise("O'Neill = fine") == "O'Neill = fine"
    assert neutralise("'quoted'") == "'quoted'"


@given(st.text())
def test_neutralised_text_reads_back_as_the_original(text: str) -> None:
    assert restore(neutralise(text)) == text
    assert neutralise(text)[:1] not in tuple("=+@\t\r\n")
    assert not re.match(r"-(?!\d+(\.\d+)?$)", neutralise(text), re.ASCII)


@given(st.decimals(min_value=0, max_value=10**8, places=6, allow_nan=False))
def test_a_decimal_is_the_same_from_text_and_from_a_spreadsheets_float(number: Decimal) -> None:
    assert read_cell(MW, f"{number:f}") == read_cell(MW, float(number))


@given(st.one_of(st.text(), st.floats(), st.booleans(), st.datetimes(), st.dates(), st.times(), st.timedeltas()))
def test_no_cell_makes_the_reader_fall_over(raw: Any) -> None:
    kinds: list[CellKind] = [
        Text(), MW, WholeNumber(), LocalDate(), LocalDateTime(), ClockTime(), Duration(), YesNo(), LADDER, TextList()
    ]  # fmt: skip
    for kind in kinds:
        value = read_cell(kind, raw)
        assert value is None or isinstance(value, str | int | bool | list | Fault)


@pytest.mark.parametrize(
    ("kind", "words", "allowed"),
    [
        (Text(9, "x", "an x"), "text, up to 9 characters", "an x"),
        (Text(9), "text, up to 9 characters", "any text"),
        (DecimalNumber(3), "number, up to 3 decimal places", "0 or more"),
        (DecimalNumber(3, None), "number, up to 3 decimal places", "any number"),
        (
            DecimalNumber(3, above=Decimal(0), maximum=Decimal(5)),
            "number, up to 3 decimal places",
            "above 0 and 5 or less",
        ),
        (WholeNumber(1, 9), "whole number", "1 or more and 9 or less"),
        (LocalDate(), "date", "a date: 2026-04-01, or a real date cell"),
        (LocalDateTime(), "date and time, local", "a date and time: 2026-04-01 09:00, or a real date cell"),
        (ClockTime(), "clock time, local", "HH:MM from 00:00 to 24:00"),
        (Duration(), "duration", "D HH:MM:SS, HH:MM:SS or ISO 8601 (PT30M)"),
        (YesNo(), "yes or no", "yes or no"),
        (Choice(("a", "b")), "one of a list", "a, b"),
        (TextList(5), "list, parted by ;", "up to 5 texts parted by ; , or a new line"),
    ],
)
def test_every_kind_says_what_it_is_and_what_passes(kind: CellKind, words: str, allowed: str) -> None:
    assert (describe_kind(kind), allowed_values(kind)) == (words, allowed)
