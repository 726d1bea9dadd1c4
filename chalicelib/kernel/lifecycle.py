"""Owns the one mover of choice-driven states: a table of moves, and a refusal that names both ends."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.kernel.errors import Refused

Moves = Mapping[tuple[str, str], str]


def move(moves: Moves, thing: str, state: str, action: str) -> str:
    """The state after `action` on a `thing` in `state`; raises `Refused` when the table has no such move."""
    after = moves.get((state, action))
    if after is None:
        raise Refused(f"{thing}.{state}", _sentence(moves, thing, state, action))
    return after


def can_move(moves: Moves, state: str, action: str) -> bool:
    return (state, action) in moves


def actions_from(moves: Moves, state: str) -> list[str]:
    """What may be done in `state`, in the order of the table."""
    return [action for before, action in moves if before == state]


def _sentence(moves: Moves, thing: str, state: str, action: str) -> str:
    possible = actions_from(moves, state)
    then = f"What can be done now: {', '.join(possible)}." if possible else "Nothing more can be done with it."
    return f"Cannot {action} this {thing}: it is {state}. {then}"
