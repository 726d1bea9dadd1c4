"""Endpoints of settlement: market rules by version, and previews of baselines."""

from __future__ import annotations

from chalicelib.edge.web import Routes, either, fsp, so
from chalicelib.kernel.call import Call
from chalicelib.settlement import actions_previews, actions_rules
from chalicelib.settlement.models import KeptRules
from chalicelib.settlement.requests import (
    PresetList,
    PreviewRequest,
    PreviewView,
    RulesList,
    RulesQuery,
    RulesRequest,
)

routes = Routes(__name__)
_EITHER_SIDE = either(fsp("read"), so("read"))


@routes.get("/market-rules", query=RulesQuery, returns=RulesList, who=_EITHER_SIDE)
def list_market_rules(call: Call, query: RulesQuery) -> RulesList:
    """Every version of an operator's market rules; an FSP names the operator."""
    return actions_rules.list_rules(call, query)


@routes.get("/market-rules/presets", returns=PresetList, who=_EITHER_SIDE)
def list_market_rule_presets(call: Call) -> PresetList:
    """The market rules that ship, to start from."""
    return actions_rules.list_presets(call)


@routes.post(
    "/market-rules",
    body=RulesRequest,
    returns=KeptRules,
    status=201,
    who=so("settlement"),
    replay=actions_rules.get_rules,
)
def set_market_rules(call: Call, body: RulesRequest) -> KeptRules:
    """Set market rules under a name from a day on: a new version, none is edited."""
    return actions_rules.set_rules(call, body)


@routes.post("/baseline-previews", body=PreviewRequest, returns=PreviewView, who=fsp("read"))
def preview_baseline(call: Call, body: PreviewRequest) -> PreviewView:
    """The baseline an asset of the caller's own would have over a span, explained; nothing is stored."""
    return actions_previews.preview_baseline(call, body)
