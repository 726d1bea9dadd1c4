"""Takes OpenADR reports: an opt-in or opt-out answers the instruction, delivery is passed on, all of it is kept."""

from __future__ import annotations

from chalicelib.dispatch import store_openadr as store
from chalicelib.dispatch.actions_answering import answer_instruction, report_delivery
from chalicelib.dispatch.actions_openadr import named_event, page_of
from chalicelib.dispatch.actions_openadr_telling import Told, tell_own
from chalicelib.dispatch.models import Instruction
from chalicelib.dispatch.openadr_answers import Said, read_report
from chalicelib.dispatch.openadr_models import Listed, Operation, Report, ReportRequest
from chalicelib.dispatch.openadr_queries import ReportQuery
from chalicelib.dispatch.requests import Answer
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, TooLarge
from chalicelib.storage.commit import commit

MOST_BYTES = 300_000


def list_reports(call: Call, query: ReportQuery) -> Listed[Report]:
    """The calling client's reports in the order they came."""
    found = (each for program, each in store.list_reports(call.actor.id) if _is_wanted(query, program, each))
    return Listed[Report](page_of(found, query.skip, query.limit))


def get_report(call: Call, report_id: str) -> Report:
    """One of the calling client's reports."""
    return _own(call, report_id)[1]


def add_report(call: Call, request: ReportRequest) -> Report:
    """Take a report on one of the caller's events and do what it says; `Refused` where an answer comes too late."""
    instruction = named_event(call, request.event_id)
    report = Report(
        **dict(request),
        id=call.new_id("rep"),
        created_date_time=call.now,
        modification_date_time=call.now,
        client_id=call.actor.id,
    )
    _check_size(report)
    _do(call, instruction, read_report(request))
    commit(call, [store.new_report(report, instruction.obligation_id)], result=report.id)
    _tell(call, report, instruction.obligation_id, "CREATE")
    return report


def change_report(call: Call, report_id: str, request: ReportRequest) -> Report:
    """Put a report in the place of one, and do what the new one says."""
    _, before = _own(call, report_id)
    instruction = named_event(call, request.event_id)
    changes = {**dict(request), "modification_date_time": call.now}
    report = Report.model_validate({**dict(before), **changes})
    _check_size(report)
    _do(call, instruction, read_report(request))
    commit(call, [store.changed_report(report, instruction.obligation_id)])
    _tell(call, report, instruction.obligation_id, "UPDATE")
    return report


def remove_report(call: Call, report_id: str) -> Report:
    """Take a report off the client's list; what it answered stands."""
    program, report = _own(call, report_id)
    commit(call, [store.changed_report(report, program, call.now)])
    _tell(call, report, program, "DELETE")
    return report


def _do(call: Call, instruction: Instruction, said: Said) -> None:
    """Answer and report on as was said; what stands as it was said already is not said again."""
    if said.answer is not None and not _stands(instruction, said.answer):
        answer_instruction(call.without_key(), instruction.id, said.answer)
    if said.delivery is not None:
        report_delivery(call.without_key(), instruction.id, said.delivery)


def _stands(instruction: Instruction, answer: Answer) -> bool:
    if answer.answer == "decline":
        return instruction.state == "declined"
    answered = instruction.state in ("acknowledged", "delivering", "delivered")
    return answered and instruction.mw == (answer.mw or instruction.requested_mw)


def _is_wanted(query: ReportQuery, program: str, report: Report) -> bool:
    return (
        query.program_id in (None, program)
        and query.event_id in (None, report.event_id)
        and query.client_name in (None, report.client_name)
    )


def _own(call: Call, report_id: str) -> tuple[str, Report]:
    found = store.find_report(call.actor.id, report_id)
    if found is None:
        raise NotFound("report.not_found", "There is no such report.")
    return found


def _check_size(report: Report) -> None:
    if len(report.model_dump_json().encode()) > MOST_BYTES:
        limit = f"{MOST_BYTES // 1000} kB"
        raise TooLarge("report.too_large", f"A report holds at most {limit}; send readings as meter data.")


def _tell(call: Call, report: Report, program: str, operation: Operation) -> None:
    tell_own(call, Told(kind="REPORT", operation=operation, thing=report, thing_id=report.id, program=program))
