"""Every move of results and of proposals, and every move that there is not."""

from __future__ import annotations

import pytest

from chalicelib.decisions.lifecycle import MOVES, PROPOSAL_MOVES
from chalicelib.kernel.errors import Refused
from chalicelib.kernel.lifecycle import move

RESULTS = [(MOVES, "result", state, act) for state in ("open", "confirmed") for act in ("decide", "confirm")]
PROPOSALS = [
    (PROPOSAL_MOVES, "proposal", state, act) for state in ("asked", "made", "failed") for act in ("make", "fail")
]


@pytest.mark.parametrize(("moves", "thing", "state", "act"), RESULTS + PROPOSALS)
def test_a_state_moves_as_the_table_says_or_not_at_all(
    moves: dict[tuple[str, str], str], thing: str, state: str, act: str
) -> None:
    after = moves.get((state, act))
    if after is None:
        with pytest.raises(Refused):
            move(moves, thing, state, act)
    else:
        assert move(moves, thing, state, act) == after


def test_a_proposal_that_is_made_stays_as_it_is() -> None:
    assert not [act for state, act in PROPOSAL_MOVES if state == "made"]
