"""Owns the seal: the one door through which everything derived from a ballot is written and read.

Until close only the FSP's own people with the role `bidding` get through; from a minute after close the operator of the
competition too; nobody else ever, and nobody at all where the competition was withdrawn. Whoever reads is checked here,
against the calendar and the organisation, at each reading. The bytes carry a mark of how they are sealed, so that data
sealed in an older way stays readable when the way changes.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.bidding.rules import check_may_open
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound

ROLE = "bidding"
_PACKED = b"HR1\x00"


@dataclass(frozen=True, slots=True)
class Sealed:
    """Sealed bytes with what they belong to: the only form in which a store ever holds a ballot."""

    competition_id: str
    fsp: str
    content: bytes


def seal(competition_id: str, fsp: str, document: Mapping[str, Any]) -> Sealed:
    """A document (JSON values) as bytes that only `unseal` reads. The same document gives the same bytes."""
    text = json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return Sealed(competition_id, fsp, _PACKED + zlib.compress(text.encode(), 6))


def unseal(call: Call, competition: Competition, sealed: Sealed) -> dict[str, Any]:
    """The document, for a caller who may read it now; see `check_reader` for the refusals."""
    check_reader(call, competition, sealed.fsp)
    if sealed.competition_id != competition.id or not sealed.content.startswith(_PACKED):
        raise ValueError(f"sealed for {sealed.competition_id}, read for {competition.id}")
    document: dict[str, Any] = json.loads(zlib.decompress(sealed.content.removeprefix(_PACKED)))
    return document


def check_reader(call: Call, competition: Competition, fsp: str) -> None:
    """Raise unless the caller may read this FSP's ballots at this instant.

    `NotFound` for every other organisation: that a ballot exists is sealed too. `Forbidden` for the FSP's own people
    without the role. `Refused` for the competition's operator, and the market's own machinery, before they may open.
    """
    if call.actor.organisation == fsp:
        call.check_role(ROLE)
        return
    if call.actor.kind != "system" and call.actor.organisation != competition.so:
        raise NotFound("ballot.not_found", "There is no such ballot.")
    check_may_open(competition, call.now)
