"""Keeps operators' dispatch rules as versions, and finds the one that holds for an obligation at an instant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import store
from chalicelib.dispatch.requests import RulesRequest
from chalicelib.dispatch.rules import rules_at
from chalicelib.dispatch.terms import DEFAULT_REF, PRESETS, DispatchRules, DispatchTerms
from chalicelib.dispatch.views import PresetsList, RulesList
from chalicelib.kernel import periods
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound
from chalicelib.registry import actions as registry
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

_LONG_AGO = date(1970, 1, 1)


def list_rules(call: Call) -> RulesList:
    """Every version of the calling operator's dispatch rules, by name."""
    return RulesList(items=tuple(store.list_rules(call.organisation)))


def list_presets(call: Call) -> PresetsList:
    """The terms that ship, by name: acceptance times in use."""
    return PresetsList(items=PRESETS)


def set_rules(call: Call, request: RulesRequest) -> DispatchRules:
    """Set terms under a name from a day on: a new version, nothing is edited."""
    zone = periods.zone_of(registry.get_operator(call.organisation).time_zone)
    rules = DispatchRules(
        **request.model_dump(exclude={"effective_from"}),
        so=call.organisation,
        effective_from=request.effective_from or periods.local_day(call.now, zone),
        version=len(store.list_rules(call.organisation, request.ref)) + 1,
        set_at=call.now,
        set_by=call.actor.id,
    )
    change = Change(
        thing=f"dispatch-rules:{rules.so}/{rules.ref}",
        action="dispatch_rules.set",
        organisation=rules.so,
        after=rules.model_dump(mode="json"),
    )
    commit(call, [store.new_rules(rules)], [], [change], result=f"{rules.ref}#{rules.version}")
    return rules


def get_rules(call: Call, result: str) -> DispatchRules:
    """One version by `name#version`; for whoever sends a request twice."""
    ref, _, version = result.rpartition("#")
    for rules in store.list_rules(call.organisation, ref):
        if rules.version == int(version):
            return rules
    raise NotFound("dispatch_rules.not_found", "There are no such rules.")


def rules_of(obligation: Obligation, at: datetime) -> DispatchRules:
    """The rules that hold for an obligation at an instant; what ships where its operator has set none by then."""
    return terms_of(obligation, at, store.list_rules(obligation.so))


def terms_of(obligation: Obligation, at: datetime, known: Iterable[DispatchRules]) -> DispatchRules:
    """As `rules_of`, where the operator's rules are read already."""
    ref = obligation.market_rules or DEFAULT_REF
    day = periods.local_day(at, periods.zone_of(obligation.time_zone))
    return rules_at(known, ref, day) or _shipped(obligation.so, at)


def _shipped(so: str, at: datetime) -> DispatchRules:
    return DispatchRules(
        **dict(DispatchTerms()), so=so, ref=DEFAULT_REF, effective_from=_LONG_AGO, version=0, set_at=at, set_by="system"
    )
