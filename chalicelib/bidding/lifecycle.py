"""Owns the states of a ballot: live until withdrawn, replaced as often as its FSP likes until close."""

from __future__ import annotations

from chalicelib.bidding.models import BallotHead, BallotState
from chalicelib.kernel.lifecycle import Moves

MOVES: Moves = {
    ("live", "replace"): "live",
    ("live", "withdraw"): "withdrawn",
}


def state_of(head: BallotHead, version: int, void: bool) -> BallotState:
    """The state of one version: replaced by a newer one, else the ballot's own; void in a withdrawn competition."""
    if version < head.version:
        return "replaced"
    return "void" if void and head.state == "live" else head.state
