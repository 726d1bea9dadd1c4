"""Owns what deciding tells: proposals asked for, decisions recorded, results confirmed. Ids only."""

from __future__ import annotations

from chalicelib.kernel.events import Event


class DecisionsRecorded(Event):
    """An SO decided bids of a competition, not finally yet."""

    competition_id: str
    so: str
    version: int


class ResultsConfirmed(Event):
    """The decisions of a competition became final."""

    competition_id: str
    so: str
    fsps: list[str]


class ProposalAsked(Event):
    """A proposal of which bids to accept waits to be made."""

    competition_id: str
    so: str
    number: int
