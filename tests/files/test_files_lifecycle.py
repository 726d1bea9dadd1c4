"""Every state of a receipt and of a job, with every act."""

from __future__ import annotations

from typing import get_args

import pytest

from chalicelib.files.lifecycle import JOB_MOVES, OPEN, RECEIPT_MOVES
from chalicelib.files.models import Job, ReceiptState
from chalicelib.kernel.errors import Refused
from chalicelib.kernel.lifecycle import Moves, move

STATES = get_args(ReceiptState)
ACTS = sorted({act for _, act in RECEIPT_MOVES})
JOB_STATES = get_args(Job.model_fields["state"].annotation)
JOB_ACTS = sorted({act for _, act in JOB_MOVES})


@pytest.mark.parametrize(
    ("moves", "thing", "state", "act"),
    [(RECEIPT_MOVES, "file", state, act) for state in STATES for act in ACTS]
    + [(JOB_MOVES, "job", state, act) for state in JOB_STATES for act in JOB_ACTS],
)
def test_a_move_is_in_the_table_or_refused(moves: Moves, thing: str, state: str, act: str) -> None:
    if (state, act) in moves:
        assert move(moves, thing, state, act) == moves[state, act]
    else:
        with pytest.raises(Refused) as refused:
            move(moves, thing, state, act)
        assert refused.value.code == f"{thing}.{state}"


def test_a_done_file_stays_done() -> None:
    assert [act for state, act in RECEIPT_MOVES if state == "done"] == []
    assert frozenset(STATES) - OPEN == {"expected", "done", "refused"}
