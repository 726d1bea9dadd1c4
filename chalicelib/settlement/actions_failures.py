"""Finds service failures among the caller's obligations, month by month; both sides see the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import actions as dispatch
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Page
from chalicelib.kernel.periods import Span, days_span, local_day, zone_of
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement.actions_rules import rules_of_obligation
from chalicelib.settlement.failures import FailureQuery, ServiceFailure, mean_performance, unavailable_share


@dataclass(frozen=True, slots=True)
class _Performances:
    """F of obligations by month as published reports tell it; each report is read once."""

    known: dict[tuple[str, str, str], dict[str, Decimal]] = field(default_factory=dict)

    def of(self, obligation: Obligation, month: str) -> Decimal | None:
        """F of an obligation's month; None where none was published, or no instruction gave one."""
        key = (obligation.so, obligation.fsp, month)
        if key not in self.known:
            self.known[key] = _published(*key)
        return self.known[key].get(obligation.id)


def list_failures(call: Call, query: FailureQuery) -> Page[ServiceFailure]:
    """The flags of a month over a page of the caller's obligations in force; a page may hold fewer than asked for."""
    side = "so" if call.actor.organisation_kind == "so" else "fsp"
    page = contracts.list_obligations(side, call.organisation, query.limit, query.cursor)
    performances = _Performances()
    standing = (each for each in page.items if each.state in contracts.IN_FORCE)
    found = [flag for each in standing for flag in _flags(call, each, query.month, performances)]
    return Page(items=found, next=page.next)


def _flags(
    call: Call, obligation: Obligation, named: str | None, performances: _Performances
) -> Iterator[ServiceFailure]:
    first = (
        date.fromisoformat(f"{named}-01")
        if named
        else _month_before(local_day(call.now, zone_of(obligation.time_zone)))
    )
    rules = rules_of_obligation(obligation, first)
    span = _span(obligation, first)
    share = unavailable_share(dispatch.availability_of(obligation, span, call.now), span)
    if share is not None and share > rules.failure_unavailable:
        months = _months_to(first, 1)
        yield _flag(obligation, "availability", share, rules.failure_unavailable, months, rules.version)
    months = _months_to(first, rules.failure_months)
    mean = mean_performance([performances.of(obligation, month) for month in months])
    if mean is not None and mean < rules.failure_performance:
        yield _flag(obligation, "performance", mean, rules.failure_performance, months, rules.version)


def _flag(
    obligation: Obligation, kind: str, measured: Decimal, threshold: Decimal, months: tuple[str, ...], version: int
) -> ServiceFailure:
    return ServiceFailure(
        obligation_id=obligation.id,
        so=obligation.so,
        fsp=obligation.fsp,
        competition_reference=obligation.competition_reference,
        month=months[-1],
        kind=kind,  # type: ignore[arg-type]
        measured=measured,
        threshold=threshold,
        months=months,
        rules_version=version,
    )


def _published(so: str, fsp: str, month: str) -> dict[str, Decimal]:
    """F by obligation in the report that is published of a month, where instructions gave it."""
    report = reports.published_report(so, fsp, month)
    if report is None:
        return {}
    return {
        each.obligation_id: each.performance
        for each in reports.load_detail(report).obligations
        if each.month == month and each.performance is not None and each.performance_from == "instructions"
    }


def _months_to(last: date, count: int) -> tuple[str, ...]:
    """So many months up to one, in order, as `2026-04`."""
    found = [last]
    while len(found) < count:
        found.insert(0, _month_before(found[0]))
    return tuple(f"{month:%Y-%m}" for month in found)


def _month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def _span(obligation: Obligation, first: date) -> Span:
    """A local month as UTC `[start, end)`."""
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return days_span(first, last, zone_of(obligation.time_zone))
