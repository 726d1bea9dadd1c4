"""Decides bids, confirms results once and for all, and tells where deciding stands."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.bidding import actions as bidding
from chalicelib.competitions import actions as competitions
from chalicelib.decisions import results, rules, store, store_proposals
from chalicelib.decisions.actions_recording import RACED, Deciding, decision_problems, load_deciding, save_decisions
from chalicelib.decisions.events import ResultsConfirmed
from chalicelib.decisions.lifecycle import MOVES
from chalicelib.decisions.models import (
    AcceptedBid,
    ConfirmationView,
    ConfirmedResults,
    DecisionSheet,
    DecisionsRequest,
    OverviewProposal,
    OverviewView,
    OwnOutcome,
)
from chalicelib.decisions.records import read_record
from chalicelib.decisions.telling import figures_of
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, raise_problems
from chalicelib.kernel.lifecycle import move
from chalicelib.kernel.quantities import ZERO
from chalicelib.registry import actions as registry
from chalicelib.storage import objects
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

__all__ = [
    "RACED",
    "accepted_bids",
    "confirm_results",
    "decision_problems",
    "find_results",
    "get_confirmation",
    "get_overview",
    "is_confirmed",
    "load_deciding",
    "outcomes_by_fsp",
    "overview_of",
    "record_decisions",
    "save_decisions",
]


def record_decisions(call: Call, competition_id: str, body: DecisionsRequest) -> OverviewView:
    """Record decisions on bids, all or none; every problem is named by its place in the list."""
    deciding = load_deciding(call, competition_id)
    problems = decision_problems(deciding, body.decisions)
    raise_problems([problem for found in problems.values() for problem in found], "decision.invalid")
    save_decisions(call, deciding, body.decisions, result=competition_id)
    return get_overview(call, competition_id)


def confirm_results(call: Call, competition_id: str) -> ConfirmationView:
    """Make the decisions of a competition final: by a person with `confirm`, all decided, once.

    Raises `Refused` when another confirmed or withdrew it first, when the two-person rule forbids it, or `Invalid` with
    every bid that is in the way.
    """
    call.check_role("confirm")
    deciding = load_deciding(call, competition_id)
    state = move(MOVES, "result", deciding.sheet.state, "confirm")
    bids = list(deciding.bids.values())
    raise_problems(rules.confirmation_problems(bids, deciding.decisions), "confirmation.incomplete")
    two_persons = registry.get_operator(deciding.competition.so).two_person_rule
    rules.check_two_persons(deciding.sheet, call.actor.id, two_persons)
    sheet = deciding.sheet.but(
        state=state,
        confirmed_by=call.actor.id,
        confirmed_at=call.now,
        digest=rules.digest(deciding.decisions.values()),
        results_key=_keep_results(call, deciding),
        version=deciding.sheet.version + 1,
    )
    _commit_confirmation(call, deciding, sheet)
    return _confirmation(sheet)


def _keep_results(call: Call, deciding: Deciding) -> str:
    """Keep what leaves the seal, by content; the same confirmed again has the same key."""
    ballots = bidding.opened_ballots(call, deciding.competition.id)
    kept = results.confirmed(deciding.competition, ballots, deciding.decisions)
    return objects.put_json(kept.model_dump(mode="json"), "results")


def _commit_confirmation(call: Call, deciding: Deciding, sheet: DecisionSheet) -> None:
    competition = deciding.competition
    fsps = sorted({bid.fsp for bid in deciding.bids.values()})
    event = ResultsConfirmed(competition_id=competition.id, so=competition.so, fsps=fsps)
    change = Change(
        thing=f"competition:{competition.id}",
        action="results.confirmed",
        organisation=competition.so,
        after={"digest": sheet.digest, "bids": sheet.bids},
    )
    writes = [
        store.saved_sheet(sheet),
        competitions.outcome_write(competition, "confirmed", call.now),
    ]
    commit(call, writes, [event], [change], result=competition.id)


def get_confirmation(call: Call, competition_id: str) -> ConfirmationView:
    """The confirmation of one of the caller's competitions; `NotFound` while there is none."""
    competition = competitions.get_competition(competition_id)
    call.check_owner(competition.so, "competition")
    sheet = store.find_sheet(competition_id)
    if sheet is None or sheet.state != "confirmed":
        raise NotFound("confirmation.not_found", "These results are not confirmed.")
    return _confirmation(sheet)


def get_overview(call: Call, competition_id: str) -> OverviewView:
    """Where deciding stands in one closed competition of the caller's."""
    return overview_of(call, load_deciding(call, competition_id))


def overview_of(call: Call, deciding: Deciding) -> OverviewView:
    bids, decisions = list(deciding.bids.values()), deciding.decisions
    taken = results.accepted(bids, decisions)
    competition, sheet = deciding.competition, deciding.sheet
    assert competition.calendar.closed is not None
    return OverviewView(
        competition_id=competition.id,
        competition_reference=competition.reference,
        name=competition.name,
        round_ref=competition.round_ref,
        closed_at=competition.calendar.closed,
        state=sheet.state,
        bidders=len({bid.fsp for bid in bids}),
        bids=len(bids),
        undecided=len(bids) - len(decisions),
        accepted=len(taken),
        rejected=len(decisions) - len(taken),
        capacity_required_mw=sum((window.capacity_required for window in competition.windows), start=ZERO),
        accepted_mw=sum((decisions[bid.id].accepted_mw for bid in taken), start=ZERO),
        proposal=_proposal(call, competition.id),
        message=rules.overview_message(sheet.but(bids=len(bids), decided=len(decisions)), len(taken)),
        version=sheet.version,
    )


def _proposal(call: Call, competition_id: str) -> OverviewProposal | None:
    proposal = store_proposals.find_plain(competition_id)
    record = read_record(call, proposal) if proposal else None
    if proposal is None or record is None:
        return None
    figures = dict(figures_of(record))
    told = {name: figures[name] for name in OverviewProposal.model_fields if name in figures}
    return OverviewProposal.model_validate({**told, "number": proposal.number, "asked_at": proposal.asked_at})


def accepted_bids(competition_id: str) -> Iterator[AcceptedBid]:
    """Every accepted bid of a confirmed competition with its assets and prices paid; none before it is confirmed."""
    found = find_results(competition_id)
    yield from found.accepted if found else ()


def find_results(competition_id: str) -> ConfirmedResults | None:
    """What came of a competition as it was confirmed, None before: read without unsealing a ballot."""
    sheet = store.find_sheet(competition_id)
    if sheet is None or sheet.results_key is None:
        return None
    return ConfirmedResults.model_validate(objects.get_json(sheet.results_key))


def is_confirmed(competition_id: str) -> bool:
    """Whether the results of a competition are final."""
    sheet = store.find_sheet(competition_id)
    return sheet is not None and sheet.state == "confirmed"


def _confirmation(sheet: DecisionSheet) -> ConfirmationView:
    assert sheet.confirmed_at is not None
    return ConfirmationView(
        competition_id=sheet.competition_id,
        confirmed_at=sheet.confirmed_at,
        confirmed_by=sheet.confirmed_by or "",
        bids=sheet.bids,
        digest=sheet.digest or "",
    )


def outcomes_by_fsp(competition_id: str) -> dict[str, OwnOutcome]:
    """For each FSP that bid in a confirmed competition, how many of its bids were accepted, and why others were not."""
    found = find_results(competition_id)
    return found.outcomes if found else {}
