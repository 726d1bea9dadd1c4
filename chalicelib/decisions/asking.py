"""Owns what may be asked of a proposal, and when one is overtaken by what changed since. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from chalicelib.decisions.forcing import Bids, forcing_problems
from chalicelib.decisions.models_proposals import CeilingChange, ProposalRequest, Weighed
from chalicelib.kernel.errors import Problem


def option_problems(request: ProposalRequest, windows: Collection[str], bids: Bids) -> list[Problem]:
    """Everything that keeps options from being looked at: `windows` are the ids of the competition, `bids` its bids."""
    unknown = list(_bid_problems(request, bids))
    forced = [] if unknown else forcing_problems(request.forced_in, request.left_out, bids)
    return [*_window_problems(request, windows), *unknown, *forced, *_share_problems(request)]


def changes_ceilings(request: ProposalRequest) -> bool:
    """Whether it was looked at with ceilings that were never published."""
    nothing = CeilingChange()
    return request.ceilings != nothing or any(change.ceilings != nothing for change in request.windows)


def stale_sentence(made_from: Weighed, now: Weighed) -> str | None:
    """What changed since a proposal was made and what to do about it; None where it would be made from the same."""
    if (made_from.request.digest, made_from.forced) == (now.request.digest, now.forced):
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
    for name, asked in (("left_out", request.left_out), ("forced_in", request.forced_in)):
        for place, bid_id in enumerate(asked):
            if bid_id not in bids:
                sentence = f"Bid {bid_id} is not a bid of this competition."
                yield Problem("proposal.bid", sentence, f"{name}/{place}", "a bid of it")


def _share_problems(request: ProposalRequest) -> Iterator[Problem]:
    if request.forced_in and request.maximum_share is not None:
        sentence = "A provider's share is measured by what is chosen; look at it without bids that are forced in."
        yield Problem("proposal.share_forced", sentence, "maximum_share", "leave one of the two out")
