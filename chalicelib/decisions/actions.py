"""Decides bids, confirms results once and for all, and tells where deciding stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from chalicelib.bidding import actions as bidding
from chalicelib.bidding.models import BidForDeciding
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.decisions import results, rules, store
from chalicelib.decisions.events import DecisionsRecorded, ResultsConfirmed
from chalicelib.decisions.lifecycle import MOVES
from chalicelib.decisions.models import (
    AT_ONCE,
    AcceptedBid,
    ConfirmationView,
    ConfirmedResults,
    Decision,
    DecisionRequest,
    DecisionSheet,
    DecisionsRequest,
    OverviewView,
    OwnOutcome,
)
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Problem, Refused, raise_problems
from chalicelib.kernel.lifecycle import move
from chalicelib.kernel.quantities import ZERO
from chalicelib.registry import actions as registry
from chalicelib.storage import objects
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

News = dict[str, tuple[Decision | None, Decision | None]]
RACED = "decision.raced"
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Deciding:
    """All that deciding in one closed competition stands on, read strongly and at once."""

    competition: Competition
    bids: dict[str, BidForDeciding]
    decisions: dict[str, Decision]
    sheet: DecisionSheet


def load_deciding(call: Call, competition_id: str) -> Deciding:
    """The bids, decisions and sheet of a closed competition of the caller's; `Refused` while it is not closed."""
    competition = competitions.get_competition(competition_id)
    call.check_owner(competition.so, "competition")
    bids = {bid.id: bid for bid in bidding.bids_for_deciding(call, competition_id)}
    sheet = store.find_sheet(competition_id) or DecisionSheet(
        competition_id=competition_id, so=competition.so, bids=len(bids)
    )
    return Deciding(competition, bids, store.load_decisions(competition_id), sheet)


def record_decisions(call: Call, competition_id: str, body: DecisionsRequest) -> OverviewView:
    """Record decisions on bids, all or none; every problem is named by its place in the list."""
    deciding = load_deciding(call, competition_id)
    problems = decision_problems(deciding, body.decisions)
    raise_problems([problem for found in problems.values() for problem in found], "decision.invalid")
    save_decisions(call, deciding, body.decisions, result=competition_id)
    return get_overview(call, competition_id)


def decision_problems(deciding: Deciding, requests: Sequence[DecisionRequest]) -> dict[int, list[Problem]]:
    """By position in the list, what keeps each decision from being recorded."""
    partial = deciding.competition.accept_partial_award
    repeated = rules.repeated_problems(requests)
    found: dict[int, list[Problem]] = {}
    for position, request in enumerate(requests):
        own = [repeated[position]] if position in repeated else []
        own += rules.request_problems(request, deciding.bids, partial)
        if own:
            found[position] = [_at_position(problem, position) for problem in own]
    return found


def save_decisions(
    call: Call,
    deciding: Deciding,
    requests: Sequence[DecisionRequest],
    result: str | None = None,
    receipt: str | None = None,
) -> set[str]:
    """Save decisions that have no problems; returns the bids of which something new was said (by this receipt).

    Each transaction holds at most 90 and requires that the competition is still open to decide; somebody else deciding
    at the same time makes it read again.
    """
    changed: set[str] = set()
    for start in range(0, len(requests), AT_ONCE):
        part = requests[start : start + AT_ONCE]
        last = start + AT_ONCE >= len(requests)
        news, deciding = _save_part(call, deciding, part, result if last else None, receipt)
        changed |= set(news) | {request.bid_id for request in part if _came_by(receipt, deciding, request)}
    return changed


def _save_part(
    call: Call, deciding: Deciding, requests: Sequence[DecisionRequest], result: str | None, receipt: str | None
) -> tuple[News, Deciding]:
    for attempt in range(_TRIES):
        move(MOVES, "result", deciding.sheet.state, "decide")
        try:
            return _commit_part(call, deciding, requests, result, receipt)
        except Refused as refusal:
            if refusal.code != RACED or attempt == _TRIES - 1:
                raise
        deciding = _read_again(deciding)
    raise AssertionError("unreachable")


def _read_again(deciding: Deciding) -> Deciding:
    """The sheet and decisions as they are now; the bids of a closed competition do not change."""
    competition_id = deciding.competition.id
    sheet = store.find_sheet(competition_id) or deciding.sheet
    return replace(deciding, sheet=sheet, decisions=store.load_decisions(competition_id))


def _commit_part(
    call: Call, deciding: Deciding, requests: Sequence[DecisionRequest], result: str | None, receipt: str | None
) -> tuple[News, Deciding]:
    news = _news(call, deciding, requests, receipt)
    if not news and result is None:
        return news, deciding
    sheet, decisions = _after(call, deciding, news)
    writes = [store.saved_sheet(sheet)]
    writes += [store.saved_decision(after) for _, after in news.values() if after is not None]
    writes += store.removed_decisions(before for before, after in news.values() if before and after is None)
    event = DecisionsRecorded(competition_id=sheet.competition_id, so=sheet.so, version=sheet.version)
    commit(call, writes, [event] if news else [], [_change(deciding, news)] if news else [], result=result)
    return news, replace(deciding, sheet=sheet, decisions=decisions)


def _after(call: Call, deciding: Deciding, news: News) -> tuple[DecisionSheet, dict[str, Decision]]:
    merged = {**deciding.decisions, **{bid_id: after for bid_id, (_, after) in news.items()}}
    decisions = {bid_id: decision for bid_id, decision in merged.items() if decision is not None}
    deciders = tuple(dict.fromkeys([*deciding.sheet.deciders, call.actor.id]))
    sheet = deciding.sheet.but(decided=len(decisions), deciders=deciders, version=deciding.sheet.version + 1)
    return sheet, decisions


def _came_by(receipt: str | None, deciding: Deciding, request: DecisionRequest) -> bool:
    """Whether what stands for a bid is what this very file said, now or before a crash."""
    decision = deciding.decisions.get(request.bid_id)
    return receipt is not None and decision is not None and decision.receipt == receipt


def _news(call: Call, deciding: Deciding, requests: Sequence[DecisionRequest], receipt: str | None) -> News:
    """By bid, what was decided before and is now, where that is not the same."""
    news: News = {}
    for request in requests:
        before = deciding.decisions.get(request.bid_id)
        after = rules.decide(request, deciding.bids[request.bid_id], before, call.actor.id, call.now, receipt)
        if not rules.is_same(before, after):
            news[request.bid_id] = (before, after)
    return news


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
        results_key=_keep_results(deciding),
        version=deciding.sheet.version + 1,
    )
    _commit_confirmation(call, deciding, sheet)
    return _confirmation(sheet)


def _keep_results(deciding: Deciding) -> str:
    """Keep what leaves the seal, by content; the same confirmed again has the same key."""
    ballots = bidding.opened_ballots(deciding.competition.id)
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
    return overview_of(load_deciding(call, competition_id))


def overview_of(deciding: Deciding) -> OverviewView:
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
        message=rules.overview_message(sheet.but(bids=len(bids), decided=len(decisions)), len(taken)),
        version=sheet.version,
    )


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


def _change(deciding: Deciding, news: News) -> Change:
    """One packed record for a batch of decisions: by bid, what was said before and what is said now."""
    return Change(
        thing=f"competition:{deciding.competition.id}",
        action="decisions.recorded",
        organisation=deciding.competition.so,
        before={bid_id: _said(before) for bid_id, (before, _) in news.items()},
        after={bid_id: _said(after) for bid_id, (_, after) in news.items()},
    )


def _said(decision: Decision | None) -> list[str]:
    if decision is None:
        return ["undecided"]
    return [decision.verdict, str(decision.accepted_mw), decision.reason or "", decision.comment or ""]


def _at_position(problem: Problem, position: int) -> Problem:
    return Problem(problem.code, problem.detail, f"decisions/{position}/{problem.field}", problem.allowed)


def outcomes_by_fsp(competition_id: str) -> dict[str, OwnOutcome]:
    """For each FSP that bid in a confirmed competition, how many of its bids were accepted, and why others were not."""
    found = find_results(competition_id)
    return found.outcomes if found else {}
