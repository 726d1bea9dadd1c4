"""Proposals from asking to deciding: made once by their function, told with reasons, sealed, and nothing by looking."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from chalicelib.competitions import actions as competitions
from chalicelib.decisions import actions, actions_proposals, actions_proposing, reads, rounds, store, store_proposals
from chalicelib.decisions.downloads import export_bids
from chalicelib.decisions.models import DecisionsRequest
from chalicelib.decisions.models_proposals import (
    DecidingRequest,
    ProposalLine,
    ProposalQuery,
    ProposalRecord,
    ProposalView,
    ProposedBidsQuery,
)
from chalicelib.decisions.sheets import BIDS
from chalicelib.kernel.call import Call, Idempotency
from chalicelib.kernel.errors import Invalid, NotFound, Refused
from chalicelib.storage import objects
from chalicelib.storage.audit import trail_of
from tests.builders.bidding import BiddingMarket
from tests.builders.calls import a_call
from tests.builders.dumps import everything_written, readings
from tests.builders.proposals import options
from tests.builders.qualifying import competition_fields

LATER = "2026-05-10T09:00:00Z"
ALL = ProposedBidsQuery()


@pytest.fixture
def three_bids(market: None) -> BiddingMarket:
    """1 MW at 100, 1 MW at 150 and 1 MW at 120 per MWh, for 2 MW wanted."""
    made = BiddingMarket(service_windows=[a_window_of("2")])
    for place, price in enumerate(("100", "150", "120")):
        made.submit(place, price=price)
    return made


def a_window_of(mw: str, **changes: Any) -> dict[str, Any]:
    [window] = competition_fields()["service_windows"]
    expected = {"dispatch_estimate": "10", "dispatch_duration": "PT1H"}
    return {**window, **expected, "capacity_required": mw, **changes}


def operator(made: BiddingMarket, **how: Any) -> Call:
    return made.operator(LATER, **how)


def ask(made: BiddingMarket, call: Call | None = None, **asked: Any) -> ProposalLine:
    return actions_proposals.ask_proposal(call or operator(made), made.competition_1.id, options(**asked))


def make(made: BiddingMarket, number: int = 1) -> None:
    actions_proposing.make_proposal(operator(made).as_system(), made.competition_1.id, number)


def get(made: BiddingMarket, number: int = 1, query: ProposedBidsQuery = ALL) -> ProposalView:
    return actions_proposals.get_proposal(operator(made), made.competition_1.id, str(number), query)


def proposed(made: BiddingMarket, **asked: Any) -> ProposalView:
    number = ask(made, **asked).number
    make(made, number)
    return get(made, number)


def decide(made: BiddingMarket, number: int = 1, replace: bool = False) -> Any:
    request = DecidingRequest(replace=replace)
    return actions_proposals.decide_from_proposal(operator(made), made.competition_1.id, str(number), request)


def record_of(made: BiddingMarket, number: int = 1) -> ProposalRecord:
    """The record as its link gives it."""
    actions_proposals.get_record(operator(made), made.competition_1.id, str(number))
    [kept] = [
        each["key"] for each in objects.list_objects(objects.OPENED, "") if each["key"].endswith(f"/{number}.json")
    ]
    return ProposalRecord.model_validate_json(objects.read_object(objects.OPENED, kept))


def test_a_proposal_is_asked_for_then_made_by_its_function(three_bids: BiddingMarket) -> None:
    line = ask(three_bids, note="for the board")
    assert (line.number, line.state, line.is_plain, line.note, line.figures) == (
        1,
        "asked",
        True,
        "for the board",
        None,
    )
    waiting = get(three_bids)
    assert (waiting.state, waiting.bids, waiting.figures) == ("asked", (), None)
    make(three_bids)
    assert (get(three_bids).state, len(three_bids.told("decisions.proposal_asked.v1"))) == ("made", 1)


def test_it_says_what_to_accept_at_what_cost_and_why_the_others_not(three_bids: BiddingMarket) -> None:
    """1,000 + 1,200 for the two cheapest of three; the third is dearer than the marginal price."""
    view = proposed(three_bids)
    figures = view.figures
    assert figures is not None
    assert (figures.cost, figures.shortfall_mw, figures.finding) == (Decimal(2200), Decimal(0), "proven")
    assert (figures.merit_order_cost, figures.merit_order_difference) == (Decimal(2200), Decimal(0))
    assert (figures.bids, figures.accepted_bids, figures.gap_percent) == (3, 2, Decimal(0))
    told = [(bid.proposal, bid.accepted_mw, bid.effective_price, bid.reason) for bid in view.bids]
    assert told == [
        ("accepted", Decimal(1), Decimal(100), None),
        ("accepted", Decimal(1), Decimal(120), None),
        ("rejected", Decimal(0), Decimal(150), "OUT_OF_MERIT"),
    ]
    assert view.bids[2].text == (
        "Cheaper bids covered the requirement. Effective price 150, marginal accepted price 120 GBP/MWh."
    )
    [window] = view.windows
    assert (window.required_mw, window.accepted_mw, window.marginal_price) == (Decimal(2), Decimal(2), Decimal(120))
    assert (view.stale, view.solver) == (None, "HiGHS")


def test_a_whole_bid_that_buys_more_than_is_required_is_named(market: None) -> None:
    made = BiddingMarket(service_windows=[a_window_of("2.5")])
    made.submit(mw="2.5")
    [window] = proposed(
        made, windows=[{"window_id": made.competition_1.windows[0].id, "capacity_required_mw": "2"}]
    ).windows
    assert (window.over_procured_mw, window.over_procured_by) == (Decimal("0.5"), get(made).bids[0].bid_id)


def test_no_bids_and_one_bid_read_as_clearly_as_many(market: None) -> None:
    made = BiddingMarket(service_windows=[a_window_of("2")])
    nothing = proposed(made)
    assert nothing.bids == ()
    assert [window.message for window in nothing.windows] == ["No bids: 2 MW required, nothing bought."]


def test_one_bid_above_the_ceiling_says_why_nothing_is_bought(market: None) -> None:
    made = BiddingMarket(service_windows=[a_window_of("2")], utilisation_ceiling="90", ceiling_rule="assess")
    made.submit(0, price="100")
    view = proposed(made)
    [bid], [window] = view.bids, view.windows
    assert (bid.reason, bid.numbers) == ("ABOVE_CEILING_UTILISATION", {"price": "100", "ceiling": "90"})
    assert bid.text == "The utilisation price of 100 GBP/MWh is above the ceiling of 90."
    assert (window.shortfall_mw, window.shortfall_cost) == (Decimal(2), Decimal(1800))
    assert window.message.startswith("1 bid, none taken: 2 MW required, nothing bought.")


def test_a_what_if_is_compared_with_the_plain_proposal(three_bids: BiddingMarket) -> None:
    """One MW less is wanted: 1,200 saved; without options there is nothing to compare with."""
    window_id = three_bids.competition_1.windows[0].id
    view = proposed(three_bids, windows=[{"window_id": window_id, "capacity_required_mw": "1"}])
    assert view.figures is not None
    assert (view.figures.cost, view.figures.plain_cost) == (Decimal(1000), Decimal(2200))
    assert (view.figures.plain_difference, view.is_plain) == (Decimal(-1200), False)
    plain = proposed(three_bids)
    assert plain.figures is not None
    assert plain.figures.plain_difference is None


@pytest.mark.parametrize(
    ("asked", "accepted", "reason"),
    [
        ({"budget": "1000"}, 1, "BUDGET_EXHAUSTED"),
        ({"maximum_share": "0.5"}, 1, "OTHER"),
        ({"ceilings": {"utilisation": "110"}}, 1, "ABOVE_CEILING_UTILISATION"),
        ({"shortfall_price": "110"}, 1, "OUT_OF_MERIT"),
    ],
)
def test_each_option_changes_what_is_proposed(
    three_bids: BiddingMarket, asked: dict[str, Any], accepted: int, reason: str
) -> None:
    bids = proposed(three_bids, **asked).bids
    assert len([bid for bid in bids if bid.proposal == "accepted"]) == accepted
    assert {bid.reason for bid in bids if bid.proposal == "rejected"} == {reason}


def test_a_bid_left_out_gives_way_and_is_still_listed(three_bids: BiddingMarket) -> None:
    cheapest = reads.list_bids(operator(three_bids), three_bids.competition_1.id, ALL).items[0].bid_id
    bids = proposed(three_bids, left_out=[cheapest]).bids
    assert [(bid.bid_id == cheapest, bid.proposal) for bid in bids] == [
        (True, "rejected"),
        (False, "accepted"),
        (False, "accepted"),
    ]
    assert bids[0].text == "The operator left this bid out of what was compared."


def test_options_that_name_nothing_there_is_are_refused_whole(three_bids: BiddingMarket) -> None:
    with pytest.raises(Invalid) as refused:
        ask(three_bids, left_out=["bid_9"], windows=[{"window_id": "win_9"}])
    assert [problem.code for problem in refused.value.problems] == ["proposal.window", "proposal.bid"]
    assert store_proposals.find_last(three_bids.competition_1.id) is None


def test_before_close_nothing_can_be_proposed(three_bids: BiddingMarket) -> None:
    early = three_bids.operator("2026-05-09T15:00:00Z")
    with pytest.raises(Refused) as refused:
        ask(three_bids, early)
    assert refused.value.code == "bidding.sealed"
    with pytest.raises(Refused):
        actions_proposals.list_proposals(early, three_bids.competition_1.id, ProposalQuery())


def test_proposals_are_numbered_and_listed_newest_first(three_bids: BiddingMarket) -> None:
    listed = actions_proposals.list_proposals(operator(three_bids), three_bids.competition_1.id, ProposalQuery())
    assert listed.items == []
    for number in range(1, 4):
        assert ask(three_bids).number == number
    query = ProposalQuery(limit=2)
    page = actions_proposals.list_proposals(operator(three_bids), three_bids.competition_1.id, query)
    assert [line.number for line in page.items] == [3, 2]
    rest = ProposalQuery(limit=2, cursor=page.next)
    last = actions_proposals.list_proposals(operator(three_bids), three_bids.competition_1.id, rest)
    assert ([line.number for line in last.items], last.next) == ([1], None)


def test_two_who_ask_at_once_get_two_numbers(three_bids: BiddingMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second read the last number before the first wrote: it reads again."""
    competition_id, find_last = three_bids.competition_1.id, store_proposals.find_last
    overtaken = iter([True])

    def overtaking(of: str) -> Any:
        found = find_last(of)
        if next(overtaken, False):
            ask(three_bids, operator(three_bids, actor="per_2"))
        return found

    monkeypatch.setattr(store_proposals, "find_last", overtaking)
    assert ask(three_bids).number == 2
    assert [store_proposals.find_proposal(competition_id, number).asked_by for number in (1, 2)] == ["per_2", "per_1"]  # type: ignore[union-attr]


def test_asking_twice_with_one_key_is_one_proposal(three_bids: BiddingMarket) -> None:
    call = operator(three_bids)
    keyed = Call(call.actor, call.now, call.new_id, call.request_id, Idempotency("k", "h"))
    line = ask(three_bids, keyed)
    assert actions_proposals.replay_asked(call, f"{three_bids.competition_1.id}#1") == line
    again = operator(three_bids)
    with pytest.raises(Refused):
        ask(three_bids, Call(again.actor, again.now, again.new_id, again.request_id, Idempotency("k", "h")))


def test_the_news_heard_twice_makes_a_proposal_once(three_bids: BiddingMarket) -> None:
    ask(three_bids)
    make(three_bids)
    made = store_proposals.find_proposal(three_bids.competition_1.id, 1)
    make(three_bids)
    make(three_bids, 9)
    assert store_proposals.find_proposal(three_bids.competition_1.id, 1) == made


def test_a_proposal_for_a_competition_withdrawn_meanwhile_fails_in_words(three_bids: BiddingMarket) -> None:
    ask(three_bids)
    competitions.withdraw_competition(operator(three_bids), three_bids.competition_1.id, "reinforced early")
    make(three_bids)
    failed = store_proposals.find_proposal(three_bids.competition_1.id, 1)
    assert failed is not None
    assert (failed.state, failed.record_key) == ("failed", None)
    assert failed.failure is not None
    assert "withdrawn" in failed.failure


def test_a_fault_of_ours_says_so_and_the_next_try_makes_it(
    three_bids: BiddingMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(three_bids)
    with monkeypatch.context() as patched:
        patched.setattr(actions_proposing, "weigh", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            make(three_bids)
    assert get(three_bids).failure == actions_proposing.FAULT
    make(three_bids)
    assert (get(three_bids).state, get(three_bids).failure) == ("made", None)


@pytest.mark.parametrize("number", ["9", "0", "x", "-1", "١", "1" * 40])
def test_a_number_that_no_proposal_has_is_not_found(three_bids: BiddingMarket, number: str) -> None:
    ask(three_bids)
    for read in (
        lambda: actions_proposals.get_proposal(operator(three_bids), three_bids.competition_1.id, number, ALL),
        lambda: actions_proposals.get_record(operator(three_bids), three_bids.competition_1.id, number),
    ):
        with pytest.raises(NotFound) as refused:
            read()
        assert refused.value.code == "proposal.not_found"


def test_another_operator_finds_no_proposal(three_bids: BiddingMarket) -> None:
    proposed(three_bids)
    stranger = a_call("org_so2", "so", now=LATER)
    for read in (
        lambda: actions_proposals.get_proposal(stranger, three_bids.competition_1.id, "1", ALL),
        lambda: actions_proposals.list_proposals(stranger, three_bids.competition_1.id, ProposalQuery()),
        lambda: actions_proposals.ask_proposal(stranger, three_bids.competition_1.id, options()),
        lambda: actions_proposals.get_record(stranger, three_bids.competition_1.id, "1"),
        lambda: actions_proposals.decide_from_proposal(stranger, three_bids.competition_1.id, "1", DecidingRequest()),
    ):
        with pytest.raises(NotFound):
            read()


def test_bids_come_in_pages(three_bids: BiddingMarket) -> None:
    proposed(three_bids)
    first = get(three_bids, query=ProposedBidsQuery(limit=2))
    rest = get(three_bids, query=ProposedBidsQuery(limit=2, cursor=first.next))
    assert ([len(view.bids) for view in (first, rest)], rest.next) == ([2, 1], None)
    with pytest.raises(Invalid):
        get(three_bids, query=ProposedBidsQuery(cursor="bid_9"))


def test_looking_decides_nothing_and_deciding_from_it_decides_all(three_bids: BiddingMarket) -> None:
    proposed(three_bids)
    assert store.load_decisions(three_bids.competition_1.id) == {}
    overview = decide(three_bids)
    assert (overview.accepted, overview.rejected, overview.undecided) == (2, 1, 0)
    [rejected] = [each for each in store.load_decisions(three_bids.competition_1.id).values() if each.reason]
    assert (rejected.reason, rejected.proposal, rejected.decided_by) == ("OUT_OF_MERIT", 1, "per_1")
    assert rejected.comment == (
        "Cheaper bids covered the requirement. Effective price 150, marginal accepted price 120 GBP/MWh."
    )


def test_the_trail_names_the_proposal_that_was_decided_from(three_bids: BiddingMarket) -> None:
    proposed(three_bids, note="for the board")
    decide(three_bids)
    trail = {record.action: record for record in trail_of(f"competition:{three_bids.competition_1.id}").items}
    assert trail["decisions.recorded"].reason == "as proposal 1 proposes"
    assert trail["proposal.asked"].reason == "for the board"
    assert (trail["proposal.made"].after or {})["number"] == 1


def test_a_persons_own_decisions_stand_unless_all_are_to_be_replaced(three_bids: BiddingMarket) -> None:
    view = proposed(three_bids)
    own = [{"bid_id": view.bids[0].bid_id, "decision": "rejected", "reason": "TECHNICAL"}]
    body = DecisionsRequest.model_validate({"decisions": own})
    actions.record_decisions(operator(three_bids), three_bids.competition_1.id, body)
    assert decide(three_bids).accepted == 1
    assert decide(three_bids, replace=True).accepted == 2
    assert decide(three_bids).undecided == 0


def test_nothing_is_decided_from_a_proposal_that_is_not_made(three_bids: BiddingMarket) -> None:
    ask(three_bids)
    with pytest.raises(Refused) as refused:
        decide(three_bids)
    assert (refused.value.code, refused.value.retry_after) == ("proposal.not_made", 2)
    with pytest.raises(Refused):
        actions_proposals.get_record(operator(three_bids), three_bids.competition_1.id, "1")


def test_nothing_is_decided_by_ceilings_that_were_never_published(three_bids: BiddingMarket) -> None:
    proposed(three_bids, ceilings={"utilisation": "110"})
    with pytest.raises(Refused) as refused:
        decide(three_bids)
    assert refused.value.code == "proposal.ceilings"


def test_a_proposal_overtaken_by_assets_that_dropped_out_is_refused_and_says_what_to_do(
    three_bids: BiddingMarket,
) -> None:
    view = proposed(three_bids)
    drop_out(three_bids)
    with pytest.raises(Refused) as refused:
        decide(three_bids)
    assert refused.value.code == "proposal.stale"
    assert refused.value.detail == (
        "Since this proposal was made what is left of bids changed. Ask for a new proposal and decide from that."
    )
    assert get(three_bids).stale == refused.value.detail
    assert view.stale is None
    again = proposed(three_bids)
    assert "NOT_QUALIFIED" in {bid.reason for bid in again.bids}
    assert decide(three_bids, again.number).undecided == 0


def drop_out(made: BiddingMarket) -> None:
    """The asset behind the cheapest bid is archived after close: nothing is left of that bid."""
    made.change(made.assets[0], now=LATER, status="Archived")
    made.deliver()


def test_nothing_is_decided_once_results_are_confirmed(three_bids: BiddingMarket) -> None:
    proposed(three_bids)
    decide(three_bids)
    actions.confirm_results(operator(three_bids), three_bids.competition_1.id)
    with pytest.raises(Refused) as refused:
        decide(three_bids, replace=True)
    assert refused.value.code == "result.confirmed"


def test_reasons_of_a_proposal_reach_the_results_of_who_bid(three_bids: BiddingMarket) -> None:
    proposed(three_bids)
    decide(three_bids)
    actions.confirm_results(operator(three_bids), three_bids.competition_1.id)
    results = reads.get_results(three_bids.fsp(LATER), three_bids.competition_1.id)
    [rejected] = [bid for bid in results.bids if bid.decision == "rejected"]
    assert (rejected.reason, rejected.comment) == (
        "OUT_OF_MERIT",
        "Cheaper bids covered the requirement. Effective price 150, marginal accepted price 120 GBP/MWh.",
    )
    assert actions.outcomes_by_fsp(three_bids.competition_1.id)["org_fsp1"].reasons == ("OUT_OF_MERIT",)


def test_the_overview_tells_of_the_latest_plain_proposal(three_bids: BiddingMarket) -> None:
    assert actions.get_overview(operator(three_bids), three_bids.competition_1.id).proposal is None
    proposed(three_bids)
    proposed(three_bids, budget="1000")
    ask(three_bids)
    told = actions.get_overview(operator(three_bids), three_bids.competition_1.id).proposal
    assert told is not None
    assert (told.number, told.cost, told.accepted_bids, told.finding) == (1, Decimal(2200), 2, "proven")


def test_the_bids_file_shows_what_is_proposed_until_that_is_overtaken(three_bids: BiddingMarket) -> None:
    def rows() -> list[dict[str, Any]]:
        return list(export_bids(operator(three_bids), {"competition_id": three_bids.competition_1.id})[1][BIDS])

    assert {row["proposal"] for row in rows()} == {None}
    proposed(three_bids)
    assert [row["proposal"] for row in rows()] == ["accept 1 MW", "accept 1 MW", "reject: OUT_OF_MERIT"]
    assert [row["expected_cost"] for row in rows()] == ["1000", "1200", "1500"]
    assert rows()[2]["proposal_text"].startswith("Cheaper bids covered the requirement.")
    drop_out(three_bids)
    assert {row["proposal"] for row in rows()} == {None}


def test_a_round_is_overviewed_with_its_proposals(market: None) -> None:
    made = BiddingMarket(round_ref="R1", service_windows=[a_window_of("2")])
    made.submit(0)
    proposed(made)
    [view] = rounds.get_round_overview(operator(made), "R1").competitions
    assert view.proposal is not None


def test_a_record_made_again_comes_to_the_same(three_bids: BiddingMarket) -> None:
    proposed(three_bids, budget="1000")
    record = record_of(three_bids)
    assert actions_proposing.made_from(record.input) == record.result
    assert record.result.selection.digest == record.input.weighed.request.digest == get(three_bids).input_digest


def test_what_is_kept_of_a_proposal_shows_no_price(three_bids: BiddingMarket) -> None:
    """Wherever it is written and however that is unpacked; in the clear the same words are found."""
    ask(three_bids)
    known = {content for _, content in everything_written()}
    make(three_bids)
    made = [content for _, content in everything_written() if content not in known]
    record_of(three_bids)
    opened = [content for where, content in everything_written() if "opened" in where]
    assert made
    assert words_in(made) == set()
    assert words_in(opened) == {b"effective_price", b"OUT_OF_MERIT"}


def words_in(contents: list[bytes]) -> set[bytes]:
    words = (b"effective_price", b"OUT_OF_MERIT")
    return {word for content in contents for reading in readings(content) for word in words if word in reading}


def test_a_bid_forced_in_is_proposed_whatever_it_costs_and_says_so(three_bids: BiddingMarket) -> None:
    dearest = reads.list_bids(operator(three_bids), three_bids.competition_1.id, ALL).items[2].bid_id
    view = proposed(three_bids, forced_in=[dearest])
    assert view.figures is not None
    assert (view.figures.cost, view.figures.plain_difference) == (Decimal(2500), Decimal(300))
    assert [(bid.proposal, bid.text) for bid in view.bids if bid.bid_id == dearest] == [
        ("accepted", "Accept 1 MW, forced in.")
    ]
    assert decide(three_bids).accepted == 2
