"""Ballots on their way: submitted, replaced, withdrawn, sealed until close and opened after it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chalicelib.assets import actions as assets
from chalicelib.bidding import actions, store
from chalicelib.bidding.models import HistoryQuery, ModelRequest, OpportunityQuery, ReplacementRequest
from chalicelib.competitions import actions as competitions
from chalicelib.files import actions as files
from chalicelib.files.models import Drop, FileRequest
from chalicelib.kernel.call import Idempotency
from chalicelib.kernel.errors import Forbidden, Invalid, NotFound, Refused, Stale
from chalicelib.kernel.models import PageQuery
from chalicelib.storage.audit import trail_of
from chalicelib.storage.commit import commit
from tests.builders.bidding import CLOSED, OPEN, OPENED, BiddingMarket
from tests.builders.calls import a_call, a_system_call
from tests.builders.market_state import everything_in

SECRET_PRICE, SECRET_MW = "173.6291", "0.637281"
ALL_TABLES = ("outbox", "audit", "receipts", "claims", "bidding")


@pytest.fixture
def bidding(market) -> BiddingMarket:
    return BiddingMarket()


def codes(refusal) -> list[str]:
    return [problem.code for problem in refusal.value.problems]


def replacement(bidding, *places, **changes) -> ReplacementRequest:
    return ReplacementRequest.model_validate(bidding.ballot(*places, **changes).model_dump(exclude={"ref"}))


def test_a_receipt_names_each_bid_the_instant_and_the_version(bidding):
    receipt = bidding.submit(0)
    assert (receipt.version, receipt.ref, receipt.asset_count) == (1, "B1", 1)
    assert receipt.submitted_at.isoformat() == "2026-05-04T09:00:00+00:00"
    assert [line.bid_id for line in receipt.bids] == [f"bid_{receipt.ballot_id[4:]}-001-0001"]


def test_the_default_set_is_all_qualified_assets(bidding):
    assert bidding.submit(mw="3").asset_count == 3
    with pytest.raises(Invalid) as refusal:
        bidding.submit(0)
    assert codes(refusal) == ["ballot.asset_taken", "ballots.over_capacity"]


def test_a_ballot_one_second_late_is_refused_and_one_a_second_early_is_not(bidding):
    bidding.submit(0, now="2026-05-09T15:59:59Z")
    for late in (CLOSED, "2026-05-09T16:00:01Z"):
        with pytest.raises(Refused) as refusal:
            bidding.submit(1, now=late)
        assert refusal.value.code == "bidding.closed"
    with pytest.raises(Refused) as refusal:
        bidding.submit(1, now="2026-05-02T15:59:59Z")
    assert refusal.value.code == "bidding.not_open"


def test_a_ballot_over_capacity_or_with_an_asset_twice_is_refused_and_leaves_nothing(bidding):
    before = everything_in(*ALL_TABLES)
    with pytest.raises(Invalid) as refusal:
        bidding.submit(0, 0, mw="1.1")
    assert {"ballot.asset_repeated", "ballot.over_capacity"} <= set(codes(refusal))
    assert everything_in(*ALL_TABLES) == before


def test_the_same_client_token_twice_is_one_ballot_with_the_same_receipt_even_after_close(bidding):
    first = bidding.submit(0, client_token="t-1")
    assert bidding.submit(0, client_token="t-1") == first
    assert bidding.submit(0, client_token="t-1", now=CLOSED) == first
    assert len(actions.list_ballots(bidding.fsp(), bidding.competition_1.id, PageQuery()).items) == 1


def test_a_client_token_is_not_used_for_another_ballot(bidding):
    bidding.submit(0, client_token="t-1")
    with pytest.raises(Invalid) as refusal:
        bidding.submit(1, client_token="t-1")
    assert codes(refusal) == ["ballot.token_reused"]


def test_an_idempotency_key_gives_its_receipt_again(bidding):
    call = bidding.fsp(idempotency=Idempotency("key-1", "hash"))
    receipt = bidding.submit(0, call=call)
    result = f"{receipt.ballot_id}#1"
    assert actions.replay_receipt(bidding.fsp(), result) == receipt


def test_a_reference_is_chosen_once(bidding):
    first = bidding.submit(0, ref="North.1")
    assert first.ref == "North.1"
    actions.withdraw_ballot(bidding.fsp(), first.ballot_id)
    with pytest.raises(Invalid) as refusal:
        bidding.submit(0, ref="North.1")
    assert codes(refusal) == ["ballot.ref_taken"]


def test_a_replacement_is_a_new_version_and_the_old_one_is_kept(bidding):
    first = bidding.submit(0, price="90")
    second = actions.replace_ballot(bidding.fsp(), first.ballot_id, replacement(bidding, 1, 2, mw="2"), 1)
    assert (second.version, second.ref, second.ballot_id) == (2, first.ref, first.ballot_id)
    history = actions.list_history(bidding.fsp(), HistoryQuery()).items
    assert {(bid.ballot_version, bid.ballot_state, bid.utilisation_price) for bid in history} == {
        (1, "replaced", Decimal(90)),
        (2, "live", Decimal(100)),
    }
    bidding.submit(0)


def test_a_replacement_of_a_version_read_before_another_is_stale(bidding):
    ballot = bidding.submit(0).ballot_id
    actions.replace_ballot(bidding.fsp(), ballot, replacement(bidding, 0), 1)
    with pytest.raises(Stale) as refusal:
        actions.replace_ballot(bidding.fsp(), ballot, replacement(bidding, 1), 1)
    assert refusal.value.code == "ballot.stale"


def test_a_withdrawn_ballot_frees_its_assets_and_stays_withdrawn(bidding):
    ballot = bidding.submit(0, 1).ballot_id
    withdrawn = actions.withdraw_ballot(bidding.fsp(), ballot)
    assert (withdrawn.state, withdrawn.version) == ("withdrawn", 1)
    assert actions.replay_withdrawal(bidding.fsp(), ballot) == withdrawn
    bidding.submit(0, 1)
    for act in (
        lambda: actions.withdraw_ballot(bidding.fsp(), ballot),
        lambda: actions.replace_ballot(bidding.fsp(), ballot, replacement(bidding, 2), 1),
    ):
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.code == "ballot.withdrawn"


def test_a_live_ballot_has_no_withdrawal_to_show(bidding):
    with pytest.raises(NotFound):
        actions.replay_withdrawal(bidding.fsp(), bidding.submit(0).ballot_id)


def test_nothing_changes_from_close_on(bidding):
    ballot = bidding.submit(0).ballot_id
    for act in (
        lambda: actions.withdraw_ballot(bidding.fsp(CLOSED), ballot),
        lambda: actions.replace_ballot(bidding.fsp(CLOSED), ballot, replacement(bidding, 1), 1),
    ):
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.code == "bidding.closed"


def test_only_verified_fsps_with_qualified_assets_bid(bidding):
    with pytest.raises(Refused) as refusal:
        bidding.submit(call=bidding.fsp(organisation="org_fsp2"))
    assert refusal.value.code == "bidding.not_entered"


def test_a_contracting_entity_is_one_of_the_fsps_own(bidding):
    with pytest.raises(Invalid) as refusal:
        bidding.submit(0, contracting_entity="ent_9")
    assert codes(refusal) == ["ballot.contracting_entity"]


def test_another_organisation_finds_no_ballot_and_a_person_without_the_role_may_not_look(bidding):
    ballot = bidding.submit(0).ballot_id
    strangers = [
        bidding.fsp(organisation="org_fsp2"),
        bidding.operator(OPEN),
        a_call("org_market_operator", "market_operator", now=OPEN),
    ]
    for call in strangers:
        for look in (actions.get_ballot, actions.withdraw_ballot, actions.replay_withdrawal):
            with pytest.raises(NotFound):
                look(call, ballot)
    reader = bidding.fsp(roles={"read", "procurement"})
    with pytest.raises(Forbidden):
        actions.get_ballot(reader, ballot)
    with pytest.raises(Forbidden):
        actions.list_history(reader, HistoryQuery())


def test_a_draft_competition_is_not_there_to_bid_in(bidding):
    draft = bidding.competition("DRAFT-1", publish=False)
    with pytest.raises(NotFound):
        actions.submit_ballot(bidding.fsp(), draft.id, bidding.ballot(0))


def test_nothing_readable_of_a_ballot_is_written_anywhere(bidding):
    call = bidding.fsp(idempotency=Idempotency("key-1", "hash"))
    bidding.submit(0, mw=SECRET_MW, price=SECRET_PRICE, call=call, ref="shown-price")
    stored = repr(everything_in(*ALL_TABLES))
    assert SECRET_PRICE not in stored
    assert SECRET_MW not in stored
    assert "shown-price" not in stored


def test_events_and_audit_of_a_ballot_hold_ids_and_a_hash_only(bidding):
    receipt = bidding.submit(0)
    assert bidding.told("bidding.ballot_submitted.v1") == [
        {
            "ballot_id": receipt.ballot_id,
            "version": 1,
            "competition_id": bidding.competition_1.id,
            "fsp": "org_fsp1",
        }
    ]
    [record] = trail_of(f"ballot:{receipt.ballot_id}").items
    assert (record.action, record.organisation) == ("ballot.submitted", "org_fsp1")
    assert set(record.after) == {"ballot_id", "version", "competition_id", "content_sha256"}


def test_bids_are_sealed_until_a_minute_after_close_then_the_operator_reads_them(bidding):
    first, second = bidding.submit(0, price="90"), bidding.submit(1, 2, mw="2")
    for early in (OPEN, CLOSED, "2026-05-09T16:00:59Z"):
        with pytest.raises(Refused) as refusal:
            bidding.opened(early)
        assert refusal.value.code == "bidding.sealed"
    bids = bidding.opened(OPENED)
    assert [
        (bid.ballot_id, bid.offered_mw, bid.capacity_mw, bid.utilisation_price, bid.flags) for bid in bids
    ] == sorted(
        [
            (first.ballot_id, Decimal(1), Decimal(1), Decimal(90), ()),
            (second.ballot_id, Decimal(2), Decimal(2), Decimal(100), ()),
        ]
    )
    for reader in (bidding.operator(OPENED), a_system_call(OPENED)):
        assert actions.bids_of(reader, bidding.competition_1.id) == bids


def test_nobody_else_opens_bids(bidding):
    bidding.submit(0)
    for call in (bidding.fsp(OPENED), a_call("org_market_operator", "market_operator", now=OPENED)):
        with pytest.raises(NotFound):
            actions.bids_for_deciding(call, bidding.competition_1.id)
        with pytest.raises(NotFound):
            actions.count_bids(call, bidding.competition_1.id)
    with pytest.raises(Refused):
        actions.bids_of(a_system_call(OPENED), bidding.competition_1.id)


def test_bids_are_counted_from_close_on(bidding):
    bidding.submit(0)
    withdrawn = bidding.submit(1).ballot_id
    actions.withdraw_ballot(bidding.fsp(), withdrawn)
    with pytest.raises(Refused):
        actions.count_bids(a_system_call("2026-05-09T15:59:59Z"), bidding.competition_1.id)
    assert actions.count_bids(a_system_call(CLOSED), bidding.competition_1.id) == 1


def test_a_withdrawn_competition_takes_and_opens_no_ballots_but_the_fsp_still_reads_its_own(bidding):
    ballot = bidding.submit(0).ballot_id
    competitions.withdraw_competition(bidding.operator(OPEN), bidding.competition_1.id, "no longer needed")
    with pytest.raises(Refused) as refusal:
        bidding.submit(1)
    assert refusal.value.code == "competition.withdrawn"
    with pytest.raises(Refused, match="stay sealed"):
        bidding.opened(OPENED)
    assert actions.get_ballot(bidding.fsp(), ballot).state == "void"


def test_nothing_is_added_once_the_ballots_were_opened_however_early_it_was_sent(bidding):
    bidding.submit(0)
    bidding.opened()
    bidding.opened()
    with pytest.raises(Refused) as refusal:
        bidding.submit(1, now="2026-05-09T15:00:00Z")
    assert refusal.value.code == "bidding.opened"
    assert len(bidding.opened()) == 1


def test_opening_twice_at_once_marks_it_once(bidding):
    write = store.opened_write(bidding.competition_1.id, a_call(now=OPENED).now)
    commit(bidding.operator(OPENED), [write])
    with pytest.raises(Refused) as refusal:
        commit(bidding.operator(OPENED), [write])
    assert refusal.value.code == store.OPENED_BEFORE


def test_bids_are_not_opened_while_a_file_that_arrived_in_time_is_being_read(bidding):
    drop_a_file_of_bids(bidding, "2026-05-09T15:59:00Z")
    with pytest.raises(Refused, match="1 file is still being read"):
        bidding.opened()
    drop_a_file_of_bids(bidding, "2026-05-09T15:59:30Z")
    with pytest.raises(Refused, match="2 files are still being read"):
        bidding.opened()


def test_a_file_that_arrived_late_holds_nobody_up(bidding):
    drop_a_file_of_bids(bidding, CLOSED)
    assert bidding.opened() == []


def drop_a_file_of_bids(bidding, at):
    """A file of bids that has arrived and waits to be read."""
    call = bidding.fsp(at)
    asked = FileRequest(kind="bids", name="bids.xlsx", size=10, sha256="0" * 64)
    receipt = files.request_upload(call, asked)
    key = files.get_receipt(receipt.id).object_key
    files.receive(call, Drop(key=key, size=10, at=call.now), "org_fsp1", "fsp")


def test_a_ballot_whose_assets_dropped_out_after_close_stays_cut_and_flagged(bidding):
    bidding.submit(0, mw="1")
    bidding.submit(1, 2, mw="2")
    bidding.change(bidding.assets[0], now="2026-05-09T16:00:10Z", status="Archived")
    bidding.change(bidding.assets[1], now="2026-05-09T16:00:10Z", status="Archived")
    bidding.deliver()
    assert sorted((bid.offered_mw, bid.capacity_mw, bid.flags) for bid in bidding.opened()) == [
        (1, 0, ("not_qualified",)),
        (2, 1, ("cut",)),
    ]
    kept = {len(ballot.asset_ids) for ballot in actions.opened_ballots(a_system_call(OPENED), bidding.competition_1.id)}
    assert kept == {0, 1}


def test_a_ballot_is_flagged_for_live_ballots_elsewhere_at_the_same_time(bidding):
    other = bidding.competition("NORTH-2")
    bidding.deliver()
    bidding.close(other)
    elsewhere = bidding.ballot(0).model_dump()
    elsewhere["bids"][0]["window_id"] = other.windows[0].id
    request = type(bidding.ballot(0)).model_validate(elsewhere)
    assert actions.submit_ballot(bidding.fsp(), other.id, request).overlaps == ()
    receipt = bidding.submit(0, 1, mw="2")
    [overlap] = receipt.overlaps
    assert (overlap.kind, overlap.competition_id, overlap.asset_ids) == ("ballot", other.id, (bidding.assets[0].id,))


def test_a_ballot_beyond_what_obligations_leave_is_refused_and_one_within_is_flagged(bidding):
    asset, window = bidding.assets[0], bidding.competition_1.windows[0]
    competition = bidding.competition_1
    starts, ends = next(iter(competition.occurrences(window)))
    call = bidding.fsp()
    commit(
        call,
        assets.commitment_writes("obl_1", "org_other", "cmp_none", starts, ends, {asset.id: Decimal("0.4")}),
    )
    with pytest.raises(Invalid) as refusal:
        bidding.submit(0, mw="0.7")
    assert codes(refusal) == ["ballot.obligated"]
    [overlap] = bidding.submit(0, mw="0.6").overlaps
    assert (overlap.kind, overlap.obligation_id, overlap.asset_ids) == ("obligation", "obl_1", (asset.id,))


def test_open_windows_are_listed_page_by_page_with_what_may_be_offered(bidding):
    windows = [competition_window(name) for name in ("Morning", "Noon", "Night")]
    other = bidding.competition("NORTH-2", service_windows=windows, round_ref="R1")
    bidding.deliver()
    bidding.close(other)
    found, cursor = [], None
    while True:
        page = actions.list_opportunities(bidding.fsp(), OpportunityQuery(limit=2, cursor=cursor))
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    assert [len(found), len({view.window_id for view in found})] == [4, 4]
    assert {view.capacity_limit for view in found} == {Decimal(3)}
    of_round = actions.list_opportunities(bidding.fsp(), OpportunityQuery(round_ref="R1")).items
    assert {view.competition_id for view in of_round} == {other.id}
    assert actions.list_opportunities(bidding.fsp(CLOSED), OpportunityQuery()).items == []
    assert actions.list_opportunities(bidding.fsp(organisation="org_fsp2"), OpportunityQuery()).items == []


def competition_window(name):
    return {
        "service_period_name": "Summer",
        "service_period_start": "2026-06-01",
        "service_period_end": "2026-06-30",
        "service_window_name": name,
        "start": "07:00",
        "end": "08:00",
        "service_days": ["Mon"],
        "capacity_required": "5",
    }


@pytest.mark.parametrize("cursor", ["x", "a~b", "a~b~c"])
def test_a_cursor_no_list_gave_is_refused(bidding, cursor):
    with pytest.raises(Invalid):
        actions.list_opportunities(bidding.fsp(), OpportunityQuery(cursor=cursor))
    with pytest.raises(Invalid):
        actions.list_history(bidding.fsp(), HistoryQuery(cursor=cursor))


def test_the_history_is_read_page_by_page_through_ballots_of_many_bids(bidding):
    bids = [bidding.ballot(mw="0.1").bids[0].but(split=split) for split in range(1, 8)]
    bidding.submit(0, bids=[bid.model_dump() for bid in bids], now="2026-05-04T09:00:00Z")
    bidding.submit(1, bids=[bid.model_dump() for bid in bids], now="2026-05-04T09:01:00Z")
    seen, cursor, pages = [], None, 0
    while True:
        page = actions.list_history(bidding.fsp(), HistoryQuery(limit=3, cursor=cursor))
        assert len(page.items) <= 3
        seen += [bid.id for bid in page.items]
        cursor, pages = page.next, pages + 1
        if cursor is None:
            break
    assert (len(seen), len(set(seen)), pages) == (14, 14, 5)
    query = HistoryQuery(competition_id="cmp_other")
    assert actions.list_history(bidding.fsp(), query).items == []
    assert len(actions.list_history(bidding.fsp(), HistoryQuery(so=bidding.so.organisation)).items) == 14


def test_ballots_are_listed_page_by_page_without_their_bids(bidding):
    made = [bidding.submit(place).ballot_id for place in (0, 1, 2)]
    actions.withdraw_ballot(bidding.fsp(), made[1])
    first = actions.list_ballots(bidding.fsp(), bidding.competition_1.id, PageQuery(limit=2))
    rest = actions.list_ballots(bidding.fsp(), bidding.competition_1.id, PageQuery(limit=2, cursor=first.next))
    lines = [*first.items, *rest.items]
    assert [line.id for line in lines] == sorted(made)
    assert sorted(line.state for line in lines) == ["live", "live", "withdrawn"]
    assert rest.next is None


def test_a_large_ballot_is_kept_beside_its_row_and_reads_the_same(bidding, monkeypatch):
    monkeypatch.setattr(store, "MOST_INLINE", 100)
    receipt = bidding.submit(0, 1)
    view = actions.get_ballot(bidding.fsp(), receipt.ballot_id)
    assert (view.asset_ids, view.bids[0].id) == (
        tuple(bidding.assets[place].id for place in (0, 1)),
        receipt.bids[0].bid_id,
    )
    assert len(bidding.opened()) == 1


def test_a_draft_is_modelled_without_being_kept(bidding):
    before = everything_in(*ALL_TABLES)
    request = ModelRequest(competition_id=bidding.competition_1.id, bids=bidding.ballot(0).bids)
    figures = actions.model_ballot(bidding.fsp(), request)
    assert (figures.bids[0].effective_price, figures.problems) == (Decimal(100), ())
    assert everything_in(*ALL_TABLES) == before
