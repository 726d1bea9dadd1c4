"""Wakes when a proposal was asked for, and makes it."""

from __future__ import annotations

from chalicelib.decisions.actions_proposing import make_proposal
from chalicelib.decisions.events import ProposalAsked
from chalicelib.edge.entrance import reaction
from chalicelib.files.sealed import may_open_files
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope


def propose(call: Call, envelope: Envelope) -> None:
    match envelope.event():
        case ProposalAsked(competition_id=competition_id, number=number):
            make_proposal(call.as_system(), competition_id, number)
        case event:
            raise ValueError(f"nothing here answers {event.name}")


may_open_files()
handler = reaction(propose)
