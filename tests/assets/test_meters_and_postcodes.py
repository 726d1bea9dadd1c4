"""Claims about British meter numbers and postcodes, held to published vectors where the data is at hand."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.meters import check_digit, is_mpan, normalise_mpan
from chalicelib.kernel.postcodes import (
    is_postcode,
    is_sector,
    normalise_postcode,
    normalise_sector,
    outward_of,
    sector_of,
)

REAL = Path(os.environ.get("HEADROOM_SHARED_DATA", Path(__file__).parents[3] / "shared/data"))
VECTORS = REAL / "mpan" / "mpan_vectors.csv"
OUTWARD = st.sampled_from(["M1", "B33", "CR2", "DN55", "W1A", "EC1A", "IP1", "BN21", "E20", "SW1A"])
INWARD = st.builds(
    lambda digit, first, second: f"{digit}{first}{second}",
    st.integers(0, 9),
    st.sampled_from("ABDEFGHJLNPQRSTUWXYZ"),
    st.sampled_from("ABDEFGHJLNPQRSTUWXYZ"),
)
twelve_digits = st.text("0123456789", min_size=12, max_size=12)


@given(twelve_digits)
def test_a_core_with_its_check_digit_holds_and_with_any_other_does_not(digits):
    right = check_digit(digits)
    assert [digit for digit in range(10) if is_mpan(f"{digits}{digit}")] == [right]


def test_a_remainder_of_ten_counts_as_nought():
    digits = next(text for text in (f"{n:012d}" for n in range(1000)) if _weighted(text) % 11 == 10)
    assert is_mpan(digits + "0")


def _weighted(digits: str) -> int:
    weights = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


@given(twelve_digits, st.integers(0, 11), st.integers(1, 9))
def test_most_mistyped_digits_are_noticed(digits, place, step):
    """Modulo 11 notices every one, but for the two remainders that share the digit 0."""
    wrong = digits[:place] + str((int(digits[place]) + step) % 10) + digits[place + 1 :]
    if check_digit(wrong) == check_digit(digits):
        assert {_weighted(wrong) % 11, _weighted(digits) % 11} == {0, 10}


@given(twelve_digits)
def test_spaces_between_digits_are_taken_away(digits):
    core = f"{digits}{check_digit(digits)}"
    assert normalise_mpan(f" {core[:2]} {core[2:6]} {core[6:]} ") == core


@pytest.mark.parametrize("text", ["", "0", "MPAN", "147011684505", "14701168450510", "१४७०११६८४५०५१"])
def test_what_is_not_thirteen_digits_is_no_core(text):
    assert not is_mpan(text)


@pytest.mark.real_data
@pytest.mark.skipif(not VECTORS.exists(), reason="public data not beside the checkout")
def test_published_vectors_come_out_as_their_class_says():
    with VECTORS.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18
    for row in rows:
        text = row["mpan"]
        if row["class"] == "VALID":
            assert is_mpan(text[-13:])
        if row["class"] in ("UNPARSEABLE", "PARSES_ONLY") or "checksum" in row["note"] or "distributor" in row["note"]:
            assert not is_mpan(text[-13:])
        assert not is_mpan(text) or len(text) == 13


@given(OUTWARD, INWARD, st.text(" \t", max_size=3), st.booleans())
def test_a_postcode_is_the_same_however_it_is_spaced_and_cased(outward, inward, space, lower):
    written = f"{space}{outward}{space}{inward}{space}"
    postcode = normalise_postcode(written.lower() if lower else written)
    assert postcode == f"{outward} {inward}"
    assert is_postcode(postcode)
    assert normalise_postcode(postcode) == postcode
    assert (outward_of(postcode), sector_of(postcode)) == (outward, f"{outward} {inward[0]}")
    assert is_sector(sector_of(postcode))
    assert normalise_sector(sector_of(postcode).replace(" ", "").lower()) == sector_of(postcode)


@given(st.text(max_size=12))
def test_any_text_is_normalised_once_and_for_all(text):
    once = normalise_postcode(text)
    assert normalise_postcode(once) == once


@pytest.mark.parametrize("text", ["", "A", "IP1", "IP1 1A", "QQ1 1AA", "IP1 1CA", "12345", "IP11 11AA"])
def test_what_has_not_the_form_is_no_postcode(text):
    assert not is_postcode(normalise_postcode(text))


@pytest.mark.parametrize("text", ["", "IP1", "IP1 1A", "1 1"])
def test_what_has_not_the_form_is_no_sector(text):
    assert not is_sector(text)
