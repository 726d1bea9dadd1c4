"""Owns the seal: the one door through which everything derived from a ballot is written and read.

Until close only the FSP's own people with the role `bidding` get through. From close on the market itself may count
ballots; once the operator has opened them, a minute after close or later, they may be read for deciding. In a withdrawn
competition nobody but the FSP ever reads them. Whoever reads is checked here at each reading, against the organisation
and the calendar, before the competition's data key (`storage.sealing`) is unwrapped or taken from where it is kept; a
key kept for one door opens no other, and one unwrapped before close is given up at close.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.bidding.rules import check_closed, check_may_open
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Refused
from chalicelib.storage.sealing import Lease, opening_key, sealing_key
from chalicelib.storage.sealing_cipher import DataKey, NotSealedHere, Scope

ROLE = "bidding"


@dataclass(frozen=True, slots=True)
class Sealed:
    """Sealed bytes with what they belong to: the only form in which a store ever holds a ballot."""

    competition_id: str
    fsp: str
    content: bytes


def seal(competition_id: str, fsp: str, document: Mapping[str, Any], now: datetime) -> Sealed:
    """A document (JSON values) as bytes that only this module reads. The same document gives the same bytes.

    `now` is the instant of the ballot that is written, for which the data key may be kept at hand.
    """
    text = json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    key = sealing_key(_scope(competition_id), Lease(f"seal/{fsp}", now))
    return Sealed(competition_id, fsp, key.seal(fsp, zlib.compress(text.encode(), 6)))


def unseal_own(call: Call, competition: Competition, sealed: Sealed) -> dict[str, Any]:
    """The document, for the FSP's own bidding people at any time; refusals as of `check_own`."""
    check_own(call, sealed.fsp)
    lease = Lease(f"own/{sealed.fsp}", call.now, _close_to_come(competition, call.now))
    return _unpacked(competition, opening_key(_scope(competition.id), lease), sealed)


def unseal_opened(
    competition: Competition, opened_at: datetime | None, sealed: Iterable[Sealed]
) -> list[dict[str, Any]]:
    """The documents, once the ballots were opened; `opened_at` is the instant on record, which must be late enough.

    `Refused` before. Who may be told what is in them is for the caller to check. The key is kept for no other call.
    """
    if opened_at is None:
        raise Refused("bidding.sealed", "The ballots of this competition have not been opened yet.")
    check_may_open(competition, opened_at)
    return _all_unpacked(competition, sealed)


def unseal_for_counting(call: Call, competition: Competition, sealed: Iterable[Sealed]) -> list[dict[str, Any]]:
    """The documents, for the market itself or the competition's operator from close on, to tell how many bids came."""
    if call.actor.kind != "system" and call.actor.organisation != competition.so:
        raise NotFound("ballot.not_found", "There is no such ballot.")
    check_closed(competition, call.now)
    return _all_unpacked(competition, sealed)


def check_own(call: Call, fsp: str) -> None:
    """Raise unless the caller may read this FSP's ballots at any time.

    `NotFound` for every other organisation: that a ballot exists is sealed too. `Forbidden` for the FSP's own people
    without the role.
    """
    if call.actor.organisation != fsp:
        raise NotFound("ballot.not_found", "There is no such ballot.")
    call.check_role(ROLE)


def _all_unpacked(competition: Competition, sealed: Iterable[Sealed]) -> list[dict[str, Any]]:
    everything = list(sealed)
    if not everything:
        return []
    key = opening_key(_scope(competition.id))
    return [_unpacked(competition, key, each) for each in everything]


def _unpacked(competition: Competition, key: DataKey, sealed: Sealed) -> dict[str, Any]:
    if sealed.competition_id != competition.id:
        raise NotSealedHere(f"not sealed for {competition.id}")
    document: dict[str, Any] = json.loads(zlib.decompress(key.unseal(sealed.fsp, sealed.content)))
    return document


def _close_to_come(competition: Competition, now: datetime) -> datetime | None:
    closes = competition.calendar.closed
    return closes if closes is not None and now < closes else None


def _scope(competition_id: str) -> Scope:
    return Scope("competition", competition_id)
