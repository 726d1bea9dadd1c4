"""Claims about the asset register by API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from chalicelib.assets import actions, actions_bulk
from chalicelib.assets.models import Place
from chalicelib.assets.requests import AssetChange, AssetQuery, AssetRequest, AssetState, TypesRequest
from chalicelib.kernel.cells import cell_of
from chalicelib.kernel.errors import Invalid, NotFound, Refused, Stale
from chalicelib.storage import audit, outbox
from chalicelib.storage.commit import commit
from tests.builders.assets import asset_cells, load_gazetteer
from tests.builders.calls import a_call

pytestmark = pytest.mark.usefixtures("market")

METER = "1470116845051"
LATER = "2026-05-01T09:00:00Z"


def create(ref="EV-1", call=None, **changes):
    return actions.create_asset(call or a_call(), AssetRequest(**asset_cells(ref, **changes)))


def change(view, call=None, **changes):
    return actions.update_asset(call or a_call(), view.id, AssetChange(**changes), view.version)


def refs(call=None, **query):
    return [view.asset_ref for view in actions.list_assets(call or a_call(), AssetQuery(**query)).items]


def facts():
    return [envelope.body for envelope in outbox.unpublished(datetime(2030, 1, 1, tzinfo=UTC))]


def obliged(asset_id, ends="2026-06-01T00:00:00Z", obligation="obl_1"):
    starts = datetime.fromisoformat("2026-04-01T00:00:00Z")
    ends_at = datetime.fromisoformat(ends)
    return actions.commitment_writes(obligation, "org_so", "cmp_1", starts, ends_at, {asset_id: Decimal("0.007")})


def test_an_asset_created_is_read_back_with_what_follows_from_it():
    made = create(generation_turn_up_mw="1.5", demand_turn_up_mw="0.5", generation_turn_down_mw="2")
    view = actions.get_asset(a_call(), made.id)
    assert view == made
    assert view.version == 1
    assert view.active_export_mw == Decimal("1.5072")
    assert view.active_import_mw == Decimal("2.5")
    assert view.place == Place(lat=Decimal("52.0567"), lon=Decimal("1.1482"), source="coordinates")
    assert view.first_complete_at == a_call().now


def test_creating_tells_it_and_leaves_a_record():
    made = create()
    assert facts() == [{"owner": "org_fsp1", "asset_ids": [made.id]}]
    (record,) = audit.trail_of(f"asset:{made.id}").items
    assert (record.action, record.after["asset_ref"]) == ("asset.created", "EV-1")


def test_every_problem_of_a_request_is_told_at_once():
    with pytest.raises(Invalid) as refused:
        create(status="Working", name=None, voltage_kv="high", postcode="IP1", demand_turn_down_mw=None)
    assert {problem.field for problem in refused.value.problems} == {
        "status",
        "name",
        "voltage_kv",
        "postcode",
        "generation_turn_up_mw",
    }
    assert all(problem.allowed for problem in refused.value.problems)


def test_a_reference_in_use_is_refused():
    create()
    with pytest.raises(Refused, match=r"asset\.ref_taken"):
        create()
    assert len(facts()) == 1


def test_two_organisations_may_use_the_same_reference():
    create()
    create(call=a_call("org_fsp2"))
    assert refs() == refs(a_call("org_fsp2")) == ["EV-1"]


def test_another_organisations_asset_is_not_found():
    made = create()
    with pytest.raises(NotFound):
        actions.get_asset(a_call("org_fsp2"), made.id)
    with pytest.raises(NotFound):
        change(made, a_call("org_fsp2"), name="Mine")
    with pytest.raises(NotFound):
        actions.get_asset(a_call(), "ast_none")


def test_a_change_makes_the_next_version_and_keeps_the_one_before():
    made = create()
    after = change(made, a_call(now=LATER), name="Depot", device_count=3)
    assert (after.version, after.name, after.device_count) == (2, "Depot", 3)
    assert after.first_complete_at == made.created_at
    before = actions.asset_as_at(made.id, datetime.fromisoformat(LATER) - timedelta(seconds=1))
    assert (before.version, before.name) == (1, "Charger EV-1")
    assert actions.asset_as_at(made.id, datetime.fromisoformat(LATER)).version == 2
    assert actions.asset_as_at(made.id, made.created_at - timedelta(seconds=1)) is None
    record = audit.trail_of(f"asset:{made.id}").items[0]
    assert record.before == {"name": "Charger EV-1", "device_count": 1}
    assert record.after == {"name": "Depot", "device_count": 3}


def test_null_clears_a_column_and_one_left_out_stays():
    made = create(comment="old", address="1 Depot Road")
    after = change(made, comment=None)
    assert (after.comment, after.address) == (None, "1 Depot Road")


def test_a_change_that_changes_nothing_writes_nothing():
    made = create()
    assert change(made, voltage_kv=0.40, postcode=None).version == 1
    assert len(facts()) == 1


def test_a_change_on_an_older_version_is_stale():
    made = create()
    change(made, name="First")
    with pytest.raises(Stale):
        change(made, name="Second")


def test_a_reference_never_changes():
    made = create()
    with pytest.raises(Invalid, match=r"asset\.invalid"):
        change(made, asset_ref="EV-2")
    assert change(made, asset_ref="EV-1", name="Depot").version == 2


def test_putting_by_reference_creates_then_updates_and_takes_the_whole_state():
    state = {name: value for name, value in asset_cells(comment="first").items() if name != "asset_ref"}
    made = actions.put_asset(a_call(), "EV-1", AssetState(**state))
    again = actions.put_asset(a_call(), "EV-1", AssetState(**{**state, "name": "Depot", "comment": None}))
    assert (again.id, again.version, again.name, again.comment) == (made.id, 2, "Depot", None)
    assert actions.put_asset(a_call(), "EV-1", AssetState(**{**state, "name": "Depot", "comment": None})).version == 2
    with pytest.raises(Invalid):
        actions.put_asset(a_call(), "EV-9", AssetState(**asset_cells("EV-1")))


def test_archived_assets_are_hidden_and_come_back_by_their_status():
    made = create()
    archived = change(made, status="archived")
    assert refs() == []
    assert refs(status="Archived") == ["EV-1"]
    back = change(archived, status="Operational")
    assert refs() == ["EV-1"]
    assert back.version == 3


def test_an_obligated_asset_cannot_be_archived_and_the_refusal_names_the_obligation():
    made = create()
    commit(a_call(), obliged(made.id))
    with pytest.raises(Refused, match=r"asset\.obligated") as refused:
        change(made, status="Archived")
    assert "obl_1" in refused.value.detail
    assert actions.get_asset(a_call(), made.id).obligations == ("obl_1",)
    assert change(made, status="Mothballed").version == 2


def test_an_asset_whose_obligations_have_ended_or_let_go_can_be_archived():
    ended, released = create("EV-1"), create("EV-2")
    commit(a_call(), obliged(ended.id, ends="2026-04-01T09:00:00Z"))
    commit(a_call(), obliged(released.id))
    commit(a_call(), actions.release_writes("obl_1", [released.id]))
    assert change(ended, status="Archived").status == "Archived"
    assert change(released, status="Archived").status == "Archived"


def test_an_obligation_that_comes_while_an_asset_is_being_archived_stops_it():
    made = create()
    asset = actions.load_assets([made.id])[made.id]
    archived = actions.next_version(asset, asset.fields().but(status="Archived"), asset.place, actions._stamp(a_call()))
    writes = actions.change_writes(asset, archived, None)
    commit(a_call(), obliged(made.id))
    with pytest.raises(Refused, match=r"asset\.raced"):
        commit(a_call(), writes)
    seen_before = actions.change_writes(asset, archived, 1)
    commit(a_call(), obliged(made.id, obligation="obl_2"))
    with pytest.raises(Refused, match=r"asset\.raced"):
        commit(a_call(), seen_before)


def test_commitments_are_told_by_asset():
    first, second = create("EV-1"), create("EV-2")
    commit(a_call(), [*obliged(first.id), *obliged(first.id, obligation="obl_0")[:1]])
    held = actions.commitments_of([first.id, second.id])
    assert [each.obligation_id for each in held[first.id]] == ["obl_0", "obl_1"]
    assert held[first.id][1].mw == Decimal("0.007")
    assert held[second.id] == []


def test_the_same_meter_and_type_elsewhere_is_flagged_without_a_name():
    mine = create(import_meter_id=METER)
    create("X-1", a_call("org_fsp2"), import_meter_id=METER)
    create("X-2", a_call("org_fsp3"), import_meter_id=METER, type="Heat pump")
    (warning,) = [each for each in actions.get_asset(a_call(), mine.id).warnings if each.code != "asset.consent"]
    assert warning.code == "asset.registered_elsewhere"
    assert "org_" not in warning.detail
    assert "X-1" not in warning.detail
    (listed,) = actions.list_assets(a_call(), AssetQuery()).items
    assert warning in listed.warnings


def test_the_same_meter_and_type_within_one_organisation_is_a_warning_that_names_the_other():
    create("EV-1", import_meter_id=METER)
    second = create("EV-2", export_meter_id=METER)
    codes = {warning.code: warning.detail for warning in second.warnings}
    assert "EV-1" in codes["asset.duplicate"]
    assert "asset.registered_elsewhere" not in codes


def test_assets_are_found_by_place_meter_and_postcode_and_follow_their_changes():
    load_gazetteer({"IP1 1AA": ("52.06", "1.14"), "BN1 1AA": ("50.83", "-0.14")})
    made = create(postcode="ip11aa", latitude=None, longitude=None, import_meter_id=METER)
    ipswich, brighton = cell_of("52.06", "1.14"), cell_of("50.83", "-0.14")
    assert [tuple(found) for found in actions.assets_in_cells([ipswich, brighton])] == [
        (made.id, Decimal("52.06"), Decimal("1.14"))
    ]
    assert actions.assets_with_postcodes(["IP1 1AA"]) == actions.assets_with_sectors(["IP1 1"]) == [made.id]
    assert actions.assets_with_meters([METER, "1049827101269"]) == [made.id]
    change(made, postcode="BN1 1AA", import_meter_id="1049827101269")
    assert list(actions.assets_in_cells([ipswich])) == []
    assert [found.asset_id for found in actions.assets_in_cells([brighton])] == [made.id]
    assert actions.assets_with_postcodes(["IP1 1AA"]) == actions.assets_with_sectors(["IP1 1"]) == []
    assert actions.assets_with_postcodes(["bn1 1aa"]) == [made.id]
    assert actions.assets_with_meters([METER]) == []
    assert actions.assets_with_meters(["1049827101269"]) == [made.id]


def test_a_list_is_filtered_sorted_and_paged():
    create("B", type="Heat pump")
    create("A", a_call(now="2026-04-02T09:00:00Z"))
    create("C", a_call(now="2026-04-03T09:00:00Z"), status="Mothballed")
    assert refs() == ["A", "B", "C"]
    assert refs(sort="-ref") == ["C", "B", "A"]
    assert refs(sort="changed") == ["B", "A", "C"]
    assert refs(sort="-changed") == ["C", "A", "B"]
    assert refs(type="Heat pump") == ["B"]
    assert refs(category="Storage") == []
    assert refs(status="Mothballed") == ["C"]
    assert refs(ref="B") == ["B"]
    assert refs(ref="B", status="Mothballed") == refs(ref="Z") == []
    assert refs(changed_since="2026-04-02T09:00:00Z") == ["A", "C"]
    assert refs(changed_since="2026-04-02T09:00:00Z", sort="-changed") == ["C", "A"]


@pytest.mark.parametrize("sort", ["ref", "-ref", "changed", "-changed"])
def test_pages_follow_each_other_without_gap_or_repeat(sort):
    for number in range(7):
        create(
            f"EV-{number}",
            a_call(now=f"2026-04-0{number + 1}T09:00:00Z"),
            type="Heat pump" if number % 2 else "EV charging",
        )
    whole = refs(sort=sort)
    found, cursor = [], None
    while True:
        page = actions.list_assets(a_call(), AssetQuery(sort=sort, limit=2, cursor=cursor))
        found += [view.asset_ref for view in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == whole
    assert len(whole) == 7


def test_ordinals_number_an_organisations_assets_from_nought():
    made = [create(f"EV-{number}") for number in range(3)]
    other = create("X", a_call("org_fsp2"))
    loaded = actions.load_assets([view.id for view in (*made, other)])
    assert [loaded[view.id].ordinal for view in (*made, other)] == [0, 1, 2, 0]


def test_the_market_operator_adds_types_and_assets_may_have_them():
    operator = a_call("org_market", kind="market_operator")
    with pytest.raises(Invalid):
        create(category="Storage", type="Sand battery")
    tree = actions.add_types(operator, TypesRequest(category="storage", types=("Sand battery",)))
    assert tree.categories["Storage"][-1] == "Sand battery"
    assert create(category="Storage", type="sand battery").type == "Sand battery"
    assert actions.add_types(operator, TypesRequest(category="Storage", types=("SAND BATTERY", "battery"))) == tree
    tree = actions.add_types(operator, TypesRequest(category="Hydrogen", types=("Electrolyser",)))
    assert tree.version == 2
    assert tree.categories["Hydrogen"] == ("Electrolyser",)
    assert tree.categories["Storage"][-1] == "Sand battery"
    assert actions.get_types(a_call()) == tree
    with pytest.raises(Invalid):
        actions.add_types(operator, TypesRequest(category="Storage", types=("--",)))


def test_only_one_of_two_creations_of_the_same_reference_goes_in_and_puts_settle_on_the_last():
    state = AssetState(**{name: value for name, value in asset_cells().items() if name != "asset_ref"})
    first = actions.put_asset(a_call(), "EV-1", state)
    assert actions.put_asset(a_call(), "EV-1", state).id == first.id
    assert list(actions.find_by_refs("org_fsp1", ["EV-1", "EV-2"])) == ["EV-1"]
    assert [asset.id for asset in actions.assets_of("org_fsp1")] == [first.id]


def test_creating_draws_another_ordinal_when_a_rival_took_it(monkeypatch):
    create("A")
    read, stale = actions.store.following_ordinal, [0]
    monkeypatch.setattr(actions.store, "following_ordinal", lambda owner: stale.pop() if stale else read(owner))
    made = create("B")
    assert actions.load_assets([made.id])[made.id].ordinal == 1


def test_putting_meets_a_rival_creation_and_brings_that_asset_to_its_state(monkeypatch):
    create("EV-1")
    read, blind = actions.store.find_by_refs, [{}]
    monkeypatch.setattr(actions.store, "find_by_refs", lambda owner, refs: blind.pop() if blind else read(owner, refs))
    state = {name: value for name, value in asset_cells(name="Depot").items() if name != "asset_ref"}
    put = actions.put_asset(a_call(), "EV-1", AssetState(**state))
    assert (put.version, put.name) == (2, "Depot")


def test_a_bulk_draws_ordinals_anew_when_a_rival_took_them(monkeypatch):
    create("A")
    read, stale = actions_bulk.store.following_ordinal, [0]
    monkeypatch.setattr(actions_bulk.store, "following_ordinal", lambda owner: stale.pop() if stale else read(owner))
    assert actions_bulk.draw_ordinals(a_call(), "org_fsp1", 5) == 1
