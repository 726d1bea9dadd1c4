"""Endpoints of operations: availability, instructions and their answers, the schedule and the control room."""

from __future__ import annotations

from chalicelib.contracts.models import AvailabilityVariation
from chalicelib.dispatch import (
    actions_answering,
    actions_availability,
    actions_control_room,
    actions_instructing,
    actions_offering,
    actions_reads,
    actions_rules,
    actions_testing,
)
from chalicelib.dispatch.listing import as_calendar, as_csv
from chalicelib.dispatch.models import AutoAccept
from chalicelib.dispatch.requests import (
    Answer,
    AutoAcceptRequest,
    AvailabilityQuery,
    ConflictQuery,
    ControlRoomQuery,
    EndRequest,
    InstructionAnswersRequest,
    InstructionQuery,
    InstructionsRequest,
    OffersRequest,
    PeriodDecisionsRequest,
    ReportRequest,
    RulesRequest,
    ScheduleQuery,
    TestInstructionRequest,
    VariationQuery,
    VariationRequest,
)
from chalicelib.dispatch.terms import DispatchRules
from chalicelib.dispatch.views import (
    AutoAcceptList,
    ConflictView,
    ControlRoomView,
    InstructionOutcomes,
    InstructionView,
    ObligationAvailability,
    OffersView,
    RulesList,
    VariationView,
)
from chalicelib.edge.web import Page, Routes, Text, either, fsp, so
from chalicelib.kernel.call import Call

routes = Routes(__name__)
_EITHER_READS = either(fsp("read"), so("read"))
_EITHER_DISPATCHES = either(fsp("dispatch"), so("dispatch"))
_SCHEDULE_TYPES = ("application/json", "text/csv", "text/calendar")


@routes.get("/availability", query=AvailabilityQuery, returns=Page[ObligationAvailability], who=_EITHER_READS)
def list_availability(call: Call, query: AvailabilityQuery) -> Page[ObligationAvailability]:
    """What is promised, declared, offered and accepted, obligation by obligation."""
    return actions_availability.list_availability(call, query)


@routes.get("/availability-variations", query=VariationQuery, returns=Page[AvailabilityVariation], who=_EITHER_READS)
def list_availability_variations(call: Call, query: VariationQuery) -> Page[AvailabilityVariation]:
    """Every variation declared for an obligation."""
    return actions_availability.list_variations(call, query)


@routes.post(
    "/availability-variations",
    body=VariationRequest,
    returns=VariationView,
    status=201,
    who=fsp("dispatch"),
    replay=actions_availability.get_variation,
)
def declare_variation(call: Call, body: VariationRequest) -> VariationView:
    """Declare less than promised for a span, or give back what was taken."""
    return actions_availability.declare_variation(call, body)


@routes.post(
    "/availability-offers",
    body=OffersRequest,
    returns=OffersView,
    status=201,
    who=fsp("dispatch"),
    replay=actions_offering.replay_offers,
)
def offer_availability(call: Call, body: OffersRequest) -> OffersView:
    """Say which periods of variable availability are on, before the gate."""
    return actions_offering.offer_availability(call, body)


@routes.post(
    "/availability-decisions",
    body=PeriodDecisionsRequest,
    returns=OffersView,
    status=201,
    who=so("dispatch"),
    replay=actions_offering.replay_offers,
)
def decide_availability(call: Call, body: PeriodDecisionsRequest) -> OffersView:
    """Accept or decline periods of variable availability, between the gates."""
    return actions_offering.decide_availability(call, body)


@routes.get("/instructions", query=InstructionQuery, returns=Page[InstructionView], who=_EITHER_READS)
def list_instructions(call: Call, query: InstructionQuery) -> Page[InstructionView]:
    """The caller's instructions by start, as they stand now."""
    return actions_reads.list_instructions(call, query)


@routes.post(
    "/instructions",
    body=InstructionsRequest,
    returns=InstructionOutcomes,
    status=201,
    who=so("dispatch"),
    replay=actions_instructing.get_batch,
)
def issue_instructions(call: Call, body: InstructionsRequest) -> InstructionOutcomes:
    """Issue one or hundreds of instructions, each judged by itself."""
    return actions_instructing.issue_instructions(call, body)


@routes.get("/instructions/{instruction_id}", returns=InstructionView, who=_EITHER_READS)
def get_instruction(call: Call, instruction_id: str) -> InstructionView:
    """One instruction with every move it made and what it earns."""
    return actions_reads.get_instruction(call, instruction_id)


@routes.post(
    "/instructions/{instruction_id}/answer",
    body=Answer,
    returns=InstructionView,
    who=fsp("dispatch"),
    replay=actions_reads.get_instruction,
)
def answer_instruction(call: Call, instruction_id: str, body: Answer) -> InstructionView:
    """Acknowledge all or a part of an instruction, or decline it."""
    return actions_answering.answer_instruction(call, instruction_id, body)


@routes.post(
    "/instruction-answers",
    body=InstructionAnswersRequest,
    returns=InstructionOutcomes,
    status=201,
    who=fsp("dispatch"),
    replay=actions_instructing.get_batch,
)
def answer_instructions(call: Call, body: InstructionAnswersRequest) -> InstructionOutcomes:
    """Answer one or hundreds of instructions, each by itself."""
    return actions_answering.answer_instructions(call, body)


@routes.post(
    "/instructions/{instruction_id}/stop",
    body=EndRequest,
    returns=InstructionView,
    who=so("dispatch"),
    replay=actions_reads.get_instruction,
)
def stop_instruction(call: Call, instruction_id: str, body: EndRequest) -> InstructionView:
    """End a running instruction now."""
    return actions_answering.stop_instruction(call, instruction_id, body)


@routes.post(
    "/instructions/{instruction_id}/cancellation",
    body=EndRequest,
    returns=InstructionView,
    who=so("dispatch"),
    replay=actions_reads.get_instruction,
)
def cancel_instruction(call: Call, instruction_id: str, body: EndRequest) -> InstructionView:
    """Take an instruction back before it starts."""
    return actions_answering.cancel_instruction(call, instruction_id, body)


@routes.post(
    "/instructions/{instruction_id}/reports",
    body=ReportRequest,
    returns=InstructionView,
    who=fsp("dispatch"),
    replay=actions_reads.get_instruction,
)
def report_delivery(call: Call, instruction_id: str, body: ReportRequest) -> InstructionView:
    """Say that delivery has started, is done, or failed."""
    return actions_answering.report_delivery(call, instruction_id, body)


@routes.post(
    "/test-instructions",
    body=TestInstructionRequest,
    returns=InstructionView,
    status=201,
    who=_EITHER_DISPATCHES,
    replay=actions_reads.get_instruction,
)
def send_test_instruction(call: Call, body: TestInstructionRequest) -> InstructionView:
    """Prove the way to a provider end to end: sent and answered, never delivered or paid."""
    return actions_testing.send_test(call, body)


@routes.get(
    "/dispatch-schedule",
    query=ScheduleQuery,
    returns=Page[InstructionView],
    who=_EITHER_READS,
    produces=_SCHEDULE_TYPES,
)
def get_dispatch_schedule(call: Call, query: ScheduleQuery) -> Page[InstructionView] | Text:
    """What is to come, as JSON, CSV or iCalendar."""
    page = actions_reads.list_schedule(call, query)
    if query.format == "csv":
        return Text(as_csv(page.items), "text/csv; charset=utf-8", "dispatch-schedule.csv")
    return Text(as_calendar(page.items), "text/calendar; charset=utf-8") if query.format == "ics" else page


@routes.get("/control-room", query=ControlRoomQuery, returns=ControlRoomView, who=so("read"))
def view_control_room(call: Call, query: ControlRoomQuery) -> ControlRoomView:
    """Who can be called, how much, where and at which price, now and in the next hours."""
    return actions_control_room.view_control_room(call, query)


@routes.get("/dispatch-conflicts", query=ConflictQuery, returns=Page[ConflictView], who=so("read"))
def list_dispatch_conflicts(call: Call, query: ConflictQuery) -> Page[ConflictView]:
    """Where two operators instructed the same assets at once."""
    return actions_reads.list_conflicts(call, query)


@routes.get("/dispatch-rules", returns=RulesList, who=so("read"))
def list_dispatch_rules(call: Call) -> RulesList:
    """The operator's clocks, notice, parts and gates, every version."""
    return actions_rules.list_rules(call)


@routes.post(
    "/dispatch-rules",
    body=RulesRequest,
    returns=DispatchRules,
    status=201,
    who=so("procurement"),
    replay=actions_rules.get_rules,
)
def set_dispatch_rules(call: Call, body: RulesRequest) -> DispatchRules:
    """Set terms from a day on, as a new version."""
    return actions_rules.set_rules(call, body)


@routes.get("/auto-accept-rules", returns=AutoAcceptList, who=fsp("read"))
def list_auto_accept_rules(call: Call) -> AutoAcceptList:
    """The provider's rules for answering by itself."""
    return actions_testing.list_auto_accepts(call)


@routes.post(
    "/auto-accept-rules",
    body=AutoAcceptRequest,
    returns=AutoAccept,
    status=201,
    who=fsp("dispatch"),
    replay=actions_testing.get_auto_accept,
)
def add_auto_accept_rule(call: Call, body: AutoAcceptRequest) -> AutoAccept:
    """Acknowledge at once what fits the rule."""
    return actions_testing.add_auto_accept(call, body)


@routes.delete("/auto-accept-rules/{rule_id}", who=fsp("dispatch"))
def remove_auto_accept_rule(call: Call, rule_id: str) -> None:
    """Answer by hand again."""
    actions_testing.remove_auto_accept(call, rule_id)
