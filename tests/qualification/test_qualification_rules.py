"""Claims about the six automatic rules, the verdict on each and what an operator's hand changes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from chalicelib.competitions.models import ZoneRef
from chalicelib.qualification import rules
from chalicelib.qualification.models import RULES, Company, Location
from chalicelib.qualification.rules import ALL_PASSED, locate, passes
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

SUSPENDED = Company(state="suspended", approved_now=False, approved_at_close=False, version=4)


def failing(answer) -> list[str]:
    return [rule for rule in RULES if not passes(answer, rule)]


def test_an_asset_that_fits_passes_every_rule() -> None:
    assert an_answer().passed == ALL_PASSED


def test_every_rule_is_evaluated_even_when_the_first_fails() -> None:
    need = a_need(lowest_kv="6.6", scheme_id="sch_1", scheme_ref="DPS", deadline=CLOSE - timedelta(days=60))
    answer = an_answer(need, SUSPENDED, Location(), demand_turn_down_mw=None, status="Mothballed")
    assert failing(answer) == list(RULES)


@pytest.mark.parametrize(
    ("kv", "lowest", "highest", "passing"),
    [
        ("11", "6.6", "33", True),
        ("6.6", "6.6", "33", True),
        ("33", "6.6", "33", True),
        ("6.599", "6.6", "33", False),
        ("33.001", "6.6", "33", False),
        ("0.4", "6.6", "33", False),
        ("0.23", "0.4", "0.4", True),
        ("0.4", None, "0.23", True),
        ("1", None, "0.4", False),
        ("0.999", "0.4", None, True),
        ("400", None, None, True),
    ],
)
def test_voltage_limits_are_inclusive_and_below_1_kv_is_one_level(kv, lowest, highest, passing) -> None:
    assert passes(an_answer(a_need(lowest_kv=lowest, highest_kv=highest), voltage_kv=kv), "voltage") is passing


@pytest.mark.parametrize(
    ("power_type", "direction", "capacity"),
    [
        ("Active Power", "Deficit", "5"),
        ("Active Power", "Excess", "10"),
        ("Reactive Power", "Import", "16"),
        ("Reactive Power", "Export", "32"),
    ],
)
def test_capacity_is_that_of_the_power_type_and_direction_needed(power_type, direction, capacity) -> None:
    columns = {
        "generation_turn_up_mw": "1",
        "demand_turn_down_mw": "4",
        "generation_turn_down_mw": "2",
        "demand_turn_up_mw": "8",
        "reactive_import_mvar": "16",
        "reactive_export_mvar": "32",
    }
    answer = an_answer(a_need(power_type=power_type, direction=direction), **columns)
    assert (answer.capacity_mw, passes(answer, "capacity")) == (Decimal(capacity), True)


@pytest.mark.parametrize("direction", ["Import", "Export"])
def test_an_asset_that_says_nothing_of_reactive_power_has_none(direction) -> None:
    answer = an_answer(a_need(power_type="Reactive Power", direction=direction))
    assert failing(answer) == ["capacity"]


@pytest.mark.parametrize(("early", "passing"), [(1, True), (0, False), (-1, False)])
def test_an_asset_must_be_complete_before_qualification_closes(early, passing) -> None:
    answer = an_answer(first_complete_at=CLOSE - timedelta(seconds=early))
    assert passes(answer, "deadline") is passing


def test_without_a_scheme_any_company_passes() -> None:
    assert passes(an_answer(company=SUSPENDED), "company")


def test_with_a_scheme_only_an_approved_company_passes() -> None:
    need = a_need(scheme_id="sch_1", scheme_ref="DPS")
    assert passes(an_answer(need, APPROVED), "company")
    assert failing(an_answer(need, SUSPENDED)) == ["company"]
    assert an_answer(need, SUSPENDED).company_version == 4


@pytest.mark.parametrize(
    ("status", "passing"), [("Operational", True), ("In Development", True), ("Mothballed", False), ("Archived", False)]
)
def test_only_operational_assets_and_those_in_development_pass(status, passing) -> None:
    assert passes(an_answer(status=status), "status") is passing


def test_the_surest_match_is_told() -> None:
    zones = {"zon_north": "NORTH", "zon_list": "LIST"}
    kinds = ["bounding box", "postcode", "area", "meter"]
    for known in range(1, 5):
        matches = [a_match(kind, zone_id="zon_list") for kind in kinds[:known]]
        assert locate(matches, a_need(zones=zones), True).match == kinds[known - 1]


def test_a_place_within_the_buffer_matches_less_surely_than_a_listed_one() -> None:
    need = a_need(buffer_m="500")
    near = a_match("area", "500")
    assert locate([near], need, True) == Location(match="buffer", area="NORTH", distance_m=Decimal(500))
    assert locate([near, a_match("bounding box")], need, True).match == "bounding box"


def test_a_buffer_widens_areas_and_not_bounding_boxes() -> None:
    found = locate([a_match("bounding box", "100")], a_need(buffer_m="500"), True)
    assert found == Location(area="NORTH", distance_m=Decimal(100))


def test_one_millimetre_beyond_the_buffer_is_outside() -> None:
    assert locate([a_match("area", "500.001")], a_need(buffer_m="500"), True).match is None


def test_the_distance_is_told_below_1_km_beyond_the_buffer() -> None:
    need = a_need(buffer_m="500")
    assert locate([a_match("area", "1499.999")], need, True).distance_m == Decimal("1499.999")
    assert locate([a_match("area", "1500")], need, True) == Location()


def test_the_nearest_boundary_is_told_when_none_matches() -> None:
    need = a_need(zones={"zon_north": "NORTH", "zon_south": "SOUTH"})
    found = locate([a_match("area", "900"), a_match("area", "300", "zon_south")], need, True)
    assert (found.area, found.distance_m) == ("SOUTH", Decimal(300))


def test_matches_with_zones_of_other_competitions_do_not_count() -> None:
    assert locate([a_match(zone_id="zon_elsewhere")], a_need(), True) == Location()


@pytest.mark.parametrize(
    ("rule", "kind", "match"),
    [
        ("area_or_meter", "meter", "meter"),
        ("area_or_meter", "area", "area"),
        ("area", "area", "area"),
        ("area", "postcode", "postcode"),
        ("area", "meter", None),
        ("meter", "meter", "meter"),
        ("meter", "area", None),
        ("meter", "bounding box", None),
    ],
)
def test_the_location_rule_says_which_matches_count(rule, kind, match) -> None:
    assert locate([a_match(kind)], a_need(location_rule=rule), True).match == match


def test_a_place_inside_is_told_even_where_only_meters_count() -> None:
    found = locate([a_match("area")], a_need(location_rule="meter"), True)
    assert found == Location(area="NORTH", distance_m=Decimal(0))


def test_a_listed_meter_matches_an_asset_without_a_place() -> None:
    assert locate([a_match("meter")], a_need(), False) == Location(
        match="meter", area="NORTH", distance_m=Decimal(0), placed=False
    )


def test_an_override_decides_either_way_and_a_lifted_one_does_not() -> None:
    passing, failing_one = an_answer(), an_answer(status="Mothballed")
    assert rules.is_eligible(failing_one, an_override("qualify"))
    assert not rules.is_eligible(passing, an_override("disqualify"))
    assert rules.is_eligible(passing, an_override("disqualify", lifted_at=CLOSE))
    assert rules.is_eligible(passing, None)
    assert not rules.is_eligible(failing_one, None)


def lost(need=None, company=APPROVED, at_close=None, **head):
    need = need or a_need()
    answer = rules.assess(at_close or an_asset(), need, INSIDE, APPROVED)
    return rules.with_losses(answer, an_asset(version=5, **head), need, company)


def test_an_unchanged_asset_loses_nothing() -> None:
    answer = lost()
    assert (answer.losses, answer.remaining_mw, answer.head_version) == ((), Decimal("0.0072"), 5)


def test_more_capacity_after_the_close_gains_nothing() -> None:
    assert lost(demand_turn_down_mw="9").remaining_mw == Decimal("0.0072")
    assert lost(demand_turn_down_mw="9").losses == ()


def test_less_capacity_after_the_close_leaves_the_less() -> None:
    answer = lost(demand_turn_down_mw="0.003")
    assert (answer.losses, answer.remaining_mw) == (("lower capacity",), Decimal("0.003"))
    assert rules.remaining_capacity(answer, None) == Decimal("0.003")


def test_no_capacity_left_means_no_longer_qualified_even_by_hand() -> None:
    answer = lost(demand_turn_down_mw="0", generation_turn_down_mw="1")
    assert rules.remaining_capacity(answer, None) is None
    assert rules.remaining_capacity(answer, an_override("qualify")) is None


def test_an_asset_archived_after_the_close_is_lost_even_when_qualified_by_hand() -> None:
    answer = lost(status="Archived")
    assert (answer.losses, answer.remaining_mw) == (("archived",), Decimal(0))
    assert rules.remaining_capacity(answer, an_override("qualify")) is None


def test_an_asset_that_was_archived_at_the_close_lost_nothing_since() -> None:
    assert lost(at_close=an_asset(status="Archived"), status="Archived").losses == ()


def test_a_mothballed_asset_keeps_what_it_qualified_for() -> None:
    assert rules.remaining_capacity(lost(status="Mothballed"), None) == Decimal("0.0072")


def test_a_suspended_approval_loses_unless_an_operator_qualified_the_asset_by_hand() -> None:
    need = a_need(scheme_id="sch_1", scheme_ref="DPS")
    suspended = Company(state="suspended", approved_now=False, approved_at_close=True, version=4)
    answer = lost(need, suspended)
    assert answer.losses == ("approval lost",)
    assert rules.remaining_capacity(answer, None) is None
    assert rules.remaining_capacity(answer, an_override("disqualify")) is None
    assert rules.remaining_capacity(answer, an_override("qualify", lifted_at=CLOSE)) is None
    assert rules.remaining_capacity(answer, an_override("qualify")) == Decimal("0.0072")


def test_an_asset_qualified_by_hand_without_capacity_keeps_its_place() -> None:
    answer = an_answer(demand_turn_down_mw="0", generation_turn_down_mw="1")
    assert rules.remaining_capacity(answer, an_override("qualify")) == 0


def test_pairs_that_match_lie_near_or_are_overridden_are_kept() -> None:
    assert rules.is_worth_keeping(an_answer(), None)
    assert rules.is_worth_keeping(an_answer(location=Location(area="NORTH", distance_m=Decimal(900))), None)
    assert rules.is_worth_keeping(an_answer(location=Location()), an_override())
    assert not rules.is_worth_keeping(an_answer(location=Location()), None)


def test_a_zone_without_an_area_is_the_competitions_own_list() -> None:
    assert rules._area_name(ZoneRef(zone_id="zon_1")) == rules.OWN_LIST
    assert rules._area_name(ZoneRef(zone_id="zon_1", area_ref="NORTH", area_version=1)) == "NORTH"
