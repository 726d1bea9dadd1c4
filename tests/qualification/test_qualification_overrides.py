"""Claims about an operator's hand: qualify, disqualify, lift; when, by whom, and what survives."""

from __future__ import annotations

import pytest

from chalicelib.kernel.call import Idempotency
from chalicelib.kernel.errors import Invalid, NotFound, Refused
from chalicelib.qualification import actions
from chalicelib.qualification.views import OverridesQuery, OverridesRequest
from chalicelib.storage import audit, claims
from tests.builders.qualifying import AFTER, BIDDING, FSP, QualifyingMarket, hand_over
from tests.builders.registry import a_system_operator

pytestmark = pytest.mark.usefixtures("market")


@pytest.fixture
def world() -> QualifyingMarket:
    made = QualifyingMarket()
    made.area()
    made.deliver()
    return made


def listed(world, competition, call=None, **query):
    asked = OverridesQuery.model_validate(query)
    return actions.list_overrides(call or world.call(), competition.id, asked).items


def by_ref(world, competition, now=AFTER):
    return {view.asset_ref: view for view in world.answers(competition, world.call(now=now))}


def test_an_operator_qualifies_what_fails_and_disqualifies_what_passes(world) -> None:
    competition = world.competition()
    failing, passing = world.asset("FAILS", status="Mothballed"), world.asset("PASSES")
    world.deliver()
    made = world.override(competition, (failing.id, "qualify"), (passing.id, "disqualify"))
    assert sorted((each.effect, each.active) for each in made.overrides) == [("disqualify", True), ("qualify", True)]
    world.deliver()
    before = by_ref(world, competition, "2026-04-02T09:00:00Z")
    assert (before["FAILS"].standing, before["PASSES"].standing) == ("eligible", "not eligible")
    after = by_ref(world, competition)
    assert (after["FAILS"].standing, after["PASSES"].standing) == ("qualified", "not qualified")
    assert after["PASSES"].why == ("disqualified by the operator: seen on a visit",)
    assert list(actions.qualified_set(competition.id, FSP)) == [failing.id]


def test_an_override_of_a_far_asset_makes_the_pair_seen(world) -> None:
    competition, far = world.competition(), world.asset(latitude="55")
    world.deliver()
    world.override(competition, (far.id, "qualify"))
    world.deliver()
    (view,) = world.answers(competition)
    assert (view.eligible, view.match, view.override.reason) == (True, None, "seen on a visit")


def test_overrides_survive_reassessment_and_can_be_lifted(world) -> None:
    competition, asset = world.competition(), world.asset()
    world.deliver()
    world.override(competition, (asset.id, "disqualify"))
    world.change(asset, demand_turn_down_mw="2", now="2026-04-03T09:00:00Z")
    world.deliver()
    assert not by_ref(world, competition)["EV-1"].eligible
    world.override(competition, (asset.id, "lift"), now="2026-04-04T09:00:00Z")
    world.deliver()
    assert by_ref(world, competition)["EV-1"].eligible
    assert listed(world, competition) == []
    (lifted,) = listed(world, competition, lifted=True)
    assert (lifted.active, lifted.version) == (False, 2)


def test_the_fsp_sees_the_reason_and_other_fsps_nothing(world) -> None:
    competition, asset = world.competition(), world.asset()
    world.deliver()
    world.override(competition, (asset.id, "disqualify"))
    (seen,) = listed(world, competition)
    assert (seen.asset_ref, seen.reason) == ("EV-1", "seen on a visit")
    assert listed(world, competition, world.call("org_fsp2")) == []
    assert len(listed(world, competition, world.operator())) == 1


def test_another_operator_finds_nothing_to_override(world) -> None:
    competition, asset = world.competition(), world.asset()
    request = OverridesRequest.model_validate(
        {"overrides": [{"asset_id": asset.id, "effect": "qualify", "reason": "because"}]}
    )
    with pytest.raises(NotFound):
        actions.set_overrides(a_system_operator(2).call, competition.id, request)


def test_overrides_begin_with_qualification_and_end_as_bidding_opens(world) -> None:
    competition = world.competition(qualification_open="2026-04-10T09:00:00Z")
    asset = world.asset()
    with pytest.raises(Refused, match="begins as qualification"):
        world.override(competition, (asset.id, "qualify"), now="2026-04-10T08:59:59Z")
    world.override(competition, (asset.id, "qualify"), now=AFTER)
    with pytest.raises(Refused, match="Bidding opened"):
        world.override(competition, (asset.id, "lift"), now=BIDDING)


def test_an_override_between_the_close_and_bidding_changes_the_qualified_set(world) -> None:
    competition, asset = world.competition(), world.asset()
    world.deliver()
    world.close(competition)
    world.override(competition, (asset.id, "disqualify"), now=AFTER)
    assert actions.qualified_set(competition.id, FSP) == {}


def test_all_problems_come_at_once_and_nothing_is_done(world) -> None:
    competition, asset = world.competition(), world.asset()
    wanted = [
        {"asset_id": "ast_none", "effect": "qualify", "reason": "because"},
        {"fsp": FSP, "asset_ref": "NONE", "effect": "qualify", "reason": "because"},
        {"asset_id": asset.id, "effect": "lift", "reason": "because"},
        {"asset_id": asset.id, "effect": "qualify", "reason": "because"},
        {"fsp": FSP, "asset_ref": "EV-1", "effect": "disqualify", "reason": "because"},
        {"effect": "disqualify", "reason": "because"},
    ]
    request = OverridesRequest.model_validate({"overrides": wanted})
    with pytest.raises(Invalid) as refused:
        actions.set_overrides(world.operator(), competition.id, request)
    found = [(problem.field, problem.code) for problem in refused.value.problems]
    assert found == [
        ("overrides/0", "asset.not_found"),
        ("overrides/1", "asset.not_found"),
        ("overrides/2", "override.none"),
        ("overrides/4", "override.twice"),
        ("overrides/5", "asset.not_found"),
    ]
    assert listed(world, competition) == []


def test_an_asset_is_named_by_its_fsp_and_reference_too(world) -> None:
    competition = world.competition()
    world.asset()
    wanted = [{"fsp": FSP, "asset_ref": "EV-1", "effect": "disqualify", "reason": "because"}]
    actions.set_overrides(world.operator(), competition.id, OverridesRequest.model_validate({"overrides": wanted}))
    assert [each.asset_ref for each in listed(world, competition)] == ["EV-1"]


def test_the_same_override_again_changes_nothing(world) -> None:
    competition, asset = world.competition(), world.asset()
    world.override(competition, (asset.id, "disqualify"))
    world.override(competition, (asset.id, "disqualify"))
    world.override(competition, (asset.id, "lift"))
    world.override(competition, (asset.id, "lift"))
    (kept,) = listed(world, competition, lifted=True)
    assert kept.version == 2
    acts = [each.action for each in audit.trail_of(f"competition:{competition.id}").items]
    assert [act for act in acts if act.startswith("override.")] == ["override.lift", "override.disqualify"]


def test_a_changed_mind_is_a_new_version_with_its_own_record(world) -> None:
    competition, asset = world.competition(), world.asset()
    world.override(competition, (asset.id, "disqualify"))
    world.override(competition, (asset.id, "qualify"), now="2026-04-02T09:00:00Z")
    (kept,) = listed(world, competition)
    assert (kept.effect, kept.version) == ("qualify", 2)


def test_many_overrides_go_in_together(world) -> None:
    competition = world.competition()
    assets = [world.asset(f"EV-{number}") for number in range(30)]
    made = world.override(competition, *((asset.id, "disqualify") for asset in assets))
    assert len(made.overrides) == 30
    assert len(listed(world, competition)) == 30


def test_a_request_sent_twice_answers_what_it_made(world) -> None:
    competition, asset = world.competition(), world.asset()
    key = Idempotency("key-1", "hash")
    made = world.override(competition, (asset.id, "disqualify"), idempotency=key)
    found = claims.find_result(world.operator(idempotency=key))
    assert actions.overrides_made(world.operator(), found) == made


def test_overrides_are_copied_from_the_competition_named_for_assets_still_in_being(world) -> None:
    earlier = world.competition("EARLY")
    kept, gone, lifted = world.asset("KEPT"), world.asset("GONE"), world.asset("LIFTED")
    world.deliver()
    world.override(earlier, (kept.id, "disqualify"), (gone.id, "qualify"), (lifted.id, "qualify"))
    world.override(earlier, (lifted.id, "lift"))
    world.change(gone, status="Archived", now="2026-04-02T09:00:00Z")
    later = world.competition("LATER", duplicate_asset_overrides="EARLY", now="2026-04-03T09:00:00Z")
    world.deliver()
    (copied,) = listed(world, later)
    assert (copied.asset_ref, copied.effect, copied.copied_from) == ("KEPT", "disqualify", "EARLY")
    assert not by_ref(world, later)["KEPT"].eligible


def test_a_copied_override_that_was_lifted_stays_lifted(world) -> None:
    earlier, asset = world.competition("EARLY"), world.asset()
    world.deliver()
    world.override(earlier, (asset.id, "disqualify"))
    later = world.competition("LATER", duplicate_asset_overrides="EARLY")
    world.deliver()
    world.override(later, (asset.id, "lift"))
    actions.copy_overrides(world.operator().as_system(), later.id)
    world.deliver()
    assert listed(world, later) == []
    assert by_ref(world, later)["EV-1"].eligible


def test_copying_again_after_a_crash_does_the_rest_and_nothing_twice(world) -> None:
    earlier = world.competition("EARLY")
    assets = [world.asset(f"EV-{number}") for number in range(30)]
    world.override(earlier, *((asset.id, "disqualify") for asset in assets))
    later = world.competition("LATER", duplicate_asset_overrides="EARLY")
    published = [each for each in world.waiting() if each.body.get("competition_id") == later.id]
    for envelope in [*published, *published]:
        hand_over(envelope)
    assert [each.version for each in listed(world, later)] == [1] * 30
