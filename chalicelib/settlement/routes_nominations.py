"""Endpoints of nominations and weekly templates, and of how well they fitted."""

from __future__ import annotations

from chalicelib.edge.web import Routes, either, fsp, so
from chalicelib.kernel.call import Call
from chalicelib.settlement import actions_accuracy, actions_nominations
from chalicelib.settlement.requests_nominations import (
    AccuracyQuery,
    AccuracyView,
    NominationsQuery,
    NominationsRequest,
    NominationsView,
    StatementsView,
)

routes = Routes(__name__)


@routes.post(
    "/nominations",
    body=NominationsRequest,
    returns=NominationsView,
    status=201,
    who=fsp("settlement"),
    replay=actions_nominations.replay_nominations,
)
def state_nominations(call: Call, body: NominationsRequest) -> NominationsView:
    """State schedules and weekly templates of one's own assets; the answer says for which events they come too late."""
    return actions_nominations.state_nominations(call, body)


@routes.get("/nominations", query=NominationsQuery, returns=StatementsView, who=either(fsp("read"), so("read")))
def list_nominations(call: Call, query: NominationsQuery) -> StatementsView:
    """What was stated of an asset for some days, and its weekly template; every version of them on request."""
    return actions_nominations.list_statements(call, query)


@routes.get("/nominations/accuracy", query=AccuracyQuery, returns=AccuracyView, who=fsp("read"))
def get_forecast_accuracy(call: Call, query: AccuracyQuery) -> AccuracyView:
    """How well the caller's forecasts fitted its meters outside events: by day, and all together."""
    return actions_accuracy.get_accuracy(call, query)
