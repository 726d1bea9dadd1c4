"""Owns the states of an instruction: one table of moves, and those that the clock alone makes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalicelib.dispatch.models import Instruction, Move
from chalicelib.kernel.lifecycle import Moves, move

MOVES: Moves = {
    ("scheduled", "send"): "sent",
    ("scheduled", "cancel"): "cancelled",
    ("sent", "acknowledge"): "acknowledged",
    ("sent", "decline"): "declined",
    ("sent", "expire"): "expired",
    ("sent", "cancel"): "cancelled",
    ("acknowledged", "cancel"): "cancelled",
    ("acknowledged", "start"): "delivering",
    ("delivering", "complete"): "delivered",
    ("delivering", "stop"): "stopped",
    ("delivering", "fail"): "failed",
}
CLOCK = "clock"
IN_THE_WAY = frozenset({"scheduled", "sent", "acknowledged", "delivering", "delivered", "stopped", "failed"})
"""States in which an instruction keeps others off its span: all but those in which nothing was or will be run."""

_ENDS = frozenset({"complete", "stop", "fail"})


def moved(
    instruction: Instruction, act: str, at: datetime, by: str, reason: str | None = None, **changes: Any
) -> Instruction:
    """The instruction after an act, with who and when; `Refused` where the table has no such move."""
    state = move(MOVES, "instruction", instruction.state, act)
    step = Move(act=act, state=state, at=at, by=by, reason=reason)  # type: ignore[arg-type]
    if act in _ENDS:
        changes["ended_at"] = at
    return instruction.but(state=state, moves=(*instruction.moves, step), changed_at=at, **changes)  # type: ignore[no-any-return]


def next_move(instruction: Instruction) -> tuple[str, datetime] | None:
    """What the clock does next with an instruction, and when; None where it does nothing more.

    A test is answered or expires, and never delivers. One that was acknowledged late starts at once.
    """
    match instruction.state:
        case "scheduled":
            return "send", instruction.send_at
        case "sent" if instruction.respond_by is None:
            return "acknowledge", instruction.changed_at
        case "sent":
            assert instruction.respond_by is not None
            return "expire", instruction.respond_by
        case "acknowledged" if not instruction.test:
            return "start", max(instruction.start, instruction.changed_at)
        case "delivering":
            return "complete", max(instruction.end, instruction.changed_at)
    return None


def caught_up(instruction: Instruction, now: datetime) -> Instruction:
    """The instruction as it stands at `now`, whether or not anybody has looked since: dates decide.

    A deadline is exclusive: an answer at the instant it expires is late.
    """
    while (following := next_move(instruction)) and following[1] <= now:
        act, at = following
        changes = {"acknowledged_mw": instruction.requested_mw} if act == "acknowledge" else {}
        instruction = moved(instruction, act, at, CLOCK, **changes)
    return instruction


def escalated(instruction: Instruction, now: datetime) -> Instruction:
    """The same, escalated where half the time to answer has passed without one."""
    waits = instruction.state == "sent" and instruction.escalated_at is None and instruction.escalate_at is not None
    if not waits or instruction.escalate_at is None or instruction.escalate_at > now:
        return instruction
    return instruction.but(escalated_at=instruction.escalate_at)  # type: ignore[no-any-return]


def next_check_at(instruction: Instruction) -> datetime | None:
    """When the minute's round should look at it again; None when nothing more happens by the clock."""
    following = next_move(instruction)
    if following is None:
        return None
    if instruction.state == "sent" and instruction.escalate_at and instruction.escalated_at is None:
        return min(following[1], instruction.escalate_at)
    return following[1]


def new_moves(before: Instruction | None, after: Instruction) -> tuple[Move, ...]:
    """The moves made since `before`; all of them where there was nothing before."""
    return after.moves[len(before.moves) if before else 0 :]
