"""Owns who may have what of sealed ballots, and when: judged where they are read, and again where the keys are kept.

Until close only the FSP's own people with the role `bidding` get through. From close on the market itself and the
competition's operator may know how many bids there are; once the operator has opened them, a minute after close or
later, they may be read for deciding. In a withdrawn competition nobody but the FSP ever reads them.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.bidding.rules import check_closed, check_may_open
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Actor, Call
from chalicelib.kernel.errors import NotFound, Refused

ROLE = "bidding"


def check_own(call: Call, fsp: str) -> None:
    """Raise unless the caller may read this FSP's ballots at any time.

    `NotFound` for every other organisation: that a ballot exists is sealed too. `Forbidden` for the FSP's own people
    without the role.
    """
    if call.actor.organisation != fsp:
        raise NotFound("ballot.not_found", "There is no such ballot.")
    call.check_role(ROLE)


def check_counting(actor: Actor, competition: Competition, now: datetime) -> None:
    """Raise unless the actor may be told how many bids there are: the market itself or the operator, from close on."""
    if not _is_for(actor, competition):
        raise NotFound("ballot.not_found", "There is no such ballot.")
    check_closed(competition, now)


def check_opening(actor: Actor, competition: Competition, opened_at: datetime | None, now: datetime) -> None:
    """Raise unless the actor may read all ballots: they were opened, late enough on record and by the clock."""
    if not _is_for(actor, competition):
        raise NotFound("competition.not_found", "There is no such competition.")
    check_may_open(competition, now)
    check_opened(competition, opened_at)


def check_opened(competition: Competition, opened_at: datetime | None) -> None:
    """Raise unless the ballots were opened, at an instant on record that is late enough."""
    if opened_at is None:
        raise Refused("bidding.sealed", "The ballots of this competition have not been opened yet.")
    check_may_open(competition, opened_at)


def _is_for(actor: Actor, competition: Competition) -> bool:
    return actor.kind == "system" or actor.organisation == competition.so
