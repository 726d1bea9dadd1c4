"""Owns the opening of ballots: what the operator reads once bidding has closed, and what is still left of each bid."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.bidding import store
from chalicelib.bidding.assessment import rows_for_deciding
from chalicelib.bidding.holdings import Sheet
from chalicelib.bidding.models import BallotVersion, BidForDeciding
from chalicelib.bidding.rules import check_may_open
from chalicelib.bidding.seal import check_reader, unseal
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.files import receipts
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Refused
from chalicelib.qualification import actions as qualification
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit


def ballots_for_deciding(call: Call, competition_id: str) -> list[BidForDeciding]:
    """Every bid of every live ballot of a competition, for its operator (or the market itself), in order of bid id.

    The first call opens the ballots: from then on nothing is added, however early it was sent. Raises `Refused` before
    close + 60 s, in a withdrawn competition, and while a file of bids that arrived before close is still being read;
    `NotFound` for anybody else.
    """
    competition = _for_operator(call, competition_id)
    _open(call, competition)
    return _rows(call, competition, store.bidders(competition_id))


def bids_of(call: Call, competition_id: str, fsp: str | None = None) -> list[BidForDeciding]:
    """The same rows without opening anything: an FSP's own (`fsp`), or all for the operator once they were opened."""
    competition = competitions.get_competition(competition_id)
    if fsp is None:
        _for_operator(call, competition_id)
        _check_opened(competition)
        return _rows(call, competition, store.bidders(competition_id))
    check_reader(call, competition, fsp)
    return _rows(call, competition, [fsp])


def assets_behind(call: Call, competition_id: str) -> dict[str, tuple[str, ...]]:
    """The assets of each live ballot, by ballot id; for those who may read the ballots, once they were opened."""
    competition = _for_operator(call, competition_id)
    _check_opened(competition)
    ballots = _live_ballots(call, competition, store.bidders(competition_id))
    return {ballot.ballot_id: ballot.asset_ids for ballot in ballots}


def _for_operator(call: Call, competition_id: str) -> Competition:
    competition = competitions.get_competition(competition_id)
    if call.actor.kind != "system" and call.actor.organisation != competition.so:
        raise NotFound("competition.not_found", "There is no such competition.")
    check_may_open(competition, call.now)
    return competition


def _open(call: Call, competition: Competition) -> None:
    """Mark the ballots as opened, once, after the last file that arrived in time has been read."""
    if store.opened_at(competition.id) is not None:
        return
    _check_files_read(competition)
    change = Change(thing=f"competition:{competition.id}", action="ballots.opened", organisation=competition.so)
    try:
        commit(call, [store.opened_write(competition.id, call.now)], changes=[change])
    except Refused as refusal:
        if refusal.code != "bidding.already_opened":
            raise


def _check_files_read(competition: Competition) -> None:
    assert competition.calendar.closed is not None
    unread = receipts.count_unfinished("bids", before=competition.calendar.closed)
    if unread:
        files = "1 file is" if unread == 1 else f"{unread} files are"
        raise Refused("bidding.files_unread", f"{files} still being read; try again in a minute.", retry_after=60)


def _check_opened(competition: Competition) -> None:
    if store.opened_at(competition.id) is None:
        raise Refused("bidding.sealed", "The ballots of this competition have not been opened yet.")


def _rows(call: Call, competition: Competition, fsps: list[str]) -> list[BidForDeciding]:
    left = {fsp: qualification.qualified_set(competition.id, fsp) for fsp in fsps}
    ballots = _live_ballots(call, competition, fsps)
    rows = [row for ballot in ballots for row in rows_for_deciding(competition, ballot, left[ballot.fsp])]
    return sorted(rows, key=lambda row: row.id)


def _live_ballots(call: Call, competition: Competition, fsps: list[str]) -> Iterator[BallotVersion]:
    sheets = [Sheet.model_validate(unseal(call, competition, each)) for each in store.load_sheets(competition.id, fsps)]
    keys = [
        (competition.id, sheet.fsp, ballot_id, holding.version)
        for sheet in sheets
        for ballot_id, holding in sheet.live.items()
    ]
    return (BallotVersion.model_validate(unseal(call, competition, each)) for each in store.load_versions(keys))
