"""Owns what bidding tells: that a ballot came or went, to its own FSP alone; ids only, never a figure."""

from __future__ import annotations

from chalicelib.kernel.events import Event


class BallotSubmitted(Event):
    """A ballot, or a new version of one, was taken."""

    ballot_id: str
    version: int
    competition_id: str
    fsp: str


class BallotWithdrawn(Event):
    """An FSP took its ballot back before close."""

    ballot_id: str
    version: int
    competition_id: str
    fsp: str
