"""Sends test instructions from either side, and keeps the provider's rules for answering by itself."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.dispatch import store
from chalicelib.dispatch.actions_availability import own_obligation
from chalicelib.dispatch.actions_instructing import new_instruction
from chalicelib.dispatch.actions_moving import change_of, facts_of
from chalicelib.dispatch.actions_reads import get_instruction, view_of
from chalicelib.dispatch.actions_rules import rules_of
from chalicelib.dispatch.lifecycle import caught_up, moved, next_check_at
from chalicelib.dispatch.models import AutoAccept
from chalicelib.dispatch.requests import AutoAcceptRequest, InstructionRequest, TestInstructionRequest
from chalicelib.dispatch.views import AutoAcceptList, InstructionView
from chalicelib.kernel.call import Call, derived_id
from chalicelib.kernel.errors import NotFound
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

_RUNS = timedelta(hours=1)


def send_test(call: Call, request: TestInstructionRequest) -> InstructionView:
    """Send a test through every channel: it is answered like any other, stands in nobody's way and earns nothing."""
    obligation = own_obligation(call, request.obligation_id)
    wanted = derived_id("ins", obligation.id, "test", request.client_token)
    if store.find_instruction(wanted) is not None:
        return get_instruction(call, wanted)
    rules = rules_of(obligation, call.now)
    start = call.now + rules.acceptance_time * 21  # past any weekend or holiday of a working clock
    asked = InstructionRequest(
        obligation_id=obligation.id, client_token=request.client_token, mw=obligation.capacity_mw
    )
    made = new_instruction(call, obligation, rules, (start, start + _RUNS), asked).but(id=wanted, test=True)
    sent = caught_up(moved(made, "send", call.now, call.actor.id), call.now)
    commit(
        call,
        [store.save_instruction(sent, next_check_at(sent))],
        facts_of([(None, sent)]),
        [change_of(None, sent)],
        result=sent.id,
    )
    return view_of(call, sent)


def list_auto_accepts(call: Call) -> AutoAcceptList:
    """The caller's rules for answering by itself."""
    return AutoAcceptList(items=tuple(store.list_auto_accepts(call.organisation)))


def add_auto_accept(call: Call, request: AutoAcceptRequest) -> AutoAccept:
    """Acknowledge at once, from now on, what fits the rule."""
    if request.obligation_id is not None:
        own_obligation(call, request.obligation_id)
    rule = AutoAccept(**dict(request), id=call.new_id("aut"), fsp=call.organisation, created_at=call.now)
    commit(call, [store.new_auto_accept(rule)], [], [_change(rule, "auto_accept.added")], result=rule.id)
    return rule


def get_auto_accept(call: Call, rule_id: str) -> AutoAccept:
    """One of the caller's rules."""
    rule = store.find_auto_accept(call.organisation, rule_id)
    if rule is None:
        raise NotFound("auto_accept.not_found", "There is no such rule.")
    return rule


def remove_auto_accept(call: Call, rule_id: str) -> None:
    """Answer by hand again; the audit trail keeps the rule."""
    rule = get_auto_accept(call, rule_id)
    commit(call, [store.removed_auto_accept(rule)], [], [_change(rule, "auto_accept.removed")])


def _change(rule: AutoAccept, action: str) -> Change:
    return Change(
        thing=f"auto-accept:{rule.id}", action=action, organisation=rule.fsp, after=rule.model_dump(mode="json")
    )
