"""Records decisions on bids, each transaction on condition that the competition is still open to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.bidding import actions as bidding
from chalicelib.bidding.models import BidForDeciding
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.decisions import rules, store
from chalicelib.decisions.events import DecisionsRecorded
from chalicelib.decisions.lifecycle import MOVES
from chalicelib.decisions.models import AT_ONCE, BY_HAND, Decision, DecisionRequest, DecisionSheet, Origin
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Problem, Refused
from chalicelib.kernel.lifecycle import move
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
    origin: Origin = BY_HAND,
) -> set[str]:
    """Save decisions that have no problems; returns the bids of which something new was said (by this file).

    Each transaction holds at most 90 and requires that the competition is still open to decide; somebody else deciding
    at the same time makes it read again.
    """
    changed: set[str] = set()
    for start in range(0, len(requests), AT_ONCE):
        part = requests[start : start + AT_ONCE]
        last = start + AT_ONCE >= len(requests)
        news, deciding = _save_part(call, deciding, part, result if last else None, origin)
        changed |= set(news) | {request.bid_id for request in part if _came_by(origin, deciding, request)}
    return changed


def _save_part(
    call: Call, deciding: Deciding, requests: Sequence[DecisionRequest], result: str | None, origin: Origin
) -> tuple[News, Deciding]:
    for attempt in range(_TRIES):
        move(MOVES, "result", deciding.sheet.state, "decide")
        try:
            return _commit_part(call, deciding, requests, result, origin)
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
    call: Call, deciding: Deciding, requests: Sequence[DecisionRequest], result: str | None, origin: Origin
) -> tuple[News, Deciding]:
    news = _news(call, deciding, requests, origin)
    if not news and result is None:
        return news, deciding
    sheet, decisions = _after(call, deciding, news)
    writes = [store.saved_sheet(sheet)]
    writes += [store.saved_decision(after) for _, after in news.values() if after is not None]
    writes += store.removed_decisions(before for before, after in news.values() if before and after is None)
    event = DecisionsRecorded(competition_id=sheet.competition_id, so=sheet.so, version=sheet.version)
    commit(call, writes, [event] if news else [], [_change(deciding, news, origin)] if news else [], result=result)
    return news, replace(deciding, sheet=sheet, decisions=decisions)


def _after(call: Call, deciding: Deciding, news: News) -> tuple[DecisionSheet, dict[str, Decision]]:
    merged = {**deciding.decisions, **{bid_id: after for bid_id, (_, after) in news.items()}}
    decisions = {bid_id: decision for bid_id, decision in merged.items() if decision is not None}
    deciders = tuple(dict.fromkeys([*deciding.sheet.deciders, call.actor.id]))
    sheet = deciding.sheet.but(decided=len(decisions), deciders=deciders, version=deciding.sheet.version + 1)
    return sheet, decisions


def _came_by(origin: Origin, deciding: Deciding, request: DecisionRequest) -> bool:
    """Whether what stands for a bid is what this very file said, now or before a crash."""
    decision = deciding.decisions.get(request.bid_id)
    return origin.receipt is not None and decision is not None and decision.receipt == origin.receipt


def _news(call: Call, deciding: Deciding, requests: Sequence[DecisionRequest], origin: Origin) -> News:
    """By bid, what was decided before and is now, where that is not the same."""
    news: News = {}
    for request in requests:
        before = deciding.decisions.get(request.bid_id)
        after = rules.decide(request, deciding.bids[request.bid_id], before, call.actor.id, call.now, origin)
        if not rules.is_same(before, after):
            news[request.bid_id] = (before, after)
    return news


def _change(deciding: Deciding, news: News, origin: Origin) -> Change:
    """One packed record for a batch of decisions: by bid, what was said before and what is said now."""
    return Change(
        thing=f"competition:{deciding.competition.id}",
        action="decisions.recorded",
        organisation=deciding.competition.so,
        before={bid_id: _said(before) for bid_id, (before, _) in news.items()},
        after={bid_id: _said(after) for bid_id, (_, after) in news.items()},
        reason=f"as proposal {origin.proposal} proposes" if origin.proposal else None,
    )


def _said(decision: Decision | None) -> list[str]:
    if decision is None:
        return ["undecided"]
    return [decision.verdict, str(decision.accepted_mw), decision.reason or "", decision.comment or ""]


def _at_position(problem: Problem, position: int) -> Problem:
    return Problem(problem.code, problem.detail, f"decisions/{position}/{problem.field}", problem.allowed)
