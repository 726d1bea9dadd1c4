"""Claims about assessments that run beside changes: whoever writes last stands on the newest facts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.competitions import actions as competitions
from chalicelib.qualification import actions, actions_assessing, actions_sheets, store
from chalicelib.qualification.actions_facts import Surroundings
from chalicelib.qualification.rules import need_of
from tests.builders.areas import a_square
from tests.builders.calls import a_system_call
from tests.builders.qualifying import FSP, START, QualifyingMarket

pytestmark = pytest.mark.usefixtures("market")


@pytest.fixture
def world() -> QualifyingMarket:
    made = QualifyingMarket()
    made.area()
    made.deliver()
    return made


def meanwhile(act, times: int = 1):
    """The matches of an asset, with something happening while they are looked up."""
    left = [times]

    def matches(asset):
        if left[0]:
            left[0] -= 1
            act()
        return Surroundings().matches(asset)

    return matches


def test_an_asset_changed_while_it_is_assessed_is_assessed_again(world) -> None:
    competition, asset = world.competition(), world.asset()
    world.deliver()
    act = meanwhile(lambda: world.change(asset, status="Mothballed"))
    actions_assessing._assess(a_system_call(START), {competition.id: [asset.id]}, act)
    (view,) = world.answers(competition)
    assert not view.eligible


def test_a_competition_changed_while_it_is_assessed_is_assessed_again(world) -> None:
    competition = world.competition(qualification_open="2026-04-10T09:00:00Z")
    asset = world.asset()
    act = meanwhile(lambda: world.edit(competition, minimum_connection_voltage="6.6"))
    actions_assessing._assess(a_system_call(START), {competition.id: [asset.id]}, act)
    (view,) = world.answers(competition)
    assert [line.rule for line in view.rules if not line.passed] == ["voltage"]


def test_facts_that_never_stand_still_are_a_failure_to_be_tried_again(world) -> None:
    competition, asset = world.competition(), world.asset()
    numbers = iter(range(1, 100))
    act = meanwhile(lambda: world.change(asset, demand_turn_down_mw=str(next(numbers))), times=100)
    with pytest.raises(RuntimeError, match="kept changing"):
        actions_assessing._assess(a_system_call(START), {competition.id: [asset.id]}, act)


def test_an_answer_that_did_not_change_is_not_written_again(world) -> None:
    competition, asset = world.competition(), world.asset()
    world.deliver()
    before = store.load_answers([(competition.id, FSP, asset.id)])
    world.change(asset, name="Another name", now="2026-04-02T09:00:00Z")
    world.deliver()
    assert store.load_answers([(competition.id, FSP, asset.id)]) == before


def test_a_sheet_computed_before_a_change_is_never_taken_after_it(world) -> None:
    competition, asset = world.competition(), world.asset()
    world.deliver()
    old = actions_sheets.current_sheet(competition, FSP)
    world.change(asset, demand_turn_down_mw="2", now="2026-04-02T09:00:00Z")
    world.deliver()
    new = actions_sheets.current_sheet(competition, FSP)
    assert new.held_mw == 2
    store.keep_sheets([old])
    assert actions_sheets.current_sheet(competition, FSP) == new


def test_a_kept_sheet_is_the_one_computed(world) -> None:
    competition, _ = world.competition(), world.asset()
    world.deliver()
    computed = actions_sheets.current_sheet(competition, FSP)
    assert actions_sheets.current_sheet(competition, FSP) == computed
    assert store.find_sheet(competition.id, FSP) == computed


def test_a_long_sheet_keeps_its_assets_elsewhere_and_gives_them_back(world) -> None:
    competition, _ = world.competition(), world.asset()
    world.deliver()
    short = actions_sheets.current_sheet(competition, FSP)
    capacities = {f"ast_{number:026d}": number % 7 for number in range(store.MOST_INLINE + 1)}
    long = short.but(capacities=capacities, held=len(capacities), held_mw=sum(capacities.values()))
    store.keep_sheets([long])
    assert store.find_sheet(competition.id, FSP) == long
    listed = store.sheets_of(competition.id)[FSP]
    assert (listed.held, listed.held_mw, listed.capacities) == (long.held, long.held_mw, {})


def test_a_competition_moved_to_another_area_lets_go_of_the_assets_of_the_first(world) -> None:
    world.area("SOUTH", geometry=a_square(1.1, 51.0, 1.2, 51.1), receipt="rec_s")
    competition = world.competition(qualification_open="2026-04-10T09:00:00Z")
    world.asset("NORTH")
    world.asset("SOUTH", latitude="51.05")
    world.deliver()
    assert [view.asset_ref for view in world.answers(competition)] == ["NORTH"]
    world.edit(competition, boundaries={"areas": ["SOUTH"]})
    world.deliver()
    assert [view.asset_ref for view in world.answers(competition)] == ["SOUTH"]


def test_a_new_area_version_is_felt_once_the_competition_takes_it(world) -> None:
    competition = world.competition()
    world.asset("IN")
    world.asset("LATER", latitude="52.3")
    world.deliver()
    world.area(now="2026-04-02T09:00:00Z", receipt="rec_b", geometry=a_square(1.1, 52.0, 1.2, 52.4))
    world.deliver()
    assert [view.asset_ref for view in world.answers(competition)] == ["IN"]
    call = world.operator("2026-04-02T10:00:00Z")
    current = competitions.get_competition(competition.id)
    competitions.take_area_versions(call, competition.id, current.version, "the feeder was extended")
    world.deliver()
    assert sorted(view.asset_ref for view in world.answers(competition)) == ["IN", "LATER"]


def test_news_of_answers_are_told_once_however_often_the_cause_is_heard(world) -> None:
    competition = world.competition()
    world.deliver()
    asset = world.asset()
    call = a_system_call(START)
    gained = [
        actions_assessing.AnswersChanged(competition_id=competition.id, so=competition.so, fsp=FSP, gained=(asset.id,))
    ]
    actions_assessing._tell(call, gained)
    actions_assessing._tell(call, gained)
    assert len(world.told("qualification.answers_changed.v1")) == 1


def test_many_competitions_are_assessed_for_one_asset(world) -> None:
    made = [world.competition(f"C-{number}") for number in range(12)]
    asset = world.asset()
    world.deliver()
    assert {each.id for each in actions.find_competitions_of(FSP)} == {each.id for each in made}
    assert all(list(actions.qualified_set(each.id, FSP)) == [asset.id] for each in made)


def test_the_need_of_a_competition_is_what_its_operator_asked_for(world) -> None:
    competition = world.competition(area_buffer="250", location_rule="area", entry_required=True)
    need = need_of(competitions.get_competition(competition.id))
    assert (str(need.buffer_m), need.location_rule, need.entry_required) == ("250", "area", True)
    assert need.deadline == datetime(2026, 5, 1, 16, tzinfo=UTC)
    assert list(need.zones.values()) == ["NORTH"]
