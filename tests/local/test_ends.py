"""Claims about comparing the ends of walks: what comes twice is seen, and only what a kill explains is let pass."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.disturbed import Crashes, ToldStory
from tests.embedded import RunningMarket
from tests.ends import Repeats
from tests.ends_told import told_by_mail
from tests.patience import Patience
from tests.receiver import Receiver


def a_mail(subject: str = "Results: T1-001", to: str = "ann@fsp.example", text: str = "Dear Ann") -> dict[str, Any]:
    return {"to": [to], "subject": subject, "text": text, "html": f"<p>{text}</p>"}


def test_a_mail_that_came_twice_to_the_letter_is_a_repeat_and_told_once() -> None:
    assert told_by_mail([a_mail(), a_mail()]) == ({"ann@fsp.example: Results: T1-001": 1}, 1)


def test_two_mails_of_the_same_subject_with_different_words_are_told_twice() -> None:
    assert told_by_mail([a_mail(), a_mail(text="Dear Bob")]) == ({"ann@fsp.example: Results: T1-001": 2}, 0)


def test_instructions_count_alike_in_one_mail_or_in_several() -> None:
    apart = [a_mail("1 dispatch instruction from North", text=text) for text in ("a", "b", "c")]
    assert told_by_mail(apart) == told_by_mail([a_mail("3 dispatch instructions from North")])


def test_a_competition_told_in_two_digests_is_told_twice() -> None:
    digests = [a_mail("2 new competitions", text="T1-001 T1-002"), a_mail("1 new competition", text="T1-002")]
    told, _ = told_by_mail(digests)
    assert told["ann@fsp.example: new competition T1-002"] == 2


def test_a_message_that_came_more_often_than_its_delivery_was_tried_is_a_repeat() -> None:
    with Receiver().open() as receiver:
        for name in ("tried", "crashed", "again", "crashed", "again"):
            receiver.take(name, b"{}")
    tries = {"tried": 1, "crashed": 1, "again": 2}
    assert receiver.repeats({"id": name, "attempts": [{}] * tried} for name, tried in tries.items()) == 1


@pytest.fixture
def killing(tmp_path: Path) -> Crashes:
    """Of a market that was killed once, for a while."""
    Patience.faults.clear()
    crashes = Crashes(RunningMarket(tmp_path), ToldStory(), 1, 1)
    crashes.stages["a stage"] = 1
    crashes.down.append((time.monotonic() - 20, time.monotonic() - 10))
    return crashes


def test_as_many_repeats_as_kills_are_explained_and_one_more_is_not(killing: Crashes) -> None:
    killing.judge(Repeats(mails=1, webhooks=1, drops=1))
    with pytest.raises(AssertionError, match="mails=2"):
        killing.judge(Repeats(mails=2, webhooks=0, drops=0))


def test_a_fault_answered_while_the_market_was_down_is_explained_and_counted(killing: Crashes) -> None:
    Patience.faults.append((time.monotonic() - 15, "500 to GET /v1/me"))
    killing.judge(Repeats(0, 0, 0))
    assert killing.faults == 1


def test_a_fault_answered_while_nothing_was_killed_is_not_let_pass(killing: Crashes) -> None:
    Patience.faults.append((time.monotonic() - 5, "500 to GET /v1/me"))
    with pytest.raises(AssertionError, match="500 to GET"):
        killing.judge(Repeats(0, 0, 0))
    killing.judge(Repeats(0, 0, 0), refused=1)
