"""The rules between a competition's fields: each breach is named at its field, with what would pass."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.competitions.planning import Found, Setting, plan, request_problems
from chalicelib.competitions.requests import parse_days, read_request
from chalicelib.competitions.words import canonical
from tests.builders.competitions import KNOWN, MADE, SETTING, a_competition, a_request, request_values, window_values


def problems_of(setting: Setting = SETTING, found: Found = KNOWN, **changes: Any) -> list[tuple[str, str | None]]:
    request, unfit = read_request(request_values(**changes))
    return [(each.code, each.field) for each in [*unfit, *request_problems(request, setting, found)]]


def window_problems_of(**changes: Any) -> list[tuple[str, str | None]]:
    found = problems_of(service_windows=[window_values(**changes)])
    return [(code, (field or "").removeprefix("service_windows/0/")) for code, field in found]


def test_a_plain_competition_has_no_problem() -> None:
    assert problems_of() == []


def test_a_day_that_does_not_exist_is_refused() -> None:
    (problem,) = problems_of(qualification_open="2026-02-30T09:00:00")
    assert problem[1] == "qualification_open"
    (problem,) = window_problems_of(service_period_start="2026-02-30")
    assert problem[1] == "service_period_start"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"qualification_closed": "2026-05-01T09:00:00"}, "qualification_closed"),
        ({"qualification_closed": "2026-04-30T09:00:00"}, "qualification_closed"),
        ({"open": "2026-05-29T16:59:59"}, "open"),
        ({"closed": "2026-06-01T09:00:00"}, "closed"),
        ({"closed": "2026-05-31T09:00:00"}, "closed"),
        ({"archive_on": "2026-06-11"}, "archive_on"),
    ],
)
def test_dates_out_of_order_are_refused(changes: dict[str, Any], field: str) -> None:
    assert problems_of(**changes) == [("calendar.order", field)]


def test_bidding_may_open_the_moment_qualification_closes() -> None:
    assert problems_of(open="2026-05-29T17:00:00") == []


@pytest.mark.parametrize(("left", "missing"), [("open", "closed"), ("closed", "open")])
def test_one_bidding_date_without_the_other_is_refused(left: str, missing: str) -> None:
    assert problems_of(**{missing: None}) == [("calendar.half", missing)]


def test_a_type_without_bidding_dates_is_refused() -> None:
    assert problems_of(open=None, closed=None, type="Utilisation") == [("calendar.missing", "open")]


def test_no_type_and_no_bidding_dates_is_visibility_only() -> None:
    competition = a_competition(open=None, closed=None)
    assert competition.is_visibility_only
    assert competition.type is None


@pytest.mark.parametrize(
    ("product", "kind"),
    [
        ("Peak Reduction", "Utilisation"),
        ("SU", "Utilisation"),
        ("OU", "Utilisation"),
        ("OU + SA", "Availability + Utilisation"),
        ("Operational Utilisation + Variable Availability", "Availability + Utilisation"),
        ("Sustain", "Utilisation"),
        ("Secure", "Availability + Utilisation"),
        ("Dynamic", "Availability + Utilisation"),
        ("restore", "Utilisation"),
    ],
)
def test_a_blank_type_follows_from_the_product(product: str, kind: str) -> None:
    assert a_competition(product_type=product).type == kind


def test_a_service_fee_that_is_named_makes_part_of_a_blank_type() -> None:
    assert a_competition(service_fee_guide="100").type == "Utilisation + Service Fee"
    assert a_competition(service_fee_fixed="100").asked_prices == ("utilisation_price", "service_fee")


def test_a_type_that_is_not_the_products_is_refused() -> None:
    assert problems_of(type="Availability + Utilisation") == [("type.conflict", "type")]
    assert problems_of(type="Utilisation + Service Fee") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("availability_fixed_price", "5"), ("availability_guide_price", "5"), ("availability_ceiling", "5")],
)
def test_a_price_that_the_type_does_not_have_is_refused(field: str, value: str) -> None:
    assert problems_of(**{field: value}) == [("price.not_asked", field)]


def test_a_visibility_only_competition_may_still_signal_a_guide_price() -> None:
    assert problems_of(open=None, closed=None, availability_guide_price="5") == []
    assert problems_of(open=None, closed=None, availability_ceiling="5") == [
        ("price.not_asked", "availability_ceiling")
    ]


def test_prices_are_fixed_one_by_one_and_the_pricing_type_follows() -> None:
    both = a_competition(product_type="Secure", availability_fixed_price="5", pricing_type="whatever")
    assert both.fixed_prices.keys() == {"availability_price"}
    assert both.bid_prices == ("utilisation_price",)
    assert both.pricing_type == "Mixed"
    assert a_competition(utilisation_fixed_price="250").pricing_type == "Fixed"
    assert a_competition().pricing_type == "Bid"


@pytest.mark.parametrize(
    "changes",
    [
        {"product_type": "Secure"},
        {"utilisation_fixed_price": "200"},
        {"accept_partial_award": False},
    ],
)
def test_pay_as_clear_needs_a_single_bid_price_and_divisible_bids(changes: dict[str, Any]) -> None:
    assert problems_of(settlement_price_rule="pay-as-clear") == []
    found = problems_of(settlement_price_rule="pay-as-clear", **changes)
    assert found == [("settlement_rule.clear", "settlement_price_rule")]


def test_pay_at_ceiling_needs_a_ceiling_for_every_bid_price() -> None:
    rule = {"settlement_price_rule": "pay-at-ceiling"}
    assert problems_of(**rule) == [("settlement_rule.ceiling", "utilisation_ceiling")]
    assert problems_of(**rule, utilisation_ceiling="300") == []
    assert problems_of(**rule, utilisation_fixed_price="300") == []
    assert problems_of(**rule, service_windows=[window_values(utilisation_ceiling="300")]) == []
    with_fee = problems_of(**rule, utilisation_ceiling="300", service_fee_guide="5")
    assert with_fee == [("settlement_rule.ceiling", "service_fee_fixed")]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"power_type": "Reactive Power"}, ("direction.conflict", "need_direction")),
        ({"need_direction": "Import (leading)"}, ("direction.conflict", "need_direction")),
        ({"minimum_budget": "-1"}, ("budget.negative", "minimum_budget")),
        ({"minimum_budget": "2", "maximum_budget": "1"}, ("budget.order", "maximum_budget")),
        (
            {"minimum_connection_voltage": "33", "maximum_connection_voltage": "11"},
            ("voltage.order", "maximum_connection_voltage"),
        ),
        ({"area_buffer": "4000.001"}, ("buffer.too_wide", "area_buffer")),
        ({"utilisation_ceiling": "-0.01"}, ("price.negative", "utilisation_ceiling")),
        ({"dps_record_reference": "NOT-THERE"}, ("scheme.unknown", "dps_record_reference")),
        ({"duplicate_asset_overrides": "OLD"}, ("competition.unknown", "duplicate_asset_overrides")),
        ({"duplicate_asset_overrides": "T2605_NORTH_01"}, ("overrides.itself", "duplicate_asset_overrides")),
        ({"boundaries": {"areas": ["NORTH", "NOWHERE"]}}, ("area.unknown", "boundaries/areas/1")),
        ({"boundaries": {}}, ("boundary.none", "boundaries")),
        ({"boundaries": {"postcodes": ["IP1 2AB", "rubbish"]}}, ("area.postcode", "boundaries/postcodes/1")),
        ({"boundaries": {"postcode_sectors": ["IP1"]}}, ("area.sector", "boundaries/postcode_sectors/0")),
        (
            {"boundaries": {"bounding_boxes": [{"south": 53, "west": 1, "north": 52, "east": 2}]}},
            ("area.box_latitude", "boundaries/bounding_boxes/0"),
        ),
        ({"service_windows": []}, ("window.none", "service_windows")),
    ],
)
def test_each_breach_is_named_at_its_field(changes: dict[str, Any], problem: tuple[str, str]) -> None:
    assert problems_of(**changes) == [problem]


def test_negative_prices_are_taken_where_the_operator_allows_them() -> None:
    allowing = Setting("org_so1", allow_negative_prices=True)
    assert problems_of(allowing, utilisation_ceiling="-5") == []
    assert problems_of(allowing, service_windows=[window_values(utilisation_ceiling="-5")]) == []
    assert window_problems_of(utilisation_ceiling="-5") == [("price.negative", "utilisation_ceiling")]


def test_an_area_reference_that_does_not_exist_is_named_in_the_sentence() -> None:
    request = a_request(boundaries={"areas": ["NOWHERE"]})
    (problem,) = plan(request, SETTING, KNOWN, "cmp_1", MADE).problems
    assert "NOWHERE" in problem.detail


def test_known_schemes_and_earlier_competitions_are_kept_by_id() -> None:
    found = Found(KNOWN.areas, {"DPS-1": "sch_1"}, {"OLD": "cmp_0"})
    request = a_request(dps_record_reference="DPS-1", duplicate_asset_overrides="OLD")
    competition = plan(request, SETTING, found, "cmp_1", MADE).competition
    assert competition is not None
    assert (competition.scheme_id, competition.overrides_from) == ("sch_1", "cmp_0")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"service_period_end": "2026-06-30"}, ("window.period_order", "service_period_end")),
        ({"service_period_end": "2047-06-30"}, ("window.period_length", "service_period_end")),
        ({"start": "24:00", "end": "06:00"}, ("window.start_at_24", "start")),
        ({"start": "06:00", "end": "06:00"}, ("window.empty", "end")),
        ({"service_days": []}, ("window.no_days", "service_days")),
        ({"capacity_required": "0"}, ("window.no_capacity", "capacity_required")),
        ({"dispatch_duration": None}, ("window.dispatch_half", "dispatch_duration")),
        ({"dispatch_estimate": None}, ("window.dispatch_half", "dispatch_estimate")),
        ({"dispatch_estimate": "-1"}, ("window.estimate_negative", "dispatch_estimate")),
        ({"dispatch_estimate": "133"}, ("window.dispatched_hours", "dispatch_estimate")),
        (
            {"service_period_end": "2026-07-03", "service_days": "Sat-Sun"},
            ("window.never_on", "service_days"),
        ),
    ],
)
def test_each_breach_in_a_window_is_named_at_its_field(changes: dict[str, Any], problem: tuple[str, str]) -> None:
    assert window_problems_of(**changes) == [problem]


def test_dispatched_hours_may_fill_the_window_to_the_last_minute() -> None:
    """66 weekdays of 4 hours are 264 hours: 132 dispatches of 2 hours."""
    assert window_problems_of(dispatch_estimate="132") == []
    assert a_competition().windows[0].hours == 264
    assert a_competition().windows[0].dispatched_hours == 20
    assert window_problems_of(dispatch_estimate=None, dispatch_duration=None) == []


def test_a_whole_day_is_from_midnight_to_midnight_and_a_night_runs_into_the_next_day() -> None:
    assert window_problems_of(start="00:00", end="24:00") == []
    assert window_problems_of(start="22:00", end="02:00") == []


def test_a_window_that_requires_less_than_the_smallest_bid_is_refused() -> None:
    found = problems_of(minimum_bid_size="3")
    assert found == [("window.below_bid_size", "service_windows/0/capacity_required")]
    assert problems_of(minimum_bid_size="2") == []


def test_two_windows_of_one_name_in_a_period_are_refused() -> None:
    found = problems_of(service_windows=[window_values(), window_values()])
    assert found == [("window.repeated", "service_windows/1/service_window_name")]


def test_a_period_has_the_same_dates_on_every_row() -> None:
    other = window_values(service_window_name="Morning", service_period_end="2026-09-29")
    found = problems_of(service_windows=[window_values(), other])
    assert found == [("window.period_differs", "service_windows/1/service_period_start")]


def test_all_problems_come_at_once_also_beside_fields_that_do_not_fit() -> None:
    found = problems_of(
        reference="not a reference",
        qualification_closed="2026-04-30T09:00:00",
        need_direction="Import",
        service_windows=[window_values(start="25:00", capacity_required="0"), window_values(service_days="Funday")],
    )
    assert {field for _, field in found} == {
        "reference",
        "qualification_closed",
        "need_direction",
        "service_windows/0/start",
        "service_windows/0/capacity_required",
        "service_windows/1/service_days",
        "service_windows/1/service_window_name",
    }


def test_missing_fields_are_each_named_and_the_rest_is_still_judged() -> None:
    request, problems = read_request({"service_windows": [{"service_period_start": "2026-07-02"}], "rubbish": 1})
    assert {("field.missing", "reference"), ("field.unknown", "rubbish")} <= {(p.code, p.field) for p in problems}
    assert request_problems(request, SETTING, KNOWN) == []
    assert plan(request, SETTING, KNOWN, "cmp_1", MADE).competition is None


def test_windows_that_are_no_list_are_one_problem() -> None:
    request, problems = read_request(request_values(service_windows="Evening"))
    assert [problem.field for problem in problems] == ["service_windows"]
    assert request_problems(request, SETTING, KNOWN) == []


@pytest.mark.parametrize(
    ("given", "days"),
    [
        ("Mon-Fri", ("Mon", "Tue", "Wed", "Thu", "Fri")),
        ("fri - mon", ("Mon", "Fri", "Sat", "Sun")),
        ("Monday; Weds, Sunday", None),
        ("Monday; Wed, Sunday;", ("Mon", "Wed", "Sun")),
        ("all", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")),
        (["Tue", "Sat-Sun"], ("Tue", "Sat", "Sun")),
        ("Mo", None),
        ("", ()),
        (7, None),
        ([1], None),
    ],
)
def test_service_days_are_names_or_ranges(given: Any, days: tuple[str, ...] | None) -> None:
    if days is None:
        with pytest.raises(ValueError, match="not a"):
            parse_days(given)
    else:
        assert parse_days(given) == days


@pytest.mark.parametrize("value", ["1999-12-31", "2101-01-01", "9999-12-31"])
def test_days_far_from_our_time_are_refused(value: str) -> None:
    assert window_problems_of(service_period_start=value)[0][1] == "service_period_start"


def test_power_beyond_any_grid_is_refused() -> None:
    assert window_problems_of(capacity_required="1000000.1")[0][1] == "capacity_required"
    assert window_problems_of(capacity_required="1000000") == []


@pytest.mark.parametrize("value", ["-PT1S", "P367D", "PT0.5S"])
def test_lengths_of_time_are_whole_seconds_of_at_most_a_year(value: str) -> None:
    assert window_problems_of(minimum_run_time=value)[0][1] == "minimum_run_time"


def test_a_word_is_known_without_case_and_spaces_and_others_are_left_for_the_check() -> None:
    from chalicelib.competitions import words

    assert canonical(words.ProductType, words.PRODUCT_SPELLINGS, " ou+sa ") == "OU + Scheduled Availability"
    assert canonical(words.ProductType, words.PRODUCT_SPELLINGS, "Peak") == "Peak"
    assert canonical(words.ProductType, words.PRODUCT_SPELLINGS, 5) == 5
