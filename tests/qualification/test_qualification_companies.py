"""Claims about the company rule as applications move: at once, per FSP, and as at the close."""

from __future__ import annotations

import pytest

from chalicelib.qualification import actions
from chalicelib.registry import actions_applications
from chalicelib.registry.scheme_requests import DecisionRequest
from tests.builders.qualifying import AFTER, CLOSE, QualifyingMarket
from tests.builders.registry import Joined, a_registered_fsp, a_scheme, a_submitted_application, given_pool

pytestmark = pytest.mark.usefixtures("market")
MAY_3 = "2026-05-03T09:00:00Z"
MAY_4 = "2026-05-04T09:00:00Z"


class SchemeMarket(QualifyingMarket):
    """A market with a scheme, one FSP that applied, and a competition that names the scheme."""

    fsp: Joined
    application: str

    def decide(self, action: str, now: str = "2026-04-02T09:00:00Z") -> None:
        request = DecisionRequest(action=action, reason="papers seen")
        actions_applications.decide_application(self.operator(now), self.application, request)
        self.deliver()

    def view(self, competition, now: str = AFTER):
        (view,) = self.answers(competition, self.call(self.fsp.organisation, now))
        return view

    def qualified(self, competition) -> int:
        return len(actions.qualified_set(competition.id, self.fsp.organisation))


@pytest.fixture
def world() -> SchemeMarket:
    given_pool()
    made = SchemeMarket()
    made.area()
    made.fsp = a_registered_fsp()
    made.application = a_submitted_application(made.fsp, a_scheme(made.so))
    made.deliver()
    return made


def schemed(world, **changes):
    competition = world.competition(dps_record_reference="DPS-1", **changes)
    world.asset(owner=world.fsp.organisation)
    world.deliver()
    return competition


def test_approval_and_suspension_are_felt_at_once(world) -> None:
    competition = schemed(world)
    assert world.view(competition).why[0] == "submitted in scheme DPS-1; needs approval in scheme DPS-1"
    world.decide("approve")
    assert world.view(competition, "2026-04-03T09:00:00Z").standing == "eligible"
    world.decide("suspend")
    assert world.view(competition, "2026-04-03T09:00:00Z").why == (
        "suspended in scheme DPS-1; needs approval in scheme DPS-1",
    )
    world.decide("reinstate")
    assert world.view(competition, "2026-04-03T09:00:00Z").eligible


def test_a_withdrawn_application_is_felt_too(world) -> None:
    competition = schemed(world)
    world.decide("approve")
    actions_applications.withdraw_application(world.fsp.call, world.application, "moving on")
    world.deliver()
    assert not world.view(competition).eligible


def test_only_competitions_that_name_the_scheme_are_touched(world) -> None:
    schemed(world)
    free = world.competition("FREE")
    world.deliver()
    before = len(world.told("qualification.answers_changed.v1"))
    world.decide("approve")
    told = world.told("qualification.answers_changed.v1")[before:]
    assert [each["competition_id"] != free.id for each in told] == [True]
    assert world.view(free).eligible


def test_an_approval_after_the_close_comes_too_late(world) -> None:
    competition = schemed(world)
    world.close(competition)
    world.decide("approve", AFTER)
    assert world.qualified(competition) == 0
    (failing,) = [line for line in world.view(competition).rules if not line.passed]
    assert (failing.rule, failing.would_pass) == ("company", "the approval came after qualification had closed")


def test_an_approval_at_the_closing_instant_comes_too_late(world) -> None:
    competition = schemed(world)
    world.decide("approve", CLOSE)
    assert world.qualified(competition) == 0


def test_a_suspension_after_the_close_loses_and_a_reinstatement_gives_back(world) -> None:
    competition = schemed(world)
    world.decide("approve")
    world.close(competition)
    world.decide("suspend", MAY_3)
    view = world.view(competition, MAY_3)
    assert (view.eligible, view.standing, view.losses) == (True, "not qualified", ("approval lost",))
    assert view.why == ("the approval in scheme DPS-1 was lost since qualification closed",)
    assert world.qualified(competition) == 0
    world.decide("reinstate", MAY_4)
    assert world.qualified(competition) == 1


def test_a_company_that_never_applied_is_told_to(world) -> None:
    competition = schemed(world)
    world.asset("OTHER", owner="org_fsp9")
    world.deliver()
    (view,) = world.answers(competition, world.call("org_fsp9"))
    (line,) = [line for line in view.rules if not line.passed]
    assert (line.found, line.would_pass) == ("without an application in scheme DPS-1", "apply to scheme DPS-1")
