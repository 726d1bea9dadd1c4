"""Makes proposals that were asked for. Carries the solver: for functions only."""

from __future__ import annotations

from chalicelib.decisions import store_proposals
from chalicelib.decisions.actions_recording import Deciding, load_deciding
from chalicelib.decisions.actions_weighing import weigh
from chalicelib.decisions.forcing import put_back
from chalicelib.decisions.lifecycle import PROPOSAL_MOVES
from chalicelib.decisions.models_proposals import (
    Proposal,
    ProposalInput,
    ProposalRecord,
    ProposalRequest,
    ProposalResult,
)
from chalicelib.decisions.records import keep_record
from chalicelib.decisions.selection_solving import select
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Refusal
from chalicelib.kernel.lifecycle import can_move, move
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

FAULT = "It could not be made for a fault of ours, and is tried again."


def make_proposal(call: Call, competition_id: str, number: int) -> None:
    """Make a proposal that waits, for the market itself; made again, it comes to the same.

    A refusal (the competition was withdrawn meanwhile) closes it with its sentence; a fault says so and is tried again.
    """
    proposal = store_proposals.find_proposal(competition_id, number)
    if proposal is None or not can_move(PROPOSAL_MOVES, proposal.state, "make"):
        return
    try:
        record = _made(call, proposal, load_deciding(call, competition_id))
    except Refusal as refusal:
        _save(call, proposal, "fail", failure=refusal.detail)
    except Exception:
        _save(call, proposal, "fail", failure=FAULT)
        raise
    else:
        _save(call, proposal, "make", failure=None, record_key=keep_record(call, proposal, record))


def made_from(given: ProposalInput) -> ProposalResult:
    """What an input comes to: the very act that an auditor repeats."""
    beside = None if given.plain is None else select(given.plain.request)
    found = put_back(select(given.weighed.request), given.weighed.forced)
    return ProposalResult(selection=found, plain=beside)


def _made(call: Call, proposal: Proposal, deciding: Deciding) -> ProposalRecord:
    given = ProposalInput(
        competition_id=proposal.competition_id,
        competition_reference=deciding.competition.reference,
        number=proposal.number,
        asked_at=proposal.asked_at,
        options=proposal.options,
        weighed=weigh(call, deciding, proposal.options),
        plain=None if proposal.options.is_plain else weigh(call, deciding, ProposalRequest()),
    )
    return ProposalRecord(input=given, result=made_from(given))


def _save(call: Call, proposal: Proposal, action: str, **changes: str | None) -> None:
    state = move(PROPOSAL_MOVES, "proposal", proposal.state, action)
    saved = proposal.but(state=state, version=proposal.version + 1, **changes)
    change = Change(
        thing=f"competition:{proposal.competition_id}",
        action=f"proposal.{state}",
        organisation=proposal.so,
        before={"number": proposal.number, "state": proposal.state},
        after={"number": proposal.number, "state": state, "record": saved.record_key, "failure": saved.failure},
    )
    commit(call, [store_proposals.save_proposal(saved)], [], [change])
