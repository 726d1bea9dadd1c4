"""Claims about the availability and dispatch files: each row by itself, on the operator's clock, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from chalicelib.dispatch import actions_availability as availability
from chalicelib.dispatch import store
from chalicelib.dispatch.downloads import export_availability
from chalicelib.dispatch.imports import DISPATCH_IMPORTER, IMPORTER
from chalicelib.dispatch.requests import VariationQuery
from chalicelib.dispatch.sheets import AVAILABILITY, INSTRUCTIONS
from chalicelib.files.actions_importing import merge
from chalicelib.files.importing import Chunk, Importer, RowOutcome
from chalicelib.files.models import Receipt
from chalicelib.files.workbook import read_file
from chalicelib.files.writing import write_download
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import iso
from tests.builders.dispatch import FSP, DispatchMarket

pytestmark = pytest.mark.usefixtures("market")
NOON = "2026-06-01T12:00:00Z"


@pytest.fixture
def place(market: None) -> DispatchMarket:
    made = DispatchMarket()
    made.obligation()
    return made


def upload(
    importer: Importer, call: Call, sheet: str, rows: Iterable[Mapping[str, Any]], receipt: str
) -> list[RowOutcome]:
    """What a workbook with these rows comes to, read and applied as the files room does."""
    organisation = call.organisation
    kept = Receipt(
        id=receipt,
        organisation=organisation,
        organisation_kind=call.actor.organisation_kind or "fsp",
        kind=importer.kind,
        name="file.xlsx",
        state="processing",
        at=call.now,
        actor="per_1",
        object_key=f"inbox/{organisation}/{importer.kind}/file.xlsx",
    )
    sheets = read_file(write_download(importer.template, {sheet: rows}), importer.template).sheets
    assert importer.apply is not None
    found = []
    for chunk in importer.split(sheets):
        as_kept = Chunk.from_json(chunk.number, chunk.as_json())
        found += merge(importer.template, as_kept, importer.apply(call, kept, as_kept))
    return sorted(found, key=lambda outcome: outcome.row)


def declared(place: DispatchMarket) -> list[Any]:
    return availability.list_variations(place.call(now=NOON), VariationQuery(obligation_id="obl_1")).items


def a_row(**changes: Any) -> dict[str, Any]:
    plain = {"obligation_id": "obl_1", "starts": "2026-06-01T17:00:00", "ends": "2026-06-01T18:00:00"}
    return plain | {"available_mw": "0.5", "reason": "Repair"} | changes


def outcomes(place: DispatchMarket, *rows: dict[str, Any], receipt: str = "rec_1") -> list[tuple[str, list[str]]]:
    found = upload(IMPORTER, place.call(now=NOON), AVAILABILITY, rows, receipt)
    return [(each.outcome, [problem.code for problem in each.problems]) for each in found]


def test_a_row_is_a_variation_on_the_operators_clock(place: DispatchMarket) -> None:
    assert outcomes(place, a_row()) == [("created", [])]
    [variation] = declared(place)
    assert (iso(variation.starts), iso(variation.ends)) == ("2026-06-01T16:00:00Z", "2026-06-01T17:00:00Z")


def test_the_same_file_read_again_declares_nothing_twice(place: DispatchMarket) -> None:
    assert outcomes(place, a_row()) == outcomes(place, a_row())
    assert len(declared(place)) == 1


def test_each_row_is_taken_or_refused_by_itself(place: DispatchMarket) -> None:
    rows = (
        a_row(),
        a_row(starts="2026-06-02T17:00:00", ends="2026-06-02T18:00:00", available_mw="9"),
        a_row(obligation_id="obl_none"),
        a_row(starts="2026-06-03T17:00:00", ends="2026-06-03T18:00:00", reason=None),
    )
    assert outcomes(place, *rows) == [
        ("created", []),
        ("error", ["variation.above_promise"]),
        ("error", ["obligation.not_found"]),
        ("unchanged", []),
    ]


def test_a_problem_stands_at_its_column(place: DispatchMarket) -> None:
    past = a_row(starts="2026-06-01T10:00:00", ends="2026-06-01T11:00:00")
    [outcome] = upload(IMPORTER, place.call(now=NOON), AVAILABILITY, [past], "rec_1")
    assert [problem.column for problem in outcome.problems] == ["From"]


def test_another_provider_declares_nothing_of_ours(place: DispatchMarket) -> None:
    [outcome] = upload(IMPORTER, place.call("org_fsp2", NOON), AVAILABILITY, [a_row()], "rec_1")
    assert [problem.code for problem in outcome.problems] == ["obligation.not_found"]


def test_a_download_uploaded_again_changes_nothing_and_with_a_reason_declares(place: DispatchMarket) -> None:
    place.obligation("obl_2")
    _, sheets = export_availability(place.call(now=NOON), {"obligation_id": "obl_1"})
    rows = list(sheets[AVAILABILITY])
    assert {row["obligation_id"] for row in rows} == {"obl_1"}
    assert len(rows) == 22
    assert {outcome for outcome, _ in outcomes(place, *rows)} == {"unchanged"}
    changed = [rows[0] | {"available_mw": "0", "reason": "Repair"}, *rows[1:]]
    assert [outcome for outcome, _ in outcomes(place, *changed, receipt="rec_2")].count("created") == 1
    _, both = export_availability(place.call(now=NOON), {})
    assert len(list(both[AVAILABILITY])) == 44


def an_instruction_row(**changes: Any) -> dict[str, Any]:
    plain = {"obligation_id": "obl_1", "client_token": "t1", "mw": "2"}
    return plain | {"starts": "2026-06-01T17:00:00", "ends": "2026-06-01T18:00:00"} | changes


def test_a_dispatch_file_issues_each_row_once(place: DispatchMarket) -> None:
    rows = [
        an_instruction_row(),
        an_instruction_row(client_token="t2"),
        an_instruction_row(client_token="t3", starts=None, ends=None),
        an_instruction_row(client_token="t4", starts="2026-06-02T17:00:00", ends="2026-06-02T18:00:00", mw="3"),
    ]
    call = place.operator(NOON)
    found = upload(DISPATCH_IMPORTER, call, INSTRUCTIONS, rows, "rec_1")
    assert [(each.outcome, [problem.code for problem in each.problems]) for each in found] == [
        ("created", []),
        ("error", ["instruction.overlaps"]),
        ("error", ["field.missing"]),
        ("error", ["instruction.above_available"]),
    ]
    assert found[3].problems[0].column == "MW"
    instruction = store.find_instruction(str(found[0].ref))
    assert instruction is not None
    assert (instruction.fsp, iso(instruction.start)) == (FSP, "2026-06-01T16:00:00Z")
    later = place.operator("2026-06-01T12:05:00Z")
    [again, *_] = upload(DISPATCH_IMPORTER, later, INSTRUCTIONS, rows, "rec_2")
    assert again.outcome == "unchanged"
