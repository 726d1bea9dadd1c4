"""Claims about entry: the choice, what it stands on, until when, one competition or many at once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chalicelib.kernel.call import Idempotency
from chalicelib.kernel.errors import Invalid, NotFound, Refused
from chalicelib.kernel.models import PageQuery
from chalicelib.qualification import actions
from chalicelib.qualification.views import EntriesRequest
from chalicelib.storage import audit, claims
from tests.builders.qualifying import CLOSE, FSP, QualifyingMarket, competition_fields
from tests.builders.registry import a_system_operator

pytestmark = pytest.mark.usefixtures("market")


@pytest.fixture
def world() -> QualifyingMarket:
    made = QualifyingMarket()
    made.area()
    made.deliver()
    return made


def entries(**wanted) -> EntriesRequest:
    return EntriesRequest.model_validate({"choice": "entered"} | wanted)


def test_entry_is_undecided_until_the_fsp_chooses(world) -> None:
    competition, _ = world.competition(), world.asset()
    world.deliver()
    view = actions.get_entry(world.call(), competition.id)
    assert (view.choice, view.state, view.counts_as_entered, view.version) == ("undecided", "undecided", True, 0)
    assert (view.eligible, view.eligible_mw, view.changeable) == (1, Decimal("0.0072"), True)
    entered = world.enter(competition)
    assert (entered.state, entered.version) == ("entered", 1)
    withdrawn = world.enter(competition, "withdrawn")
    assert (withdrawn.state, withdrawn.counts_as_entered, withdrawn.version) == ("withdrawn", False, 2)
    assert not actions.is_entered(competition.id, FSP)
    assert world.enter(competition, "undecided").state == "undecided"


def test_a_withdrawn_fsp_qualifies_with_nothing(world) -> None:
    competition, _ = world.competition(), world.asset()
    world.deliver()
    world.enter(competition, "withdrawn")
    world.close(competition)
    assert actions.qualified_set(competition.id, FSP) == {}
    (view,) = world.answers(competition, world.call(now=CLOSE))
    assert (view.standing, view.why) == ("not qualified", ("its FSP withdrew from the competition",))


def test_where_entry_is_required_the_undecided_are_out_and_reminded(world) -> None:
    competition = world.competition(entry_required=True)
    world.asset("A")
    world.asset("B", owner="org_fsp2")
    world.asset("C", owner="org_fsp3", status="Mothballed")
    world.deliver()
    world.enter(competition, fsp="org_fsp2")
    assert actions.undecided_fsps(competition.id) == [FSP]
    assert actions.qualified_set(competition.id, FSP) == {}
    assert len(actions.qualified_set(competition.id, "org_fsp2")) == 1


def test_entry_is_not_applicable_below_the_smallest_minimum_and_comes_back_with_capacity(world) -> None:
    (window,) = competition_fields()["service_windows"]
    windows = [window | {"minimum_aggregate_asset_size": "2"}, window | {"service_window_name": "B"}]
    windows[1]["minimum_aggregate_asset_size"] = "1"
    competition = world.competition(service_windows=windows)
    asset = world.asset(demand_turn_down_mw="0.9")
    world.deliver()
    world.enter(competition)
    view = actions.get_entry(world.call(), competition.id)
    assert (view.choice, view.state, view.smallest_minimum_mw) == ("entered", "not applicable", Decimal(1))
    assert not actions.is_entered(competition.id, FSP)
    world.change(asset, demand_turn_down_mw="1", now="2026-04-02T09:00:00Z")
    world.deliver()
    assert actions.get_entry(world.call(), competition.id).state == "entered"
    assert actions.is_entered(competition.id, FSP)


def test_entry_changes_until_the_closing_instant(world) -> None:
    competition = world.competition(qualification_open="2026-04-10T09:00:00Z")
    with pytest.raises(Refused, match="begins as qualification"):
        world.enter(competition, now="2026-04-10T08:59:59Z")
    world.enter(competition, now="2026-05-01T15:59:59Z")
    with pytest.raises(Refused, match="closed on 1 May 2026 16:00 UTC"):
        world.enter(competition, "withdrawn", now=CLOSE)
    assert not actions.get_entry(world.call(now=CLOSE), competition.id).changeable


def test_an_entry_made_just_before_the_close_counts_after_a_first_snapshot(world) -> None:
    competition, _ = world.competition(entry_required=True), world.asset()
    world.deliver()
    world.close(competition)
    world.enter(competition, now="2026-05-01T15:59:59Z")
    assert len(actions.qualified_set(competition.id, FSP)) == 1


def test_choosing_what_stands_writes_nothing(world) -> None:
    competition = world.competition()
    world.enter(competition)
    assert world.enter(competition).version == 1
    acts = [each.action for each in audit.trail_of(f"competition:{competition.id}").items]
    assert acts.count("entry.entered") == 1
    assert [each["fsp"] for each in world.told("qualification.entry_changed.v1")] == [FSP]


def test_a_draft_cannot_be_entered(world) -> None:
    draft = world.competition(publish=False)
    with pytest.raises(NotFound):
        world.enter(draft)


def test_many_competitions_are_entered_at_once_and_again_as_the_same(world) -> None:
    made = [world.competition(f"C-{number}") for number in range(26)]
    key = Idempotency("key-1", "hash")
    call = world.call(idempotency=key)
    answer = actions.put_entries(call, entries(competition_ids=[each.id for each in made]))
    assert [(each.competition_ref, each.choice) for each in answer.entries] == [
        (each.reference, "entered") for each in made
    ]
    found = claims.find_result(world.call(idempotency=key))
    assert actions.entries_made(world.call(), found) == answer


def test_a_round_is_entered_as_one(world) -> None:
    first, second = world.competition("A", round_ref="R1"), world.competition("B", round_ref="R1")
    world.competition("C")
    world.competition("D", round_ref="R1", publish=False)
    answer = actions.put_entries(world.call(), entries(so=world.so.organisation, round_ref="R1"))
    assert sorted(each.competition_id for each in answer.entries) == sorted([first.id, second.id])


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({}, "field.missing"),
        ({"round_ref": "R1"}, "field.missing"),
        ({"so": "org_none", "round_ref": "R1"}, "round.not_found"),
        ({"competition_ids": ["cmp_none"]}, "competition.not_found"),
    ],
)
def test_entries_that_name_nothing_are_refused(world, wanted, code) -> None:
    with pytest.raises(Invalid) as refused:
        actions.put_entries(world.call(), entries(**wanted))
    assert [problem.code for problem in refused.value.problems] == [code]


def test_when_one_competition_is_closed_none_of_those_named_is_entered(world) -> None:
    closed = world.competition("CLOSED")
    still_open = world.competition(
        "OPEN", qualification_closed="2026-05-20T16:00:00Z", open="2026-05-20T16:00:00Z", closed="2026-05-27T16:00:00Z"
    )
    with pytest.raises(Invalid) as refused:
        actions.put_entries(world.call(now=CLOSE), entries(competition_ids=[closed.id, still_open.id]))
    assert [problem.code for problem in refused.value.problems] == ["entry.closed"]
    assert actions.get_entry(world.call(now=CLOSE), still_open.id).choice == "undecided"


def test_an_operator_sees_participants_by_round(world) -> None:
    (window,) = competition_fields()["service_windows"]
    first = world.competition("A", round_ref="R1")
    world.competition("B", round_ref="R1", service_windows=[window | {"minimum_aggregate_asset_size": "9"}])
    for fsp in ("org_fsp1", "org_fsp2", "org_fsp3"):
        world.asset("X", owner=fsp)
    world.deliver()
    world.enter(first, fsp="org_fsp2")
    world.enter(first, "withdrawn", fsp="org_fsp3")
    rows = actions.list_round_participants(world.operator(), "R1", PageQuery()).items
    assert [(row.entered, row.undecided, row.withdrawn, row.not_applicable) for row in rows] == [
        (0, 1, 0, 1),
        (1, 0, 0, 1),
        (0, 0, 1, 1),
    ]
    assert [len(row.competitions) for row in rows] == [2, 2, 2]
    page = actions.list_round_participants(world.operator(), "R1", PageQuery(limit=2))
    assert [row.fsp for row in page.items] == ["org_fsp1", "org_fsp2"]
    rest = actions.list_round_participants(world.operator(), "R1", PageQuery(limit=2, cursor=page.next))
    assert ([row.fsp for row in rest.items], rest.next) == (["org_fsp3"], None)


def test_another_operator_sees_no_participants(world) -> None:
    competition = world.competition(round_ref="R1")
    other = a_system_operator(2).call
    with pytest.raises(NotFound):
        actions.list_participants(other, competition.id, PageQuery())
    with pytest.raises(NotFound):
        actions.list_round_participants(other, "R1", PageQuery())
