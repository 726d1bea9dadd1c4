"""Owns the minute's round of instructions: sends, escalates, expires, starts and ends what the clock has reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from chalicelib.dispatch import store
from chalicelib.dispatch.actions_moving import save_moves
from chalicelib.dispatch.lifecycle import caught_up, escalated
from chalicelib.dispatch.models import Instruction
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Stale
from chalicelib.storage.commit import MOST_WRITES

_TOGETHER = 12
assert _TOGETHER * 6 < MOST_WRITES
Pair = tuple[Instruction, Instruction]


def move_due(call: Call, is_time_up: Callable[[], bool]) -> int:
    """Move every instruction the clock has reached by `call.now`, a few in a transaction; how many were moved.

    What moved under our hands, and what the time does not suffice for, is still due in the next minute.
    """
    moved = 0
    due = iter([each.id for each in store.list_due(call.now)])
    for ids in _parts(due):
        if is_time_up():
            break
        moved += _move_some(call, ids)
    return moved


def _move_some(call: Call, ids: Sequence[str]) -> int:
    """Move some from what is stored, not from the index, which may be a moment behind."""
    found = store.load_instructions(ids).values()
    pairs = [(each, after) for each in found if (after := _as_at(each, call.now)) != each]
    try:
        return len(save_moves(call, pairs)) if pairs else 0
    except Stale:
        return sum(_move_one(call, pair) for pair in pairs)


def _move_one(call: Call, pair: Pair) -> int:
    try:
        return len(save_moves(call, [pair]))
    except Stale:
        return 0


def _as_at(instruction: Instruction, now: datetime) -> Instruction:
    return escalated(caught_up(instruction, now), now)


def _parts(ids: Iterator[str]) -> Iterator[list[str]]:
    while part := list(islice(ids, _TOGETHER)):
        yield part
