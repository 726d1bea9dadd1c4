"""Claims about the qualified assets file and the entries file: filled, changed by a person, and read back."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal

import openpyxl
import pytest
from pydantic import ValidationError

from chalicelib.files.importing import Importer
from chalicelib.files.looks import HEAD_ROWS
from chalicelib.files.models import Receipt
from chalicelib.files.workbook import read_file
from chalicelib.files.writing import write_download
from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.qualification import actions, actions_previewing
from chalicelib.qualification.actions_previewing import preview_qualification
from chalicelib.qualification.downloads import export_entries, export_qualified_assets
from chalicelib.qualification.imports import ENTRIES_IMPORTER, OVERRIDES_IMPORTER
from chalicelib.qualification.sheets import ENTRIES, OVERRIDES_TEMPLATE, QUALIFIED
from chalicelib.qualification.views import OverridesQuery
from chalicelib.storage import audit
from tests.builders.calls import a_call
from tests.builders.qualifying import AFTER, BIDDING, CLOSE, FSP, START, QualifyingMarket
from tests.builders.registry import a_system_operator

pytestmark = pytest.mark.usefixtures("market")


@pytest.fixture
def world() -> QualifyingMarket:
    made = QualifyingMarket()
    made.area()
    made.deliver()
    return made


def workbook(exporter, call, **filters) -> bytes:
    return write_download(*exporter(call, filters))


def rows_of(content: bytes, tab: str) -> list[dict]:
    """The rows of a tab by header, as a person sees them."""
    sheet = openpyxl.load_workbook(io.BytesIO(content))[tab]
    headers, *rows = list(sheet.iter_rows(min_row=HEAD_ROWS + 1, values_only=True))
    return [dict(zip(headers, row, strict=True)) for row in rows]


def filled(content: bytes, tab: str, key: str, cells: dict[str, dict[str, str]]) -> bytes:
    """The workbook after a person wrote cells into the rows with these keys."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book[tab]
    places = {cell.value: cell.column for cell in sheet[HEAD_ROWS + 1]}
    for row in range(HEAD_ROWS + 2, sheet.max_row + 1):
        for header, text in cells.get(sheet.cell(row, places[key]).value, {}).items():
            sheet.cell(row, places[header]).value = text
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def uploaded(importer: Importer, call, content: bytes, receipt_id: str = "rec_1"):
    """What each row came to, by reference."""
    receipt = Receipt(
        id=receipt_id,
        organisation=call.organisation,
        organisation_kind=call.actor.organisation_kind,
        kind=importer.kind,
        name="file.xlsx",
        state="processing",
        at=call.now,
        actor=call.actor.id,
        object_key="inbox/x",
    )
    found = read_file(content, importer.template)
    outcomes = [each for chunk in importer.split(found.sheets) for each in importer.apply(call, receipt, chunk)]
    assert len(outcomes) == found.rows
    return {each.ref: each for each in outcomes}


def told(outcomes) -> list[tuple[str, list[str]]]:
    return sorted((each.outcome, [problem.code for problem in each.problems]) for each in outcomes.values())


def test_the_qualified_assets_file_says_all_of_every_asset(world) -> None:
    competition = world.competition()
    world.asset("IN", postcode="IP1 1AA")
    world.asset("OUT", latitude="52.105", status="Mothballed")
    world.deliver()
    world.enter(competition)
    content = workbook(export_qualified_assets, world.operator(), competition_id=competition.id)
    rows = {row["Asset Ref"]: row for row in rows_of(content, QUALIFIED)}
    inside, outside = rows["IN"], rows["OUT"]
    assert (inside["Entry"], inside["FSP"], inside["Competition Ref"], inside["Phase"]) == (
        "entered",
        FSP,
        "NORTH-1",
        "qualifying",
    )
    assert inside["Last Changed"] == datetime(2026, 4, 1, 10)  # noqa: DTZ001 (a workbook's cell is the operator's clock)
    assert (inside["Postcode"], inside["Demand Turn Down (MW)"]) == ("IP1 1AA", 0.0072)
    assert (inside["Match"], inside["Area"], inside["Result"]) == ("area", "NORTH", "eligible")
    assert inside["Location Rule"].startswith("pass: inside area NORTH; needs")
    assert outside["Status Rule"] == "fail: status Mothballed; needs Operational or In Development"
    assert (outside["Match"], outside["Result"], outside["Override"]) == (None, "not eligible", None)
    assert 500 < outside["Distance (m)"] < 600


def test_the_file_has_every_column_the_operator_is_promised() -> None:
    headers = [column.header for column in OVERRIDES_TEMPLATE.sheets[0].columns]
    assert len(headers) == len(set(headers))
    assert headers[:9] == [
        "Entry",
        "FSP",
        "Competition ID",
        "Competition Ref",
        "Competition Name",
        "Phase",
        "Asset ID",
        "Asset Ref",
        "Last Changed",
    ]
    assert headers[-2:] == ["Override", "Reason"]


def test_an_fsp_gets_its_own_assets_and_no_draft(world) -> None:
    competition = world.competition(round_ref="R1")
    world.asset("MINE")
    world.asset("THEIRS", owner="org_fsp2")
    world.deliver()
    own = workbook(export_qualified_assets, world.call(), competition_id=competition.id)
    assert [row["Asset Ref"] for row in rows_of(own, QUALIFIED)] == ["MINE"]
    of_round = workbook(export_qualified_assets, world.operator(), round_ref="R1", standing="eligible")
    assert sorted(row["Asset Ref"] for row in rows_of(of_round, QUALIFIED)) == ["MINE", "THEIRS"]
    draft = world.competition("DRAFT", publish=False)
    with pytest.raises(NotFound):
        workbook(export_qualified_assets, world.call(), competition_id=draft.id)


def test_an_operator_sees_who_would_qualify_before_it_publishes(world) -> None:
    world.asset("IN")
    world.asset("NEAR", owner="org_fsp2", latitude="52.105")
    world.asset("FAR", latitude="52.5")
    world.deliver()
    draft = world.competition("DRAFT", publish=False)
    rows = rows_of(workbook(export_qualified_assets, world.operator(), competition_id=draft.id), QUALIFIED)
    assert sorted((row["Asset Ref"], row["Phase"], row["Result"]) for row in rows) == [
        ("IN", "draft", "eligible"),
        ("NEAR", "draft", "not eligible"),
    ]


def test_the_preview_of_a_draft_counts_what_would_qualify_and_what_turns_the_rest_away(world, monkeypatch) -> None:
    world.asset("IN")
    world.asset("IDLE", status="Mothballed")
    world.asset("NEAR", owner="org_fsp2", latitude="52.105")
    world.asset("FAR", latitude="52.5")
    world.deliver()
    draft = world.competition("DRAFT", publish=False)
    seen = preview_qualification(world.operator(), draft.id)
    assert (seen.assessed, seen.eligible, seen.eligible_mw, seen.fsps) == (3, 1, Decimal("0.0072"), 1)
    assert {each.rule: each.assets for each in seen.failed} == {"location": 1, "status": 1}
    assert seen.all_assessed
    monkeypatch.setattr(actions_previewing, "MOST_ASSESSED", 2)
    assert not preview_qualification(world.operator(), draft.id).all_assessed
    with pytest.raises(NotFound):
        preview_qualification(a_call("org_so2", "so"), draft.id)


def test_a_preview_where_nothing_stands_says_so_in_noughts(world) -> None:
    seen = preview_qualification(world.operator(), world.competition("DRAFT", publish=False).id)
    assert (seen.assessed, seen.eligible, seen.fsps, seen.failed, seen.all_assessed) == (0, 0, 0, (), True)


def test_a_file_of_nothing_in_particular_is_refused(world) -> None:
    with pytest.raises(Invalid, match="Name a competition or a round"):
        workbook(export_qualified_assets, world.operator())
    with pytest.raises(ValidationError):
        workbook(export_qualified_assets, world.operator(), colour="blue")


def test_overrides_are_filled_into_the_file_and_read_back(world) -> None:
    competition = world.competition()
    bad, fine, other = world.asset("BAD", status="Mothballed"), world.asset("FINE"), world.asset("OTHER")
    world.deliver()
    content = workbook(export_qualified_assets, world.operator(), competition_id=competition.id)
    changed = filled(
        content,
        QUALIFIED,
        "Asset Ref",
        {
            "BAD": {"Override": "qualify", "Reason": "back in service in May"},
            "FINE": {"Override": "Disqualify", "Reason": "wrong feeder"},
        },
    )
    outcomes = uploaded(OVERRIDES_IMPORTER, world.operator(), changed)
    assert {ref: each.outcome for ref, each in outcomes.items()} == {
        bad.id: "created",
        fine.id: "created",
        other.id: "unchanged",
    }
    world.deliver()
    assert sorted(actions.qualified_set(competition.id, FSP)) == sorted([bad.id, other.id])
    again = workbook(export_qualified_assets, world.operator(), competition_id=competition.id)
    rows = {row["Asset Ref"]: (row["Override"], row["Reason"]) for row in rows_of(again, QUALIFIED)}
    assert rows == {
        "BAD": ("Qualify", "back in service in May"),
        "FINE": ("Disqualify", "wrong feeder"),
        "OTHER": (None, None),
    }
    assert told(uploaded(OVERRIDES_IMPORTER, world.operator(), again, "rec_2")) == [("unchanged", [])] * 3


def test_a_file_leaves_one_record_that_names_it_and_lifts_too(world) -> None:
    competition = world.competition()
    for number in range(3):
        world.asset(f"EV-{number}")
    world.deliver()
    content = workbook(export_qualified_assets, world.operator(), competition_id=competition.id)
    cells = {f"EV-{number}": {"Override": "Disqualify", "Reason": "wrong feeder"} for number in range(3)}
    first = filled(content, QUALIFIED, "Asset Ref", cells)
    assert told(uploaded(OVERRIDES_IMPORTER, world.operator(), first)) == [("created", [])] * 3
    (record,) = audit.trail_of("receipt:rec_1").items
    assert (record.action, len(record.after["overrides"])) == ("overrides.imported", 3)
    lifted = filled(content, QUALIFIED, "Asset Ref", {"EV-0": {"Override": "Lift", "Reason": "mended"}})
    assert told(uploaded(OVERRIDES_IMPORTER, world.operator(), lifted, "rec_2")) == [
        ("unchanged", []),
        ("unchanged", []),
        ("updated", []),
    ]
    kept = actions.list_overrides(world.operator(), competition.id, OverridesQuery()).items
    assert len(kept) == 2


def test_a_file_read_again_after_a_crash_is_told_what_it_was_told_first(world) -> None:
    competition, _ = world.competition(), world.asset()
    world.deliver()
    content = workbook(export_qualified_assets, world.operator(), competition_id=competition.id)
    changed = filled(content, QUALIFIED, "Asset Ref", {"EV-1": {"Override": "Disqualify", "Reason": "wrong feeder"}})
    first = uploaded(OVERRIDES_IMPORTER, world.operator(), changed)
    assert uploaded(OVERRIDES_IMPORTER, world.operator(), changed) == first
    assert told(first) == [("created", [])]
    (kept,) = actions.list_overrides(world.operator(), competition.id, OverridesQuery()).items
    assert kept.version == 1


def test_bad_override_rows_are_told_each_and_the_good_ones_go_in(world) -> None:
    competition = world.competition()
    for ref in ("NO-REASON", "NOTHING-TO-LIFT", "GONE", "GOOD"):
        world.asset(ref)
    world.deliver()
    content = workbook(export_qualified_assets, world.operator(), competition_id=competition.id)
    cells = {
        "NO-REASON": {"Override": "Disqualify"},
        "NOTHING-TO-LIFT": {"Override": "Lift", "Reason": "mended"},
        "GONE": {"Override": "Qualify", "Reason": "because", "Asset ID": "ast_none"},
        "GOOD": {"Override": "Disqualify", "Reason": "wrong feeder"},
    }
    outcomes = uploaded(OVERRIDES_IMPORTER, world.operator(), filled(content, QUALIFIED, "Asset Ref", cells))
    assert told(outcomes) == [
        ("created", []),
        ("error", ["asset.not_found"]),
        ("error", ["override.none"]),
        ("error", ["override.reason"]),
    ]
    columns = {problem.code: problem.column for each in outcomes.values() for problem in each.problems}
    assert columns == {"asset.not_found": "Asset ID", "override.none": "Override", "override.reason": "Reason"}


def test_overrides_too_late_or_of_anothers_competition_are_refused_row_by_row(world) -> None:
    competition, _ = world.competition(), world.asset()
    world.deliver()
    content = workbook(export_qualified_assets, world.operator(), competition_id=competition.id)
    changed = filled(content, QUALIFIED, "Asset Ref", {"EV-1": {"Override": "Disqualify", "Reason": "wrong feeder"}})
    assert told(uploaded(OVERRIDES_IMPORTER, world.operator(BIDDING), changed)) == [("error", ["override.closed"])]
    another = a_system_operator(2).call
    assert told(uploaded(OVERRIDES_IMPORTER, another, changed)) == [("error", ["competition.not_found"])]
    assert told(uploaded(OVERRIDES_IMPORTER, world.operator(AFTER), changed)) == [("created", [])]


def test_entries_are_filled_in_and_read_back(world) -> None:
    first, second = world.competition("A"), world.competition("B")
    world.asset()
    world.deliver()
    content = workbook(export_entries, world.call())
    rows = rows_of(content, ENTRIES)
    assert [(row["Competition Ref"], row["State"], row["Entry"]) for row in rows] == [
        ("A", "undecided", "Undecided"),
        ("B", "undecided", "Undecided"),
    ]
    changed = filled(content, ENTRIES, "Competition Ref", {"A": {"Entry": "entered"}})
    outcomes = uploaded(ENTRIES_IMPORTER, world.call(), changed)
    assert {ref: each.outcome for ref, each in outcomes.items()} == {first.id: "created", second.id: "unchanged"}
    assert uploaded(ENTRIES_IMPORTER, world.call(), changed) == outcomes
    withdrawn = filled(content, ENTRIES, "Competition Ref", {"A": {"Entry": "Withdrawn"}, "B": {"Entry": None}})
    assert told(uploaded(ENTRIES_IMPORTER, world.call(), withdrawn, "rec_2")) == [("unchanged", []), ("updated", [])]
    assert actions.get_entry(world.call(), first.id).choice == "withdrawn"


def test_entries_of_a_closed_or_unknown_competition_are_refused_row_by_row(world) -> None:
    world.competition("CLOSED")
    world.competition(
        "OPEN", qualification_closed="2026-05-20T16:00:00Z", open="2026-05-20T16:00:00Z", closed="2026-05-27T16:00:00Z"
    )
    draft = world.competition("DRAFT", publish=False)
    world.asset()
    world.deliver()
    content = workbook(export_entries, world.call())
    assert [row["Competition Ref"] for row in rows_of(workbook(export_entries, world.call(now=CLOSE)), ENTRIES)] == [
        "OPEN"
    ]
    entered = filled(content, ENTRIES, "Competition Ref", {ref: {"Entry": "Entered"} for ref in ("CLOSED", "OPEN")})
    assert told(uploaded(ENTRIES_IMPORTER, world.call(now=CLOSE), entered)) == [
        ("created", []),
        ("error", ["entry.closed"]),
    ]
    hidden = filled(entered, ENTRIES, "Competition Ref", {"OPEN": {"Competition ID": draft.id}})
    assert ("error", ["competition.not_found"]) in told(
        uploaded(ENTRIES_IMPORTER, world.call(now=START), hidden, "rec_3")
    )
