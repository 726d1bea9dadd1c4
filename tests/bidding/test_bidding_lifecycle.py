"""The states of a ballot: every state and act, and what its versions are called."""

from __future__ import annotations

import pytest

from chalicelib.bidding.lifecycle import MOVES, state_of
from chalicelib.bidding.models import BallotHead
from chalicelib.kernel.errors import Refused
from chalicelib.kernel.lifecycle import move
from tests.builders.bidding import DURING


def a_head(state="live", version=2):
    return BallotHead(
        ballot_id="bal_1", competition_id="cmp_1", fsp="org_fsp1", version=version, state=state, changed_at=DURING
    )


@pytest.mark.parametrize(
    ("state", "action", "after"),
    [
        ("live", "replace", "live"),
        ("live", "withdraw", "withdrawn"),
        ("withdrawn", "replace", None),
        ("withdrawn", "withdraw", None),
    ],
)
def test_a_ballot_is_replaced_or_withdrawn_only_while_it_is_live(state, action, after):
    if after is None:
        with pytest.raises(Refused, match=f"Cannot {action} this ballot"):
            move(MOVES, "ballot", state, action)
    else:
        assert move(MOVES, "ballot", state, action) == after


@pytest.mark.parametrize(
    ("state", "version", "void", "told"),
    [
        ("live", 2, False, "live"),
        ("live", 2, True, "void"),
        ("live", 1, True, "replaced"),
        ("withdrawn", 2, False, "withdrawn"),
        ("withdrawn", 2, True, "withdrawn"),
        ("withdrawn", 1, False, "replaced"),
    ],
)
def test_a_version_is_told_as_what_it_is(state, version, void, told):
    assert state_of(a_head(state), version, void) == told
