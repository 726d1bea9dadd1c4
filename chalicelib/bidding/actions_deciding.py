"""Owns the opening of ballots: what the operator reads once bidding has closed, and what is still left of each bid."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.bidding import store
from chalicelib.bidding.assessment import opened_ballot
from chalicelib.bidding.doors import check_counting
from chalicelib.bidding.holdings import Sheet
from chalicelib.bidding.models import BallotVersion, BidForDeciding, OpenedBallot
from chalicelib.bidding.rules import check_may_open
from chalicelib.bidding.seal import OpenedSeal
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.files import actions as files
from chalicelib.kernel.call import Call, ordered_ids
from chalicelib.kernel.errors import NotFound, Refused
from chalicelib.qualification import actions as qualification
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.sealing import count_sealed


def bids_for_deciding(call: Call, competition_id: str) -> list[BidForDeciding]:
    """Every bid of every live ballot of a competition, for its operator (or the market itself), in order of bid id.

    The first call opens the ballots: from then on nothing is added, however early it was sent. Raises `Refused` before
    close + 60 s, in a withdrawn competition, and while a file of bids that arrived before close is still being read;
    `NotFound` for anybody else.
    """
    competition = competitions.get_competition(competition_id)
    if call.actor.kind != "system" and call.actor.organisation != competition.so:
        raise NotFound("competition.not_found", "There is no such competition.")
    check_may_open(competition, call.now)
    if store.opened_at(competition_id) is None:
        _open(call, competition)
    return bids_of(call, competition_id)


def bids_of(call: Call, competition_id: str) -> list[BidForDeciding]:
    """The bids of a competition whose ballots were opened, in order of bid id; `Refused` before that.

    For the competition's operator or the market itself (`call.as_system()`), which reads on everybody's behalf; what is
    shown to whom is for the later rooms to check.
    """
    return sorted(
        (bid for ballot in opened_ballots(call, competition_id) for bid in ballot.bids), key=lambda bid: bid.id
    )


def opened_ballots(call: Call, competition_id: str) -> list[OpenedBallot]:
    """The live ballots of a competition with their bids and the assets that are still qualified; as `bids_of`."""
    competition = competitions.get_competition(competition_id)
    seal = OpenedSeal(call, competition, store.opened_at(competition_id))
    fsps = store.bidders(competition_id)
    sheets = seal.unsealed(store.load_sheets(competition_id, fsps))
    keys = [
        (competition_id, sheet.fsp, ballot_id, holding.version)
        for sheet in map(Sheet.model_validate, sheets)
        for ballot_id, holding in sheet.live.items()
    ]
    versions = seal.unsealed(store.load_versions(keys))
    left = {fsp: qualification.qualified_set(competition_id, fsp) for fsp in fsps}
    ballots = map(BallotVersion.model_validate, versions)
    return [opened_ballot(competition, ballot, left[ballot.fsp]) for ballot in ballots]


def count_bids(call: Call, competition_id: str) -> int:
    """How many bids there are in live ballots, for the market itself or the operator from close on."""
    check_counting(call.actor, competitions.get_competition(competition_id), call.now)
    return count_sealed(call, competition_id)


def _open(call: Call, competition: Competition) -> None:
    """Mark the ballots as opened, once, after the last file that arrived in time has been read."""
    assert competition.calendar.closed is not None
    unread = files.being_read("bids", before=competition.calendar.closed)
    if unread:
        told = "1 file is" if unread == 1 else f"{unread} files are"
        raise Refused("bidding.files_unread", f"{told} still being read; try again in a minute.", retry_after=60)
    change = Change(thing=f"competition:{competition.id}", action="ballots.opened", organisation=competition.so)
    try:
        # Ids of its own: one call may open many competitions, and when it is repeated some are open already.
        opening = replace(call, new_id=ordered_ids(call.now, "opened", competition.id))
        commit(opening, [store.opened_write(competition.id, call.now)], changes=[change])
    except Refused as refusal:
        if refusal.code != store.OPENED_BEFORE:
            raise
