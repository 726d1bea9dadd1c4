"""Claims about what an asset must say to be taken, what it is warned of, and what may become of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.assets.countries import BOXES, COUNTRY_CODES
from chalicelib.assets.lifecycle import (
    MOVES,
    Stamp,
    change_problems,
    consent_lack,
    duplicate_notices,
    held_by,
    is_stored,
    next_version,
    notices_of,
    outcome_of,
    placed,
)
from chalicelib.assets.models import (
    COLUMN_FIELDS,
    METER_INTERVALS,
    SHIPPED_TYPES,
    STATUSES,
    Commitment,
    Place,
    TypeTree,
    voltage_level,
)
from chalicelib.assets.requests import read_asset
from chalicelib.assets.rules import added_types, check_row
from chalicelib.assets.sheets import COLUMNS
from chalicelib.files.importing import ParsedRow
from chalicelib.kernel.lifecycle import can_move, move
from tests.builders.assets import a_receipt, an_asset, asset_cells, asset_fields

METER = "1470116845051"
TODAY = date(2026, 4, 1)
PLACE = Place(lat=Decimal("52.05"), lon=Decimal("1.15"), source="postcode")


def problems(types=SHIPPED_TYPES, **changes):
    return {problem.code: problem for problem in read_asset(asset_cells(**changes), types).problems}


def notices(place=PLACE, **changes):
    return {notice.code for notice in notices_of(asset_fields(**changes), place, TODAY)}


def a_commitment(ends="2026-06-01T00:00:00Z", obligation="obl_1"):
    return Commitment(
        obligation_id=obligation,
        so="org_so",
        competition_id="cmp_1",
        starts=datetime.fromisoformat("2026-04-01T00:00:00Z"),
        ends=datetime.fromisoformat(ends),
        mw=Decimal(1),
    )


def test_the_required_columns_alone_make_an_asset():
    required = {column.field for column in COLUMNS if column.required} | {"type", "demand_turn_down_mw"}
    cells = {name: value for name, value in asset_cells(postcode="IP1 1AA").items() if name in {*required, "postcode"}}
    fields = read_asset(cells, SHIPPED_TYPES).fields
    assert (fields.device_count, fields.country_code) == (1, "GB")


@pytest.mark.parametrize("field", ["asset_ref", "name", "status", "category", "voltage_kv"])
def test_a_required_column_left_blank_is_named(field):
    (problem,) = problems(**{field: None}).values()
    assert (problem.code, problem.field) == ("cell.required", field)


@pytest.mark.parametrize("category", SHIPPED_TYPES.categories)
def test_every_type_of_the_tree_is_taken_in_its_category_and_in_no_other(category):
    for name in SHIPPED_TYPES.categories[category]:
        assert problems(category=category, type=name) == {}
        for other in SHIPPED_TYPES.categories:
            if other != category:
                assert "asset.type_unknown" in problems(category=other, type=name)


def test_categories_and_types_are_taken_however_they_are_spelt():
    fields = asset_fields(category="DEMAND-SIDE  response", type="ev Charging")
    assert (fields.category, fields.type) == ("Demand side response", "EV charging")


def test_a_category_nobody_knows_and_a_missing_type_are_told_with_what_would_pass():
    assert "Storage" in problems(category="Hydrogen")["asset.category_unknown"].allowed
    assert "Battery" in problems(category="Storage", type=None)["asset.type_missing"].allowed


def test_a_category_of_one_type_needs_none():
    assert asset_fields(category="Energy efficiency", type=None).type == "Energy efficiency"


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_is_taken(status):
    assert asset_fields(status=status.upper()).status == status


@pytest.mark.parametrize("count", ["0", "-1", "1.5", "many"])
def test_a_device_count_is_a_whole_number_of_at_least_one(count):
    assert {problem.field for problem in problems(device_count=count).values()} == {"device_count"}


@pytest.mark.parametrize("voltage", ["0", "-11", "11 kV", "1201"])
def test_a_voltage_is_a_number_of_kilovolts_above_nought(voltage):
    assert {problem.field for problem in problems(voltage_kv=voltage).values()} == {"voltage_kv"}


def test_below_one_kilovolt_is_one_level():
    assert voltage_level(Decimal("0.23")) == voltage_level(Decimal("0.4")) == voltage_level(Decimal("0.999"))
    assert voltage_level(Decimal(1)) == Decimal(1)
    assert asset_fields(voltage_kv="0.4").voltage_level_kv == 0


@pytest.mark.parametrize(
    ("given_text", "kept"), [("ip11aa", "IP1 1AA"), (" sw1a  1aa ", "SW1A 1AA"), ("M1 1AE", "M1 1AE")]
)
def test_postcodes_are_kept_as_they_are_written(given_text, kept):
    assert asset_fields(postcode=given_text).postcode == kept


@pytest.mark.parametrize("postcode", ["IP1", "1AA IP1", "QQ1 1AA", "IP1 1CA", "12345", "X"])
def test_what_is_no_british_postcode_is_refused(postcode):
    assert set(problems(postcode=postcode)) == {"asset.postcode_format"}


def test_another_countrys_postcode_is_free_text():
    assert asset_fields(country_code="fr", postcode=" 75 001", latitude="48.85", longitude="2.35").postcode == "75 001"


def test_an_asset_says_where_it_is():
    found = problems(latitude=None, longitude=None)
    assert set(found) == {"asset.location_missing"}
    assert problems(latitude=None, longitude=None, postcode="IP1 1AA") == {}


@pytest.mark.parametrize(("missing", "other"), [("latitude", "longitude"), ("longitude", "latitude")])
def test_half_a_position_is_refused(missing, other):
    problem = problems(**{missing: None})["asset.half_a_position"]
    assert problem.field == missing
    assert other.capitalize() in problem.detail


def test_nought_nought_is_refused_with_that_reason():
    assert "(0, 0)" in problems(latitude="0", longitude="0.0")["asset.zero_position"].detail
    assert "asset.zero_position" in problems(latitude=0, longitude=0, country_code="AO")


@pytest.mark.parametrize(("lat", "lon"), [("48.85", "2.35"), ("51.5", "13.4"), ("1.15", "52.05"), ("-33", "151")])
def test_a_point_outside_the_countrys_box_is_refused_with_that_reason(lat, lon):
    problem = problems(latitude=lat, longitude=lon)["asset.outside_country"]
    assert "GB" in problem.detail
    assert str(BOXES["GB"]) in problem.allowed


def test_swapped_coordinates_are_recognised():
    assert "swapped" in problems(latitude="1.15", longitude="52.05")["asset.outside_country"].detail
    assert "swapped" not in problems(latitude="48.85", longitude="2.35")["asset.outside_country"].detail


def test_the_edge_of_a_countrys_box_is_inside_it_and_a_country_without_a_box_takes_any_point():
    box = BOXES["GB"]
    assert problems(latitude=str(box.south), longitude=str(box.east)) == {}
    assert problems(latitude="-1.28", longitude="36.8", country_code="KE") == {}


def test_a_country_is_one_of_iso_3166():
    assert problems(country_code="UK")["asset.country_unknown"].allowed == "GB"
    assert "two letters" in problems(country_code="ZZ")["asset.country_unknown"].allowed
    assert set(BOXES) <= COUNTRY_CODES


@pytest.mark.parametrize("field", ["import_meter_id", "export_meter_id"])
def test_a_british_meter_number_is_a_core_whose_check_digit_holds(field):
    assert getattr(asset_fields(**{field: " 14 7011 6845 051"}), field) == METER
    assert getattr(asset_fields(**{field: 1470116845051.0}), field) == METER
    assert set(problems(**{field: "1470116845052"})) == {"asset.mpan_check_digit"}
    assert problems(**{field: "1470116845052"})["asset.mpan_check_digit"].field == field


@pytest.mark.parametrize("meter", ["0", "none", "14701168450510", "147011684505", "147011684505X", "x" * 21])
def test_what_has_not_the_shape_of_a_meter_number_is_refused(meter):
    assert set(problems(import_meter_id=meter)) == {"asset.mpan_shape"}


def test_of_a_full_meter_number_the_core_is_named():
    assert problems(import_meter_id="069238I51470116845051")["asset.mpan_shape"].allowed == METER


def test_another_countrys_meter_number_is_free_text():
    french = asset_fields(country_code="FR", latitude="48.85", longitude="2.35", import_meter_id="PRM 0123")
    assert french.import_meter_id == "PRM 0123"


@pytest.mark.parametrize("minutes", METER_INTERVALS)
def test_the_usual_meter_intervals_are_taken(minutes):
    assert asset_fields(meter_interval=minutes).meter_interval == minutes


def test_other_meter_intervals_are_refused():
    assert set(problems(meter_interval=10)) == {"asset.meter_interval"}


def test_at_least_one_capacity_is_above_nought():
    for blank in (None, "0", "0.000"):
        assert set(problems(demand_turn_down_mw=blank)) == {"asset.capacity_none"}
    assert problems(demand_turn_down_mw=None, reactive_export_mvar="0.001") == {}


@pytest.mark.parametrize("mw", ["-1", "a lot", "NaN", "=1+1", "0.0000001", True])
def test_a_capacity_is_a_plain_number_of_megawatts(mw):
    assert {problem.field for problem in problems(demand_turn_down_mw=mw).values()} == {"demand_turn_down_mw"}


def test_capacities_that_serve_a_deficit_and_an_excess_are_added_up_exactly():
    fields = asset_fields(
        generation_turn_up_mw="0.1", demand_turn_down_mw="0.2", generation_turn_down_mw="0.4", demand_turn_up_mw="0.7"
    )
    assert (fields.active_export_mw, fields.active_import_mw) == (Decimal("0.3"), Decimal("1.1"))
    assert asset_fields(demand_turn_down_mw=None, reactive_import_mvar="1").active_export_mw == 0


@pytest.mark.parametrize("text", ["0 00:30:00", "00:30:00", "PT30M"])
def test_durations_are_taken_in_each_form(text):
    assert asset_fields(response_time=text).response_time == timedelta(minutes=30)


def test_a_minimum_run_time_above_the_maximum_is_refused():
    assert set(problems(minimum_run_time="02:00:00", maximum_run_time="PT1H")) == {"asset.run_times_reversed"}
    assert problems(minimum_run_time="1 00:00:00", maximum_run_time="24:00:00") == {}
    assert problems(minimum_run_time="01:00:00") == {}


def test_days_that_do_not_exist_are_refused():
    assert {problem.field for problem in problems(operational_date="2026-02-30").values()} == {"operational_date"}


def test_a_consent_does_not_end_before_it_begins():
    assert set(problems(consent_from="2026-02-02", consent_to="2026-02-01")) == {"asset.consent_reversed"}
    assert problems(consent_from="2026-02-02", consent_to="2026-02-02") == {}
    assert problems(consent_to="2026-02-02") == {}


def test_of_an_unread_cell_no_rule_says_more():
    values = asset_cells(latitude=None, demand_turn_down_mw=None, category=None, type=None)
    unread = {"latitude", "demand_turn_down_mw", "category", "type"}
    assert check_row(values, SHIPPED_TYPES, unread).problems == ()
    assert check_row(values, SHIPPED_TYPES, unread).fields is None
    assert check_row(asset_cells(), SHIPPED_TYPES, {"type"}).problems == ()
    nowhere = asset_cells(latitude=None, longitude=None)
    assert check_row(nowhere, SHIPPED_TYPES, {"postcode"}).problems == ()


# One verdict, by API and by workbook

cell_texts = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "",
            "0",
            "1",
            "-1",
            "0.4",
            "11",
            "1e5",
            "Storage",
            "Battery",
            "operational",
            "IP1 1AA",
            "gb",
            METER,
            "boundary",
        ]
    ),
    st.sampled_from(["PT30M", "0 01:00:00", "2026-02-30", "2026-04-01", "52.05", "181", "30", " x ", "=1+1", "'=1"]),
    st.floats(-200, 200, allow_nan=False),
    st.integers(-5, 10**14),
    st.booleans(),
    st.text(max_size=12),
)


@given(st.dictionaries(st.sampled_from(COLUMN_FIELDS), cell_texts, max_size=12), st.booleans())
def test_a_row_has_the_same_verdict_by_api_and_by_workbook(changes, valid_otherwise):
    from chalicelib.assets.imports import _checked
    from tests.builders.workbooks_read import read_row

    cells = {**(asset_cells() if valid_otherwise else {}), **changes}
    by_api = read_asset(cells, SHIPPED_TYPES)
    row: ParsedRow | None = read_row(COLUMNS, cells, "ymd")
    if row is None:
        assert by_api.fields is None
        return
    by_workbook = _checked(row, {}, SHIPPED_TYPES)
    told = [(problem.code, problem.field) for problem in (*row.problems, *by_workbook.problems)]
    assert sorted(told, key=str) == sorted(((each.code, each.field) for each in by_api.problems), key=str)
    assert by_workbook.fields == by_api.fields


@given(st.dictionaries(st.sampled_from(COLUMN_FIELDS), cell_texts, max_size=12))
def test_what_is_stored_is_read_back_as_it_was_stated(changes):
    fields = read_asset({**asset_cells(), **changes}, SHIPPED_TYPES).fields
    if fields is not None:
        again = read_asset(dict(fields), SHIPPED_TYPES)
        assert again.problems == ()
        assert again.fields == fields
        assert type(fields).model_validate_json(fields.model_dump_json()) == fields


# Warnings


def test_a_sound_asset_is_warned_of_nothing():
    assert notices() == set()


def test_a_missing_lapsed_or_future_consent_is_a_warning_where_there_is_a_meter():
    assert notices(import_meter_id=METER) == {"asset.consent"}
    consent = {"import_meter_id": METER, "consent_ref": "C-1"}
    assert notices(**consent) == set()
    assert consent_lack(asset_fields(**consent, consent_to="2026-03-31"), TODAY) == "lapsed"
    assert consent_lack(asset_fields(**consent, consent_from="2026-04-02"), TODAY) == "not begun"
    assert consent_lack(asset_fields(**consent, consent_from="2026-04-01", consent_to="2026-04-01"), TODAY) is None
    assert notices(**consent, consent_to="2026-03-31") == {"asset.consent"}


def test_an_unknown_location_an_unusual_voltage_and_too_much_for_the_connection_are_warnings():
    assert notices(place=None) == {"asset.location_unknown"}
    assert notices(voltage_kv="10") == {"asset.voltage"}
    assert notices(voltage_kv="0.41") == notices(voltage_kv="132") == set()
    assert notices(generation_turn_up_mw="2", maximum_export_mw="1") == {"asset.above_limit"}
    assert notices(demand_turn_up_mw="1", maximum_import_mw="1", maximum_export_mw="1") == set()


def test_duplicates_share_a_meter_and_a_type_and_are_not_archived():
    mine = an_asset("A", import_meter_id=METER)
    same = an_asset("B", export_meter_id=METER)
    others = [
        same,
        mine,
        an_asset("C"),
        an_asset("D", import_meter_id=METER, type="Heat pump"),
        an_asset("E", import_meter_id=METER, status="Archived"),
    ]
    (notice,) = duplicate_notices(mine, others)
    assert notice.code == "asset.duplicate"
    assert notice.detail.count("B") == 1
    elsewhere = an_asset("F", "org_fsp2", import_meter_id=METER)
    assert [each.code for each in duplicate_notices(mine, [elsewhere])] == ["asset.registered_elsewhere"]
    assert len(duplicate_notices(mine, [same, elsewhere])) == 2


# Becoming


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_any_status_may_follow_any_other(before, after):
    asset = an_asset(status=before)
    assert next_version(asset, asset.fields().but(status=after), None, Stamp(asset.changed_at, "per_1")).status == after


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("verb", ["develop", "commission", "mothball", "archive"])
def test_every_state_and_action_leads_where_the_table_says(before, verb):
    after = {"develop": STATUSES[0], "commission": STATUSES[1], "mothball": STATUSES[2], "archive": STATUSES[3]}[verb]
    assert can_move(MOVES, before, verb) == (before != after)
    if before != after:
        assert move(MOVES, "asset", before, verb) == after


def test_versions_count_up_and_never_go_back_in_time():
    asset = an_asset()
    early = Stamp(asset.changed_at - timedelta(days=1), "per_2", "rcp_1")
    after = next_version(asset, asset.fields().but(name="New"), None, early)
    assert (after.version, after.changed_at, after.changed_by, after.receipt) == (2, asset.changed_at, "per_2", "rcp_1")
    assert after.first_complete_at == asset.first_complete_at
    assert placed(asset, PLACE, early).place == PLACE


def test_what_a_row_comes_to_is_the_same_when_its_file_is_read_again():
    fields = asset_fields()
    assert outcome_of(None, fields) == "created"
    stored = an_asset()
    assert outcome_of(stored, fields) == outcome_of(stored, fields, "rcp_1") == "unchanged"
    assert outcome_of(stored, asset_fields(name="New"), "rcp_1") == "updated"
    assert outcome_of(stored.but(receipt="rcp_1"), fields, "rcp_1") == "created"
    assert outcome_of(stored.but(receipt="rcp_1", version=3), fields, "rcp_1") == "updated"


def test_only_obligations_that_have_not_ended_hold_an_asset():
    now = datetime.fromisoformat("2026-06-01T00:00:00Z")
    assert held_by([a_commitment()], now - timedelta(seconds=1)) == ["obl_1"]
    assert held_by([a_commitment()], now) == []


def test_archiving_is_refused_while_obligated_and_named_once_each():
    asset, stamp = an_asset(), Stamp(datetime.fromisoformat("2026-05-01T00:00:00Z"), "per_1")
    archived = asset.fields().but(status="Archived")
    held = [a_commitment(), a_commitment(), a_commitment(obligation="obl_0")]
    (problem,) = change_problems(asset, archived, held, stamp)
    assert "obligations obl_0, obl_1" in problem.detail
    assert "obligation obl_1" in change_problems(asset, archived, held[:1], stamp)[0].detail
    assert change_problems(asset, archived, [], stamp) == []
    assert change_problems(asset, asset.fields().but(name="New"), held, stamp) == []
    already = asset.but(status="Archived")
    assert change_problems(already, archived.but(name="New"), held, stamp) == []


def test_a_file_dropped_before_the_last_change_is_told_so():
    asset, receipt = an_asset(), a_receipt()
    before = Stamp(asset.changed_at - timedelta(seconds=1), "per_1", receipt.id)
    assert [each.code for each in change_problems(asset, asset_fields(name="New"), [], before)] == [
        "asset.changed_since"
    ]
    same = Stamp(asset.changed_at, "per_1", receipt.id)
    assert change_problems(asset, asset_fields(name="New"), [], same) == []


# Types


def test_types_are_added_once_whatever_their_spelling():
    added, found = added_types(SHIPPED_TYPES, None, "storage", ["Sand battery", "BATTERY"])
    assert found == []
    assert added == TypeTree(version=1, categories={"Storage": ("Sand battery",)})
    more, _ = added_types(SHIPPED_TYPES, added, "Storage", ["Flywheel"])
    assert more == TypeTree(version=2, categories={"Storage": ("Sand battery", "Flywheel")})
    assert added_types(SHIPPED_TYPES, None, "Storage", ["battery "]) == (None, [])


@pytest.mark.parametrize(("category", "name"), [("Storage", "--"), ("..", "Sand"), ("Storage", "x" * 61)])
def test_a_type_without_a_name_is_refused(category, name):
    assert [each.code for each in added_types(SHIPPED_TYPES, None, category, [name])[1]] == ["asset.type_name"]


def test_a_row_is_stored_when_no_column_of_it_differs() -> None:
    stored = an_asset()
    assert is_stored(stored, asset_fields())
    assert not is_stored(stored, asset_fields(name="New"))
    assert not is_stored(None, asset_fields())
