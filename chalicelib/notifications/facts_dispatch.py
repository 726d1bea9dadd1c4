"""Owns what is told of dispatch: one letter per organisation for all instructions of a fact, with their own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from chalicelib.contracts import actions_operations as contracts
from chalicelib.dispatch import actions as dispatch
from chalicelib.dispatch.models import Instruction
from chalicelib.kernel import periods
from chalicelib.kernel.call import Call, derived_id
from chalicelib.kernel.quantities import plain
from chalicelib.notifications.models import Told
from chalicelib.registry import actions as registry

Facts = Iterator[Told]
Body = dict[str, Any]


def _sent(call: Call, body: Body) -> Facts:
    yield from _told("dispatch_instruction", body, [body["fsp"]])


def _stopped(call: Call, body: Body) -> Facts:
    yield from _told("dispatch_stopped", body, [body["fsp"]], {"stopped", "cancelled"})


def _answered(call: Call, body: Body) -> Facts:
    yield from _told("dispatch_declined", body, [body["so"]], {"declined"})


def _expired(call: Call, body: Body) -> Facts:
    yield from _told("dispatch_expired", body, [body["fsp"], body["so"]], {"expired"})


def _escalated(call: Call, body: Body) -> Facts:
    """To everybody of the provider who dispatches, besides the route that stayed silent; and to the operator."""
    yield from _told("dispatch_escalated", body, [body["fsp"], body["so"]], {"sent"})


def _gate_near(call: Call, body: Body) -> Facts:
    """To a provider: what of next week's variable availability it has not offered, and until when it may."""
    found = contracts.load_obligations(body["obligation_ids"]).values()
    if not found:
        return
    zone = periods.zone_of(next(iter(found)).time_zone)
    words = {
        "so_name": registry.get_organisation(body["so"]).name,
        "brand_colour": registry.get_profile(body["so"]).brand_colour,
        "gate": datetime.fromisoformat(body["gate"]).astimezone(zone).strftime("%a %d %B %Y %H:%M (%Z)"),
        "windows": sorted({f"{each.competition_reference} {each.window_name}" for each in found}),
    }
    fact = f"{body['so']}/{body['gate']}"
    yield Told(letter="availability_gate", organisation=body["fsp"], fact=fact, words=words)


def _conflicting(call: Call, body: Body) -> Facts:
    """To one operator: its own instructions whose assets another operator has instructed at the same time."""
    found = dispatch.load_instructions(body["instruction_ids"])
    words = {
        "so_name": registry.get_organisation(body["so"]).name,
        "other_name": registry.get_organisation(body["other_so"]).name,
        "brand_colour": registry.get_profile(body["so"]).brand_colour,
        "instructions": [_words(each) for each in sorted(found.values(), key=lambda each: (each.start, each.id))],
    }
    fact = derived_id("fct", "dispatch_conflict", body["so"], body["other_so"], *sorted(body["instruction_ids"]))
    yield Told(letter="dispatch_conflict", organisation=body["so"], fact=fact, words=words)


def _told(letter: str, body: Body, to: Sequence[str], states: set[str] | None = None) -> Facts:
    """One letter per organisation; an instruction that moved on meanwhile is left out where `states` are named."""
    found = dispatch.load_instructions(body["instruction_ids"])
    shown = [each for each in found.values() if states is None or each.state in states]
    if not shown:
        return
    words = {
        "so_name": registry.get_organisation(body["so"]).name,
        "fsp_name": registry.get_organisation(body["fsp"]).name,
        "brand_colour": registry.get_profile(body["so"]).brand_colour,
        "instructions": [_words(each) for each in sorted(shown, key=lambda each: (each.start, each.id))],
    }
    fact = derived_id("fct", letter, *sorted(body["instruction_ids"]))
    for organisation in to:
        yield Told(letter=letter, organisation=organisation, fact=fact, words=words)


def _words(each: Instruction) -> Body:
    return {
        "id": each.id,
        "reference": each.competition_reference,
        "mw": plain(each.mw),
        "start": _local(each, each.start),
        "end": _local(each, each.effective_end),
        "respond_by": _local(each, each.respond_by) if each.respond_by else "",
        "state": each.state,
        "urgent": each.urgent,
        "test": each.test,
        "reason": next((step.reason for step in reversed(each.moves) if step.reason), ""),
    }


def _local(each: Instruction, instant: datetime) -> str:
    zone = periods.zone_of(each.time_zone)
    return instant.astimezone(zone).strftime("%a %d %B %Y %H:%M (%Z)")


DISPATCH_TELLERS: dict[str, Callable[[Call, Body], Facts]] = {
    "dispatch.availability_gate_near.v1": _gate_near,
    "dispatch.conflicts_detected.v1": _conflicting,
    "dispatch.instructions_answered.v1": _answered,
    "dispatch.instructions_cancelled.v1": _stopped,
    "dispatch.instructions_escalated.v1": _escalated,
    "dispatch.instructions_expired.v1": _expired,
    "dispatch.instructions_sent.v1": _sent,
    "dispatch.instructions_stopped.v1": _stopped,
}
