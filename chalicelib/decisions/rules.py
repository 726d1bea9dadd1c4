"""Owns the rules of deciding and confirming: which decisions fit their bids, when results may become final. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from chalicelib.bidding.models import BidForDeciding
from chalicelib.bidding.rules import OPENING_DELAY
from chalicelib.competitions.models import Competition
from chalicelib.decisions.models import BY_HAND, Decision, DecisionRequest, DecisionSheet, Origin
from chalicelib.kernel.errors import Problem, Refused
from chalicelib.kernel.quantities import plain

Bids = Mapping[str, BidForDeciding]


def request_problems(request: DecisionRequest, bids: Bids, partial: bool) -> list[Problem]:
    """Everything that keeps one decision from being recorded.

    `partial` says whether the competition accepts parts of bids at all; if not, every bid is all-or-nothing.
    """
    bid = bids.get(request.bid_id)
    if bid is None:
        return [Problem("decision.unknown_bid", f"Bid {request.bid_id} is not a bid of this competition.", "bid_id")]
    if request.decision == "accepted":
        return _accepting_problems(request, bid, partial)
    if request.decision == "rejected":
        return _rejecting_problems(request)
    return []


def repeated_problems(requests: Sequence[DecisionRequest]) -> dict[int, Problem]:
    """By position, the decisions whose bid was decided earlier in the same request."""
    first: dict[str, int] = {}
    repeated = {}
    for position, request in enumerate(requests):
        if first.setdefault(request.bid_id, position) != position:
            sentence = f"Bid {request.bid_id} is decided twice here."
            repeated[position] = Problem("decision.repeated", sentence, "bid_id", "one decision per bid")
    return repeated


def _accepting_problems(request: DecisionRequest, bid: BidForDeciding, partial: bool) -> list[Problem]:
    if bid.capacity_mw == 0:
        sentence = "Nothing of this bid is left: its assets are no longer qualified."
        return [Problem("decision.nothing_left", sentence, "decision", "rejected with NOT_QUALIFIED")]
    least, most = acceptable(bid, partial)
    wanted = most if request.accepted_mw is None else request.accepted_mw
    if least <= wanted <= most:
        return []
    allowed = f"{plain(most)} MW" if least == most else f"{plain(least)} to {plain(most)} MW"
    sentence = f"{plain(wanted)} MW of this bid cannot be accepted."
    return [Problem("decision.capacity", sentence, "accepted_mw", allowed)]


def _rejecting_problems(request: DecisionRequest) -> list[Problem]:
    if request.reason is None:
        return [Problem("decision.reason", "A rejection needs a reason.", "reason", "one of the reason codes")]
    if request.reason == "OTHER" and not request.comment:
        sentence = "The reason OTHER needs words."
        return [Problem("decision.comment", sentence, "comment", "the reason in the comment")]
    if request.accepted_mw:
        return [Problem("decision.rejected_mw", "A rejected bid has no accepted MW.", "accepted_mw", "leave it empty")]
    return []


def acceptable(bid: BidForDeciding, partial: bool) -> tuple[Decimal, Decimal]:
    """The least and the most MW of a bid that may be accepted."""
    if bid.divisibility == "all-or-nothing" or not partial:
        return bid.capacity_mw, bid.capacity_mw
    least = bid.minimum_acceptance_mw or Decimal("0.000001")
    return min(least, bid.capacity_mw), bid.capacity_mw


def decide(
    request: DecisionRequest,
    bid: BidForDeciding,
    before: Decision | None,
    decided_by: str,
    now: datetime,
    origin: Origin = BY_HAND,
) -> Decision | None:
    """The decision to keep for a request without problems; None when it asks to leave the bid undecided."""
    if request.decision == "undecided":
        return None
    accepted = request.decision == "accepted"
    whole = bid.capacity_mw if request.accepted_mw is None else request.accepted_mw
    return Decision(
        bid_id=bid.id,
        competition_id=bid.competition_id,
        verdict="accepted" if accepted else "rejected",
        accepted_mw=whole if accepted else Decimal(0),
        reason=None if accepted else request.reason,
        comment=request.comment,
        decided_by=decided_by,
        decided_at=now,
        receipt=origin.receipt,
        proposal=origin.proposal,
        version=before.version + 1 if before else 1,
    )


def is_same(before: Decision | None, after: Decision | None) -> bool:
    """Whether a decision says nothing new, whoever says it and when."""
    if before is None or after is None:
        return before is after
    said = {"verdict", "accepted_mw", "reason", "comment"}
    return before.model_dump(include=said) == after.model_dump(include=said)


def confirmation_problems(bids: Sequence[BidForDeciding], decisions: Mapping[str, Decision]) -> list[Problem]:
    """What keeps results from becoming final: undecided bids, split linked groups, two of an exclusive one."""
    undecided = [bid.id for bid in bids if bid.id not in decisions]
    problems = [Problem("confirmation.undecided", f"Bid {bid_id} is undecided.", bid_id) for bid_id in undecided]
    problems += _linked_problems(bids, decisions)
    problems += _exclusive_problems(bids, decisions)
    return problems + _shrunk_problems(bids, decisions)


def _linked_problems(bids: Sequence[BidForDeciding], decisions: Mapping[str, Decision]) -> list[Problem]:
    problems = []
    for (ballot, group), members in _groups(bids, "linked_group").items():
        verdicts = {decisions[bid.id].verdict for bid in members if bid.id in decisions}
        if len(verdicts) > 1:
            sentence = f"The linked bids {group} of ballot {ballot} are accepted or rejected together."
            problems.append(Problem("confirmation.linked", sentence, ballot, "all accepted or all rejected"))
    return problems


def _exclusive_problems(bids: Sequence[BidForDeciding], decisions: Mapping[str, Decision]) -> list[Problem]:
    problems = []
    for (ballot, group), members in _groups(bids, "exclusive_group").items():
        taken = [bid.id for bid in members if _is_accepted(decisions.get(bid.id))]
        if len(taken) > 1:
            sentence = (
                f"Only one bid of the exclusive group {group} of ballot {ballot} can be accepted, not {len(taken)}."
            )
            problems.append(Problem("confirmation.exclusive", sentence, ballot, "at most one accepted"))
    return problems


def _shrunk_problems(bids: Sequence[BidForDeciding], decisions: Mapping[str, Decision]) -> list[Problem]:
    """Bids of which less is left than was accepted, since assets dropped out after the decision."""
    return [
        Problem(
            "confirmation.shrunk",
            f"More of bid {bid.id} was accepted than the {plain(bid.capacity_mw)} MW that are left.",
            bid.id,
            "decide the bid anew",
        )
        for bid in bids
        if _is_accepted(decisions.get(bid.id)) and decisions[bid.id].accepted_mw > bid.capacity_mw
    ]


def _groups(bids: Iterable[BidForDeciding], field: str) -> dict[tuple[str, str], list[BidForDeciding]]:
    groups: dict[tuple[str, str], list[BidForDeciding]] = {}
    for bid in bids:
        name = getattr(bid, field)
        if name is not None:
            groups.setdefault((bid.ballot_id, name), []).append(bid)
    return groups


def _is_accepted(decision: Decision | None) -> bool:
    return decision is not None and decision.verdict == "accepted"


def check_two_persons(sheet: DecisionSheet, person: str, two_person_rule: bool) -> None:
    """`Refused` when the SO wants two persons and the one who confirms also decided."""
    if two_person_rule and person in sheet.deciders:
        raise Refused("confirmation.two_persons", "Somebody who did not decide these bids must confirm them.")


def digest(decisions: Iterable[Decision]) -> str:
    """A hash of what was decided, the same whatever the order: what a confirmation fixes for ever."""
    lines = sorted([d.bid_id, d.verdict, plain(d.accepted_mw), d.reason or "", d.comment or ""] for d in decisions)
    return hashlib.sha256(json.dumps(lines, ensure_ascii=False).encode()).hexdigest()


def overview_message(sheet: DecisionSheet, accepted: int) -> str:
    """Where deciding stands, in a sentence that says what to do next; no bids reads as clearly as twenty."""
    if sheet.bids == 0:
        return "No bids." if sheet.state == "confirmed" else "No bids. Confirm to close it with nothing bought."
    if sheet.state == "confirmed":
        return f"{accepted} of {_bids(sheet.bids)} accepted, final."
    if sheet.undecided:
        return f"{sheet.undecided} of {_bids(sheet.bids)} to decide."
    return f"All {_bids(sheet.bids)} decided; to be confirmed."


def _bids(count: int) -> str:
    return "1 bid" if count == 1 else f"{count} bids"


def merit(bid: BidForDeciding) -> tuple[bool, Decimal, Decimal, datetime, str]:
    """The order of bids and of ties: lower effective price, smaller MW, earlier submission, bid id; priceless last."""
    price = bid.effective_price
    return (price is None, price or Decimal(0), bid.capacity_mw, bid.submitted_at, bid.id)


def is_to_decide(competition: Competition, now: datetime) -> bool:
    """Whether the bids of a competition may be opened: published, bidding over for a minute, never withdrawn."""
    closed = competition.calendar.closed
    if closed is None or not competition.is_published or competition.outcome == "withdrawn":
        return False
    return now >= closed + OPENING_DELAY
