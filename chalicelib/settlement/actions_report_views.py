"""Shows reports to their two sides: lists, totals, lines, what explains them; providers see what was published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TypeVar, get_args

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Problem, Refused
from chalicelib.kernel.models import Page, PageQuery, Value
from chalicelib.kernel.periods import local_day, zone_of
from chalicelib.registry import actions as registry
from chalicelib.settlement import store_reports as store
from chalicelib.settlement import store_runs
from chalicelib.settlement.actions_reports import lines_as_they_stand, load_detail, load_report, place_of
from chalicelib.settlement.lifecycle import REPORT_MOVES
from chalicelib.settlement.models import Component, LineState
from chalicelib.settlement.models_runs import InstructionDetail, MeterQuality, ObligationDetail, Report, ReportLine
from chalicelib.settlement.payment import total
from chalicelib.settlement.requests_reports import (
    ComponentTotal,
    LineQuery,
    LineView,
    ReportQuery,
    ReportSummary,
    ReportView,
    RulesApplied,
    SettledInstruction,
    StateTotal,
)
from chalicelib.storage.tables import decode_cursor, encode_cursor

V = TypeVar("V", bound=Value)
_SHOWN = set(ReportSummary.model_fields)


def own_report(call: Call, report_id: str) -> Report:
    """A report the caller may see; `NotFound` otherwise: an operator its own, a provider its own once published."""
    report = load_report(report_id)
    if call.organisation == report.so or (call.organisation == report.fsp and report.published_at is not None):
        return report
    raise NotFound("report.not_found", "There is no such settlement report.")


def own_line(call: Call, line_id: str) -> tuple[Report, ReportLine]:
    """A line as it stands now, and its report, as far as the caller may see that; `NotFound` otherwise."""
    not_found = NotFound("line.not_found", "There is no such line.")
    report_id, _ = place_of(line_id)
    try:
        report = own_report(call, report_id)
    except NotFound as error:
        raise not_found from error
    line = next((each for each in lines_now(call, report) if each.id == line_id), None)
    if line is None:
        raise not_found
    return report, line


def lines_now(call: Call, report: Report) -> list[ReportLine]:
    """A report's lines as they stand on the operator's local day of the call."""
    return lines_as_they_stand(report, today_of(call, report))


def today_of(call: Call, report: Report) -> date:
    return local_day(call.now, zone_of(report.time_zone))


def list_reports(call: Call, query: ReportQuery) -> Page[ReportSummary]:
    """The caller's reports, newest month first; a moment behind."""
    page = store.list_reports(_side(call), call.organisation, query.month, query.limit, query.cursor)
    asked = {"state": query.state, "fsp": query.fsp, "so": query.so, "run_id": query.run_id}
    found = [each for each in page.items if all(want in (None, getattr(each, name)) for name, want in asked.items())]
    return Page(items=summaries(found), next=page.next)


def get_report(call: Call, report_id: str) -> ReportView:
    """A report with its totals by component and by state as they stand today."""
    return view_of(call, own_report(call, report_id))


def view_of(call: Call, report: Report) -> ReportView:
    """A report the caller may see, as it stands today."""
    lines = lines_now(call, report)
    [summary] = summaries([report])
    return ReportView(
        **dict(summary),
        by_component=_by_component(lines),
        by_state=_by_state(lines),
        can=_can(call, report, lines),
    )


def list_lines(call: Call, report_id: str, query: LineQuery) -> Page[LineView]:
    """Lines of a report in its order, as they stand today."""
    report = own_report(call, report_id)
    asked = {
        "state": query.state,
        "obligation_id": query.obligation_id,
        "instruction_id": query.instruction_id,
        "component": query.component,
    }
    found = [
        line
        for line in lines_now(call, report)
        if all(want in (None, getattr(line, name)) for name, want in asked.items())
        and not (query.unsettled and line.amount is not None)
    ]
    page = _paged(report, found, query, [line.ordinal for line in found])
    return Page(items=[line_view(call, report, line) for line in page.items], next=page.next)


def list_instructions(call: Call, report_id: str, query: PageQuery) -> Page[InstructionDetail]:
    """The instructions of a report by start, without their periods and baselines, which stand under each."""
    report = own_report(call, report_id)
    page = _paged(report, load_detail(report).instructions, query)
    brief = {"periods": (), "baselines": ()}
    return Page(items=[each.model_copy(update=brief) for each in page.items], next=page.next)


def get_instruction(call: Call, report_id: str, instruction_id: str) -> SettledInstruction:
    """Everything that explains an instruction's lines: half-hours, baselines, factor."""
    report = own_report(call, report_id)
    detail = next((each for each in load_detail(report).instructions if each.instruction_id == instruction_id), None)
    if detail is None:
        raise NotFound("instruction.not_found", "This report has no such instruction.")
    lines = [line for line in lines_now(call, report) if line.instruction_id == instruction_id]
    return SettledInstruction(
        report_id=report.id, detail=detail, lines=tuple(line_view(call, report, line) for line in lines)
    )


def list_availability(call: Call, report_id: str, query: PageQuery) -> Page[ObligationDetail]:
    """What explains the availability, recovery and service-fee lines of a report, by month and obligation."""
    report = own_report(call, report_id)
    return _paged(report, load_detail(report).obligations, query)


def list_quality(call: Call, report_id: str, query: PageQuery) -> Page[MeterQuality]:
    """How complete the readings were that a report stands on, meter by meter."""
    report = own_report(call, report_id)
    return _paged(report, load_detail(report).quality, query)


def list_rules(call: Call, report_id: str) -> RulesApplied:
    """The market rules that settled something in a report."""
    return RulesApplied(items=load_detail(own_report(call, report_id)).rules)


def line_view(call: Call, report: Report, line: ReportLine) -> LineView:
    """A line with what the caller may do with it now."""
    return LineView(**dict(line), can=_can_line(call, report, line))


def is_disputable(report: Report, today: date) -> bool:
    """Whether lines of a report may be disputed on a local day: it is published, and the window is open."""
    until = report.disputable_until
    return report.state == "published" and until is not None and today <= until


def check_published(report: Report) -> None:
    """`Refused` for a report whose lines go on in a later one."""
    if report.state == "superseded":
        detail = f"A later version of this month is published, {report.superseded_by}; its lines go on there."
        raise Refused("report.superseded", detail)


def summaries(reports: Sequence[Report]) -> list[ReportSummary]:
    """Reports with the names of their sides."""
    names = registry.get_organisations(sorted({side for each in reports for side in (each.so, each.fsp)}))
    return [
        ReportSummary(**each.model_dump(include=_SHOWN), so_name=names[each.so].name, fsp_name=names[each.fsp].name)
        for each in reports
    ]


def _side(call: Call) -> str:
    return "so" if call.actor.organisation_kind == "so" else "fsp"


def _can(call: Call, report: Report, lines: Iterable[ReportLine]) -> tuple[str, ...]:
    if call.organisation == report.so:
        run = store_runs.find_run(report.run_id) if (report.state, "publish") in REPORT_MOVES else None
        return ("publish",) if run and run.can_be_published else ()
    found = {act for line in lines for act in _can_line(call, report, line)}
    return tuple(sorted(found, reverse=True))


def _can_line(call: Call, report: Report, line: ReportLine) -> tuple[str, ...]:
    is_open = line.state == "open" and is_disputable(report, today_of(call, report))
    if call.organisation != report.fsp or not is_open:
        return ()
    return ("dispute",) if line.amount is None else ("dispute", "agree")


def _by_component(lines: Sequence[ReportLine]) -> tuple[ComponentTotal, ...]:
    found = []
    for component in get_args(Component):
        here = [line.amount for line in lines if line.component == component]
        known = [amount for amount in here if amount is not None]
        if here:
            unsettled = len(here) - len(known)
            found.append(ComponentTotal(component=component, lines=len(here), unsettled=unsettled, total=total(known)))
    return tuple(found)


def _by_state(lines: Sequence[ReportLine]) -> tuple[StateTotal, ...]:
    found = []
    for state in get_args(LineState):
        here = [line.amount for line in lines if line.state == state]
        if here:
            known = [amount for amount in here if amount is not None]
            found.append(StateTotal(state=state, lines=len(here), total=total(known)))
    return tuple(found)


def _paged(report: Report, found: Sequence[V], query: PageQuery, places: Sequence[int] | None = None) -> Page[V]:
    """A page of what a report has; the cursor names the place in the report that the next page starts at."""
    where = places if places is not None else range(len(found))
    start = _start(report, query.cursor)
    rest = [index for index, place in enumerate(where) if place >= start]
    here, after = rest[: query.limit], rest[query.limit : query.limit + 1]
    following = encode_cursor({"report": {"S": report.id}, "place": {"S": str(where[after[0]])}}) if after else None
    return Page(items=[found[index] for index in here], next=following)


def _start(report: Report, cursor: str | None) -> int:
    if cursor is None:
        return 0
    key = decode_cursor(cursor)
    place = key.get("place", {}).get("S", "")
    if key.get("report") != {"S": report.id} or not (place.isascii() and place.isdigit() and len(place) < 10):
        problem = Problem(
            "cursor.unknown", "The cursor is not one this list gave.", "cursor", "`next` of the page before"
        )
        raise Invalid.of([problem])
    return int(place)
