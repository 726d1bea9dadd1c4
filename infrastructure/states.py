"""Owns what may be done with a stack in each state that CloudFormation knows."""

from __future__ import annotations

from typing import Literal

GUARD = "Guarded"
"""The parameter by which a stack is told to guard its state from deletion; true unless it is only being created."""

Move = Literal["create", "change", "clear"]
"""`clear`: remove what is left of a creation that never came to be, then create."""

GONE = "DELETE_COMPLETE"
_NEVER_CAME_TO_BE = frozenset({"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"})
_AT_REST = frozenset({
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
})  # fmt: skip
_BY_HAND = {
    "CREATE_FAILED": "its creation failed and was not rolled back: look at its events, then delete the stack",
    "ROLLBACK_FAILED": "rolling its creation back left something behind: look at its events, then delete the stack",
    "DELETE_FAILED": "it could not be deleted whole: empty what its events name, then delete the stack",
    "UPDATE_FAILED": "a change failed and was not rolled back: roll it back (rollback-stack)",
    "UPDATE_ROLLBACK_FAILED": "a change could not be undone: see why, then continue-update-rollback",
    "IMPORT_ROLLBACK_FAILED": "an import could not be undone: see why, then continue-update-rollback",
}


class InTheWay(Exception):
    """A stack is in a state that nothing but a person, or time, gets it out of; the text says which of the two."""


def next_move(state: str | None) -> Move:
    """What bringing a stack to its template begins with; no state is no stack. `InTheWay` where neither will do."""
    if state is None or state == GONE:
        return "create"
    if state in _NEVER_CAME_TO_BE:
        return "clear"
    if state in _AT_REST:
        return "change"
    raise InTheWay(_BY_HAND.get(state, "something is being done with it already: wait until that has ended"))
