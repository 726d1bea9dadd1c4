"""Reminds providers of the gate until which they may offer next week's variable availability."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import store
from chalicelib.dispatch.actions_rules import terms_of
from chalicelib.dispatch.events import AvailabilityGateNear
from chalicelib.dispatch.rules_availability import gates, is_variable, promised_spans
from chalicelib.dispatch.terms import DispatchRules, DispatchTerms
from chalicelib.kernel import periods
from chalicelib.kernel.call import Call
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.models import iso
from chalicelib.kernel.periods import Span
from chalicelib.registry import actions as registry
from chalicelib.storage.commit import commit

AHEAD = timedelta(days=1)
_WEEK = timedelta(days=7)
_MOST_TOLD = 100


def remind_of_gates(call: Call) -> int:
    """Tell whoever has offered nothing for some period of next week, within a day of the gate; how many were told.

    Telling them again within the day is the same fact: they are mailed once for a gate.
    """
    return sum(_remind(call, operator.id) for operator in registry.list_organisations("so"))


def _remind(call: Call, so: str) -> int:
    rules = store.list_rules(so)
    time_zone = registry.get_operator(so).time_zone
    if not any(_gate(terms, time_zone, call.now) for terms in (DispatchTerms(), *rules)):
        return 0  # seldom is any gate near: only then every obligation is looked at
    waiting: dict[tuple[str, datetime], list[str]] = {}
    for obligation, gate in _open(call, so, rules):
        waiting.setdefault((obligation.fsp, gate), []).append(obligation.id)
    told = [
        AvailabilityGateNear(so=so, fsp=fsp, gate=iso(gate), obligation_ids=ids[:_MOST_TOLD])
        for (fsp, gate), ids in waiting.items()
    ]
    for each in told:
        commit(call, [], [each])
    return len(told)


def _open(call: Call, so: str, rules: list[DispatchRules]) -> Iterator[tuple[Obligation, datetime]]:
    """Obligations with a period of next week that nothing was offered for, each with its gate, which is near."""
    for obligation in contracts.list_all_obligations("so", so):
        if not is_variable(obligation) or obligation.state not in contracts.IN_FORCE:
            continue
        gate = _gate(terms_of(obligation, call.now + _WEEK, rules), obligation.time_zone, call.now)
        if gate is not None and _has_open(obligation, call.now):
            yield obligation, gate


def _has_open(obligation: Obligation, now: datetime) -> bool:
    week = _next_week(now, obligation.time_zone)
    spans = promised_spans(obligation, holidays_of(obligation.holiday_region), week)
    offers = store.list_offers(obligation.id, *week)
    return any(week[0] <= span[0] < week[1] and span[0] not in offers for span in spans)


def _gate(terms: DispatchTerms, time_zone: str, now: datetime) -> datetime | None:
    """The gate for next week's periods where it is at most a day ahead."""
    gate, _ = gates(_next_week(now, time_zone)[0], terms, time_zone)
    return gate if now < gate <= now + AHEAD else None


def _next_week(now: datetime, time_zone: str) -> Span:
    """The local week after this one, Monday to Sunday."""
    zone = periods.zone_of(time_zone)
    today = periods.local_day(now, zone)
    monday = today + timedelta(days=7 - today.weekday())
    return periods.days_span(monday, monday + timedelta(days=6), zone)
