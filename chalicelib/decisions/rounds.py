"""Decides and confirms a round as one competition: every one of its closed competitions, each by its own rules."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.decisions import actions
from chalicelib.decisions.models import (
    DecisionRequest,
    DecisionsRequest,
    OverviewView,
    RoundConfirmation,
    RoundConfirmationView,
    RoundOverviewView,
)
from chalicelib.decisions.reads import closed_competitions
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Problem, Refusal, raise_problems
from chalicelib.storage.commit import commit


def get_round_overview(call: Call, round_ref: str) -> RoundOverviewView:
    """Where deciding stands in every closed competition of the caller's round."""
    views = [actions.overview_of(call, deciding) for deciding in _of_round(call, round_ref)]
    return RoundOverviewView(round_ref=round_ref, competitions=views, undecided=_undecided(views))


def record_round_decisions(call: Call, round_ref: str, body: DecisionsRequest) -> RoundOverviewView:
    """Record decisions on bids of any competition of a round, all or none; problems are named by place in the list."""
    parts, problems = _parted(_of_round(call, round_ref), body.decisions)
    raise_problems(problems, "decision.invalid")
    for deciding, requests in parts:
        actions.save_decisions(call, deciding, requests)
    commit(call, [], result=round_ref)
    return get_round_overview(call, round_ref)


def confirm_round(call: Call, round_ref: str) -> RoundConfirmationView:
    """Confirm every closed competition of a round that is not final yet; each is confirmed or says why not."""
    call.check_role("confirm")
    outcomes = [_confirmed(call, deciding) for deciding in _of_round(call, round_ref)]
    commit(call, [], result=round_ref)
    return RoundConfirmationView(round_ref=round_ref, competitions=outcomes)


def get_round_confirmation(call: Call, round_ref: str) -> RoundConfirmationView:
    """Which competitions of a round are final."""
    outcomes = [_standing(deciding) for deciding in _of_round(call, round_ref)]
    return RoundConfirmationView(round_ref=round_ref, competitions=outcomes)


def _of_round(call: Call, round_ref: str) -> list[actions.Deciding]:
    found = [actions.load_deciding(call, each.id) for each in closed_competitions(call, round_ref)]
    if not found:
        raise NotFound("round.not_found", "There is no such round with bids to decide.")
    return sorted(found, key=lambda deciding: deciding.competition.reference)


Parted = list[tuple[actions.Deciding, list[DecisionRequest]]]


def _parted(round_: Sequence[actions.Deciding], requests: Sequence[DecisionRequest]) -> tuple[Parted, list[Problem]]:
    """The requests by the competition of their bid; one whose bid is nobody's is a problem of the first."""
    home = {bid_id: place for place, deciding in enumerate(round_) for bid_id in deciding.bids}
    places = [home.get(request.bid_id, 0) for request in requests]
    parts: Parted = []
    problems: list[Problem] = []
    for place, deciding in enumerate(round_):
        own = [position for position, where in enumerate(places) if where == place]
        asked = [requests[position] for position in own]
        for number, found in actions.decision_problems(deciding, asked).items():
            problems += [_moved(problem, own[number]) for problem in found]
        parts += [(deciding, asked)] if asked else []
    return parts, problems


def _moved(problem: Problem, position: int) -> Problem:
    field = (problem.field or "").rsplit("/", 1)[-1]
    return Problem(problem.code, problem.detail, f"decisions/{position}/{field}", problem.allowed)


def _confirmed(call: Call, deciding: actions.Deciding) -> RoundConfirmation:
    if deciding.sheet.state == "confirmed":
        return _standing(deciding)
    try:
        actions.confirm_results(call.without_key(), deciding.competition.id)
    except Refusal as refusal:
        return _standing(deciding).but(outcome="refused", code=refusal.code, refusal=refusal.detail)
    return _standing(deciding).but(outcome="confirmed")


def _standing(deciding: actions.Deciding) -> RoundConfirmation:
    return RoundConfirmation(
        competition_id=deciding.competition.id,
        reference=deciding.competition.reference,
        outcome="confirmed" if deciding.sheet.state == "confirmed" else "open",
    )


def _undecided(views: Sequence[OverviewView]) -> int:
    return sum(view.undecided for view in views)
