"""Takes what both sides do with an instruction: answers, stops, cancellations and reports of delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from chalicelib.contracts import actions_operations as contracts
from chalicelib.dispatch import store
from chalicelib.dispatch.actions_instructing import TOGETHER, keep_batch, pointed
from chalicelib.dispatch.actions_moving import save_moves
from chalicelib.dispatch.actions_reads import own_instruction, view_of
from chalicelib.dispatch.lifecycle import caught_up, moved
from chalicelib.dispatch.models import Instruction
from chalicelib.dispatch.requests import (
    Answer,
    EndRequest,
    InstructionAnswer,
    InstructionAnswersRequest,
    ReportRequest,
)
from chalicelib.dispatch.rules import answer_problems, earnings
from chalicelib.dispatch.views import InstructionOutcome, InstructionOutcomes, InstructionView
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Problem, Refusal, Refused, Stale, raise_problems

_TURNS = 5
_ACTS = {"started": "start", "delivered": "complete", "failed": "fail"}
Act = Callable[[Instruction], Instruction]
Judged = Instruction | list[Problem]


def answer_instruction(call: Call, instruction_id: str, answer: Answer) -> InstructionView:
    """Acknowledge an instruction, all of it or a part, or decline it; `Refused` once it has expired."""
    return _acted(call, instruction_id, lambda instruction: _answered(call, instruction, answer), answer.reason)


def answer_instructions(call: Call, request: InstructionAnswersRequest) -> InstructionOutcomes:
    """Answer many, each taken or refused by itself; `Invalid` with every problem when none could be taken."""
    wanted = list(request.answers)
    ids = [each.instruction_id for each in wanted]
    if len(set(ids)) < len(ids):
        raise Invalid.of([Problem("answer.repeated", "An instruction is answered twice.", "answers", "each once")])
    judged: list[Judged] = []
    for start in range(0, len(wanted), TOGETHER):
        judged += _answer_some(call, wanted[start : start + TOGETHER])
    if not any(isinstance(each, Instruction) for each in judged):
        raise Invalid.of(
            [
                problem
                for place, each in enumerate(judged)
                if not isinstance(each, Instruction)
                for problem in pointed(f"answers/{place}", each)
            ]
        )
    items = [_outcome(asked, each) for asked, each in zip(wanted, judged, strict=True)]
    return keep_batch(call, InstructionOutcomes(items=tuple(items)))


def stop_instruction(call: Call, instruction_id: str, request: EndRequest) -> InstructionView:
    """End a running instruction now; one that has not started is cancelled instead."""
    return _acted(call, instruction_id, lambda each: moved(each, "stop", call.now, call.actor.id, request.reason))


def cancel_instruction(call: Call, instruction_id: str, request: EndRequest) -> InstructionView:
    """Take an instruction back before it starts."""
    return _acted(call, instruction_id, lambda each: moved(each, "cancel", call.now, call.actor.id, request.reason))


def report_delivery(call: Call, instruction_id: str, request: ReportRequest) -> InstructionView:
    """The provider says that it has started, has delivered, or cannot; meters decide what is paid."""
    return _acted(call, instruction_id, lambda each: _reported(call, each, request), request.reason)


def _acted(call: Call, instruction_id: str, act: Act, reason: str | None = None) -> InstructionView:
    """Catch an instruction up with the clock, act on it and write it; again when it moved meanwhile."""
    for _ in range(_TURNS - 1):
        try:
            return _act_once(call, instruction_id, act, reason)
        except Stale:
            continue
    return _act_once(call, instruction_id, act, reason)


def _act_once(call: Call, instruction_id: str, act: Act, reason: str | None) -> InstructionView:
    before = own_instruction(call, instruction_id)
    after = caught_up(act(caught_up(before, call.now)), call.now)
    [saved] = save_moves(call, [(before, after)], reason, result=instruction_id)
    return view_of(call, saved)


def _answered(call: Call, instruction: Instruction, answer: Answer) -> Instruction:
    declined = answer.answer == "decline"
    act = "decline" if declined else "acknowledge"
    changes = {} if declined else {"acknowledged_mw": answer.mw or instruction.requested_mw}
    after = moved(instruction, act, call.now, call.actor.id, answer.reason, **changes)
    raise_problems(answer_problems(instruction, answer.mw, answer.reason, declined))
    return after


def _reported(call: Call, instruction: Instruction, request: ReportRequest) -> Instruction:
    if request.report == "failed" and not request.reason:
        raise Invalid.of([Problem("report.no_reason", "A failure needs a reason.", "reason", "why it failed")])
    after = moved(instruction, _ACTS[request.report], call.now, call.actor.id, request.reason)
    if instruction.test or (request.report == "started" and call.now < instruction.start - _ramp(instruction)):
        raise Refused("instruction.too_early", "It cannot have started yet.")
    return after


def _ramp(instruction: Instruction) -> timedelta:
    """How long before its start delivery may begin: the response time agreed."""
    obligation = contracts.find_obligation(instruction.obligation_id)
    return (obligation.required_response_time if obligation else None) or timedelta(0)


def _answer_some(call: Call, wanted: Sequence[InstructionAnswer]) -> list[Judged]:
    """A few in one transaction; where that meets another move, one after the other."""
    loaded = store.load_instructions(each.instruction_id for each in wanted)
    judged = [_judged(call, loaded.get(each.instruction_id), each) for each in wanted]
    pairs = [(loaded[each.id], each) for each in judged if isinstance(each, Instruction)]
    try:
        if pairs:
            save_moves(call, pairs)
    except Stale:
        return [_answer_one(call, each) for each in wanted]
    return judged


def _answer_one(call: Call, asked: InstructionAnswer) -> Judged:
    try:
        answer_instruction(call.without_key(), asked.instruction_id, asked)
    except Refusal as refusal:
        return _problems(refusal)
    return own_instruction(call, asked.instruction_id)


def _judged(call: Call, instruction: Instruction | None, asked: InstructionAnswer) -> Judged:
    try:
        if instruction is None or instruction.fsp != call.organisation:
            raise NotFound("instruction.not_found", "There is no such instruction.")
        return caught_up(_answered(call, caught_up(instruction, call.now), asked), call.now)
    except Refusal as refusal:
        return _problems(refusal)


def _problems(refusal: Refusal) -> list[Problem]:
    return list(refusal.problems) or [Problem(refusal.code, refusal.detail, "instruction_id")]


def _outcome(asked: InstructionAnswer, judged: Judged) -> InstructionOutcome:
    if isinstance(judged, Instruction):
        return InstructionOutcome(
            instruction_id=judged.id, outcome="answered", state=judged.state, earns=earnings(judged)
        )
    problems = tuple(problem.as_dict() for problem in judged)
    return InstructionOutcome(instruction_id=asked.instruction_id, outcome="refused", problems=problems)
