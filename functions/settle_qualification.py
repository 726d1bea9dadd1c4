"""Wakes as qualification closes, and snapshots who qualified with what."""

from __future__ import annotations

from chalicelib.competitions.events import QualificationClosed
from chalicelib.edge.entrance import reaction
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope
from chalicelib.qualification import actions


def settle(call: Call, envelope: Envelope) -> None:
    event = envelope.event()
    assert isinstance(event, QualificationClosed)
    actions.settle_qualification(call, event.competition_id)


handler = reaction(settle)
