"""Owns the seal: the one door through which everything derived from a ballot is written and read.

Whoever reads is checked here at each reading, against the organisation and the calendar (`bidding.doors`), before the
key is asked of `keep-keys`, which checks again by its own clock, or taken from where it is kept. A key opens one FSP's
ballots of one competition; one kept for one door opens no other, and one got before close is given up at close.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.bidding.doors import check_opened, check_own
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Call
from chalicelib.storage.sealing import opening_keys, own_keys
from chalicelib.storage.sealing_cipher import NotSealedHere, OwnerKey


@dataclass(frozen=True, slots=True)
class Sealed:
    """Sealed bytes with what they belong to: the only form in which a store ever holds a ballot."""

    competition_id: str
    fsp: str
    content: bytes


def seal(call: Call, competition: Competition, fsp: str, document: Mapping[str, Any]) -> Sealed:
    """A document (JSON values) of the caller's own as bytes that only this module reads; refusals as of `check_own`.

    The same document gives the same bytes.
    """
    check_own(call, fsp)
    text = json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    key = own_keys(call, fsp, {competition.id: _close_to_come(competition, call.now)}, make=True)[competition.id]
    return Sealed(competition.id, fsp, key.seal(zlib.compress(text.encode(), 6)))


def unseal_own(call: Call, competition: Competition, sealed: Sealed) -> dict[str, Any]:
    """The document, for the FSP's own bidding people at any time; refusals as of `check_own`."""
    [document] = unseal_own_all(call, [(competition, sealed)])
    return document


def unseal_own_all(call: Call, several: Sequence[tuple[Competition, Sealed]]) -> list[dict[str, Any]]:
    """As `unseal_own`, of ballots of any competitions of the caller's; their keys are asked for at once."""
    for _, sealed in several:
        check_own(call, sealed.fsp)
    closing = {competition.id: _close_to_come(competition, call.now) for competition, _ in several}
    keys = own_keys(call, call.organisation, closing) if several else {}
    return [unpacked(keys[competition.id], competition.id, sealed) for competition, sealed in several]


class OpenedSeal:
    """The seal of a competition whose ballots were opened; `Refused` where `opened_at` on record is not late enough.

    Who may be told what is in them is for the caller to check. The keys are asked for when first needed, for the call's
    own actor, and live no longer than this object.
    """

    def __init__(self, call: Call, competition: Competition, opened_at: datetime | None) -> None:
        check_opened(competition, opened_at)
        self._call, self._competition = call, competition
        self._keys: dict[str, OwnerKey] | None = None

    def unsealed(self, several: Iterable[Sealed]) -> list[dict[str, Any]]:
        """The documents; refusals as of `doors.check_opening`."""
        return [unpacked(self._key(sealed.fsp), self._competition.id, sealed) for sealed in several]

    def _key(self, fsp: str) -> OwnerKey:
        if self._keys is None:
            self._keys = opening_keys(self._call, self._competition.id)
        if fsp not in self._keys:
            raise NotSealedHere(f"nothing of {fsp} was sealed for {self._competition.id}")
        return self._keys[fsp]


def unpacked(key: OwnerKey, competition_id: str, sealed: Sealed) -> dict[str, Any]:
    """The document in sealed bytes; `NotSealedHere` for those of another competition or owner."""
    if sealed.competition_id != competition_id:
        raise NotSealedHere(f"not sealed for {competition_id}")
    document: dict[str, Any] = json.loads(zlib.decompress(key.unseal(sealed.content)))
    return document


def _close_to_come(competition: Competition, now: datetime) -> datetime | None:
    closes = competition.calendar.closed
    return closes if closes is not None and now < closes else None
