"""Endpoints of settlement reports: lists, lines, what explains them, publishing, and agreement before its time."""

from __future__ import annotations

from chalicelib.edge.web import Routes, either, fsp, so
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Page, PageQuery
from chalicelib.settlement import actions_agreeing, actions_publishing
from chalicelib.settlement import actions_report_views as views
from chalicelib.settlement.models_runs import InstructionDetail, MeterQuality, ObligationDetail
from chalicelib.settlement.requests_reports import (
    EarlyAgreementRequest,
    LineQuery,
    LineView,
    PublicationView,
    ReportQuery,
    ReportSummary,
    ReportView,
    RulesApplied,
    SettledInstruction,
)

routes = Routes(__name__)
_EITHER_SIDE = either(fsp("read"), so("read"))


@routes.get("/settlement-reports", query=ReportQuery, returns=Page[ReportSummary], who=_EITHER_SIDE)
def list_settlement_reports(call: Call, query: ReportQuery) -> Page[ReportSummary]:
    """The caller's settlement reports, newest month first; a provider's are those that were published."""
    return views.list_reports(call, query)


@routes.get("/settlement-reports/{report_id}", returns=ReportView, who=_EITHER_SIDE)
def get_settlement_report(call: Call, report_id: str) -> ReportView:
    """A settlement report with its totals by component and by state, as they stand today."""
    return views.get_report(call, report_id)


@routes.get("/settlement-reports/{report_id}/lines", query=LineQuery, returns=Page[LineView], who=_EITHER_SIDE)
def list_settlement_lines(call: Call, report_id: str, query: LineQuery) -> Page[LineView]:
    """The lines of a report in its order, as they stand today."""
    return views.list_lines(call, report_id, query)


@routes.get(
    "/settlement-reports/{report_id}/instructions", query=PageQuery, returns=Page[InstructionDetail], who=_EITHER_SIDE
)
def list_settled_instructions(call: Call, report_id: str, query: PageQuery) -> Page[InstructionDetail]:
    """The instructions of a report by start, without their half-hours."""
    return views.list_instructions(call, report_id, query)


@routes.get(
    "/settlement-reports/{report_id}/instructions/{instruction_id}", returns=SettledInstruction, who=_EITHER_SIDE
)
def get_settled_instruction(call: Call, report_id: str, instruction_id: str) -> SettledInstruction:
    """Everything that explains an instruction's lines: half-hours, baselines with their days, factor, the lines."""
    return views.get_instruction(call, report_id, instruction_id)


@routes.get(
    "/settlement-reports/{report_id}/availability", query=PageQuery, returns=Page[ObligationDetail], who=_EITHER_SIDE
)
def list_settled_availability(call: Call, report_id: str, query: PageQuery) -> Page[ObligationDetail]:
    """What explains the availability, recovery and service-fee lines of a report."""
    return views.list_availability(call, report_id, query)


@routes.get(
    "/settlement-reports/{report_id}/data-quality", query=PageQuery, returns=Page[MeterQuality], who=_EITHER_SIDE
)
def list_settled_quality(call: Call, report_id: str, query: PageQuery) -> Page[MeterQuality]:
    """How complete the readings were that a report stands on, meter by meter."""
    return views.list_quality(call, report_id, query)


@routes.get("/settlement-reports/{report_id}/rules", returns=RulesApplied, who=_EITHER_SIDE)
def list_settled_rules(call: Call, report_id: str) -> RulesApplied:
    """The versions of market rules that settled something in a report."""
    return views.list_rules(call, report_id)


@routes.post(
    "/settlement-reports/{report_id}/publication",
    returns=ReportView,
    who=so("settlement"),
    replay=views.get_report,
)
def publish_settlement_report(call: Call, report_id: str) -> ReportView:
    """Publish a draft: the provider sees it and may dispute its lines for some days; any older is superseded."""
    return views.view_of(call, actions_publishing.publish_report(call, report_id))


@routes.post(
    "/settlement-runs/{run_id}/publication",
    returns=PublicationView,
    who=so("settlement"),
    replay=actions_publishing.get_publication,
)
def publish_settlement_run(call: Call, run_id: str) -> PublicationView:
    """Publish all reports of a run, some dozens in one call: ask again while any are left."""
    return actions_publishing.publish_run(call, run_id)


@routes.post(
    "/settlement-reports/{report_id}/agreement",
    body=EarlyAgreementRequest,
    returns=ReportView,
    who=fsp("settlement"),
    replay=views.get_report,
)
def agree_settlement_lines(call: Call, report_id: str, body: EarlyAgreementRequest) -> ReportView:
    """Agree to open lines before the window closes, so that they need not wait to be invoiced."""
    return actions_agreeing.agree_lines(call, report_id, body)
