"""Claims about the postcode gazetteer: what a file changes in it, and the assets that waited for a place."""

from __future__ import annotations

import csv
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from chalicelib.assets import actions, actions_gazetteer
from chalicelib.assets.imports import apply_postcodes, split_postcodes
from chalicelib.assets.requests import AssetRequest
from chalicelib.assets.sheets import POSTCODES
from chalicelib.assets.store_gazetteer import load_postcodes, postcodes_changed
from chalicelib.files.importing import Chunk, ParsedRow, ParsedSheet
from chalicelib.kernel.call import ordered_ids
from chalicelib.kernel.errors import Stale
from chalicelib.storage import outbox
from chalicelib.storage.commit import commit
from tests.builders.assets import a_receipt, asset_cells, import_assets, load_gazetteer
from tests.builders.calls import a_call, a_system_call

pytestmark = pytest.mark.usefixtures("market")

POINTS = {"IP1 1AA": ("52.06", "1.14"), "IP1 1AB": ("52.061", "1.141"), "BN1 1AA": ("50.83", "-0.14")}
REAL = Path(os.environ.get("HEADROOM_SHARED_DATA", Path(__file__).parents[3] / "shared/data"))
REAL_FILE = REAL / "postcodes" / "postcodes_ip_nr_cb_bn.csv"


def outcomes(found):
    return {outcome.ref: outcome.outcome for outcome in found}


def names_told():
    return [envelope.name for envelope in outbox.unpublished(datetime(2030, 1, 1, tzinfo=UTC))]


def by_postcode(ref, postcode, **changes):
    return asset_cells(ref, latitude=None, longitude=None, postcode=postcode, **changes)


def test_postcodes_get_their_places():
    assert set(outcomes(load_gazetteer(POINTS)).values()) == {"created"}
    place = actions.place_of("IP1 1AB")
    assert (place.lat, place.lon, place.source) == (Decimal("52.061"), Decimal("1.141"), "postcode")
    assert actions.place_of("IP1 1ZZ") is None
    assert actions.place_of("ZE1 1ZZ") is None
    assert set(actions.places_of(["IP1 1AA", "BN1 1AA", "NR1 1AA"])) == {"IP1 1AA", "BN1 1AA"}
    assert names_told() == ["assets.gazetteer_loaded.v1"] * 2


def test_the_same_file_changes_nothing_and_another_adds_and_corrects():
    load_gazetteer(POINTS)
    assert set(outcomes(load_gazetteer(POINTS)).values()) == {"created"}
    assert set(outcomes(load_gazetteer(POINTS, "rcp_h")).values()) == {"unchanged"}
    more = {"IP1 1AA": ("52.07", "1.14"), "IP1 1AB": POINTS["IP1 1AB"], "IP1 1AD": ("52.0", "1.0")}
    assert outcomes(load_gazetteer(more, "rcp_i")) == {
        "IP1 1AA": "updated",
        "IP1 1AB": "unchanged",
        "IP1 1AD": "created",
    }
    assert actions.place_of("IP1 1AA").lat == Decimal("52.07")
    assert actions.place_of("BN1 1AA") is not None
    assert len(names_told()) == 3


def test_a_file_whose_postcodes_come_in_parts_is_answered_as_one():
    """The parts of one outward code may come in several chunks, and each may be read again."""
    first, second = {"IP1 1AA": ("52.06", "1.14")}, {"IP1 1AB": ("52.061", "1.141"), "IP1 1AA": ("52.5", "1.2")}
    assert outcomes(load_gazetteer(first)) == {"IP1 1AA": "created"}
    assert outcomes(load_gazetteer(second)) == {"IP1 1AB": "created", "IP1 1AA": "created"}
    assert outcomes(load_gazetteer({"IP1 1AB": ("52.061", "1.141")})) == {"IP1 1AB": "created"}


def test_what_is_no_postcode_is_an_error_of_its_row():
    found = load_gazetteer({"IP1 1AA": ("52.06", "1.14"), "nowhere": ("52", "1")})
    assert outcomes(found) == {"IP1 1AA": "created", "nowhere": "error"}
    (problem,) = next(outcome for outcome in found if outcome.outcome == "error").problems
    assert (problem.code, problem.row, problem.column) == ("gazetteer.postcode_format", 3, "Postcode")


def test_rows_are_split_so_that_an_outward_code_stays_together():
    rows = [ParsedRow(n, {"postcode": f"{'IP1' if n % 2 else 'BN1'} {n % 10}AA"}) for n in range(2, 4000)]
    chunks = split_postcodes({POSTCODES: ParsedSheet(POSTCODES, ("postcode",), rows)})
    assert [chunk.size for chunk in chunks] == [2000, 1998]
    assert {row.values["postcode"][:3] for row in chunks[0].rows(POSTCODES)[:1999]} == {"BN1"}


def test_a_file_that_meets_another_takes_both(monkeypatch):
    read = actions_gazetteer.load_postcodes
    pending = [True]

    def read_then_raced(codes):
        found = read(codes)
        if pending and pending.pop():
            load_gazetteer({"IP1 1ZZ": ("52.2", "1.2")}, "rcp_other")
        return found

    monkeypatch.setattr(actions_gazetteer, "load_postcodes", read_then_raced)
    assert outcomes(load_gazetteer({"IP1 1AA": ("52.06", "1.14")})) == {"IP1 1AA": "created"}
    assert set(load_postcodes(["IP1"])["IP1"].points) == {"1AA", "1ZZ"}


def test_a_file_that_keeps_being_met_fails_and_is_tried_again_later(monkeypatch):
    read = actions_gazetteer.load_postcodes
    load_gazetteer({"IP1 1AA": ("52.06", "1.14")}, "rcp_other")

    def always_raced(codes):
        found = read(codes)
        stored = read(["IP1"])["IP1"]
        commit(a_call(), [postcodes_changed(replace(stored, version=stored.version + 1))])
        return found

    monkeypatch.setattr(actions_gazetteer, "load_postcodes", always_raced)
    with pytest.raises(Stale):
        load_gazetteer({"IP1 1AB": ("52.06", "1.14")})


def test_an_asset_by_postcode_stands_where_the_gazetteer_says_and_coordinates_come_first():
    load_gazetteer(POINTS)
    import_assets([by_postcode("A", "IP1 1AA"), asset_cells("B", postcode="BN1 1AA")])
    placed = {asset.ref: asset.place for asset in actions.assets_of("org_fsp1")}
    assert (placed["A"].lat, placed["A"].source) == (Decimal("52.06"), "postcode")
    assert (placed["B"].lat, placed["B"].source) == (Decimal("52.0567"), "coordinates")


def test_assets_that_waited_are_placed_when_their_postcode_comes():
    import_assets([by_postcode(f"EV-{number}", "IP1 1AA") for number in range(20)])
    import_assets([by_postcode("X", "IP1 1AA"), by_postcode("Y", "IP1 9ZZ")], a_receipt("rcp_2", "org_fsp2"))
    load_gazetteer(POINTS)
    assert actions.place_unplaced(a_system_call("2026-04-02T09:00:00Z"), ["IP1", "BN1"]) == 21
    for owner, missing in (("org_fsp1", []), ("org_fsp2", ["Y"])):
        assets = list(actions.assets_of(owner))
        assert [asset.ref for asset in assets if asset.place is None] == missing
        assert {asset.version for asset in assets if asset.place} == {2}
    told = [each.body for each in outbox.unpublished(datetime(2030, 1, 1, tzinfo=UTC)) if "changed" in each.name]
    assert sum(len(body["asset_ids"]) for body in told) == 22 + 21
    assert actions.place_unplaced(a_system_call("2026-04-02T09:00:00Z"), ["IP1", "BN1"]) == 0


def test_placing_keeps_what_its_fsp_states_and_when_it_was_complete():
    import_assets([by_postcode("A", "IP1 1AA")])
    before = next(actions.assets_of("org_fsp1"))
    load_gazetteer(POINTS)
    actions.place_unplaced(a_system_call("2026-04-02T09:00:00Z"), ["IP1"])
    after = next(actions.assets_of("org_fsp1"))
    assert after.fields() == before.fields()
    assert after.first_complete_at == before.first_complete_at
    assert actions.asset_as_at(before.id, before.changed_at).place is None


def test_an_asset_that_changed_meanwhile_is_left_to_that_change(monkeypatch):
    import_assets([by_postcode("A", "IP1 1AA"), by_postcode("B", "IP1 1AA")])
    load_gazetteer(POINTS)
    stale = dict(actions.find_by_refs("org_fsp1", ["A", "B"]))
    import_assets([by_postcode("A", "IP1 1AA", name="New")], a_receipt("rcp_2", at="2026-04-01T10:00:00Z"))
    monkeypatch.setattr(
        actions_gazetteer.store, "load_assets", lambda ids: {asset.id: asset for asset in stale.values()}
    )
    assert actions_gazetteer._place_batch(a_system_call("2026-04-02T09:00:00Z"), list(stale.values())) == 1
    monkeypatch.undo()
    versions = {asset.ref: (asset.version, asset.name) for asset in actions.assets_of("org_fsp1")}
    assert versions == {"A": (2, "New"), "B": (2, "Charger B")}


def test_a_reaction_heard_again_after_a_crash_places_the_rest(monkeypatch):
    import_assets([by_postcode(f"EV-{number}", "IP1 1AA") for number in range(40)])
    load_gazetteer(POINTS)
    heard = a_system_call("2026-04-02T09:00:00Z")
    saved, real = [], actions_gazetteer.commit_each

    def crash_at_the_second(call, groups):
        if saved:
            raise KeyboardInterrupt
        saved.append(groups)
        return real(call, groups)

    monkeypatch.setattr(actions_gazetteer, "commit_each", crash_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        actions.place_unplaced(replace(heard, new_id=ordered_ids(heard.now, "heard")), ["IP1"])
    monkeypatch.setattr(actions_gazetteer, "commit_each", real)
    assert actions.place_unplaced(replace(heard, new_id=ordered_ids(heard.now, "heard")), ["IP1"]) == 25
    assert all(asset.place and asset.version == 2 for asset in actions.assets_of("org_fsp1"))


def test_an_unknown_postcode_is_a_stated_reason_until_the_gazetteer_has_it():
    cells = by_postcode("A", "IP1 1AA")
    made = actions.create_asset(a_call(), AssetRequest(**cells))
    assert "asset.location_unknown" in {warning.code for warning in made.warnings}
    load_gazetteer(POINTS)
    actions.place_unplaced(a_system_call("2026-04-02T09:00:00Z"), ["IP1"])
    assert actions.get_asset(a_call(), made.id).warnings == ()


@pytest.mark.real_data
@pytest.mark.skipif(not REAL_FILE.exists(), reason="public data not beside the checkout")
def test_a_hundred_thousand_real_postcodes_are_packed_and_found_again():
    with REAL_FILE.open(newline="") as file:
        rows = [
            ParsedRow(number, {"postcode": row["postcode"], "latitude": row["lat"], "longitude": row["lng"]})
            for number, row in enumerate(csv.DictReader(file), start=2)
        ]
    receipt = a_receipt("rcp_real", "org_market", kind="postcodes")
    call = a_call("org_market", kind="market_operator")
    started = time.process_time()
    created = 0
    for chunk in split_postcodes({POSTCODES: ParsedSheet(POSTCODES, ("postcode", "latitude", "longitude"), rows)}):
        created += sum(each.outcome == "created" for each in apply_postcodes(call, receipt, chunk))
    assert time.process_time() - started < 60
    assert created == len(rows) == 112_271
    every = actions.places_of(row.values["postcode"] for row in rows)
    for row in rows:
        place = every[row.values["postcode"]]
        assert (place.lat, place.lon) == (Decimal(row.values["latitude"]), Decimal(row.values["longitude"]))


def test_a_chunk_without_rows_of_the_tab_comes_to_nothing():
    receipt = a_receipt(kind="postcodes")
    assert apply_postcodes(a_call(), receipt, Chunk(0, {})) == []
