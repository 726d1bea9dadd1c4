"""Owns the states of a competition's decisions, open until confirmed for ever, and of the proposals for them."""

from __future__ import annotations

from chalicelib.kernel.lifecycle import Moves

MOVES: Moves = {
    ("open", "decide"): "open",
    ("open", "confirm"): "confirmed",
}

PROPOSAL_MOVES: Moves = {
    ("asked", "make"): "made",
    ("asked", "fail"): "failed",
    ("failed", "make"): "made",
    ("failed", "fail"): "failed",
}
