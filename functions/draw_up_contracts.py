"""Wakes when results are confirmed and draws up the obligations."""

from __future__ import annotations

from chalicelib.contracts.actions import draw_up
from chalicelib.edge.entrance import reaction
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope


def draw_up_contracts(call: Call, envelope: Envelope) -> None:
    draw_up(call.as_system(), envelope.body["competition_id"])


handler = reaction(draw_up_contracts)
