"""Owns what contracts tell: obligations drawn up, and one contracted. Ids only."""

from __future__ import annotations

from chalicelib.kernel.events import Event


class ObligationsDrawnUp(Event):
    """Every accepted bid of a confirmed competition has its obligation."""

    competition_id: str
    so: str
    fsps: list[str]


class ObligationContracted(Event):
    """An obligation's framework is signed: availability and instructions may start."""

    obligation_id: str
    so: str
    fsp: str
