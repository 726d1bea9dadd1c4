"""Claims about asset workbooks: each row for itself, and the same end state however often and brokenly it is read."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from chalicelib.assets import actions, actions_bulk
from chalicelib.assets.imports import apply_assets
from chalicelib.assets.requests import AssetChange, AssetRequest
from chalicelib.assets.sheets import ASSETS
from chalicelib.files.importing import Chunk, ParsedRow
from chalicelib.kernel.call import ordered_ids
from chalicelib.kernel.errors import Problem, Refused
from chalicelib.storage import commit as committing
from tests.builders.assets import (
    a_receipt,
    asset_cells,
    asset_rows,
    import_assets,
    load_gazetteer,
)
from tests.builders.calls import a_call
from tests.builders.market_state import everything_in

pytestmark = pytest.mark.usefixtures("market")

METERS = ("1470116845051", "1049827101269", "3433899920164", "2143967712809", "2830997098859")
LATER = "2026-05-01T09:00:00Z"


def outcomes(found):
    return [outcome.outcome for outcome in found]


def codes(outcome):
    return {problem.code for problem in outcome.problems}


def a_mixed_file(count=60):
    """Rows of every kind: new, known and changed, known as they are, wrong, by postcode, two behind one meter."""
    rows = []
    for number in range(count):
        cells = asset_cells(f"EV-{number:04d}", demand_turn_down_mw=f"0.00{number + 10}")
        if number % 7 == 1:
            cells = asset_cells(f"EV-{number:04d}", latitude=None, longitude=None, postcode="IP1 1AA")
        if number % 7 == 2:
            cells["import_meter_id"] = METERS[number % len(METERS)]
        if number % 11 == 3:
            cells["voltage_kv"] = "0.4"
            cells["category"] = "Hydrogen"
        rows.append(cells)
    return rows


def set_the_stage(rows):
    """Some of a file's assets exist: a few as the file says, a few otherwise."""
    load_gazetteer({"IP1 1AA": ("52.06", "1.14")})
    known = [row for number, row in enumerate(rows) if number % 5 == 0]
    changed = [{**row, "name": "Old name"} for number, row in enumerate(rows) if number % 5 == 1]
    import_assets([*known, *changed], a_receipt("rcp_0", at="2026-03-01T09:00:00Z"))


def test_rows_are_created_updated_unchanged_or_in_error_each_for_itself():
    import_assets([asset_cells("A"), asset_cells("B")], a_receipt("rcp_0"))
    found = import_assets(
        [asset_cells("A"), asset_cells("B", name="New"), asset_cells("C"), asset_cells("D", type="?")]
    )
    assert outcomes(found) == ["unchanged", "updated", "created", "error"]
    assert [outcome.ref for outcome in found] == ["A", "B", "C", "D"]
    stored = {asset.ref: asset for asset in actions.assets_of("org_fsp1")}
    assert {ref: asset.version for ref, asset in stored.items()} == {"A": 1, "B": 2, "C": 1}
    assert stored["B"].receipt == "rcp_1"


def test_a_problem_names_sheet_row_and_column():
    (found,) = import_assets([asset_cells(postcode="IP1")])
    (problem,) = found.problems
    assert (problem.sheet, problem.row, problem.column, problem.field) == (ASSETS, 2, "Postcode", "postcode")


def test_rows_the_reader_complained_of_are_never_applied_and_told_what_else_is_wrong():
    problem = Problem("cell.negative", "-1 is negative.", "demand_turn_down_mw")
    cells = asset_cells(demand_turn_down_mw=None, postcode="IP1")
    chunk = Chunk(0, {ASSETS: [ParsedRow(2, cells, (problem,))]})
    (found,) = apply_assets(a_call(), a_receipt(), chunk)
    assert found.outcome == "error"
    assert codes(found) == {"asset.postcode_format"}
    assert list(actions.assets_of("org_fsp1")) == []


def test_a_reference_that_stands_twice_in_the_file_is_not_applied():
    repeated = Problem("row.repeated", "The same Asset Ref stands on row 3 too.", "asset_ref")
    chunk = Chunk(0, {ASSETS: [ParsedRow(row, asset_cells(), (repeated,)) for row in (2, 3)]})
    assert outcomes(apply_assets(a_call(), a_receipt(), chunk)) == ["error", "error"]
    assert list(actions.assets_of("org_fsp1")) == []


def test_a_file_that_lacks_columns_leaves_them_as_they_are():
    import_assets([asset_cells("A", comment="kept", device_count=4)], a_receipt("rcp_0"))
    fields = [name for name in asset_cells() if name not in ("latitude", "longitude")]
    row = {name: value for name, value in asset_cells("A", name="New").items() if name in fields}
    assert outcomes(import_assets([row], fields=fields)) == ["updated"]
    (asset,) = actions.assets_of("org_fsp1")
    assert (asset.name, asset.comment, asset.device_count, asset.latitude) == ("New", "kept", 4, Decimal("52.0567"))
    (new,) = import_assets([{**row, "asset_ref": "B"}], a_receipt("rcp_2"), fields=fields)
    assert codes(new) == {"asset.location_missing"}


def test_a_blank_cell_clears_what_was_stated():
    import_assets([asset_cells("A", comment="old")], a_receipt("rcp_0"))
    assert outcomes(import_assets([asset_cells("A")])) == ["updated"]
    assert next(actions.assets_of("org_fsp1")).comment is None


def test_an_obligated_asset_is_not_archived_by_a_file_and_the_row_names_the_obligation():
    import_assets([asset_cells("A"), asset_cells("B")], a_receipt("rcp_0"))
    held = actions.find_by_refs("org_fsp1", ["A"])["A"]
    span = datetime.fromisoformat("2026-03-01T00:00:00Z"), datetime.fromisoformat("2026-09-01T00:00:00Z")
    writes = actions.commitment_writes("obl_7", "org_so", "cmp_1", *span, {held.id: Decimal("0.007")})
    committing.commit(a_call(), writes)
    found = import_assets([asset_cells("A", status="Archived"), asset_cells("B", status="Archived")])
    assert outcomes(found) == ["error", "updated"]
    (problem,) = found[0].problems
    assert "obl_7" in problem.detail
    assert problem.column == "Status"


def test_a_change_made_after_the_file_was_dropped_stands():
    import_assets([asset_cells("A")], a_receipt("rcp_0"))
    asset = actions.find_by_refs("org_fsp1", ["A"])["A"]
    actions.update_asset(a_call(now=LATER), asset.id, AssetChange(name="By hand"), 1)
    (found,) = import_assets([asset_cells("A", name="By file")])
    assert codes(found) == {"asset.changed_since"}
    assert next(actions.assets_of("org_fsp1")).name == "By hand"


def test_duplicates_and_unknown_places_are_told_on_the_row():
    found = import_assets(
        [
            asset_cells("A", import_meter_id=METERS[0]),
            asset_cells("B", import_meter_id=METERS[0]),
            asset_cells("C", latitude=None, longitude=None, postcode="IP1 1AA"),
            asset_cells("D"),
        ]
    )
    assert outcomes(found) == ["created"] * 4
    assert [codes(outcome) for outcome in found] == [
        {"asset.duplicate"},
        {"asset.duplicate"},
        {"asset.location_unknown"},
        set(),
    ]


def test_many_rows_make_few_transactions_each_with_one_event_and_one_record():
    found = import_assets([asset_cells(f"EV-{number}") for number in range(60)])
    assert outcomes(found) == ["created"] * 60
    state = everything_in("outbox", "audit")
    told = [row["body"]["body"]["asset_ids"] for row in state["outbox"]]
    assert sorted(map(len, told)) == [10, 25, 25]
    records = [row["body"] for row in state["audit"]]
    assert {record["thing"] for record in records} == {"receipt:rcp_1"}
    assert sum(len(record["after"]["assets"]) for record in records) == 60


def test_a_group_stays_within_one_transaction_whatever_its_rows_hold():
    load_gazetteer({"IP1 1AA": ("52.06", "1.14")})
    rows = [
        asset_cells(
            f"EV-{number}",
            postcode="IP1 1AA",
            country_code="FR",
            latitude="48.1",
            longitude="2.1",
            import_meter_id=f"I{number}",
            export_meter_id=f"E{number}",
        )
        for number in range(40)
    ]
    assert outcomes(import_assets(rows)) == ["created"] * 40
    moved = [
        {
            **row,
            "latitude": "49.1",
            "postcode": "75001",
            "import_meter_id": f"J{row['asset_ref']}",
            "export_meter_id": None,
        }
        for row in rows
    ]
    assert outcomes(import_assets(moved, a_receipt("rcp_2"))) == ["updated"] * 40


def test_ordinals_of_a_file_are_each_used_once():
    import_assets([asset_cells(f"EV-{number}") for number in range(30)], size=10)
    actions.create_asset(a_call(), AssetRequest(**asset_cells("X")))
    assert sorted(asset.ordinal for asset in actions.assets_of("org_fsp1")) == list(range(31))


def test_a_cancelled_group_is_taken_row_by_row(monkeypatch):
    """Somebody changes one asset between reading and saving: the others of its group go in, and so does its row."""
    import_assets([asset_cells(f"EV-{number}") for number in range(5)], a_receipt("rcp_0", at="2026-03-01T09:00:00Z"))
    known = actions.find_by_refs("org_fsp1", ["EV-2"])["EV-2"]
    read, pending = actions_bulk._read, [known]

    def read_then_raced(owner, drafts):
        found = read(owner, drafts)
        if pending:
            asset = pending.pop()
            actions.update_asset(a_call(now="2026-03-02T09:00:00Z"), asset.id, AssetChange(comment="raced"), 1)
        return found

    monkeypatch.setattr(actions_bulk, "_read", read_then_raced)
    assert outcomes(import_assets([asset_cells(f"EV-{n}", name="New") for n in range(5)])) == ["updated"] * 5
    stored = actions.find_by_refs("org_fsp1", [f"EV-{n}" for n in range(5)])
    assert {asset.name for asset in stored.values()} == {"New"}
    assert stored["EV-2"].version == 3


def test_a_row_that_others_keep_racing_is_its_own_problem(monkeypatch):
    import_assets([asset_cells("A")], a_receipt("rcp_0"))
    real = actions_bulk.commit_each
    refusal = Refused("asset.raced", "An obligation took this asset meanwhile.")
    monkeypatch.setattr(actions_bulk, "commit_each", lambda call, groups: [refusal for _ in groups])
    (found,) = import_assets([asset_cells("A", name="New")])
    monkeypatch.setattr(actions_bulk, "commit_each", real)
    assert (found.outcome, codes(found)) == ("error", {"asset.raced"})
    assert next(actions.assets_of("org_fsp1")).name == "Charger A"


class Killed(BaseException):
    """The process ends here."""


def kill_at(monkeypatch, number, after_writing):
    """End the process at the n-th transaction from now: just before it is written, or just after."""
    real, left = committing._execute, [number]

    def execute(writes, request_id):
        left[0] -= 1
        if left[0] == 0 and not after_writing:
            raise Killed
        real(writes, request_id)
        if left[0] == 0:
            raise Killed

    monkeypatch.setattr(committing, "_execute", execute)
    return lambda: monkeypatch.setattr(committing, "_execute", real)


def end_state():
    """All that a file leaves behind, whatever the ids: assets with versions, where they are found, facts, records."""
    found = everything_in("assets", "outbox", "audit")
    assets = {row["body"]["id"]: row["body"] for row in found["assets"] if row["sk"] == "head"}
    names = {asset_id: body["asset_ref"] for asset_id, body in assets.items()}
    heads = {body["asset_ref"]: {**body, "id": "", "ordinal": 0} for body in assets.values()}
    keys = Counter(
        (
            _named(row["pk"], names),
            _named(row["sk"], names),
            tuple(sorted(_named(h, names) for h in row.get("holders", ()))),
        )
        for row in found["assets"]
        if not row["pk"].startswith("counter#")
    )
    told = Counter(
        names[asset_id]
        for row in found["outbox"]
        if "assets_changed" in row["body"]["name"]
        for asset_id in row["body"]["body"]["asset_ids"]
    )
    recorded = Counter(
        (names[asset_id], version)
        for row in found["audit"]
        if row["body"]["action"] == "assets.imported"
        for asset_id, version in row["body"]["after"]["assets"].items()
    )
    ordinals = [body["ordinal"] for body in assets.values()]
    assert len(set(ordinals)) == len(ordinals)
    return heads, keys, told, recorded


def _named(text, names):
    for asset_id, name in names.items():
        text = text.replace(asset_id, f"<{name}>")
    return text


@pytest.fixture(scope="module")
def undisturbed():
    """The outcomes and end state of the mixed file read once, without a crash."""
    from moto import mock_aws

    from chalicelib.storage.clients import forget_clients
    from tests.tables import create_state

    rows = a_mixed_file()
    with mock_aws():
        forget_clients()
        create_state()
        set_the_stage(rows)
        found = import_assets(rows, size=25)
        state = end_state()
    forget_clients()
    return outcomes(found), state


@pytest.mark.parametrize("seed", range(6))
def test_a_file_read_again_after_crashes_ends_as_if_nothing_had_happened(seed, undisturbed, market, monkeypatch):
    chance = random.Random(seed)
    rows = a_mixed_file()
    set_the_stage(rows)
    receipt = a_receipt()
    answers, crashes = {}, 0
    for start in range(0, len(rows), 25):
        chunk = Chunk(start // 25, {ASSETS: asset_rows(rows)[start : start + 25]})
        while True:
            restore = kill_at(monkeypatch, chance.randint(1, 3), chance.random() < 0.5)
            call = a_call(now=receipt.at.isoformat())
            same_ids = replace(call, new_id=ordered_ids(receipt.at, "message", str(chunk.number)))
            try:
                found = apply_assets(same_ids, receipt, chunk)
            except Killed:
                crashes += 1
                continue
            finally:
                restore()
            answers |= {outcome.row: outcome.outcome for outcome in found}
            break
    assert ([answers[row] for row in sorted(answers)], end_state()) == undisturbed
    assert crashes


def test_a_file_read_twice_changes_nothing_and_answers_the_same():
    rows = a_mixed_file(30)
    first, before = import_assets(rows), end_state()
    again = import_assets(rows)
    assert outcomes(again) == outcomes(first)
    assert end_state() == before
    other = import_assets(rows, a_receipt("rcp_2", at=LATER))
    assert set(outcomes(other)) == {"unchanged", "error"}
    assert end_state() == before


def test_an_earlier_file_read_late_never_turns_time_back():
    import_assets([asset_cells("A")], a_receipt("rcp_0", at="2026-03-01T09:00:00Z"))
    asset = next(actions.assets_of("org_fsp1"))
    assert actions.asset_as_at(asset.id, asset.changed_at - timedelta(seconds=1)) is None
    assert actions.asset_as_at(asset.id, asset.changed_at) == asset
