"""Lengths of time, as people write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.files.durations import clock_duration, iso_duration, parse_duration

LENGTHS = st.integers(min_value=0, max_value=10**8).map(lambda seconds: timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0 00:30:00", timedelta(minutes=30)),
        ("1 02:00:00", timedelta(hours=26)),
        ("36:00:00", timedelta(hours=36)),
        ("00:02", timedelta(minutes=2)),
        ("PT30M", timedelta(minutes=30)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("P2W", timedelta(weeks=2)),
        ("p1d", timedelta(days=1)),
        (" PT0S ", timedelta(0)),
    ],
)
def test_a_duration_is_read_in_each_spelling(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text",
    ["", "30", "30 minutes", "P", "PT", "P1DT", "P1Y", "1 24:00:00", "00:60", "-00:30", "1:2:3", "P1M2", "٣٠:٠٠"],
)
def test_what_has_no_fixed_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|hours"):
        parse_duration(text)


@given(LENGTHS)
def test_a_written_duration_reads_back_the_same(length: timedelta) -> None:
    assert parse_duration(iso_duration(length)) == length
    assert parse_duration(clock_duration(length)) == length


def test_durations_are_written_as_workbooks_and_the_api_show_them() -> None:
    assert clock_duration(timedelta(hours=26, seconds=5)) == "1 02:00:05"
    assert iso_duration(timedelta(hours=26, seconds=5)) == "P1DT2H5S"
    assert iso_duration(timedelta(0)) == "PT0S"
    assert iso_duration(timedelta(days=2)) == "P2D"


def test_a_negative_length_is_no_duration() -> None:
    with pytest.raises(ValueError, match="negative"):
        iso_duration(timedelta(seconds=-1))


@given(st.text(max_size=30))
def test_any_text_is_a_length_of_time_or_a_refusal(text: str) -> None:
    with suppress(ValueError):
        assert parse_duration(text) >= timedelta(0)
