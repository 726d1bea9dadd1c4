"""The bid workbook: filled with what is open, sent back, each ballot taken or refused whole as of its arrival."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chalicelib.bidding import actions, imports, sheet_rows
from chalicelib.bidding.downloads import export_bids, export_history
from chalicelib.bidding.models import HistoryQuery
from chalicelib.bidding.sheet_rows import grouped, placed, says_something
from chalicelib.bidding.sheets import BIDS, HISTORY, HISTORY_TEMPLATE
from chalicelib.files.importing import ParsedRow
from chalicelib.files.writing import write_download
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.models import PageQuery
from tests.builders.bidding import (
    CLOSED,
    OPEN,
    BiddingMarket,
    a_competition,
    a_window,
    bid_receipt,
    bid_workbook,
    upload_bids,
)
from tests.builders.market_state import everything_in

MORNING = {
    "service_period_name": "Summer",
    "service_period_start": "2026-06-01",
    "service_period_end": "2026-06-30",
    "service_window_name": "Morning",
    "start": "07:00",
    "end": "08:00",
    "service_days": ["Mon"],
    "capacity_required": "5",
    "utilisation_ceiling": "250",
}
OFFER = {"capacity_mw": "1", "maximum_run_time": "PT1H", "utilisation_price": "100"}


@pytest.fixture
def bidding(market) -> BiddingMarket:
    evening = MORNING | {"service_window_name": "Evening", "start": "17:00", "end": "19:00"}
    return BiddingMarket(service_windows=[MORNING, evening])


def open_rows(bidding, **filters):
    _, tabs = export_bids(bidding.fsp(), filters)
    return list(tabs[BIDS])


def sent(bidding, *rows, at=OPEN, receipt="rct_1"):
    """Outcomes of a workbook with these rows, arrived at an instant."""
    return upload_bids(bid_workbook(rows), bid_receipt(receipt, at), bidding.fsp(at))


def a_row(window="Morning", **cells):
    about = {"competition_ref": "NORTH-1", "operator": "Network 1", "period_name": "Summer", "window_name": window}
    return {name: value for name, value in (about | OFFER | cells).items() if value is not None}


def found_in(outcomes):
    return [
        (outcome.row - outcomes[0].row, outcome.outcome, [(each.code, each.column) for each in outcome.problems])
        for outcome in outcomes
    ]


def ballots(bidding):
    return actions.list_ballots(bidding.fsp(), bidding.competition_1.id, PageQuery()).items


def test_the_workbook_comes_filled_with_every_window_open_to_the_fsp(bidding):
    first, second = open_rows(bidding)
    assert (first["competition_ref"], first["operator"], first["window_name"]) == ("NORTH-1", "Network 1", "Morning")
    assert (first["capacity_limit"], first["utilisation_ceiling"]) == (Decimal(3), Decimal(250))
    assert (first["prices_asked"], second["window_name"]) == (["utilisation price"], "Evening")
    assert first["closes"].isoformat() == "2026-05-09T17:00:00"


def test_a_filled_workbook_sent_back_is_one_ballot(bidding):
    rows = [row | OFFER | {"split": 1} for row in open_rows(bidding)]
    assert found_in(sent(bidding, *rows)) == [(0, "created", []), (1, "created", [])]
    [ballot] = ballots(bidding)
    assert (ballot.bid_count, ballot.asset_count, ballot.state) == (2, 3, "live")


def test_rows_left_alone_change_nothing(bidding):
    first, second = open_rows(bidding)
    assert found_in(sent(bidding, first, second | OFFER)) == [(0, "unchanged", []), (1, "created", [])]


def test_ballots_of_one_file_are_apart_by_their_reference_and_one_refused_leaves_the_others(bidding):
    outcomes = sent(
        bidding,
        a_row(ballot_ref="A", asset_refs=["BAT-1"]),
        a_row(ballot_ref="B", asset_refs=["BAT-1"]),
        a_row(ballot_ref="C", asset_refs=["BAT-3", "BAT-9"]),
        a_row(ballot_ref="D", asset_refs=["BAT-2"], capacity_mw="1.5"),
        a_row("Evening", ballot_ref="D"),
        a_row(ballot_ref="E", asset_refs=["BAT-2", "BAT-3"], capacity_mw="1.5"),
    )
    assert found_in(outcomes) == [
        (0, "created", []),
        (1, "error", [("ballot.asset_taken", "Asset Refs")]),
        (2, "error", [("ballot.asset_unknown", "Asset Refs")]),
        (
            3,
            "error",
            [
                ("ballot.over_capacity", "Capacity MW"),
                ("ballot.obligated", "Capacity MW"),
                ("ballot.run_time", "Maximum Run Time"),
            ],
        ),
        (4, "error", []),
        (5, "created", []),
    ]
    assert "Asset BAT-1 is in another" in outcomes[1].problems[0].detail
    assert [ballot.ref for ballot in ballots(bidding)] == ["A", "E"]


def test_what_counts_is_the_instant_the_file_arrives(bidding):
    assert found_in(sent(bidding, a_row(), at=CLOSED)) == [(0, "error", [("bidding.closed", "Competition Ref")])]
    assert found_in(sent(bidding, a_row(), at="2026-05-09T15:59:59.999Z", receipt="rct_2")) == [(0, "created", [])]


def test_the_same_file_read_again_after_a_crash_ends_in_the_same_state(bidding):
    sent(bidding, a_row(ballot_ref="OLD", asset_refs=["BAT-1"]))
    rows = [
        a_row(ballot_ref="NEW", asset_refs=["BAT-1"]),
        {"competition_ref": "NORTH-1", "ballot_ref": "OLD", "action": "withdraw"},
        a_row("Evening", ballot_ref="TWO", asset_refs=["BAT-2"]),
    ]
    first = sent(bidding, *rows, at="2026-05-05T09:00:00Z", receipt="rct_2")
    state = everything_in("bidding", "outbox", "audit")
    assert found_in(first) == [(0, "created", []), (1, "updated", []), (2, "created", [])]
    assert sent(bidding, *rows, at="2026-05-05T09:00:00Z", receipt="rct_2") == first
    assert everything_in("bidding", "outbox", "audit") == state


@pytest.mark.parametrize("survives", range(4))
def test_a_crash_between_ballots_and_a_retry_end_as_without_it(bidding, monkeypatch, survives):
    sent(bidding, a_row(ballot_ref="OLD", asset_refs=["BAT-1"]))
    rows = [
        a_row(ballot_ref="A", asset_refs=["BAT-1"]),
        a_row(ballot_ref="B", asset_refs=["BAT-2"]),
        {"competition_ref": "NORTH-1", "ballot_ref": "OLD", "action": "withdraw"},
        a_row(ballot_ref="C", asset_refs=["BAT-3"]),
    ]
    acted, done = imports._acted, []

    def crashing(*how):
        if len(done) == survives:
            raise SystemExit("killed")
        done.append(acted(*how))
        return done[-1]

    monkeypatch.setattr(imports, "_acted", crashing)
    with pytest.raises(SystemExit):
        sent(bidding, *rows, receipt="rct_2")
    monkeypatch.setattr(imports, "_acted", acted)
    assert [outcome.outcome for outcome in sent(bidding, *rows, receipt="rct_2")] == [
        "created",
        "created",
        "updated",
        "created",
    ]
    assert [(ballot.ref, ballot.state) for ballot in ballots(bidding)] == [
        ("OLD", "withdrawn"),
        ("A", "live"),
        ("B", "live"),
        ("C", "live"),
    ]
    assert len(everything_in("outbox")["outbox"]) == len({row["pk"] for row in everything_in("outbox")["outbox"]})
    assert len(bidding.told("bidding.ballot_submitted.v1")) == 4


def test_a_ballot_is_replaced_by_its_reference_or_as_the_only_live_one(bidding):
    sent(bidding, a_row(ballot_ref="A", asset_refs=["BAT-1"]))
    replaced = sent(bidding, a_row(ballot_ref="A", action="replace", utilisation_price="90"), receipt="rct_2")
    assert found_in(replaced) == [(0, "updated", [])]
    assert found_in(sent(bidding, a_row(action="replace"), receipt="rct_3")) == [(0, "updated", [])]
    [ballot] = ballots(bidding)
    assert (ballot.version, ballot.asset_count) == (3, 3)


def test_withdrawals_of_a_file_free_assets_for_its_other_ballots(bidding):
    sent(bidding, a_row(ballot_ref="A"))
    rows = [a_row(ballot_ref="B"), {"competition_ref": "NORTH-1", "ballot_ref": "A", "action": "withdraw"}]
    assert found_in(sent(bidding, *rows, receipt="rct_2")) == [(0, "created", []), (1, "updated", [])]


def test_a_ballot_that_is_not_there_is_neither_replaced_nor_withdrawn(bidding):
    outcomes = sent(
        bidding,
        a_row(ballot_ref="NONE", action="replace"),
        {"competition_ref": "NORTH-1", "operator": "Network 1", "action": "withdraw"},
    )
    assert found_in(outcomes) == [
        (0, "error", [("ballot.unknown", "Ballot Ref")]),
        (1, "error", [("ballot.unknown", "Ballot Ref")]),
    ]


def test_a_ballot_withdrawn_before_cannot_be_withdrawn_again_by_another_file(bidding):
    sent(bidding, a_row(ballot_ref="A"))
    withdrawal = {"competition_ref": "NORTH-1", "ballot_ref": "A", "action": "withdraw"}
    sent(bidding, withdrawal, receipt="rct_2", at="2026-05-05T09:00:00Z")
    again = sent(bidding, withdrawal, receipt="rct_3", at="2026-05-06T09:00:00Z")
    assert found_in(again) == [(0, "error", [("ballot.withdrawn", "Competition Ref")])]


def test_rows_of_one_ballot_agree_and_one_that_cannot_be_read_holds_back_the_others(bidding):
    outcomes = sent(
        bidding,
        a_row(ballot_ref="A", asset_refs=["BAT-1"], action="submit"),
        a_row("Evening", ballot_ref="A", asset_refs=["BAT-2"], action="replace"),
        a_row(ballot_ref="B", asset_refs=["BAT-3"]),
        a_row("Evening", ballot_ref="B", capacity_mw="-1"),
    )
    assert found_in(outcomes) == [
        (0, "error", [("ballot.rows_differ", "Action"), ("ballot.rows_differ", "Asset Refs")]),
        (1, "error", []),
        (2, "error", [("ballot.row_problems", "Ballot Ref")]),
        (3, "error", [(outcomes[3].problems[0].code, "Capacity MW")]),
    ]
    assert ballots(bidding) == []


def test_what_a_bid_lacks_is_told_at_its_cell(bidding):
    outcomes = sent(
        bidding,
        a_row("Midnight", ballot_ref="A"),
        a_row(ballot_ref="A", capacity_mw=None, maximum_run_time=None),
        a_row(ballot_ref="B", utilisation_price="300"),
        {"competition_ref": "NORTH-1", "ballot_ref": "C", "action": "submit"},
    )
    assert found_in(outcomes) == [
        (0, "error", [("bid.window", "Service Window")]),
        (1, "error", [("field.missing", "Capacity MW"), ("field.missing", "Maximum Run Time")]),
        (2, "error", [("bid.above_utilisation_ceiling", "Utilisation Price")]),
        (
            3,
            "error",
            [("bid.window", "Service Window"), ("field.missing", "Capacity MW"), ("field.missing", "Maximum Run Time")],
        ),
    ]


def test_a_competition_is_named_by_its_reference_and_where_needed_its_operator(bidding):
    outcomes = sent(
        bidding,
        a_row(competition_ref="NORTH-9", ballot_ref="A"),
        a_row(operator="Nobody", ballot_ref="B"),
        a_row(operator=None, ballot_ref="C"),
    )
    assert found_in(outcomes) == [
        (0, "error", [("competition.unknown", "Competition Ref")]),
        (1, "error", [("competition.unknown", "Competition Ref")]),
        (2, "created", []),
    ]


def test_a_contracting_entity_that_is_not_the_fsps_is_told_at_its_cell(bidding):
    outcomes = sent(bidding, a_row(contracting_entity="Somebody Else Ltd"))
    assert found_in(outcomes) == [(0, "error", [("ballot.contracting_entity", "Contracting Entity")])]


def test_an_fsp_that_may_not_bid_is_told_why(bidding):
    rows = bid_workbook([a_row()])
    outcomes = upload_bids(rows, bid_receipt(organisation="org_fsp2"), bidding.fsp(organisation="org_fsp2"))
    assert found_in(outcomes) == [(0, "error", [("bidding.not_entered", "Competition Ref")])]


def test_no_problem_of_a_file_repeats_what_was_bid(bidding):
    outcomes = sent(bidding, a_row(capacity_mw="7.654321", utilisation_price="987.6543", maximum_run_time="PT9H"))
    told = repr(outcomes)
    assert outcomes[0].outcome == "error"
    assert not any(figure in told for figure in ("7.654321", "987.6543", "9:00"))


def test_the_history_comes_as_a_workbook(bidding):
    sent(bidding, a_row(ballot_ref="A"), a_row("Evening", ballot_ref="A"))
    _, tabs = export_history(bidding.fsp(), {"limit": 1})
    rows = list(tabs[HISTORY])
    assert [(row["ballot_ref"], row["window_name"], row["operator"]) for row in rows] == [
        ("A", "Morning", "Network 1"),
        ("A", "Evening", "Network 1"),
    ]
    assert write_download(HISTORY_TEMPLATE, {HISTORY: rows})
    assert len(actions.list_history(bidding.fsp(), HistoryQuery()).items) == 2


def test_blank_rows_say_nothing_and_broken_ones_do():
    assert not says_something(ParsedRow(8, {"competition_ref": "X", "split": 1}))
    assert says_something(ParsedRow(8, {}, (Problem("x", "x"),)))


def test_ballots_of_a_file_are_taken_withdrawals_first_then_replacements():
    rows = [
        ParsedRow(number, {"competition_ref": "X", "ballot_ref": f"B{number}", "action": action})
        for number, action in enumerate(["submit", "replace", "withdraw", "submit"])
    ]
    assert [group.ballot_ref for group in grouped(rows)] == ["B2", "B1", "B0", "B3"]


def test_a_problem_of_the_whole_ballot_stands_at_its_first_row():
    [group] = grouped([ParsedRow(9, {"competition_ref": "X", "capacity_mw": "1"})])
    assert placed(group, Problem("x", "x", "ref"), {}).column == "Ballot Ref"
    assert placed(group, Problem("x", "x", "client_token"), {}).column == "Competition Ref"
    assert placed(group, Problem("x", "x", "bids/0/window_id"), {}).column == "Service Window"
    assert placed(group, Problem("x", "x", row=3), {}).row == 3


def test_a_ballot_of_too_many_bids_is_refused(monkeypatch):
    monkeypatch.setattr(sheet_rows, "MOST_BIDS", 1)
    rows = [
        ParsedRow(
            number, {"competition_ref": "X", "period_name": "june", "window_name": " Evening", "split": number} | OFFER
        )
        for number in (1, 2)
    ]
    [group] = grouped(rows)
    bids, problems = sheet_rows.bid_requests(group, a_competition(windows=(a_window(),)))
    assert (len(bids), [problem.code for problem in problems]) == (2, ["ballot.too_many_bids"])
    assert sheet_rows.bid_requests(grouped([ParsedRow(1, {"action": "replace"})])[0], a_competition())[1] != []
