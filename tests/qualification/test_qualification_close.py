"""Claims about the close of qualification: who qualified is fixed, later edits lose and never gain, in any order."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest

from chalicelib.competitions import actions as competitions
from chalicelib.qualification import actions
from chalicelib.storage import audit
from chalicelib.storage.commit import commit
from tests.builders.qualifying import AFTER, CLOSE, FSP, QualifyingMarket, hand_over

pytestmark = pytest.mark.usefixtures("market")
JUST_BEFORE = "2026-05-01T15:59:59Z"


@pytest.fixture
def world() -> QualifyingMarket:
    made = QualifyingMarket()
    made.area()
    made.deliver()
    return made


def qualified(competition, fsp=FSP):
    return actions.qualified_set(competition.id, fsp)


def view_of(world, competition, now=AFTER):
    (view,) = world.answers(competition, world.call(now=now))
    return view


def test_eligible_assets_become_qualified_at_the_closing_instant(world) -> None:
    competition, asset = world.competition(), world.asset()
    world.deliver()
    assert view_of(world, competition, JUST_BEFORE).standing == "eligible"
    assert view_of(world, competition, CLOSE).standing == "qualified"
    assert qualified(competition) == {asset.id: Decimal("0.0072")}


def test_an_asset_complete_at_the_closing_instant_is_too_late_and_one_before_it_is_not(world) -> None:
    competition = world.competition()
    world.asset("LATE", now=CLOSE)
    early = world.asset("EARLY", now=JUST_BEFORE)
    world.deliver()
    assert list(qualified(competition)) == [early.id]
    late = next(view for view in world.answers(competition, world.call(now=AFTER)) if view.asset_ref == "LATE")
    assert late.why == (
        "complete since 1 May 2026 16:00 UTC; needs to be complete before qualification closes on 1 May 2026 16:00 UTC",
    )


def test_later_edits_never_gain(world) -> None:
    competition = world.competition()
    small, far, mothballed = world.asset("A"), world.asset("B", latitude="55"), world.asset("C", status="Mothballed")
    world.deliver()
    world.close(competition)
    world.change(small, demand_turn_down_mw="9", now=AFTER)
    world.change(far, latitude="52.05", now=AFTER)
    world.change(mothballed, status="Operational", now=AFTER)
    world.deliver()
    assert qualified(competition) == {small.id: Decimal("0.0072")}


def test_a_lower_capacity_loses_with_a_reason_and_comes_back_no_higher(world) -> None:
    competition, asset = world.competition(), world.asset(demand_turn_down_mw="2")
    world.deliver()
    world.close(competition)
    world.change(asset, demand_turn_down_mw="0.5", now=AFTER)
    world.deliver()
    assert qualified(competition) == {asset.id: Decimal("0.5")}
    view = view_of(world, competition)
    assert (view.standing, view.losses) == ("qualified", ("lower capacity",))
    assert view.why == ("since qualification closed its capacity went from 2 MW to 0.5 MW",)
    world.change(asset, demand_turn_down_mw="3", now=AFTER)
    world.deliver()
    assert qualified(competition) == {asset.id: Decimal(2)}


def test_an_asset_moved_after_the_close_stays_qualified_where_it_stood(world) -> None:
    competition, asset = world.competition(), world.asset()
    world.deliver()
    world.close(competition)
    world.change(asset, latitude="55", now=AFTER)
    world.deliver()
    assert list(qualified(competition)) == [asset.id]


def test_an_archived_asset_loses_with_a_reason(world) -> None:
    competition, asset = world.competition(), world.asset()
    world.deliver()
    world.close(competition)
    world.change(asset, status="Archived", now=AFTER)
    world.deliver()
    assert qualified(competition) == {}
    view = view_of(world, competition)
    assert (view.eligible, view.standing, view.why) == (
        True,
        "not qualified",
        ("archived since qualification closed",),
    )
    (row,) = actions.participants(competition, world.operator(AFTER))
    assert (row.eligible, row.qualified, row.lost) == (1, 0, 1)


def test_a_change_told_before_the_close_and_heard_after_it_counts(world) -> None:
    competition = world.competition()
    world.deliver()
    asset = world.asset(now=JUST_BEFORE)
    world.close(competition)
    assert list(qualified(competition)) == [asset.id]


def test_the_version_before_the_close_counts_whatever_order_the_news_come_in(world) -> None:
    """Three facts about one asset, two of them from before the close, are heard in every order: one end state."""
    competition = world.competition()
    world.deliver()
    asset = world.asset(demand_turn_down_mw="1", now="2026-04-20T09:00:00Z")
    world.change(asset, demand_turn_down_mw="2", now=JUST_BEFORE)
    world.change(asset, demand_turn_down_mw="5", latitude="55", now=AFTER)
    news = world.waiting()
    assert len(news) == 3
    for order in permutations(news):
        for envelope in order:
            hand_over(envelope)
            hand_over(envelope)
        assert qualified(competition) == {asset.id: Decimal(2)}
        view = view_of(world, competition)
        assert (view.capacity_mw, view.match, view.losses) == (Decimal(2), "area", ())


def test_an_asset_that_moved_after_the_close_is_found_by_news_from_before_it(world) -> None:
    competition = world.competition()
    world.deliver()
    asset = world.asset(now=JUST_BEFORE)
    world.change(asset, latitude="55", now=AFTER)
    first, second = world.waiting()
    hand_over(second)
    hand_over(first)
    assert list(qualified(competition)) == [asset.id]


def test_the_snapshot_catches_assets_whose_news_were_lost(world) -> None:
    competition = world.competition()
    world.deliver()
    asset = world.asset()
    world.heard |= {envelope.id for envelope in world.waiting()}
    assert qualified(competition) == {}
    world.close(competition)
    assert list(qualified(competition)) == [asset.id]


def test_the_snapshot_is_recorded_once_however_often_it_is_taken(world) -> None:
    competition = world.competition()
    world.asset("A")
    world.asset("B", owner="org_fsp2")
    world.deliver()
    world.close(competition)
    world.close(competition)
    settled = [
        each for each in audit.trail_of(f"competition:{competition.id}").items if each.action == "qualification.settled"
    ]
    assert [(each.after["fsps"], each.after["assets"]) for each in settled] == [(2, 2)]


def test_a_withdrawn_competition_is_not_settled(world) -> None:
    competition = world.competition()
    world.asset()
    world.deliver()
    competitions.withdraw_competition(world.operator(), competition.id, "no longer needed")
    world.close(competition)
    assert not any(
        each.action == "qualification.settled" for each in audit.trail_of(f"competition:{competition.id}").items
    )


def test_a_close_moved_later_lets_late_assets_in(world) -> None:
    competition = world.competition(open="2026-05-20T16:00:00Z", closed="2026-05-27T16:00:00Z")
    world.deliver()
    asset = world.asset(now=AFTER)
    world.edit(competition, now="2026-04-30T09:00:00Z", qualification_closed="2026-05-10T16:00:00Z")
    world.deliver()
    assert list(qualified(competition)) == [asset.id]


def test_a_second_competition_keeps_its_own_close(world) -> None:
    early = world.competition("EARLY")
    late = world.competition(
        "LATE", qualification_closed="2026-05-20T16:00:00Z", open="2026-05-20T16:00:00Z", closed="2026-05-27T16:00:00Z"
    )
    asset = world.asset(demand_turn_down_mw="1")
    world.deliver()
    world.close(early)
    world.change(asset, demand_turn_down_mw="3", now=AFTER)
    world.deliver()
    assert qualified(early) == {asset.id: Decimal(1)}
    assert qualified(late) == {asset.id: Decimal(3)}


def test_answers_stand_still_once_results_are_confirmed(world) -> None:
    competition, asset = world.competition(), world.asset()
    world.deliver()
    world.close(competition)
    confirmed = competitions.get_competition(competition.id)
    at = datetime(2026, 5, 12, tzinfo=UTC)
    commit(world.operator("2026-05-12T00:00:00Z"), [competitions.outcome_write(confirmed, "confirmed", at)])
    world.change(asset, status="Mothballed", demand_turn_down_mw="0.001", now="2026-05-13T09:00:00Z")
    world.deliver()
    assert qualified(competition) == {asset.id: Decimal("0.0072")}
