"""Claims about an instruction's states: every move of the table, none besides, and what the clock does alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dispatch.lifecycle import (
    IN_THE_WAY,
    MOVES,
    caught_up,
    escalated,
    moved,
    new_moves,
    next_check_at,
    next_move,
)
from chalicelib.dispatch.models import InstructionState
from chalicelib.kernel.errors import Refused
from tests.builders.dispatch import ON, an_instruction

START = datetime.fromisoformat(ON)
MINUTE = timedelta(minutes=1)
STATES = get_args(InstructionState)
ACTS = sorted({act for _, act in MOVES})
TABLE = {
    "scheduled": {"send": "sent", "cancel": "cancelled"},
    "sent": {"acknowledge": "acknowledged", "decline": "declined", "expire": "expired", "cancel": "cancelled"},
    "acknowledged": {"cancel": "cancelled", "start": "delivering"},
    "delivering": {"complete": "delivered", "stop": "stopped", "fail": "failed"},
}


@pytest.mark.parametrize(("state", "act"), list(product(STATES, ACTS)))
def test_every_state_takes_the_acts_of_page_six_and_no_other(state: str, act: str) -> None:
    wanted = TABLE.get(state, {}).get(act)
    instruction = an_instruction(state=state)
    if wanted is None:
        with pytest.raises(Refused) as refused:
            moved(instruction, act, START, "per_1")
        assert refused.value.code == f"instruction.{state}"
    else:
        assert moved(instruction, act, START, "per_1").state == wanted


def test_a_move_says_who_and_when_and_why() -> None:
    declined = moved(an_instruction(), "decline", START, "per_1", "no fuel")
    [step] = declined.moves
    assert (step.act, step.state, step.at, step.by, step.reason) == ("decline", "declined", START, "per_1", "no fuel")
    assert declined.changed_at == START


@pytest.mark.parametrize("act", ["stop", "complete", "fail"])
def test_what_ends_says_when_it_ended(act: str) -> None:
    ended = moved(an_instruction(state="delivering"), act, START + MINUTE, "per_1")
    assert ended.effective_end == START + MINUTE
    assert an_instruction().effective_end == an_instruction().end


def test_an_answer_at_the_very_deadline_is_late() -> None:
    sent = an_instruction()
    assert caught_up(sent, sent.respond_by - timedelta(seconds=1)).state == "sent"  # type: ignore[operator]
    assert caught_up(sent, sent.respond_by).state == "expired"  # type: ignore[arg-type]


def test_where_no_answer_is_needed_it_is_acknowledged_whole_at_sending() -> None:
    sent = caught_up(an_instruction(state="scheduled", respond_by=None), START - MINUTE)
    assert (sent.state, sent.acknowledged_mw) == ("acknowledged", Decimal(2))
    assert [step.act for step in sent.moves] == ["send", "acknowledge"]


def test_an_acknowledged_one_starts_and_ends_by_the_clock() -> None:
    acknowledged = an_instruction(state="acknowledged")
    assert caught_up(acknowledged, START - MINUTE) == acknowledged
    assert caught_up(acknowledged, START).state == "delivering"
    delivered = caught_up(acknowledged, START + timedelta(days=1))
    assert (delivered.state, delivered.ended_at) == ("delivered", acknowledged.end)


def test_one_that_was_acknowledged_late_starts_at_that_moment() -> None:
    late = moved(an_instruction(respond_by=START + 9 * MINUTE), "acknowledge", START + 5 * MINUTE, "per_1")
    started = caught_up(late, START + 6 * MINUTE)
    assert started.moves[-1].at == START + 5 * MINUTE


def test_a_test_is_answered_and_never_delivered() -> None:
    test = an_instruction(state="acknowledged", test=True)
    assert next_move(test) is None
    assert next_check_at(test) is None


def test_half_the_time_escalates_once() -> None:
    sent = an_instruction()
    assert next_check_at(sent) == sent.escalate_at
    assert escalated(sent, START - 50 * MINUTE) == sent
    once = escalated(sent, START - 40 * MINUTE)
    assert once.escalated_at == sent.escalate_at
    assert next_check_at(once) == sent.respond_by
    assert escalated(once, START) == once
    without = an_instruction(escalate_at=None)
    assert escalated(without, START) == without
    assert escalated(an_instruction(state="acknowledged"), START).escalated_at is None


def test_what_is_over_waits_for_nothing() -> None:
    for state in ("declined", "expired", "cancelled", "delivered", "stopped", "failed"):
        assert next_check_at(an_instruction(state=state)) is None


def test_new_moves_are_those_since() -> None:
    before = an_instruction()
    after = moved(before, "decline", START, "per_1")
    assert new_moves(before, after) == new_moves(None, after) == after.moves


def test_only_what_was_or_will_be_run_is_in_the_way() -> None:
    assert set(STATES) - IN_THE_WAY == {"declined", "expired", "cancelled"}


MOMENTS = st.lists(st.integers(-120, 120), min_size=1, max_size=6)


@given(st.sampled_from(STATES), MOMENTS, st.booleans())
def test_looking_often_or_once_comes_to_the_same(state: str, minutes: list[int], needs_answer: bool) -> None:
    changes = {} if needs_answer else {"respond_by": None, "escalate_at": None}
    instruction = an_instruction(state=state, send_at=START - 2 * timedelta(hours=1), **changes)
    often = instruction
    for minute in sorted(minutes):
        often = caught_up(often, START + minute * MINUTE)
    assert often == caught_up(instruction, START + max(minutes) * MINUTE)
    assert [step.at for step in often.moves] == sorted(step.at for step in often.moves)
    following = next_move(often)
    assert following is None or following[1] > START + max(minutes) * MINUTE
