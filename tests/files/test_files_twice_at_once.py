"""Every kind of file given twice at once, the second whole between any two requests of the first: told the same.

Queues give messages at least once, and two functions may have the same file at the same moment. Whatever the one does
between two requests of the other, both tell each row what it came to, and the market ends as if it had come once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest

from chalicelib.dispatch.imports import DISPATCH_IMPORTER
from chalicelib.dispatch.imports import IMPORTER as AVAILABILITY_IMPORTER
from chalicelib.dispatch.sheets import AVAILABILITY, INSTRUCTIONS
from chalicelib.files.importing import RowOutcome
from chalicelib.qualification.downloads import export_entries, export_qualified_assets
from chalicelib.qualification.imports import ENTRIES_IMPORTER, OVERRIDES_IMPORTER
from chalicelib.qualification.sheets import ENTRIES, QUALIFIED
from chalicelib.storage import outbox
from chalicelib.storage.sealing import forget_keys_held
from tests.assets import test_assets_imports as asset_files
from tests.bidding import test_bidding_workbook as bid_files
from tests.builders.assets import a_receipt, asset_cells, import_assets
from tests.builders.bidding import BiddingMarket
from tests.builders.competitions import a_stored_area, an_operator, request_values
from tests.builders.dispatch import DispatchMarket
from tests.builders.metering import long_table
from tests.builders.overtaking import overtaken_everywhere
from tests.builders.qualifying import QualifyingMarket
from tests.competitions import test_competitions_imports as competition_files
from tests.decisions import test_decisions_flow as decision_files
from tests.dispatch import test_dispatch_files as dispatch_files
from tests.metering import test_metering_files as meter_files
from tests.qualification import test_qualification_files as qualification_files

pytestmark = pytest.mark.usefixtures("market")
LONG_AFTER = datetime.fromisoformat("2030-01-01T00:00:00Z")
Apply = Callable[[], Sequence[RowOutcome]]
Told = list[tuple[str, int, str, list[str]]]


def told(outcomes: Sequence[RowOutcome]) -> Told:
    rows = [(each.sheet, each.row, each.outcome, [problem.code for problem in each.problems]) for each in outcomes]
    return sorted(rows, key=lambda row: row[:2])


def facts() -> list[str]:
    """What was told to the rest of the market, in any order."""
    return sorted(envelope.name for envelope in outbox.unpublished(LONG_AFTER))


def check(apply: Apply, expected: set[str], every: int = 1) -> None:
    """The file alone comes to `expected` outcomes; given twice at once it tells the same, both times, and no more."""
    from tests.tables import put_back, set_aside

    before = set_aside()
    alone, facts_alone = told(apply()), facts()
    assert {outcome for _, _, outcome, _ in alone} == expected
    put_back(before)
    forget_keys_held()
    for place, first, second in overtaken_everywhere(lambda: told(apply()), lambda: told(apply()), every):
        assert second == alone, f"the second, before request {place} of the first"
        assert first == alone, f"the first, overtaken before its request {place}"
        assert facts() == facts_alone, f"overtaken before request {place}"
        forget_keys_held()


def test_assets() -> None:
    rows = asset_files.a_mixed_file(12)
    asset_files.set_the_stage(rows)
    check(lambda: import_assets(rows), {"created", "updated", "unchanged", "error"})


def test_competitions() -> None:
    an_operator()
    a_stored_area()
    competition_files.sent(competition_files.rows_asking(request_values(reference="KNOWN")), "rcp_0")
    known = request_values(reference="KNOWN", name="Renamed")
    rows = competition_files.rows_asking(known, request_values(), request_values(reference="SECOND", publish=True))
    check(lambda: competition_files.sent(rows, now=competition_files.LATER), {"created", "updated"})


def bids_given() -> BiddingMarket:
    evening = bid_files.MORNING | {"service_window_name": "Evening", "start": "17:00", "end": "19:00"}
    return BiddingMarket(service_windows=[bid_files.MORNING, evening])


def test_new_bids() -> None:
    bidding = bids_given()
    row = bid_files.a_row
    check(lambda: bid_files.sent(bidding, row(), row("Evening")), {"created"}, every=2)


def test_bids_that_replace() -> None:
    bidding = bids_given()
    bid_files.sent(bidding, bid_files.a_row(), receipt="rct_0")
    row = bid_files.a_row(action="replace", utilisation_price="90")
    check(lambda: bid_files.sent(bidding, row), {"updated"}, every=2)


def test_a_withdrawal_that_names_no_ballot_takes_back_one_though_another_comes_with_the_same_file() -> None:
    bidding = bids_given()
    bid_files.sent(bidding, bid_files.a_row(), receipt="rct_0")
    rows = [bid_files.a_row(action="withdraw"), bid_files.a_row("Evening", ballot_ref="NEW")]
    check(lambda: bid_files.sent(bidding, *rows), {"updated", "created"}, every=3)
    assert sorted(each.state for each in bid_files.ballots(bidding)) == ["live", "withdrawn"]


def qualifying() -> tuple[QualifyingMarket, Any]:
    world = QualifyingMarket()
    world.area()
    world.deliver()
    competition = world.competition()
    world.asset("IN", postcode="IP1 1AA")
    world.deliver()
    return world, competition


def test_overrides() -> None:
    world, competition = qualifying()
    content = qualification_files.workbook(export_qualified_assets, world.operator(), competition_id=competition.id)
    cells = {"IN": {"Override": "disqualify", "Reason": "Too far away"}}
    filled = qualification_files.filled(content, QUALIFIED, "Asset Ref", cells)
    found = qualification_files.uploaded
    check(lambda: list(found(OVERRIDES_IMPORTER, world.operator(), filled).values()), {"created"})


def test_entries() -> None:
    world, competition = qualifying()
    content = qualification_files.workbook(export_entries, world.call())
    filled = qualification_files.filled(
        content, ENTRIES, "Competition Ref", {competition.reference: {"Entry": "entered"}}
    )
    found = qualification_files.uploaded
    check(lambda: list(found(ENTRIES_IMPORTER, world.call(), filled).values()), {"created"})


def test_decisions() -> None:
    made = BiddingMarket()
    made.submit(0, price="100")
    made.submit(1, 2, mw="2", price="150")
    rows = [row | {"decision": "accepted"} for row in decision_files.file_rows(made)]
    check(lambda: decision_files.upload(made, rows), {"updated"}, every=2)


def test_readings() -> None:
    cells = asset_cells("EV-0", import_meter_id=meter_files.mine(), maximum_import_mw="0.1", maximum_export_mw="0.1")
    import_assets([cells], a_receipt("rcp_0"))
    rows = meter_files.table(long_table(meter_files.SUMMER))
    check(lambda: meter_files.bring(rows), {"created"})


def dispatching() -> DispatchMarket:
    made = DispatchMarket()
    made.obligation()
    return made


def test_availability() -> None:
    place = dispatching()
    rows = [dispatch_files.a_row()]
    call = place.call(now=dispatch_files.NOON)
    check(lambda: dispatch_files.upload(AVAILABILITY_IMPORTER, call, AVAILABILITY, rows, "rec_1"), {"created"})


def test_instructions() -> None:
    place = dispatching()
    row = {"obligation_id": "obl_1", "client_token": "a", "starts": "2026-06-01T17:00:00"}
    rows = [row | {"ends": "2026-06-01T18:00:00", "mw": "0.5"}]
    call = place.operator(dispatch_files.NOON)
    check(lambda: dispatch_files.upload(DISPATCH_IMPORTER, call, INSTRUCTIONS, rows, "rec_1"), {"created"})
