"""Every (state, action) of the registry's tables: either the move the market makes, or a refusal naming both."""

from __future__ import annotations

import pytest

from chalicelib.kernel.errors import Refused
from chalicelib.kernel.lifecycle import move
from chalicelib.registry.lifecycle import (
    APPLICATION_ACTIONS,
    APPLICATION_MOVES,
    APPLICATION_STATES,
    PERSON_ACTIONS,
    PERSON_MOVES,
    PERSON_STATES,
)

# Row: state; columns in the order of the actions; "-" is refused.
APPLICATION_TABLE = """
           edit   submit     withdraw   approve   reject    suspend    reinstate
draft      draft  submitted  withdrawn  -         -         -          -
submitted  -      -          withdrawn  approved  rejected  -          -
approved   -      -          withdrawn  -         -         suspended  -
rejected   draft  submitted  withdrawn  -         -         -          -
suspended  -      -          withdrawn  -         -         -          approved
withdrawn  draft  -          -          -         -         -          -
"""
PERSON_TABLE = """
             invite   accept  deactivate
invited      invited  active  deactivated
active       -        -       deactivated
deactivated  invited  -       -
"""


def cells(table: str) -> list[tuple[str, str, str]]:
    header, *rows = [line.split() for line in table.strip().splitlines()]
    return [(row[0], action, after) for row in rows for action, after in zip(header, row[1:], strict=True)]


@pytest.mark.parametrize(("state", "action", "after"), cells(APPLICATION_TABLE))
def test_an_application_moves_as_the_table_says(state: str, action: str, after: str) -> None:
    if after == "-":
        with pytest.raises(Refused, match=f"Cannot {action} this application: it is {state}"):
            move(APPLICATION_MOVES, "application", state, action)
    else:
        assert move(APPLICATION_MOVES, "application", state, action) == after


@pytest.mark.parametrize(("state", "action", "after"), cells(PERSON_TABLE))
def test_a_person_moves_as_the_table_says(state: str, action: str, after: str) -> None:
    if after == "-":
        with pytest.raises(Refused, match=f"Cannot {action} this person: it is {state}"):
            move(PERSON_MOVES, "person", state, action)
    else:
        assert move(PERSON_MOVES, "person", state, action) == after


def test_the_tables_name_every_state_and_action() -> None:
    assert {(state, action) for state, action, _ in cells(APPLICATION_TABLE)} == {
        (state, action) for state in APPLICATION_STATES for action in APPLICATION_ACTIONS
    }
    assert {(state, action) for state, action, _ in cells(PERSON_TABLE)} == {
        (state, action) for state in PERSON_STATES for action in PERSON_ACTIONS
    }
