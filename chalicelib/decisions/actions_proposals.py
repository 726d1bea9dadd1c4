"""Asks for proposals of which bids to accept, tells what they came to, and takes their decisions over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from chalicelib.decisions import store_proposals, telling
from chalicelib.decisions.actions import get_overview
from chalicelib.decisions.actions_recording import Deciding, decision_problems, load_deciding, save_decisions
from chalicelib.decisions.actions_weighing import overtaken
from chalicelib.decisions.asking import changes_ceilings, option_problems
from chalicelib.decisions.events import ProposalAsked
from chalicelib.decisions.models import DecisionRequest, Origin, OverviewView
from chalicelib.decisions.models_proposals import (
    DecidingRequest,
    Proposal,
    ProposalLine,
    ProposalQuery,
    ProposalRecord,
    ProposalRequest,
    ProposalView,
    ProposedBidsQuery,
)
from chalicelib.decisions.paging import cut
from chalicelib.decisions.records import link_to_record, read_record
from chalicelib.files.models import LinkView
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Refused, Stale, raise_problems
from chalicelib.kernel.models import Page
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

T = TypeVar("T")
_TURNS = 5
_NOT_MADE = Refused("proposal.not_made", "This proposal is not made yet; look again in a moment.", retry_after=2)


def ask_proposal(call: Call, competition_id: str, request: ProposalRequest) -> ProposalLine:
    """Ask for a proposal over the bids of one of the caller's closed competitions; it is made in a moment."""
    deciding = load_deciding(call, competition_id)
    problems = option_problems(request, deciding.competition.windows_by_id, deciding.bids)
    raise_problems(problems, "proposal.invalid")
    return _line(call, _again_while(store_proposals.TAKEN, lambda: _asked(call, deciding, request)))


def replay_asked(call: Call, name: str) -> ProposalLine:
    """The proposal that an `Idempotency-Key` was answered with, as it stands now."""
    competition_id, _, number = name.partition("#")
    return _line(call, _load(call, competition_id, number)[1])


def list_proposals(call: Call, competition_id: str, query: ProposalQuery) -> Page[ProposalLine]:
    """The proposals for one of the caller's closed competitions, newest first."""
    load_deciding(call, competition_id)
    page = store_proposals.list_proposals(competition_id, query.limit, query.cursor)
    return Page(items=[_line(call, row.body) for row in page.items], next=page.next)


def get_proposal(call: Call, competition_id: str, number: str, query: ProposedBidsQuery) -> ProposalView:
    """A proposal with its windows and a page of its bids, and whether anything changed since it was made."""
    deciding, proposal = _load(call, competition_id, number)
    record = read_record(call, proposal)
    told = _told(call, deciding, record, query) if record else {}
    nothing = {"stale": None, "notes": (), "windows": (), "bids": (), "next": None}
    unmade = {"input_digest": None, "method": None, "solver": None, "solver_version": None}
    about = {"competition_reference": deciding.competition.reference, "options": proposal.options}
    return ProposalView.model_validate({**dict(_line(call, proposal, record)), **about, **nothing, **unmade, **told})


def get_record(call: Call, competition_id: str, number: str) -> LinkView:
    """A short link to a proposal's record: what it was made from and came to, to be made again elsewhere."""
    link = link_to_record(call, _load(call, competition_id, number)[1])
    if link is None:
        raise _NOT_MADE
    return link


def decide_from_proposal(call: Call, competition_id: str, number: str, request: DecidingRequest) -> OverviewView:
    """Decide bids as a proposal proposes: those that are undecided, or (`replace`) every one.

    Raises `Refused` for a proposal that is not made, was looked at with ceilings that were never published, or has been
    overtaken by a change of bids or of what is required.
    """
    deciding, proposal = _load(call, competition_id, number)
    record = read_record(call, proposal)
    if record is None:
        raise _NOT_MADE
    _check_may_decide(call, deciding, proposal, record)
    asked = _requests(deciding, record, request.replace)
    problems = decision_problems(deciding, asked)
    raise_problems([problem for found in problems.values() for problem in found], "decision.invalid")
    save_decisions(call, deciding, asked, result=competition_id, origin=Origin(proposal=proposal.number))
    return get_overview(call, competition_id)


def _check_may_decide(call: Call, deciding: Deciding, proposal: Proposal, record: ProposalRecord) -> None:
    if changes_ceilings(proposal.options):
        detail = "It was looked at with ceilings that were never published. Decide from a proposal without them."
        raise Refused("proposal.ceilings", detail)
    stale = overtaken(call, deciding, record)
    if stale is not None:
        raise Refused("proposal.stale", stale)


def _requests(deciding: Deciding, record: ProposalRecord, replace: bool) -> list[DecisionRequest]:
    proposed = telling.bids_of(deciding.competition, record)
    return [telling.decision_on(bid) for bid in proposed if replace or bid.bid_id not in deciding.decisions]


def _load(call: Call, competition_id: str, number: str) -> tuple[Deciding, Proposal]:
    deciding = load_deciding(call, competition_id)
    whole = int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 0
    proposal = store_proposals.find_proposal(competition_id, whole) if whole else None
    if proposal is None:
        raise NotFound("proposal.not_found", "There is no such proposal.")
    return deciding, proposal


def _told(call: Call, deciding: Deciding, record: ProposalRecord, query: ProposedBidsQuery) -> dict[str, Any]:
    bids = telling.bids_of(deciding.competition, record)
    shown, after = cut(bids, [bid.bid_id for bid in bids], query)
    selection = record.result.selection
    return {
        "stale": overtaken(call, deciding, record),
        "notes": record.input.weighed.notes,
        "windows": telling.windows_of(deciding.competition, record),
        "bids": tuple(shown),
        "next": after,
        "input_digest": record.input.weighed.request.digest,
        "method": selection.method,
        "solver": selection.solver,
        "solver_version": selection.solver_version,
    }


def _line(call: Call, proposal: Proposal, record: ProposalRecord | None = None) -> ProposalLine:
    found = record or read_record(call, proposal)
    fields = {name: value for name, value in proposal if name in ProposalLine.model_fields}
    told = {"is_plain": proposal.options.is_plain, "note": proposal.options.note}
    figures = None if found is None else telling.figures_of(found)
    return ProposalLine.model_validate({**fields, **told, "figures": figures})


def _again_while(code: str, act: Callable[[], T]) -> T:
    for turn in range(_TURNS):
        try:
            return act()
        except Stale as stale:
            if stale.code != code or turn == _TURNS - 1:
                raise
    raise AssertionError("unreachable")


def _asked(call: Call, deciding: Deciding, request: ProposalRequest) -> Proposal:
    last = store_proposals.find_last(deciding.competition.id)
    proposal = Proposal(
        competition_id=deciding.competition.id,
        so=deciding.competition.so,
        number=last.number + 1 if last else 1,
        options=request,
        asked_by=call.actor.id,
        asked_at=call.now,
    )
    event = ProposalAsked(competition_id=proposal.competition_id, so=proposal.so, number=proposal.number)
    commit(call, [store_proposals.save_proposal(proposal)], [event], [_change(proposal)], result=proposal.name)
    return proposal


def _change(proposal: Proposal) -> Change:
    options = proposal.options.model_dump(mode="json", exclude_defaults=True)
    return Change(
        thing=f"competition:{proposal.competition_id}",
        action="proposal.asked",
        organisation=proposal.so,
        after={"number": proposal.number, "options": options},
        reason=proposal.options.note,
    )
