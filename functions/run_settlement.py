"""Wakes when a settlement run was asked for, and makes it."""

from __future__ import annotations

from chalicelib.edge.entrance import reaction
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope
from chalicelib.settlement.actions_making import make_run
from chalicelib.settlement.events import RunAsked


def run_settlement(call: Call, envelope: Envelope) -> None:
    match envelope.event():
        case RunAsked(run_id=run_id):
            make_run(call.as_system(), run_id)
        case event:
            raise ValueError(f"nothing here answers {event.name}")


handler = reaction(run_settlement)
