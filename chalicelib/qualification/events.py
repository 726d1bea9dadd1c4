"""Owns the facts this room tells: answers that changed, overrides, entries, a competition assessed at first."""

from __future__ import annotations

from chalicelib.kernel.events import Event


class AnswersChanged(Event):
    """Assets of one FSP became eligible for a competition (`gained`) or lost it (`lost`); 100 ids at most in all."""

    competition_id: str
    so: str
    fsp: str
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


class CompetitionAssessed(Event):
    """A published competition has its first answers; `fsps` (100 at most an event) have eligible assets."""

    competition_id: str
    so: str
    fsps: tuple[str, ...]


class EntryChanged(Event):
    """An FSP entered a competition, withdrew from it or went back to undecided."""

    competition_id: str
    so: str
    fsp: str


class OverrideSet(Event):
    """An operator qualified or disqualified assets by hand, or lifted that; 100 ids at most."""

    competition_id: str
    so: str
    asset_ids: tuple[str, ...]
