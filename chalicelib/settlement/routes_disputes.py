"""Endpoints of disputes: raised on a line, answered by the operator, ended or carried further by the provider."""

from __future__ import annotations

from chalicelib.edge.web import Routes, either, fsp, so
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Page
from chalicelib.settlement import actions_disputes as actions
from chalicelib.settlement.requests_disputes import (
    DisputeQuery,
    DisputeRequest,
    DisputeSummary,
    DisputeView,
    EndRequest,
    MessageRequest,
)

routes = Routes(__name__)
_EITHER_SIDE = either(fsp("read"), so("read"))


@routes.post(
    "/lines/{line_id}/disputes",
    body=DisputeRequest,
    returns=DisputeView,
    status=201,
    who=fsp("settlement"),
    replay=actions.get_dispute,
)
def raise_dispute(call: Call, line_id: str, body: DisputeRequest) -> DisputeView:
    """Dispute a line of one's own with a reason and evidence, while its report's window is open."""
    return actions.raise_dispute(call, line_id, body)


@routes.get("/lines/{line_id}/disputes", returns=Page[DisputeSummary], who=_EITHER_SIDE)
def list_line_disputes(call: Call, line_id: str) -> Page[DisputeSummary]:
    """Every dispute of a line, through all versions of its month."""
    return actions.list_line_disputes(call, line_id)


@routes.get("/disputes", query=DisputeQuery, returns=Page[DisputeSummary], who=_EITHER_SIDE)
def list_disputes(call: Call, query: DisputeQuery) -> Page[DisputeSummary]:
    """The caller's disputes, latest first."""
    return actions.list_disputes(call, query)


@routes.get("/disputes/{dispute_id}", returns=DisputeView, who=_EITHER_SIDE)
def get_dispute(call: Call, dispute_id: str) -> DisputeView:
    """A dispute with all that was said, and its line as it stands today."""
    return actions.get_dispute(call, dispute_id)


@routes.post(
    "/disputes/{dispute_id}/answer",
    body=MessageRequest,
    returns=DisputeView,
    who=so("settlement"),
    replay=actions.get_dispute,
)
def answer_dispute(call: Call, dispute_id: str, body: MessageRequest) -> DisputeView:
    """Answer a dispute; where the provider is right, settle the month anew, publish it, and say so here."""
    return actions.answer_dispute(call, dispute_id, body)


@routes.post(
    "/disputes/{dispute_id}/agreement",
    body=EndRequest,
    returns=DisputeView,
    who=fsp("settlement"),
    replay=actions.get_dispute,
)
def agree_dispute(call: Call, dispute_id: str, body: EndRequest) -> DisputeView:
    """Agree to the line as it now stands, which ends the dispute: the line goes on to be invoiced."""
    return actions.agree_dispute(call, dispute_id, body)


@routes.post(
    "/disputes/{dispute_id}/escalation",
    body=MessageRequest,
    returns=DisputeView,
    who=fsp("settlement"),
    replay=actions.get_dispute,
)
def escalate_dispute(call: Call, dispute_id: str, body: MessageRequest) -> DisputeView:
    """Carry a dispute whose answer is not accepted to the contract's next step."""
    return actions.escalate_dispute(call, dispute_id, body)


@routes.post(
    "/disputes/{dispute_id}/withdrawal",
    body=EndRequest,
    returns=DisputeView,
    who=fsp("settlement"),
    replay=actions.get_dispute,
)
def withdraw_dispute(call: Call, dispute_id: str, body: EndRequest) -> DisputeView:
    """Take a claim back, which ends the dispute: the line is agreed as it stands."""
    return actions.withdraw_dispute(call, dispute_id, body)
