"""Keeps operators' market rules as versions, each effective from a day, and finds the one that holds."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import ValidationError

from chalicelib.contracts.models import Obligation
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Problem, raise_problems
from chalicelib.kernel.periods import local_day, zone_of
from chalicelib.registry import actions as registry
from chalicelib.settlement import store
from chalicelib.settlement.models import KeptRules, MarketRules
from chalicelib.settlement.requests import PresetList, RulesList, RulesQuery, RulesRequest
from chalicelib.settlement.rules import PRESETS, next_version_problems, rule_problems, standing_rules
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit


def list_presets(call: Call) -> PresetList:
    """The rules that ship, to start from."""
    return PresetList(items=tuple(PRESETS.values()))


def list_rules(call: Call, query: RulesQuery) -> RulesList:
    """Every version of an operator's rules: its own, or those of the operator an FSP names."""
    so = call.organisation if call.actor.organisation_kind == "so" else query.so
    if so is None:
        raise NotFound("rules.whose", "Name the system operator whose rules you ask for: ?so=…")
    return RulesList(items=tuple(store.list_rules(so, query.name)))


def set_rules(call: Call, request: RulesRequest) -> KeptRules:
    """Set rules under a name from a day on: a new version; what holds already is never edited."""
    before = store.list_rules(call.organisation, request.name)
    last = before[-1] if before else None
    today = local_day(call.now, zone_of(registry.get_operator(call.organisation).time_zone))
    rules = _drawn(call, request, len(before) + 1)
    raise_problems([*rule_problems(rules), *next_version_problems(rules, last, today)], "rules.invalid")
    change = Change(
        thing=f"market-rules:{rules.so}/{rules.name}",
        action="market_rules.set",
        organisation=rules.so,
        before=last.model_dump(mode="json") if last else None,
        after=rules.model_dump(mode="json"),
    )
    commit(call, [store.new_rules(rules)], [], [change], result=f"{rules.name}#{rules.version}")
    return rules


def get_rules(call: Call, result: str) -> KeptRules:
    """One version of the caller's own rules by `name#version`: for whoever sends a request twice."""
    name, _, version = result.rpartition("#")
    for rules in store.list_rules(call.organisation, name):
        if str(rules.version) == version:
            return rules
    raise NotFound("rules.not_found", "There are no such rules.")


def rules_of_obligation(obligation: Obligation, day: date) -> MarketRules:
    """The rules that settle an obligation on a local day: those it names, by its operator or as they ship.

    Where it names none, or its operator had set none of that name by then and none ships, the standard agreement does.
    """
    return standing_rules(store.list_rules(obligation.so), obligation.market_rules, day)


def _drawn(call: Call, request: RulesRequest, version: int) -> KeptRules:
    """The preset with what differs; `Invalid` for an unknown preset or figures that cannot be."""
    if request.preset is not None and request.preset not in PRESETS:
        allowed = ", ".join(PRESETS)
        raise Invalid.of([Problem("rules.preset", "There is no such preset.", "preset", allowed)], "rules.invalid")
    base: dict[str, Any] = dict(PRESETS[request.preset]) if request.preset else {}
    whose = {"version": version, "so": call.organisation, "set_at": call.now, "set_by": call.actor.id}
    try:
        return KeptRules.model_validate({**base, **request.fields(), **whose})
    except ValidationError as error:
        raise Invalid.of(_problems(error), "rules.invalid") from error


def _problems(error: ValidationError) -> list[Problem]:
    return [Problem("rules.figure", each["msg"], "/".join(map(str, each["loc"]))) for each in error.errors()]
