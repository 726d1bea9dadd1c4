"""From bids to results and obligations: decided by file or request, confirmed once, by whom it may."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from chalicelib.assets import actions as assets
from chalicelib.competitions import actions as competitions
from chalicelib.contracts import actions as contracts
from chalicelib.contracts.downloads import export_contracts
from chalicelib.contracts.models import AssetsQuery, ObligationQuery
from chalicelib.contracts.sheets import ASSETS, OBLIGATIONS
from chalicelib.decisions import actions, actions_recording, reads, rounds, store
from chalicelib.decisions.downloads import export_bids, export_results
from chalicelib.decisions.imports import IMPORTER
from chalicelib.decisions.models import DecisionsRequest, OverviewQuery
from chalicelib.decisions.sheets import BIDS, RESULTS, TEMPLATE, WINDOWS, spoken
from chalicelib.files.importing import Chunk, RowOutcome
from chalicelib.files.workbook import read_file
from chalicelib.files.writing import write_download
from chalicelib.kernel.call import Call, Idempotency
from chalicelib.kernel.errors import Forbidden, Invalid, NotFound, Refused
from chalicelib.kernel.models import PageQuery
from chalicelib.registry import actions_operators
from chalicelib.storage.audit import trail_of
from tests.builders.bidding import OPEN, OPENED, BiddingMarket, bid_receipt
from tests.builders.calls import a_call

LATER = "2026-05-10T09:00:00Z"


@pytest.fixture
def market_with_bids(market: None) -> BiddingMarket:
    """Two ballots of one bid each: 1 MW at 100 and 2 MW at 150, for 5 MW wanted."""
    made = BiddingMarket()
    made.submit(0, price="100")
    made.submit(1, 2, mw="2", price="150")
    return made


def operator(made: BiddingMarket, now: str = LATER, **how: Any) -> Call:
    return made.operator(now, **how)


def bid_ids(made: BiddingMarket) -> list[str]:
    return [bid.id for bid in made.opened(LATER)]


def record(made: BiddingMarket, *decisions: dict[str, Any], **how: Any) -> Any:
    body = DecisionsRequest.model_validate({"decisions": list(decisions)})
    return actions.record_decisions(operator(made, **how), made.competition_1.id, body)


def accept(bid_id: str, **more: Any) -> dict[str, Any]:
    return {"bid_id": bid_id, "decision": "accepted", **more}


def reject(bid_id: str, reason: str = "OUT_OF_MERIT", **more: Any) -> dict[str, Any]:
    return {"bid_id": bid_id, "decision": "rejected", "reason": reason, **more}


def confirm(made: BiddingMarket, **how: Any) -> Any:
    return actions.confirm_results(operator(made, **how), made.competition_1.id)


def decide_all(made: BiddingMarket) -> list[str]:
    first, second = bid_ids(made)
    record(made, accept(first), reject(second))
    return [first, second]


def upload(
    made: BiddingMarket, rows: list[dict[str, Any]], now: str = LATER, receipt_id: str = "rct_1"
) -> list[RowOutcome]:
    content = write_download(TEMPLATE, {BIDS: rows})
    receipt = bid_receipt(receipt_id, now, made.so.organisation)
    found: list[RowOutcome] = []
    for chunk in IMPORTER.split(read_file(content, TEMPLATE).sheets):
        kept = Chunk.from_json(chunk.number, chunk.as_json())
        assert IMPORTER.apply is not None
        found += IMPORTER.apply(operator(made, now), receipt, kept)
    return sorted(found, key=lambda outcome: outcome.row)


def file_rows(made: BiddingMarket) -> list[dict[str, Any]]:
    _, rows = export_bids(operator(made), {"competition_id": made.competition_1.id})
    return list(rows[BIDS])


def problem_codes(outcome: RowOutcome) -> list[str]:
    return [problem.code for problem in outcome.problems]


def test_bids_are_listed_cheapest_first_with_what_was_decided(market_with_bids: BiddingMarket) -> None:
    page = reads.list_bids(operator(market_with_bids), market_with_bids.competition_1.id, PageQuery(limit=1))
    assert [(bid.utilisation_price, bid.decision) for bid in page.items] == [(Decimal(100), "undecided")]
    query = PageQuery(limit=1, cursor=page.next)
    last = reads.list_bids(operator(market_with_bids), market_with_bids.competition_1.id, query)
    assert [bid.utilisation_price for bid in last.items] == [Decimal(150)]
    assert last.next is None


def test_a_cursor_of_another_list_is_refused(market_with_bids: BiddingMarket) -> None:
    with pytest.raises(Invalid):
        reads.list_bids(operator(market_with_bids), market_with_bids.competition_1.id, PageQuery(cursor="bid_x"))


def test_the_overview_counts_and_says_what_to_do_next(market_with_bids: BiddingMarket) -> None:
    first, _ = bid_ids(market_with_bids)
    overview = record(market_with_bids, accept(first))
    assert (overview.bids, overview.bidders, overview.undecided, overview.accepted) == (2, 1, 1, 1)
    assert overview.message == "1 of 2 bids to decide."
    listed = reads.list_overviews(operator(market_with_bids), OverviewQuery())
    assert [view.competition_reference for view in listed.items] == ["NORTH-1"]
    assert reads.list_overviews(operator(market_with_bids), OverviewQuery(state="confirmed")).items == []


def test_what_stands_in_proposal_can_be_copied_into_decision(market_with_bids: BiddingMarket) -> None:
    """A bid is whole here: other MW than its own are refused as ever; what its own columns say counts first."""
    rows = file_rows(market_with_bids)
    rows[0]["decision"], rows[1]["decision"] = "accept 1 MW", "reject: OUT_OF_MERIT"
    assert [outcome.outcome for outcome in upload(market_with_bids, rows)] == ["updated", "updated"]
    decided = store.load_decisions(market_with_bids.competition_1.id)
    told = [(decided[row["bid_id"]].accepted_mw, decided[row["bid_id"]].reason) for row in rows]
    assert told == [(Decimal(1), None), (Decimal(0), "OUT_OF_MERIT")]
    rows[0]["decision"], rows[1]["reason"] = "ACCEPT 0.5 MW", "TECHNICAL"
    first, second = upload(market_with_bids, rows, receipt_id="rct_2")
    assert (problem_codes(first), second.outcome) == (["decision.capacity"], "updated")
    assert store.load_decisions(market_with_bids.competition_1.id)[rows[1]["bid_id"]].reason == "TECHNICAL"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Accepted", {"decision": "accepted"}),
        ("yes", {"decision": "accepted"}),
        ("accept 1.5 MW", {"decision": "accepted", "accepted_mw": "1.5"}),
        ("no", {"decision": "rejected"}),
        ("reject: out_of_merit", {"decision": "rejected", "reason": "OUT_OF_MERIT"}),
        ("UNDECIDED", {"decision": "undecided"}),
    ],
)
def test_a_decision_is_read_in_any_of_its_spellings(text: str, said: dict[str, str]) -> None:
    assert spoken(text) == said


@pytest.mark.parametrize("text", ["maybe", "accept everything", "reject: TOO_UGLY", "accept 1.5 kW", ""])
def test_other_words_are_no_decision(text: str) -> None:
    with pytest.raises(ValueError, match="no decision"):
        spoken(text)


def test_a_competition_without_bids_is_listed_and_confirmed_too(market: None) -> None:
    made = BiddingMarket()
    overview = actions.get_overview(operator(made), made.competition_1.id)
    assert overview.message == "No bids. Confirm to close it with nothing bought."
    assert confirm(made).bids == 0
    found = reads.get_results(operator(made), made.competition_1.id)
    assert found.message == "Nothing was bought: there were no bids."
    contracts.draw_up(operator(made).as_system(), made.competition_1.id)
    assert contracts.is_drawn_up(made.competition_1.id)


def test_decisions_are_all_taken_or_none(market_with_bids: BiddingMarket) -> None:
    first, second = bid_ids(market_with_bids)
    with pytest.raises(Invalid) as refused:
        record(market_with_bids, accept(first), {"bid_id": second, "decision": "rejected"}, accept("bid_x-001-0001"))
    assert [(problem.field, problem.code) for problem in refused.value.problems] == [
        ("decisions/1/reason", "decision.reason"),
        ("decisions/2/bid_id", "decision.unknown_bid"),
    ]
    assert store.load_decisions(market_with_bids.competition_1.id) == {}


def test_a_decision_may_change_until_confirmation_and_every_change_is_kept(market_with_bids: BiddingMarket) -> None:
    first, _ = bid_ids(market_with_bids)
    record(market_with_bids, accept(first))
    record(market_with_bids, reject(first, "TECHNICAL"))
    overview = record(market_with_bids, {"bid_id": first, "decision": "undecided"})
    assert overview.undecided == 2
    trail = trail_of(f"competition:{market_with_bids.competition_1.id}").items
    said = [record_.after[first][0] for record_ in trail if record_.action == "decisions.recorded" and record_.after]
    assert sorted(said) == ["accepted", "rejected", "undecided"]


def test_deciding_the_same_again_writes_nothing(market_with_bids: BiddingMarket) -> None:
    first, _ = bid_ids(market_with_bids)
    record(market_with_bids, accept(first))
    deciding = actions.load_deciding(operator(market_with_bids), market_with_bids.competition_1.id)
    request = DecisionsRequest.model_validate({"decisions": [accept(first)]}).decisions
    assert actions.save_decisions(operator(market_with_bids), deciding, request) == set()
    assert store.load_decisions(market_with_bids.competition_1.id)[first].version == 1


def test_more_decisions_than_a_transaction_holds_are_saved_in_several(market: None, monkeypatch: Any) -> None:
    made = BiddingMarket()
    window = made.competition_1.windows[0].id
    bid = {"window_id": window, "capacity_mw": "0.1", "maximum_run_time": "PT1H", "utilisation_price": "90"}
    made.submit(0, bids=[{**bid, "split": split} for split in range(1, 6)])
    monkeypatch.setattr(actions_recording, "AT_ONCE", 2)
    overview = record(made, *(accept(bid_id) for bid_id in bid_ids(made)))
    assert (overview.accepted, overview.undecided) == (5, 0)


def test_two_people_deciding_at_once_both_succeed(market_with_bids: BiddingMarket) -> None:
    first, second = bid_ids(market_with_bids)
    competition_id = market_with_bids.competition_1.id
    stale = actions.load_deciding(operator(market_with_bids), competition_id)
    record(market_with_bids, accept(first))
    request = DecisionsRequest.model_validate({"decisions": [reject(second)]}).decisions
    assert actions.save_decisions(operator(market_with_bids), stale, request) == {second}
    sheet = store.find_sheet(competition_id)
    assert sheet is not None
    assert (sheet.decided, sheet.undecided) == (2, 0)


def test_another_operator_finds_no_such_competition(market_with_bids: BiddingMarket) -> None:
    other = a_call("org_so2", "so", now=LATER)
    competition_id = market_with_bids.competition_1.id
    with pytest.raises(NotFound):
        actions.get_overview(other, competition_id)
    with pytest.raises(NotFound):
        actions.confirm_results(other, competition_id)
    with pytest.raises(NotFound):
        actions.get_confirmation(other, competition_id)


def test_nothing_is_decided_before_the_bids_may_be_opened(market_with_bids: BiddingMarket) -> None:
    with pytest.raises(Refused) as refused:
        actions.get_overview(operator(market_with_bids, OPEN), market_with_bids.competition_1.id)
    assert refused.value.code == "bidding.sealed"
    assert reads.list_overviews(operator(market_with_bids, OPEN), OverviewQuery()).items == []
    assert reads.list_overviews(operator(market_with_bids, OPENED), OverviewQuery()).items != []


def test_confirming_with_a_bid_undecided_names_it(market_with_bids: BiddingMarket) -> None:
    first, second = bid_ids(market_with_bids)
    record(market_with_bids, accept(first))
    with pytest.raises(Invalid) as refused:
        confirm(market_with_bids)
    assert [(problem.code, problem.field) for problem in refused.value.problems] == [("confirmation.undecided", second)]


def test_a_person_without_confirm_cannot_confirm(market_with_bids: BiddingMarket) -> None:
    decide_all(market_with_bids)
    with pytest.raises(Forbidden):
        confirm(market_with_bids, roles={"procurement", "read"})


def test_results_are_confirmed_once(market_with_bids: BiddingMarket) -> None:
    first, _ = decide_all(market_with_bids)
    view = confirm(market_with_bids)
    with pytest.raises(Refused) as refused:
        confirm(market_with_bids)
    assert refused.value.code == "result.confirmed"
    with pytest.raises(Refused):
        record(market_with_bids, reject(first))
    assert actions.get_confirmation(operator(market_with_bids), market_with_bids.competition_1.id) == view
    assert actions.is_confirmed(market_with_bids.competition_1.id)
    assert competitions.get_competition(market_with_bids.competition_1.id).outcome == "confirmed"
    assert len(market_with_bids.told("decisions.results_confirmed.v1")) == 1


def test_of_two_people_confirming_at_once_one_confirms(market_with_bids: BiddingMarket) -> None:
    """Both read that everything is decided; the one who writes second is refused."""
    decide_all(market_with_bids)
    call = operator(market_with_bids, actor="per_2")
    seen = actions.load_deciding(call, market_with_bids.competition_1.id)
    confirm(market_with_bids)
    sheet = seen.sheet.but(
        state="confirmed", confirmed_by="per_2", confirmed_at=call.now, version=seen.sheet.version + 1
    )
    with pytest.raises(Refused) as refused:
        actions._commit_confirmation(call, seen, sheet)
    assert refused.value.code == "decision.raced"
    assert actions.get_confirmation(call, market_with_bids.competition_1.id).confirmed_by == "per_1"
    assert len(market_with_bids.told("decisions.results_confirmed.v1")) == 1


def test_a_withdrawn_competition_is_never_confirmed_nor_the_other_way_round(market_with_bids: BiddingMarket) -> None:
    decide_all(market_with_bids)
    deciding = actions.load_deciding(operator(market_with_bids), market_with_bids.competition_1.id)
    competitions.withdraw_competition(operator(market_with_bids), market_with_bids.competition_1.id, "reinforced early")
    sheet = deciding.sheet.but(
        state="confirmed", confirmed_at=operator(market_with_bids).now, version=deciding.sheet.version + 1
    )
    with pytest.raises(Refused) as refused:
        actions._commit_confirmation(operator(market_with_bids), deciding, sheet)
    assert refused.value.code == "competition.over"
    assert not actions.is_confirmed(market_with_bids.competition_1.id)


def test_the_two_person_rule_needs_somebody_who_did_not_decide(market_with_bids: BiddingMarket) -> None:
    made = market_with_bids
    view = actions_operators.get_own_operator(operator(made))
    settings = view.settings.but(two_person_rule=True)
    actions_operators.change_own_settings(operator(made), settings, view.version)
    decide_all(made)
    with pytest.raises(Refused) as refused:
        confirm(made)
    assert refused.value.code == "confirmation.two_persons"
    assert confirm(made, actor="per_2").bids == 2


def test_the_same_confirmation_sent_twice_is_one(market_with_bids: BiddingMarket) -> None:
    decide_all(market_with_bids)
    call = operator(market_with_bids, idempotency=Idempotency("k", "hash"))
    first = actions.confirm_results(call, market_with_bids.competition_1.id)
    assert actions.get_confirmation(call, market_with_bids.competition_1.id) == first


def test_a_bids_file_comes_back_with_its_decisions(market_with_bids: BiddingMarket) -> None:
    rows = file_rows(market_with_bids)
    assert [Decimal(row["utilisation_price"]) for row in rows] == [Decimal(100), Decimal(150)]
    cheap, dear = rows[0] | {"decision": "accepted"}, rows[1] | {"decision": "rejected", "reason": "NOT_REQUIRED"}
    outcomes = upload(market_with_bids, [cheap, rows[1]], receipt_id="rct_1")
    assert [outcome.outcome for outcome in outcomes] == ["updated", "unchanged"]
    again = upload(market_with_bids, [cheap, dear], receipt_id="rct_2")
    assert [outcome.outcome for outcome in again] == ["unchanged", "updated"]
    assert actions.get_overview(operator(market_with_bids), market_with_bids.competition_1.id).undecided == 0


def test_a_file_read_again_after_a_crash_answers_as_the_first_time(market_with_bids: BiddingMarket) -> None:
    rows = [row | {"decision": "accepted"} for row in file_rows(market_with_bids)]
    assert [outcome.outcome for outcome in upload(market_with_bids, rows)] == ["updated", "updated"]
    assert [outcome.outcome for outcome in upload(market_with_bids, rows)] == ["updated", "updated"]
    assert len(market_with_bids.told("decisions.decisions_recorded.v1")) == 1


def test_a_bids_file_with_mistakes_names_each_and_takes_the_rest(market_with_bids: BiddingMarket) -> None:
    cheap, dear = file_rows(market_with_bids)
    strange = cheap | {"bid_id": "bid_zzz-001-0001", "decision": "accepted"}
    nowhere = cheap | {"competition_id": "cmp_other", "decision": "accepted"}
    outcomes = upload(market_with_bids, [cheap | {"decision": "accepted"}, dear | {"decision": "rejected"}, strange])
    assert [outcome.outcome for outcome in outcomes] == ["updated", "error", "error"]
    assert problem_codes(outcomes[1]) == ["decision.reason"]
    assert outcomes[1].problems[0].column == "Reason"
    assert problem_codes(outcomes[2]) == ["decision.unknown_bid"]
    assert problem_codes(upload(market_with_bids, [nowhere])[0]) == ["competition.not_found"]


def test_rows_of_confirmed_results_are_errors(market_with_bids: BiddingMarket) -> None:
    decide_all(market_with_bids)
    rows = file_rows(market_with_bids)
    confirm(market_with_bids)
    outcomes = upload(
        market_with_bids, [rows[0] | {"decision": "rejected", "reason": "TECHNICAL"}, rows[1] | {"decision": None}]
    )
    assert [outcome.outcome for outcome in outcomes] == ["error", "unchanged"]
    assert problem_codes(outcomes[0]) == ["decision.final"]


def test_a_provider_reads_its_own_results_and_the_aggregates(market_with_bids: BiddingMarket) -> None:
    decide_all(market_with_bids)
    competition_id = market_with_bids.competition_1.id
    own = market_with_bids.fsp(LATER)
    with pytest.raises(NotFound):
        reads.get_results(own, competition_id)
    confirm(market_with_bids)
    found = reads.get_results(own, competition_id)
    assert [(bid.decision, bid.reason) for bid in found.bids] == [("accepted", None), ("rejected", "OUT_OF_MERIT")]
    assert found.bids[1].reason_text == "Cheaper bids covered the requirement."
    assert found.message == "Bought in 1 of 1 windows; the requirement is covered in 0."
    window = found.windows[0]
    assert (window.capacity_required_mw, window.offered_mw, window.accepted_mw) == (Decimal(5), Decimal(3), Decimal(1))
    other = reads.get_results(market_with_bids.fsp(LATER, "org_fsp2"), competition_id)
    assert other.bids == []
    assert other.windows == found.windows


def test_the_results_file_holds_bids_and_aggregates(market_with_bids: BiddingMarket) -> None:
    decide_all(market_with_bids)
    confirm(market_with_bids)
    _, rows = export_results(operator(market_with_bids), {"competition_id": market_with_bids.competition_1.id})
    assert [row["decision"] for row in rows[RESULTS]] == ["accepted", "rejected"]
    assert [row["bids"] for row in rows[WINDOWS]] == [2]


@pytest.fixture
def contracted(market_with_bids: BiddingMarket) -> BiddingMarket:
    first, second = bid_ids(market_with_bids)
    record(market_with_bids, accept(first), accept(second))
    confirm(market_with_bids)
    contracts.draw_up(operator(market_with_bids).as_system(), market_with_bids.competition_1.id)
    return market_with_bids


def test_every_accepted_bid_is_one_obligation_with_its_assets(contracted: BiddingMarket) -> None:
    page = contracts.list_obligations(contracted.fsp(LATER), ObligationQuery())
    assert sorted((each.capacity_mw, each.asset_count) for each in page.items) == [(Decimal(1), 1), (Decimal(2), 2)]
    largest = max(page.items, key=lambda each: each.capacity_mw)
    assert (largest.state, largest.utilisation_price, largest.start) == ("contracted", Decimal(150), "17:00")
    behind = contracts.list_assets(contracted.fsp(LATER), largest.id, AssetsQuery()).items
    assert [(asset.asset_ref, asset.capacity_mw) for asset in behind] == [("BAT-2", Decimal(1)), ("BAT-3", Decimal(1))]


def test_drawing_up_again_changes_nothing(contracted: BiddingMarket) -> None:
    before = contracts.list_obligations(operator(contracted), ObligationQuery()).items
    contracts.draw_up(operator(contracted, "2026-05-11T09:00:00Z").as_system(), contracted.competition_1.id)
    assert contracts.list_obligations(operator(contracted), ObligationQuery()).items == before
    assert len(contracted.told("contracts.obligations_drawn_up.v1")) == 1


def test_an_obligated_asset_is_committed(contracted: BiddingMarket) -> None:
    held = assets.commitments_of([asset.id for asset in contracted.assets])
    assert sorted(len(commitments) for commitments in held.values()) == [1, 1, 1]
    commitment = held[contracted.assets[0].id][0]
    assert (commitment.mw, commitment.windows) == (Decimal(1), (contracted.competition_1.windows[0].id,))


def test_only_the_two_sides_see_an_obligation(contracted: BiddingMarket) -> None:
    obligation = contracts.list_obligations(operator(contracted), ObligationQuery()).items[0]
    assert contracts.get_obligation(contracted.fsp(LATER), obligation.id) == obligation
    for stranger in (contracted.fsp(LATER, "org_fsp2"), a_call("org_so2", "so", now=LATER)):
        with pytest.raises(NotFound):
            contracts.get_obligation(stranger, obligation.id)
        assert contracts.list_obligations(stranger, ObligationQuery()).items == []
    with pytest.raises(NotFound):
        contracts.contract_obligation(contracted.fsp(LATER), obligation.id)


def test_a_contracted_obligation_is_not_contracted_again(contracted: BiddingMarket) -> None:
    obligation = contracts.list_obligations(operator(contracted), ObligationQuery()).items[0]
    with pytest.raises(Refused) as refused:
        contracts.contract_obligation(operator(contracted), obligation.id)
    assert refused.value.code == "obligation.contracted"


def test_where_the_operators_policy_says_so_results_are_awarded_first(market_with_bids: BiddingMarket) -> None:
    made = market_with_bids
    view = actions_operators.get_own_operator(operator(made))
    settings = view.settings.but(contract_at_confirmation=False)
    actions_operators.change_own_settings(operator(made), settings, view.version)
    decide_all(made)
    confirm(made)
    contracts.draw_up(operator(made).as_system(), made.competition_1.id)
    obligation = contracts.list_obligations(operator(made), ObligationQuery(state="awarded")).items[0]
    assert contracts.contract_obligation(operator(made), obligation.id).state == "contracted"
    assert contracts.list_obligations(operator(made), ObligationQuery(state="awarded")).items == []


def test_the_contracts_workbook_is_the_same_on_both_sides(contracted: BiddingMarket) -> None:
    _, ours = export_contracts(operator(contracted), {})
    _, theirs = export_contracts(contracted.fsp(LATER), {"competition_id": contracted.competition_1.id})
    assert ours == theirs
    assert (len(ours[OBLIGATIONS]), len(ours[ASSETS])) == (2, 3)
    assert export_contracts(operator(contracted), {"competition_id": "cmp_x"})[1][OBLIGATIONS] == []


@pytest.fixture
def round_of_two(market: None) -> BiddingMarket:
    """Two competitions of one round: NORTH-1 with two bids, NORTH-2 that nobody bid in."""
    made = BiddingMarket(round_ref="R1")
    made.close(made.competition("NORTH-2", round_ref="R1"))
    made.submit(0, price="100")
    made.submit(1, 2, mw="2", price="150")
    return made


def test_a_round_is_decided_and_confirmed_as_one_competition(round_of_two: BiddingMarket) -> None:
    call = operator(round_of_two)
    first, second = bid_ids(round_of_two)
    overview = rounds.record_round_decisions(
        call, "R1", DecisionsRequest.model_validate({"decisions": [accept(first), reject(second)]})
    )
    assert overview.undecided == 0
    assert [view.competition_reference for view in overview.competitions] == ["NORTH-1", "NORTH-2"]
    found = rounds.confirm_round(call, "R1")
    assert [(each.reference, each.outcome) for each in found.competitions] == [
        ("NORTH-1", "confirmed"),
        ("NORTH-2", "confirmed"),
    ]
    assert rounds.confirm_round(call, "R1") == found
    assert rounds.get_round_confirmation(call, "R1") == found


def test_a_round_with_a_bid_undecided_confirms_the_rest_and_says_why(round_of_two: BiddingMarket) -> None:
    found = rounds.confirm_round(operator(round_of_two), "R1")
    assert [(each.reference, each.outcome, each.code) for each in found.competitions] == [
        ("NORTH-1", "refused", "confirmation.incomplete"),
        ("NORTH-2", "confirmed", None),
    ]


def test_a_decision_of_a_round_names_its_place_in_the_whole_list(round_of_two: BiddingMarket) -> None:
    first, _ = bid_ids(round_of_two)
    body = DecisionsRequest.model_validate({"decisions": [accept(first), accept("bid_zzz-001-0001")]})
    with pytest.raises(Invalid) as refused:
        rounds.record_round_decisions(operator(round_of_two), "R1", body)
    assert [problem.field for problem in refused.value.problems] == ["decisions/1/bid_id"]
    assert rounds.get_round_overview(operator(round_of_two), "R1").undecided == 2


def test_a_round_nobody_knows_is_not_found(round_of_two: BiddingMarket) -> None:
    with pytest.raises(NotFound):
        rounds.get_round_overview(operator(round_of_two), "R9")
