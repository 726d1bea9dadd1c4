"""Finds service failures among the caller's obligations, month by month; both sides see the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import actions as dispatch
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Page
from chalicelib.kernel.periods import Span, days_span, local_day, zone_of
from chalicelib.settlement.actions_rules import rules_of_obligation
from chalicelib.settlement.failures import FailureQuery, ServiceFailure, unavailable_share


def list_failures(call: Call, query: FailureQuery) -> Page[ServiceFailure]:
    """The flags of a month over a page of the caller's obligations in force; a page may hold fewer than asked for."""
    side = "so" if call.actor.organisation_kind == "so" else "fsp"
    page = contracts.list_obligations(side, call.organisation, query.limit, query.cursor)
    standing = (each for each in page.items if each.state in contracts.IN_FORCE)
    found = [flag for each in standing for flag in _flags(call, each, query.month)]
    return Page(items=found, next=page.next)


def _flags(call: Call, obligation: Obligation, named: str | None) -> Iterator[ServiceFailure]:
    first = date.fromisoformat(f"{named}-01") if named else _month_before(call, obligation)
    rules = rules_of_obligation(obligation, first)
    span = _span(obligation, first)
    share = unavailable_share(dispatch.availability_of(obligation, span, call.now), span)
    if share is not None and share > rules.failure_unavailable:
        month = f"{first:%Y-%m}"
        yield ServiceFailure(
            obligation_id=obligation.id,
            so=obligation.so,
            fsp=obligation.fsp,
            competition_reference=obligation.competition_reference,
            month=month,
            kind="availability",
            measured=share,
            threshold=rules.failure_unavailable,
            months=(month,),
            rules_version=rules.version,
        )


def _month_before(call: Call, obligation: Obligation) -> date:
    this = local_day(call.now, zone_of(obligation.time_zone)).replace(day=1)
    return (this - timedelta(days=1)).replace(day=1)


def _span(obligation: Obligation, first: date) -> Span:
    """A local month as UTC `[start, end)`."""
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return days_span(first, last, zone_of(obligation.time_zone))
