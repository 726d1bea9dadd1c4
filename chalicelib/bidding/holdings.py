"""Owns the sheet of one FSP in one competition: which assets and megawatts its live ballots hold. Pure.

One item, guarded by its version and written by every submit, replace and withdraw, so that no two ballots of an FSP
ever hold one asset, whatever arrives at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from pydantic import Field

from chalicelib.bidding.models import BidRequest, total
from chalicelib.bidding.pricing import by_window, counted_mw
from chalicelib.kernel.models import Value
from chalicelib.kernel.quantities import ZERO, Megawatts


class Holding(Value):
    """What a live ballot holds: its assets as a bitmap (hexadecimal) over the FSP's asset ordinals, and MW per window.

    MW count the bids of an exclusive group once, the largest. `bids` is how many there are.
    """

    version: int
    bids: int
    assets: str
    mw: dict[str, Megawatts]

    @property
    def bitmap(self) -> int:
        return int(self.assets, 16)


WITHDRAWAL = "withdrawal"


class Use(Value):
    """What a client token made, and the hash of what was asked with it; `WITHDRAWAL` where it took a ballot back."""

    ballot_id: str
    version: int
    digest: str


class Sheet(Value):
    """Version 0 is a sheet that was never written.

    `refs` names every ballot there ever was by its reference, `tokens` every client token used.
    """

    competition_id: str
    fsp: str
    version: int = 0
    live: dict[str, Holding] = Field(default_factory=dict)
    refs: dict[str, str] = Field(default_factory=dict)
    tokens: dict[str, Use] = Field(default_factory=dict)


def holding_of(version: int, ordinals: Iterable[int], bids: Sequence[BidRequest]) -> Holding:
    """What a version of a ballot holds: assets by their ordinals, and per window what its bids come to."""
    mw = {window_id: counted_mw(offered) for window_id, offered in by_window(bids).items()}
    return Holding(version=version, bids=len(bids), assets=f"{bitmap_of(ordinals):x}", mw=mw)


def bitmap_of(ordinals: Iterable[int]) -> int:
    """Assets as bits: bit n is the asset whose ordinal is n."""
    wanted = set(ordinals)
    bits = bytearray(max(wanted, default=0) // 8 + 1)
    for ordinal in wanted:
        bits[ordinal // 8] |= 1 << ordinal % 8
    return int.from_bytes(bits, "little")


def held_assets(sheet: Sheet, but: str | None = None) -> int:
    """The assets that live ballots hold as a bitmap, leaving out one ballot."""
    bitmap = 0
    for ballot_id, holding in sheet.live.items():
        bitmap |= 0 if ballot_id == but else holding.bitmap
    return bitmap


def held_mw(sheet: Sheet, window_id: str, but: str | None = None) -> Decimal:
    """MW that live ballots offer in a window, leaving out one ballot."""
    return total([each.mw.get(window_id, ZERO) for ballot_id, each in sheet.live.items() if ballot_id != but])


def with_ballot(sheet: Sheet, ballot_id: str, ref: str, holding: Holding) -> Sheet:
    """The next sheet, on which the ballot holds this in place of what it held before."""
    live = {**sheet.live, ballot_id: holding}
    refs = {**sheet.refs, ref: ballot_id}
    return sheet.model_copy(update={"version": sheet.version + 1, "live": live, "refs": refs})


def without_ballot(sheet: Sheet, ballot_id: str) -> Sheet:
    """The next sheet, on which the ballot holds nothing; its reference stays used."""
    live = {each: holding for each, holding in sheet.live.items() if each != ballot_id}
    return sheet.model_copy(update={"version": sheet.version + 1, "live": live})


def with_token(sheet: Sheet, token: str | None, use: Use) -> Sheet:
    """The sheet, remembering what a client token made."""
    return sheet if token is None else sheet.model_copy(update={"tokens": {**sheet.tokens, token: use}})


def next_ref(sheet: Sheet) -> str:
    """The reference of a ballot whose FSP chose none: B1, B2, …, the first that was never used."""
    number = len(sheet.refs) + 1
    while f"B{number}" in sheet.refs:
        number += 1
    return f"B{number}"
