"""Owns the states of an FSP's entry in a competition and the moves between them."""

from __future__ import annotations

from chalicelib.kernel.lifecycle import Moves, move

MOVES: Moves = {
    ("undecided", "enter"): "entered",
    ("undecided", "withdraw"): "withdrawn",
    ("entered", "withdraw"): "withdrawn",
    ("entered", "reconsider"): "undecided",
    ("withdrawn", "enter"): "entered",
    ("withdrawn", "reconsider"): "undecided",
}
"""Every choice is open from every other until qualification closes; the moment is checked by the rules."""

_ACTIONS = {"entered": "enter", "withdrawn": "withdraw", "undecided": "reconsider"}


def choose(state: str, wanted: str) -> str:
    """The state after choosing `wanted`: choosing again what stands changes nothing."""
    return state if state == wanted else move(MOVES, "entry", state, _ACTIONS[wanted])
