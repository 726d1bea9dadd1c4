"""Claims about refusals, calls, moves and events."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from chalicelib.kernel.call import ANONYMOUS, derived_id
from chalicelib.kernel.errors import Forbidden, Invalid, NotFound, Problem, Refused, Unauthorised, raise_problems
from chalicelib.kernel.events import Envelope, Event, event_types
from chalicelib.kernel.lifecycle import actions_from, can_move, move
from chalicelib.kernel.models import Instant, Value, iso
from tests.builders.calls import a_call, a_system_call

MOVES = {("draft", "submit"): "submitted", ("draft", "withdraw"): "withdrawn", ("submitted", "approve"): "approved"}


class KettleBoiled(Event):
    kettle_id: str


class Cup(Value):
    filled_at: Instant


def test_every_problem_is_told_at_once() -> None:
    problems = [Problem("a", "First."), Problem("b", "Second.")]
    with pytest.raises(Invalid, match="2 problems: First") as refused:
        raise_problems(problems)
    assert refused.value.problems == tuple(problems)
    raise_problems([])


def test_one_problem_is_not_called_problems() -> None:
    assert str(Invalid.of([Problem("a", "First.")])) == "invalid: 1 problem: First."


def test_a_problem_knows_its_place_in_a_file() -> None:
    placed = Problem("a", "First.", "capacity_mw").at(sheet="Assets", row=7, column="Name")
    assert placed.as_dict() == {
        "code": "a",
        "detail": "First.",
        "field": "capacity_mw",
        "sheet": "Assets",
        "row": 7,
        "column": "Name",
    }


def test_a_role_is_needed_where_it_is_needed() -> None:
    a_call(roles={"bidding"}).check_role("bidding", "account")
    a_system_call().check_role("confirm")
    with pytest.raises(Forbidden, match="account person"):
        a_call(roles={"read"}).check_role("bidding")


def test_what_is_anothers_is_not_found() -> None:
    a_call("org_1").check_owner("org_1", "asset")
    a_system_call().check_owner("org_1", "asset")
    with pytest.raises(NotFound) as refused:
        a_call("org_2").check_owner("org_1", "asset")
    assert refused.value.code == "asset.not_found"


def test_nobody_has_no_organisation() -> None:
    assert ANONYMOUS.organisation is None
    with pytest.raises(Unauthorised):
        _ = a_call(None).organisation
    assert a_call("org_1").organisation == "org_1"


def test_a_derived_id_is_the_same_for_the_same_parts_only() -> None:
    assert derived_id("obl", "a", "b") == derived_id("obl", "a", "b")
    assert derived_id("obl", "ab") != derived_id("obl", "a", "b")


def test_a_move_that_is_not_in_the_table_names_what_can_be_done() -> None:
    assert move(MOVES, "application", "draft", "submit") == "submitted"
    assert can_move(MOVES, "draft", "withdraw")
    assert not can_move(MOVES, "approved", "withdraw")
    assert actions_from(MOVES, "draft") == ["submit", "withdraw"]
    with pytest.raises(Refused, match="What can be done now: approve") as refused:
        move(MOVES, "application", "submitted", "submit")
    assert refused.value.code == "application.submitted"
    with pytest.raises(Refused, match="Nothing more"):
        move(MOVES, "application", "approved", "submit")


def test_an_event_travels_and_comes_back_the_same() -> None:
    at = datetime(2026, 4, 1, 9, tzinfo=UTC)
    event = KettleBoiled(kettle_id="k1")
    envelope = Envelope(id="evt_1", name=event.name, at=at, request_id="r", body=event.model_dump())
    back = Envelope.model_validate(json.loads(envelope.model_dump_json()))
    assert back.event() == event
    assert event.name == "test_words.kettle_boiled.v1"
    assert event_types()[event.name] is KettleBoiled


def test_an_instant_is_utc_whatever_zone_it_came_in() -> None:
    cup = Cup.model_validate({"filled_at": "2026-07-01T10:00:00+01:00"})
    assert json.loads(cup.model_dump_json()) == {"filled_at": "2026-07-01T09:00:00Z"}
    assert iso(datetime(2026, 1, 1, microsecond=500_000, tzinfo=UTC)) == "2026-01-01T00:00:00.500Z"
    with pytest.raises(ValidationError):
        Cup.model_validate({"filled_at": "2026-07-01T10:00:00"})


def test_a_value_changes_only_through_its_own_checks() -> None:
    cup = Cup.model_validate({"filled_at": "2026-07-01T09:00:00Z"})
    assert cup.but(filled_at=datetime(2026, 8, 1, tzinfo=UTC)).filled_at.month == 8
    with pytest.raises(ValidationError):
        cup.but(filled_at="never")
    with pytest.raises(ValidationError):
        cup.but(colour="red")
