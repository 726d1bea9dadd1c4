"""Owns the states of a competition's decisions: open until confirmed, and confirmed for ever."""

from __future__ import annotations

from chalicelib.kernel.lifecycle import Moves

MOVES: Moves = {
    ("open", "decide"): "open",
    ("open", "confirm"): "confirmed",
}
