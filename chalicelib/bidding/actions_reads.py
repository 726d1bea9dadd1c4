"""Owns what an FSP reads of its own bidding: ballots, history, and the windows it may bid in."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.bidding import store
from chalicelib.bidding.actions_standing import overlaps_of
from chalicelib.bidding.doors import check_own
from chalicelib.bidding.holdings import Sheet
from chalicelib.bidding.lifecycle import state_of
from chalicelib.bidding.modelling import model
from chalicelib.bidding.models import (
    BallotHead,
    BallotLine,
    BallotVersion,
    BallotView,
    BidHistoryView,
    HistoryQuery,
    ModelRequest,
    ModelView,
)
from chalicelib.bidding.seal import unseal_own, unseal_own_all
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.competitions.rules import is_visible
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Problem
from chalicelib.kernel.models import Page, PageQuery
from chalicelib.storage.tables import encode_cursor

_READ_AT_ONCE = 50


def own_competition(call: Call, competition_id: str) -> Competition:
    """A published competition, for an FSP's bidding people; `NotFound` for a draft, `Forbidden` without the role."""
    competition = competitions.get_competition(competition_id)
    if not is_visible(competition):
        raise NotFound("competition.not_found", "There is no such competition.")
    check_own(call, call.organisation)
    return competition


def place_of(call: Call, ballot_id: str) -> tuple[Competition, BallotHead]:
    """The competition of the caller's own ballot and where it stands; `NotFound` for anybody else's."""
    place = store.load_place(ballot_id)
    head = store.load_head(*place, ballot_id) if place else None
    if head is None or head.fsp != call.actor.organisation:
        raise NotFound("ballot.not_found", "There is no such ballot.")
    return own_competition(call, head.competition_id), head


def find_own_ballot(call: Call, competition: Competition, ballot_id: str) -> BallotHead | None:
    """Where one of the caller's ballots in a competition stands, or None."""
    return store.load_head(competition.id, call.organisation, ballot_id)


def sheet_of(call: Call, competition: Competition) -> Sheet:
    """The caller's own sheet in a competition, strongly consistent; version 0 where it never bid."""
    sealed = store.load_sheet(competition.id, call.organisation)
    if sealed is None:
        return Sheet(competition_id=competition.id, fsp=call.organisation)
    return Sheet.model_validate(unseal_own(call, competition, sealed))


def load_own_version(call: Call, competition: Competition, ballot_id: str, version: int) -> BallotVersion:
    """One version of the caller's own ballot."""
    [sealed] = store.load_versions([(competition.id, call.organisation, ballot_id, version)])
    return BallotVersion.model_validate(unseal_own(call, competition, sealed))


def get_ballot(call: Call, ballot_id: str) -> BallotView:
    """The newest version of the caller's own ballot."""
    competition, head = place_of(call, ballot_id)
    ballot = load_own_version(call, competition, ballot_id, head.version)
    return BallotView(
        id=ballot.ballot_id,
        ref=ballot.ref,
        version=ballot.version,
        state=_state(head, ballot, competition),
        competition_id=competition.id,
        competition_reference=competition.reference,
        so=competition.so,
        contracting_entity=ballot.contracting_entity,
        submitted_at=ballot.submitted_at,
        asset_ids=ballot.asset_ids,
        bids=ballot.bids,
        overlaps=overlaps_of(call, competition, ballot),
    )


def list_ballots(call: Call, competition_id: str, query: PageQuery) -> Page[BallotLine]:
    """The caller's own ballots in a competition, live and withdrawn, in order of their first submission."""
    competition = own_competition(call, competition_id)
    ballot_ids = sorted(sheet_of(call, competition).refs.values())
    after = [each for each in ballot_ids if query.cursor is None or each > query.cursor]
    asked = after[: query.limit]
    heads = store.load_heads((competition.id, call.organisation, each) for each in asked)
    keys = [(competition.id, call.organisation, each, heads[each].version) for each in asked]
    found = unseal_own_all(call, [(competition, each) for each in store.load_versions(keys)])
    ballots = [BallotVersion.model_validate(each) for each in found]
    lines = [_line(heads[ballot.ballot_id], ballot, competition) for ballot in ballots]
    return Page(items=lines, next=asked[-1] if len(after) > len(asked) else None)


def list_history(call: Call, query: HistoryQuery) -> Page[BidHistoryView]:
    """Every bid the caller's organisation ever made, of every version, newest ballots first."""
    call.check_role("bidding")
    skip, inner = _split_cursor(query.cursor)
    items: list[BidHistoryView] = []
    while True:
        page = store.find_history(call.organisation, _READ_AT_ONCE, inner)
        for row, bids in _history(call, page.items, query):
            room = query.limit - len(items)
            if len(bids) - skip > room:
                return Page(items=[*items, *bids[skip : skip + room]], next=f"{skip + room}.{inner or ''}")
            items += bids[skip:]
            skip, inner = 0, encode_cursor(store.cursor_after(row))
        if page.next is None:
            return Page(items=items)
        inner = page.next


def model_ballot(call: Call, request: ModelRequest) -> ModelView:
    """Effective price and expected revenue of a draft, with what would refuse its bids; nothing is stored."""
    competition = own_competition(call, request.competition_id)
    return model(competition, request.bids)


def _history(
    call: Call, rows: list[store.VersionRow], query: HistoryQuery
) -> Iterator[tuple[store.VersionRow, list[BidHistoryView]]]:
    """The bids of each row that the query asks for, row by row; none of a row it leaves out."""
    known = {each: competitions.get_competition(each) for each in {row.competition for row in rows}}
    heads = store.load_heads((row.competition, row.fsp, row.ballot) for row in rows)
    asked = [(known[row.competition], store.unpacked(row)) for row in rows if _is_asked(known[row.competition], query)]
    documents = iter(unseal_own_all(call, asked))
    for row in rows:
        competition = known[row.competition]
        if not _is_asked(competition, query):
            yield row, []
            continue
        ballot = BallotVersion.model_validate(next(documents))
        yield row, _history_views(heads[ballot.ballot_id], ballot, competition)


def _is_asked(competition: Competition, query: HistoryQuery) -> bool:
    wanted = (
        (query.competition_id, competition.id),
        (query.round_ref, competition.round_ref),
        (query.so, competition.so),
    )
    return all(asked is None or asked == found for asked, found in wanted)


def _history_views(head: BallotHead, ballot: BallotVersion, competition: Competition) -> list[BidHistoryView]:
    about = {
        "ballot_id": ballot.ballot_id,
        "ballot_ref": ballot.ref,
        "ballot_version": ballot.version,
        "ballot_state": _state(head, ballot, competition),
        "competition_id": competition.id,
        "competition_reference": competition.reference,
        "so": competition.so,
        "submitted_at": ballot.submitted_at,
        "asset_count": len(ballot.asset_ids),
    }
    return [BidHistoryView.model_validate(dict(bid) | about) for bid in ballot.bids]


def _split_cursor(cursor: str | None) -> tuple[int, str | None]:
    """Bids to skip, and the cursor of the ballot version they belong to."""
    if cursor is None:
        return 0, None
    skip, _, inner = cursor.partition(".")
    if not (skip.isascii() and skip.isdigit() and len(skip) < 7):
        problem = Problem("cursor.unknown", "The cursor is not one that a list gave.", "cursor", "`next` of a page")
        raise Invalid.of([problem])
    return int(skip), inner or None


def _line(head: BallotHead, ballot: BallotVersion, competition: Competition) -> BallotLine:
    return BallotLine(
        id=ballot.ballot_id,
        ref=ballot.ref,
        version=ballot.version,
        state=_state(head, ballot, competition),
        competition_id=competition.id,
        submitted_at=ballot.submitted_at,
        asset_count=len(ballot.asset_ids),
        bid_count=len(ballot.bids),
    )


def _state(head: BallotHead, ballot: BallotVersion, competition: Competition) -> str:
    return state_of(head, ballot.version, void=competition.outcome == "withdrawn")
