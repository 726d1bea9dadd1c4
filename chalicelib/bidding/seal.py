"""Owns the seal: the one door through which everything derived from a ballot is written and read.

Until close only the FSP's own people with the role `bidding` get through. From close on the market itself may count
ballots; once the operator has opened them, a minute after close or later, they may be read for deciding. In a withdrawn
competition nobody but the FSP ever reads them. Whoever reads is checked here at each reading, against the organisation
and the calendar. The bytes carry a mark of how they are sealed, so that what was sealed in an older way stays readable.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.bidding.rules import check_closed, check_may_open
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Refused

ROLE = "bidding"
_PACKED = b"HR1\x00"


@dataclass(frozen=True, slots=True)
class Sealed:
    """Sealed bytes with what they belong to: the only form in which a store ever holds a ballot."""

    competition_id: str
    fsp: str
    content: bytes


def seal(competition_id: str, fsp: str, document: Mapping[str, Any]) -> Sealed:
    """A document (JSON values) as bytes that only this module reads. The same document gives the same bytes."""
    text = json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return Sealed(competition_id, fsp, _PACKED + zlib.compress(text.encode(), 6))


def unseal_own(call: Call, competition: Competition, sealed: Sealed) -> dict[str, Any]:
    """The document, for the FSP's own bidding people at any time; refusals as of `check_own`."""
    check_own(call, sealed.fsp)
    return _unpacked(competition, sealed)


def unseal_opened(competition: Competition, opened_at: datetime | None, sealed: Sealed) -> dict[str, Any]:
    """The document, once the ballots were opened; `opened_at` is the instant on record, which must be late enough.

    `Refused` before. Who may be told what is in it is for the caller to check.
    """
    if opened_at is None:
        raise Refused("bidding.sealed", "The ballots of this competition have not been opened yet.")
    check_may_open(competition, opened_at)
    return _unpacked(competition, sealed)


def unseal_for_counting(call: Call, competition: Competition, sealed: Sealed) -> dict[str, Any]:
    """The document, for the market itself or the competition's operator from close on, to tell how many bids came."""
    if call.actor.kind != "system" and call.actor.organisation != competition.so:
        raise NotFound("ballot.not_found", "There is no such ballot.")
    check_closed(competition, call.now)
    return _unpacked(competition, sealed)


def check_own(call: Call, fsp: str) -> None:
    """Raise unless the caller may read this FSP's ballots at any time.

    `NotFound` for every other organisation: that a ballot exists is sealed too. `Forbidden` for the FSP's own people
    without the role.
    """
    if call.actor.organisation != fsp:
        raise NotFound("ballot.not_found", "There is no such ballot.")
    call.check_role(ROLE)


def _unpacked(competition: Competition, sealed: Sealed) -> dict[str, Any]:
    if sealed.competition_id != competition.id or not sealed.content.startswith(_PACKED):
        raise ValueError(f"not sealed for {competition.id} in a way that is known")
    document: dict[str, Any] = json.loads(zlib.decompress(sealed.content.removeprefix(_PACKED)))
    return document
