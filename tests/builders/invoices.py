"""Builds what invoices need: an operator and providers in the registry, published reports, agreements both accepted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from chalicelib.kernel.call import Call
from chalicelib.registry import actions_organisations
from chalicelib.registry import store as registry_store
from chalicelib.registry.requests import OrganisationChange
from chalicelib.settlement import actions_agreements, store_reports
from chalicelib.settlement import actions_drawing_up as drawing
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement.models_runs import Report, ReportLine
from chalicelib.settlement.requests_invoices import AgreementRequest, AgreementView, DrawnUpView, DrawUpRequest
from chalicelib.storage.commit import commit
from tests.builders.calls import a_call
from tests.builders.registry import a_company, a_system_operator, an_asked_company, an_organisation
from tests.builders.reports import MADE_AT, a_draft, a_report_line

FSP, OTHER = "org_fsp1", "org_fsp2"
VAT_NUMBER = "GB980780684"
NOW = "2026-06-10T09:00:00Z"
TODAY = date(2026, 6, 10)


def keep_published(so: str, lines: Sequence[ReportLine], month: str, fsp: str = FSP, **but: Any) -> Report:
    """A published report of these lines, whose days of dispute were over on 22 May."""
    first = date.fromisoformat(f"{month}-01")
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    fields = {"so": so, "fsp": fsp, "month": month, "first": first, "last": last, "state": "published"}
    fields |= {"published_at": MADE_AT, "disputable_until": date(2026, 5, 22), "id": f"rpt_{fsp[-1]}{month}"}
    report = a_draft([line.but(month=month) for line in lines], **(fields | but))
    named = store_reports.Published(so=so, fsp=fsp, month=month, report_id=report.id, number=report.number)
    commit(a_call(so, "so"), [store_reports.save_report(report), store_reports.save_published(named)])
    return report


def give_company(so: str) -> None:
    """An operator tells which company it is, as an invoice is to name it."""
    call = a_call(so, "so")
    own = actions_organisations.get_organisation(call)
    company = an_asked_company(name="Network 1 plc", company_number="08765432", vat_number=None)
    actions_organisations.change_organisation(call, OrganisationChange(company=company), own.version)


class Billing:
    """An operator "Network 1" and two providers on 10 June 2026, a Wednesday; nothing published, nothing agreed on."""

    def __init__(self, **company: Any) -> None:
        self.so = a_system_operator().organisation
        give_company(self.so)
        self.fsp(FSP, **company)
        self.fsp(OTHER, company_number="07654321")

    def fsp(self, organisation: str, **company: Any) -> None:
        kept = an_organisation(id=organisation, name=f"Flex {organisation[-1]}", company=a_company(**company))
        commit(a_call(organisation), [registry_store.create_organisation(kept)])

    def operator(self, now: str = NOW, **but: Any) -> Call:
        return a_call(self.so, "so", now=now, **but)

    def provider(self, fsp: str = FSP, now: str = NOW) -> Call:
        return a_call(fsp, now=now)

    def publish(
        self, amounts: Sequence[str | None] = ("10.00",), month: str = "2026-04", fsp: str = FSP, **but: Any
    ) -> Report:
        """A published report with a line for each amount, whose days of dispute are over."""
        lines = but.pop("lines", None) or [a_report_line(place, amount) for place, amount in enumerate(amounts)]
        return keep_published(self.so, lines, month, fsp, **but)

    def agreement(self, fsp: str = FSP, starts: date = date(2026, 1, 1), now: str = NOW) -> AgreementView:
        """An agreement of twelve months that both sides accepted."""
        made = actions_agreements.propose_agreement(self.operator(now), AgreementRequest(fsp=fsp, starts=starts))
        return actions_agreements.accept_agreement(self.provider(fsp, now), made.id)

    def draw_up(self, month: str = "2026-05", fsp: str | None = FSP, now: str = NOW, **but: Any) -> DrawnUpView:
        return drawing.draw_up(self.operator(now), DrawUpRequest(month=month, fsp=fsp, **but))

    def states(self, report: Report) -> list[str]:
        return [line.state for line in reports.lines_as_they_stand(report, TODAY)]
