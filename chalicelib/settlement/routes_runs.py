"""Endpoints of settlement runs: ask for one, see what it came to, and what changed since the version before."""

from __future__ import annotations

from chalicelib.edge.web import Routes, either, fsp, so
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Page
from chalicelib.settlement import actions_differences, actions_runs
from chalicelib.settlement.requests_runs import (
    DifferencesQuery,
    DifferenceView,
    RunQuery,
    RunRequest,
    RunView,
)

routes = Routes(__name__)
_EITHER_SIDE = either(fsp("read"), so("read"))


@routes.post(
    "/settlement-runs",
    body=RunRequest,
    returns=RunView,
    status=202,
    who=either(fsp("settlement"), so("settlement")),
    replay=actions_runs.get_run,
)
def ask_settlement_run(call: Call, body: RunRequest) -> RunView:
    """Ask for a settlement of days past: a new version, made in a moment. An FSP asks for a month reported to it."""
    return actions_runs.ask_run(call, body)


@routes.get("/settlement-runs", query=RunQuery, returns=Page[RunView], who=_EITHER_SIDE)
def list_settlement_runs(call: Call, query: RunQuery) -> Page[RunView]:
    """The operator's runs, or those an FSP has a part in, latest days first."""
    return actions_runs.list_runs(call, query)


@routes.get("/settlement-runs/{run_id}", returns=RunView, who=_EITHER_SIDE)
def get_settlement_run(call: Call, run_id: str) -> RunView:
    """One run; an FSP sees the figures of its own part once its report is published."""
    return actions_runs.get_run(call, run_id)


@routes.get(
    "/settlement-runs/{run_id}/differences", query=DifferencesQuery, returns=Page[DifferenceView], who=_EITHER_SIDE
)
def list_run_differences(call: Call, run_id: str, query: DifferencesQuery) -> Page[DifferenceView]:
    """Line by line what changed since the version before, and why: late data, a changed rule, new or gone."""
    return actions_differences.list_differences(call, run_id, query)
