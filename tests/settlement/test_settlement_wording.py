"""How documents word money, quantities and local times."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.settlement import wording
from chalicelib.settlement.methods import PRESETS, Nominated
from tests.builders.settlement import LONDON


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("2910.16", "GBP", "£2,910.16"),
        ("-4", "GBP", "−£4.00"),
        ("0", "GBP", "£0.00"),
        ("1234567.5", "EUR", "€1,234,567.50"),
        ("-3", "PLN", "−PLN 3.00"),
    ],
)
def test_money_is_written_the_british_way(amount: str, currency: str, said: str) -> None:
    assert wording.money(Decimal(amount), currency) == said


def test_no_amount_is_a_dash() -> None:
    assert wording.money(None) == wording.price(None, "MWh") == wording.fixed(None, 2) == wording.trimmed(None) == "–"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_money_reads_back_to_the_penny(amount: Decimal) -> None:
    said = wording.money(amount).replace("£", "").replace(",", "").replace("−", "-")
    assert Decimal(said) == amount


@pytest.mark.parametrize(
    ("amount", "said"),
    [("181.2", "£181.20/MWh"), ("6.2525", "£6.2525/MWh"), ("100", "£100.00/MWh"), ("-1200", "−£1,200.00/MWh")],
)
def test_a_price_has_its_pence_and_no_more_places_than_it_needs(amount: str, said: str) -> None:
    assert wording.price(Decimal(amount), "MWh") == said


def test_quantities_have_their_sign_and_unit() -> None:
    assert wording.fixed(Decimal("-1250.00005"), 4, "MWh") == "−1,250.0001 MWh"
    assert wording.fixed(Decimal("-0.00001"), 4) == "0.0000"
    assert wording.trimmed(Decimal("0.850000000")) == "0.85"
    assert wording.trimmed(Decimal("-0.0036"), unit="MW") == "−0.0036 MW"


def test_completeness_is_never_rounded_up_to_all() -> None:
    assert wording.per_cent(99_999, 100_000) == "99.99 %"
    assert wording.per_cent(4, 4) == "100.00 %"
    assert wording.per_cent(0, 0) == "–"


def test_a_span_names_the_zone_and_both_where_the_clocks_change_between() -> None:
    evening = datetime(2026, 6, 17, 16, tzinfo=UTC), datetime(2026, 6, 17, 18, tzinfo=UTC)
    assert wording.span(*evening, LONDON) == "Wed 17 Jun 2026, 17:00 to 19:00 BST"
    change = datetime(2026, 10, 25, 0, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC)
    assert wording.span(*change, LONDON) == "Sun 25 Oct 2026, 01:00 BST to 02:00 GMT"
    night = datetime(2026, 1, 1, 23, tzinfo=UTC), datetime(2026, 1, 2, 1, tzinfo=UTC)
    assert wording.span(*night, LONDON) == "Thu 1 Jan 2026, 23:00 GMT to Fri 2 Jan 2026, 01:00 GMT"


def test_moments_and_days_are_written_out() -> None:
    at = datetime(2026, 7, 8, 9, tzinfo=UTC)
    assert wording.moment(at, ZoneInfo("Europe/Warsaw")) == "8 July 2026, 11:00 CEST"
    assert wording.moment(None, LONDON) == wording.day(None) == "–"


def test_a_whole_month_is_called_by_its_name() -> None:
    assert wording.period(date(2026, 12, 1), date(2026, 12, 31)) == "December 2026"
    assert wording.period(date(2026, 2, 1), date(2026, 2, 27)) == "1 February 2026 to 27 February 2026"
    assert wording.month_name("2026-04") == "April 2026"


def test_baseline_methods_go_by_their_preset() -> None:
    assert wording.method(PRESETS["high-5-of-10"]) == "high-5-of-10"
    assert wording.method(Nominated()) == "nominated"


def test_a_preset_taken_as_it_is_has_no_version() -> None:
    assert wording.rules_version(0) == "as the preset has it"
    assert wording.rules_version(3) == "version 3"


def test_a_reason_is_a_sentence_with_its_code() -> None:
    assert wording.reason("MISSING_READINGS") == "Not settled: meter readings are missing (MISSING_READINGS)"
    assert wording.reason("SOMETHING_NEW") == "Not settled (SOMETHING_NEW)"
    assert wording.reason(None) == "–"
