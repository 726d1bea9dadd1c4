"""Claims about the trace: what each rule compared, in words, and that the compact answer keeps all of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.assets.models import STATUSES
from chalicelib.qualification import sentences
from chalicelib.qualification.models import MATCH_ORDER, RULES, Answer, Company, Location
from chalicelib.qualification.rules import assess, locate, with_losses
from tests.builders.qualification import (
    APPROVED,
    CLOSE,
    INSIDE,
    a_match,
    a_need,
    an_answer,
    an_asset,
    an_override,
)


def line(rule: str, answer: Answer):
    return next(found for found in sentences.trace(answer) if found.rule == rule)


def told(rule: str, answer: Answer) -> tuple[bool, str, str | None]:
    found = line(rule, answer)
    return found.passed, found.detail, found.would_pass


def test_the_trace_has_every_rule_in_order_and_nothing_would_need_to_change_where_all_pass() -> None:
    lines = sentences.trace(an_answer())
    assert tuple(found.rule for found in lines) == RULES
    assert all(found.passed and found.would_pass is None for found in lines)
    assert sentences.failing(an_answer()) == []


@pytest.mark.parametrize(
    ("lowest", "highest", "needed"),
    [
        ("6.6", "33", "needs 6.6 to 33 kV"),
        ("6.6", None, "needs 6.6 kV or more"),
        (None, "33", "needs 33 kV or less"),
        (None, None, "needs no particular voltage"),
    ],
)
def test_the_voltage_line_names_both_sides(lowest, highest, needed) -> None:
    found = line("voltage", an_answer(a_need(lowest_kv=lowest, highest_kv=highest), voltage_kv="11"))
    assert (found.found, found.needed, found.detail) == ("connected at 11 kV", needed, f"connected at 11 kV; {needed}")


def test_a_failing_voltage_says_what_would_pass() -> None:
    assert told("voltage", an_answer(a_need(lowest_kv="6.6", highest_kv="33"))) == (
        False,
        "connected at 0.4 kV (low voltage); needs 6.6 to 33 kV",
        "a connection at 6.6 to 33 kV; correct the voltage if it is wrong",
    )


@pytest.mark.parametrize(
    ("match", "found"),
    [
        ("meter", "its meter is listed for area NORTH"),
        ("area", "inside area NORTH"),
        ("postcode", "its postcode is listed for area NORTH"),
        ("bounding box", "inside a bounding box of area NORTH"),
    ],
)
def test_a_match_says_how_and_in_which_area(match, found) -> None:
    where = locate([a_match(match)], a_need(), True)
    assert line("location", an_answer(location=where)).found == found


def test_a_match_by_the_buffer_says_how_far_outside() -> None:
    need = a_need(buffer_m="500")
    found = line("location", an_answer(need, location=locate([a_match("area", "120.5")], need, True)))
    assert (found.passed, found.found) == (True, "120.5 m outside area NORTH")
    assert found.needed == "needs to be in an area, widened by 500 m, or to have its meter listed"


def test_an_asset_40_m_outside_the_buffer_is_told_so() -> None:
    need = a_need(buffer_m="500", location_rule="area")
    answer = an_answer(need, location=locate([a_match("area", "540")], need, True))
    assert told("location", answer) == (
        False,
        "540 m outside area NORTH; needs to be in an area, widened by 500 m",
        "40 m closer would pass; check the coordinates",
    )


def test_an_asset_just_outside_a_box_is_told_how_far() -> None:
    need = a_need(buffer_m="500")
    answer = an_answer(need, location=locate([a_match("bounding box", "120")], need, True))
    assert told("location", answer)[1:] == (
        "120 m outside area NORTH; needs to be in an area, widened by 500 m, or to have its meter listed",
        "120 m closer would pass; check the coordinates",
    )


def test_an_asset_far_from_every_area_is_told_so() -> None:
    passed, detail, remedy = told("location", an_answer(location=Location()))
    assert not passed
    assert detail.startswith("outside every area by 1 km or more; needs to be in an area")
    assert remedy == "only assets in these areas can take part; check the coordinates"


def test_an_unknown_location_is_a_stated_reason() -> None:
    found = line("location", an_answer(location=Location(placed=False)))
    assert (found.found, found.would_pass) == (
        "location unknown",
        "give latitude and longitude, or a postcode that the gazetteer knows",
    )


def test_where_only_meters_count_a_place_inside_is_told_and_not_enough() -> None:
    need = a_need(location_rule="meter")
    answer = an_answer(need, location=locate([a_match("area")], need, True))
    assert told("location", answer) == (
        False,
        "inside area NORTH, but its meter is not on a list; needs its meter listed for an area",
        "ask the operator to list its meter, or correct the meter id",
    )


def test_where_only_areas_count_a_listed_meter_is_not_told() -> None:
    need = a_need(location_rule="area")
    assert not line("location", an_answer(need, location=locate([a_match("meter")], need, True))).passed


def test_a_competitions_own_boundaries_have_no_area_to_name() -> None:
    need = a_need(zones={"zon_north": "own list"})
    found = line("location", an_answer(need, location=locate([a_match("postcode")], need, True)))
    assert found.found == "its postcode is listed for the competition's own boundaries"


@pytest.mark.parametrize(
    ("power_type", "direction", "found"),
    [
        ("Active Power", "Deficit", "has 0 MW of generation turn up or demand turn down"),
        ("Active Power", "Excess", "has 0 MW of generation turn down or demand turn up"),
        ("Reactive Power", "Import", "has 0 MVAr of reactive import"),
        ("Reactive Power", "Export", "has 0 MVAr of reactive export"),
    ],
)
def test_the_capacity_line_names_the_columns_that_count(power_type, direction, found) -> None:
    answer = an_answer(a_need(power_type=power_type, direction=direction), demand_turn_down_mw=None)
    wanted = found.split(" of ")[1]
    assert told("capacity", answer) == (False, f"{found}; needs more than 0", f"enter a capacity for {wanted}")


def test_the_deadline_line_names_both_instants() -> None:
    late = an_answer(first_complete_at=CLOSE + timedelta(hours=1, seconds=5))
    assert told("deadline", late) == (
        False,
        "complete since 1 May 2026 18:00:05 UTC; "
        "needs to be complete before qualification closes on 1 May 2026 17:00 UTC",
        "too late for this competition; it will count in the next one",
    )


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        (None, "apply to scheme DPS"),
        ("draft", "submit the application to scheme DPS"),
        ("submitted", "the operator must approve the application to scheme DPS"),
        ("approved", "the approval came after qualification had closed"),
        ("rejected", "correct the application to scheme DPS and submit it again"),
        ("suspended", "ask the operator to reinstate the approval"),
        ("withdrawn", "correct the application to scheme DPS and submit it again"),
    ],
)
def test_the_company_line_says_where_the_application_stands(state, remedy) -> None:
    answer = an_answer(a_need(scheme_id="sch_1", scheme_ref="DPS"), Company(state=state))
    found = f"{state or 'without an application'} in scheme DPS; needs approval in scheme DPS"
    assert told("company", answer) == (False, found, remedy)


def test_without_a_scheme_the_company_line_says_so() -> None:
    assert told("company", an_answer())[1] == "no company qualification asked for; needs none"


def test_the_status_line_says_which_would_pass() -> None:
    assert told("status", an_answer(status="Mothballed")) == (
        False,
        "status Mothballed; needs Operational or In Development",
        "set the status to Operational or In Development",
    )


def test_losses_are_told_with_their_numbers() -> None:
    need = a_need(scheme_id="sch_1", scheme_ref="DPS")
    gone = Company(state="suspended", approved_at_close=True)
    head = an_asset(demand_turn_down_mw="0.003", status="Archived", version=3)
    answer = with_losses(assess(an_asset(demand_turn_down_mw="0.01"), need, INSIDE, APPROVED), head, need, gone)
    assert [sentences.loss_sentence(loss, answer) for loss in answer.losses] == [
        "since qualification closed its capacity went from 0.01 MW to 0 MW",
        "archived since qualification closed",
        "the approval in scheme DPS was lost since qualification closed",
    ]


def test_an_override_is_told_with_its_reason() -> None:
    assert sentences.override_sentence(an_override("qualify")) == "qualified by the operator: seen on a visit"


kilovolts = st.decimals(min_value="0.001", max_value=400, places=3)
limits = st.none() | kilovolts
quantities = st.none() | st.decimals(min_value=0, max_value=100, places=6)
instants = st.integers(-40, 40).map(lambda hours: CLOSE + timedelta(hours=hours))
places = st.builds(
    Location,
    match=st.none() | st.sampled_from(MATCH_ORDER),
    area=st.sampled_from(["NORTH", "own list"]),
    distance_m=st.decimals(min_value=0, max_value=5000, places=3),
    placed=st.booleans(),
)
needs = st.builds(
    a_need,
    lowest_kv=limits,
    highest_kv=limits,
    deadline=instants,
    scheme_id=st.none() | st.just("sch_1"),
    scheme_ref=st.just("DPS"),
    direction=st.sampled_from(["Deficit", "Excess"]),
    location_rule=st.sampled_from(["area_or_meter", "area", "meter"]),
    buffer_m=st.decimals(min_value=0, max_value=4000, places=3),
)
assets = st.builds(
    an_asset,
    voltage_kv=kilovolts,
    generation_turn_up_mw=quantities,
    generation_turn_down_mw=quantities,
    first_complete_at=instants,
    status=st.sampled_from(STATUSES),
)
companies = st.builds(
    Company,
    state=st.sampled_from([None, "submitted", "approved"]),
    approved_at_close=st.booleans(),
    version=st.integers(0, 9),
)


def plain_verdicts(asset, need, location, company) -> dict[str, bool]:
    """The six rules as page 4 says them, without the answer in between."""
    low = asset.voltage_kv < 1
    capacity = asset.active_export_mw if need.direction == "Deficit" else asset.active_import_mw
    return {
        "location": location.match is not None,
        "voltage": (need.lowest_kv is None or (need.lowest_kv < 1 if low else asset.voltage_kv >= need.lowest_kv))
        and (need.highest_kv is None or low or (need.highest_kv >= 1 and asset.voltage_kv <= need.highest_kv)),
        "capacity": capacity > Decimal(0),
        "deadline": asset.first_complete_at < need.deadline,
        "company": need.scheme_id is None or company.approved_at_close,
        "status": asset.status in {"Operational", "In Development"},
    }


@given(assets, needs, places, companies)
def test_the_compact_answer_tells_the_same_verdicts_as_the_plain_rules(asset, need, location, company) -> None:
    answer = assess(asset, need, location, company)
    told_verdicts = {found.rule: found.passed for found in sentences.trace(answer)}
    assert told_verdicts == plain_verdicts(asset, need, location, company)


@given(assets, assets, needs, places, companies)
def test_a_stored_answer_reads_back_with_the_same_trace(asset, head, need, location, company) -> None:
    answer = with_losses(assess(asset, need, location, company), head, need, company)
    read = Answer.model_validate_json(answer.model_dump_json(exclude_none=True))
    assert read == answer
    assert sentences.trace(read) == sentences.trace(answer)
    assert read.location == location


zone_kinds = st.lists(st.sampled_from(["meter", "area", "postcode", "bounding box"]), min_size=1)


@given(zone_kinds, needs, st.randoms(use_true_random=False))
def test_the_order_of_matches_never_changes_the_location(kinds, need, shuffle) -> None:
    matches = [a_match(kind, "0" if kind in ("meter", "postcode") else str(at)) for at, kind in enumerate(kinds)]
    shuffled = list(matches)
    shuffle.shuffle(shuffled)
    assert locate(matches, need, True) == locate(shuffled, need, True)
