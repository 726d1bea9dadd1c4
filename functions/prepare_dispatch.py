"""Wakes when obligations are drawn up or contracted, and makes them ready to be dispatched."""

from __future__ import annotations

from chalicelib.contracts.events import ObligationContracted, ObligationsDrawnUp
from chalicelib.dispatch.actions_scheduling import prepare, prepare_drawn_up
from chalicelib.edge.entrance import reaction
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope


def prepare_dispatch(call: Call, envelope: Envelope) -> None:
    match envelope.event():
        case ObligationsDrawnUp(competition_id=competition_id, so=so):
            prepare_drawn_up(call.as_system(), competition_id, so)
        case ObligationContracted(obligation_id=obligation_id):
            prepare(call.as_system(), obligation_id)
        case event:
            raise ValueError(f"nothing here answers {event.name}")


handler = reaction(prepare_dispatch)
