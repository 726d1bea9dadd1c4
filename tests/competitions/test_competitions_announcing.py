"""The minute's round tells every date once, in order, whoever else is at work."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest

from chalicelib.competitions import actions, store
from chalicelib.competitions.actions_announcing import announce_due
from chalicelib.competitions.requests import CompetitionChange
from chalicelib.kernel.errors import Stale
from chalicelib.storage.commit import commit
from chalicelib.storage.outbox import unpublished
from functions import tick
from tests.builders.calls import a_system_call
from tests.builders.competitions import a_stored_area, a_stored_competition, an_operator, an_so_call

pytestmark = pytest.mark.usefixtures("stored_operator")
FAR = datetime(2100, 1, 1, tzinfo=UTC)
EVERYTHING = [
    "competition_published",
    "qualification_opened",
    "entry_reminder_due",
    "entry_reminder_due",
    "qualification_closed",
    "bidding_opened",
    "bidding_closes_soon",
    "bidding_closed",
    "competition_archived",
]


@pytest.fixture
def stored_operator(market: None) -> None:
    an_operator()
    a_stored_area()


def facts() -> list[str]:
    told = sorted(unpublished(FAR), key=lambda each: (each.at, each.id))
    return [each.name.split(".")[1] for each in told]


def test_nothing_is_told_before_its_time() -> None:
    a_stored_competition(publish=True)
    assert announce_due(a_system_call("2026-05-01T07:59:00Z")) == 0
    assert facts() == ["competition_published"]


def test_each_date_is_told_once_however_often_the_minute_strikes() -> None:
    made = a_stored_competition(publish=True)
    for now in ("2026-05-01T08:00:00Z", "2026-05-01T08:00:00Z", "2026-05-01T08:01:00Z"):
        announce_due(a_system_call(now))
    assert facts() == ["competition_published", "qualification_opened"]
    assert actions.get_competition(made.id).version == 1


def test_a_tick_that_was_away_tells_all_it_missed_in_order() -> None:
    a_stored_competition(publish=True)
    assert announce_due(a_system_call("2027-01-01T00:00:00Z")) == 1
    assert facts() == EVERYTHING
    assert announce_due(a_system_call("2027-01-02T00:00:00Z")) == 0


def test_what_is_not_reached_in_time_is_told_the_next_minute() -> None:
    for number in range(3):
        a_stored_competition(publish=True, reference=f"REF_{number}")
    asked = count(1)
    assert announce_due(a_system_call("2026-05-01T08:00:00Z"), lambda: next(asked) > 2) == 2
    assert announce_due(a_system_call("2026-05-01T08:01:00Z")) == 1
    assert facts().count("qualification_opened") == 3


def test_a_withdrawn_competition_is_silent() -> None:
    made = a_stored_competition(publish=True)
    actions.withdraw_competition(an_so_call(), made.id, "x")
    assert announce_due(a_system_call("2027-01-01T00:00:00Z")) == 0


def test_a_close_that_moves_later_is_told_at_its_new_time() -> None:
    made = a_stored_competition(publish=True)
    announce_due(a_system_call("2026-06-11T17:00:00Z"))
    later = CompetitionChange.model_validate({"closed": "2026-06-19T17:00:00"})
    actions.change_competition(an_so_call(now="2026-06-11T18:00:00Z"), made.id, later, 1)
    announce_due(a_system_call("2026-06-12T17:00:00Z"))
    assert "bidding_closed" not in facts()
    announce_due(a_system_call("2026-06-19T16:00:00Z"))
    assert facts().count("bidding_closes_soon") == 2
    assert facts().count("bidding_closed") == 1


def test_a_confirmed_competition_is_archived_after_sixty_days() -> None:
    made = a_stored_competition(publish=True)
    announce_due(a_system_call("2026-06-12T16:00:00Z"))
    confirmed = actions.outcome_write(made, "confirmed", datetime(2026, 6, 20, 12, tzinfo=UTC))
    commit(an_so_call(), [confirmed])
    announce_due(a_system_call("2026-08-18T22:59:00Z"))
    assert "competition_archived" not in facts()
    announce_due(a_system_call("2026-08-18T23:00:00Z"))
    assert facts()[-1] == "competition_archived"


def test_a_change_made_while_dates_are_told_cannot_wind_them_back() -> None:
    made = a_stored_competition(publish=True)
    read = actions.get_competition(made.id)
    announce_due(a_system_call("2026-05-01T08:00:00Z"))
    with pytest.raises(Stale):
        commit(an_so_call(), store.save_competition(read, read.but(name="New", version=2)))


def test_two_rounds_at_once_tell_a_date_once() -> None:
    """The other round comes between our reading the competition and our writing it: when we draw the first id."""
    a_stored_competition(publish=True)
    call = a_system_call("2026-05-01T08:00:00Z")

    def drawn_late(prefix: str) -> str:
        announce_due(call)
        return call.new_id(prefix)

    assert announce_due(replace(call, new_id=drawn_late)) == 0
    assert facts().count("qualification_opened") == 1


def test_the_schedule_wakes_the_round_with_its_own_time() -> None:
    a_stored_competition(publish=True)
    record = {
        "messageId": "m1",
        "body": json.dumps({"time": "2026-05-01T08:00:00Z"}),
        "eventSource": "aws:sqs",
        "receiptHandle": "r",
        "attributes": {},
        "messageAttributes": {},
    }
    assert tick.handler({"Records": [record]}, None) == {"batchItemFailures": []}
    assert facts() == ["qualification_opened"]  # the publication waited over two minutes: told again, and taken
