"""Gathers all that decides what an operator owes a provider on a day, company by company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from chalicelib.contracts import actions_operations as contracts
from chalicelib.kernel.call import Call
from chalicelib.kernel.periods import local_day, zone_of
from chalicelib.registry import actions_reads as registry
from chalicelib.registry.models import OperatorSettings, Organisation
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement import drawing_up, store_agreements
from chalicelib.settlement import store as store_rules
from chalicelib.settlement import store_invoices as store
from chalicelib.settlement.actions_parties import valid_vat_number
from chalicelib.settlement.agreements import holding
from chalicelib.settlement.drawing_up import Plan, Planned, Standing
from chalicelib.settlement.models import MarketRules
from chalicelib.settlement.models_invoices import AgreedSpan, BillingAccount, NotIssued
from chalicelib.settlement.models_runs import Report
from chalicelib.settlement.rules import standing_rules


@dataclass(frozen=True, slots=True)
class Bill:
    """What may be issued for one company of a provider: its own, or a contracting entity."""

    entity: str | None
    why_none: str | None
    plan: Plan

    def note(self, planned: Planned) -> str | None:
        """Why a document credits, or why it is not a self-billing invoice."""
        if planned.credits is not None:
            credited = planned.credits
            return f"What was delivered was settled anew since {credited.number} of {credited.issued_on}."
        return self.why_none if planned.document.kind == "purchase_statement" else None


@dataclass(frozen=True, slots=True)
class Case:
    """All that decides what an operator owes a provider for on a day, as it was read."""

    so: Organisation
    fsp: Organisation
    settings: OperatorSettings
    today: date
    rules: MarketRules
    account: BillingAccount
    standing: Sequence[Standing]
    bills: Sequence[Bill]
    has_reports: bool

    @property
    def reports(self) -> dict[str, Report]:
        return {each.report.id: each.report for each in self.standing}

    def left(self) -> list[NotIssued]:
        """Why lines are on no document, or why there is none at all."""
        if not self.has_reports:
            nothing = "No settlement report is published for this provider up to that month."
            return [drawing_up.nothing(self.fsp.id, "nothing.published", nothing)]
        currency = self.settings.currency
        waits = [drawing_up.what_waits(self.fsp.id, each.plan, self.rules, currency) for each in self.bills]
        found = [each for each in waits if each is not None]
        if found or any(each.plan.documents for each in self.bills):
            return found
        return [drawing_up.why_nothing(self.fsp.id, self.standing)]


def load_case(call: Call, so: str, fsp: str, month: str) -> Case:
    """What an operator owes a provider for up to a month of delivery; strongly consistent."""
    settings = registry.get_operator(so)
    today = local_day(call.now, zone_of(settings.time_zone))
    sides = registry.get_organisations([so, fsp])
    rules = standing_rules(store_rules.list_rules(so), settings.default_market_rules, today)
    account = store_agreements.load_account(so, fsp)
    published = reports.published_reports(so, fsp, month)
    standing = [
        Standing(report, reports.lines_as_they_stand(report, today))
        for report in published
        if report.id not in account.invoiced
    ]
    by_entity = drawing_up.by_entity(standing, _entities(standing))
    bills = [_bill(entity, part, account, sides[fsp], rules, today) for entity, part in by_entity.items()]
    return Case(sides[so], sides[fsp], settings, today, rules, account, standing, bills, bool(published))


def _bill(
    entity: str | None,
    standing: Sequence[Standing],
    account: BillingAccount,
    fsp: Organisation,
    rules: MarketRules,
    today: date,
) -> Bill:
    agreement, why_none = _agreement(entity, account, fsp, rules, today)
    originals = store.load_invoices(drawing_up.credited_lines(standing))
    return Bill(entity, why_none, drawing_up.plan(standing, rules, agreement, today, originals))


def _agreement(
    entity: str | None, account: BillingAccount, fsp: Organisation, rules: MarketRules, today: date
) -> tuple[AgreedSpan | None, str | None]:
    if not rules.self_billing:
        return None, "The operator's market rules are without self-billing."
    spans = [span for span in account.agreements if span.contracting_entity == entity]
    return holding(spans, today, valid_vat_number(fsp, entity))


def _entities(standing: Sequence[Standing]) -> Mapping[str, str | None]:
    """The contracting entity behind each obligation that something waits to be invoiced for."""
    ids = sorted({line.obligation_id for each in standing for line in each.waiting})
    return {id_: found.contracting_entity for id_, found in contracts.load_obligations(ids).items()}
