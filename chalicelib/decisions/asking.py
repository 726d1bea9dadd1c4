"""Owns what may be asked of a proposal, and when one is overtaken by what changed since. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from chalicelib.decisions.models_proposals import CeilingChange, ProposalRequest, Weighed
from chalicelib.kernel.errors import Problem


def option_problems(request: ProposalRequest, windows: Collection[str], bids: Collection[str]) -> list[Problem]:
    """Everything that keeps options from being looked at: `windows` and `bids` are the ids the competition has."""
    return [*_window_problems(request, windows), *_bid_problems(request, bids)]


def changes_ceilings(request: ProposalRequest) -> bool:
    """Whether it was looked at with ceilings that were never published."""
    nothing = CeilingChange()
    return request.ceilings != nothing or any(change.ceilings != nothing for change in request.windows)


def stale_sentence(made_from: Weighed, now: Weighed) -> str | None:
    """What changed since a proposal was made and what to do about it; None where it would be made from the same."""
    if made_from.request.digest == now.request.digest:
        return None
    changed = (
        "what is required of a window, or a ceiling," if _differ_in_needs(made_from, now) else "what is left of bids"
    )
    return f"Since this proposal was made {changed} changed. Ask for a new proposal and decide from that."


def _differ_in_needs(one: Weighed, other: Weighed) -> bool:
    return one.request.in_order().requirements != other.request.in_order().requirements


def _window_problems(request: ProposalRequest, windows: Collection[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, change in enumerate(request.windows):
        field = f"windows/{place}/window_id"
        if change.window_id not in windows:
            yield Problem("proposal.window", "This competition has no such service window.", field, "a window of it")
        elif change.window_id in seen:
            yield Problem("proposal.window_repeated", "This window is changed twice.", field, "one change per window")
        seen.add(change.window_id)


def _bid_problems(request: ProposalRequest, bids: Collection[str]) -> Iterator[Problem]:
    for place, bid_id in enumerate(request.left_out):
        if bid_id not in bids:
            sentence = f"Bid {bid_id} is not a bid of this competition."
            yield Problem("proposal.bid", sentence, f"left_out/{place}", "a bid of it")
