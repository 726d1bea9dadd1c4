"""Claims about decimals: exact both ways, refused when they are not plain."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chalicelib.kernel.quantities import (
    Megawatts,
    Price,
    SignedPrice,
    megawatts,
    parse_decimal,
    plain,
    round_money,
    watts,
)

DECIMALS = st.decimals(min_value=-(10**9), max_value=10**9, places=6, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        ("0.0036", "0.0036"),
        (0.0036, "0.0036"),
        (5, "5"),
        (" 12.50 ", "12.50"),
        ("-3", "-3"),
        (1e-7, "1E-7"),
        ("6e-06", "6E-6"),
        ("-3.7E-05", "-3.7E-5"),
        ("1e5", "1E5"),
    ],
)
def test_a_number_is_read_exactly(given_: Any, read: str) -> None:
    assert parse_decimal(given_) == Decimal(read)


@pytest.mark.parametrize(
    "given_",
    [
        None,
        True,
        "",
        "abc",
        "1e",
        "1e123",
        "1,5",
        "NaN",
        "Infinity",
        float("nan"),
        float("inf"),
        "1.",
        ".5",
        "١",
        "1.0000000001",
    ]
    + [10**15, "--1", "=1+1", []],
)
def test_what_is_no_plain_number_is_refused(given_: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_decimal(given_)


@given(DECIMALS)
def test_text_of_a_decimal_reads_back_the_same(value: Decimal) -> None:
    assert parse_decimal(plain(value)) == value
    assert "E" not in plain(value)


@given(st.integers(-(10**15), 10**15))
def test_watts_and_megawatts_are_each_others_inverse(whole: int) -> None:
    assert watts(megawatts(whole)) == whole


def test_less_than_a_watt_is_refused() -> None:
    with pytest.raises(ValueError, match="finer than one watt"):
        watts(Decimal("0.0000001"))


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=4))
def test_money_is_rounded_half_away_from_zero(value: Decimal) -> None:
    rounded = round_money(value)
    assert abs(rounded - value) <= Decimal("0.005")
    assert round_money(-value) == -rounded


def test_half_a_penny_goes_away_from_zero() -> None:
    assert round_money(Decimal("0.005")) == Decimal("0.01")
    assert round_money(Decimal("-0.005")) == Decimal("-0.01")


@given(st.decimals(min_value=0, max_value=10**9, places=6))
def test_a_quantity_survives_json(value: Decimal) -> None:
    adapter = TypeAdapter(Megawatts)
    assert adapter.validate_json(adapter.dump_json(value)) == value


@pytest.mark.parametrize("given_", ["-1", "0.0000001", "x", "1e-7"])
def test_a_capacity_is_never_negative_nor_finer_than_a_watt(given_: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Megawatts).validate_python(given_)


def test_a_price_has_four_places_and_a_sign_only_where_it_may() -> None:
    assert TypeAdapter(SignedPrice).validate_python("-1.2345") == Decimal("-1.2345")
    for refused in ("-1", "1.23456"):
        with pytest.raises(ValidationError):
            TypeAdapter(Price).validate_python(refused)
