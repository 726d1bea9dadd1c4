"""Endpoints of system operators and of the market operator, who keeps them."""

from __future__ import annotations

from chalicelib.edge.web import PUBLIC, Page, PageQuery, Routes, market_operator
from chalicelib.kernel.call import Call
from chalicelib.registry import actions_operators
from chalicelib.registry.models import Organisation
from chalicelib.registry.requests import (
    OperatorChange,
    OperatorRequest,
    OperatorView,
    OrganisationQuery,
    PublicOperator,
    VerificationRequest,
)

routes = Routes(__name__)


@routes.get("/public/operators", query=PageQuery, returns=Page[PublicOperator], who=PUBLIC)
def list_public_operators(call: Call, query: PageQuery) -> Page[PublicOperator]:
    """Every SO with its public profile."""
    return actions_operators.list_public_operators(call, query.limit, query.cursor)


@routes.get("/public/operators/{so_id}", returns=PublicOperator, who=PUBLIC)
def get_public_operator(call: Call, so_id: str) -> PublicOperator:
    """One SO with its public profile."""
    return actions_operators.get_public_operator(call, so_id)


@routes.get("/operators", query=PageQuery, returns=Page[OperatorView], who=market_operator("read"))
def list_operators(call: Call, query: PageQuery) -> Page[OperatorView]:
    """Every SO with its settings."""
    return actions_operators.list_operators(call, query.limit, query.cursor)


@routes.post(
    "/operators",
    body=OperatorRequest,
    returns=OperatorView,
    status=201,
    who=market_operator("account"),
    replay=actions_operators.get_operator,
)
def create_operator(call: Call, body: OperatorRequest) -> OperatorView:
    """Set up an SO and invite its first people."""
    return actions_operators.create_operator(call, body)


@routes.get("/operators/{so_id}", returns=OperatorView, who=market_operator("read"))
def get_operator(call: Call, so_id: str) -> OperatorView:
    """One SO with its settings."""
    return actions_operators.get_operator(call, so_id)


@routes.patch(
    "/operators/{so_id}", body=OperatorChange, returns=OperatorView, who=market_operator("account"), if_match=True
)
def change_operator(call: Call, so_id: str, body: OperatorChange, if_match: int) -> OperatorView:
    """Change an SO's settings or profile."""
    return actions_operators.change_operator(call, so_id, body, if_match)


@routes.get("/organisations", query=OrganisationQuery, returns=Page[Organisation], who=market_operator("read"))
def list_organisations(call: Call, query: OrganisationQuery) -> Page[Organisation]:
    """Organisations of a kind, FSPs unless asked otherwise."""
    return actions_operators.list_organisations(call, query)


@routes.get("/organisations/{organisation_id}", returns=Organisation, who=market_operator("read"))
def get_any_organisation(call: Call, organisation_id: str) -> Organisation:
    """One organisation."""
    return actions_operators.get_any_organisation(call, organisation_id)


@routes.post(
    "/organisations/{organisation_id}/verification",
    body=VerificationRequest,
    returns=Organisation,
    who=market_operator("account"),
    replay=actions_operators.get_any_organisation,
)
def verify_organisation(call: Call, organisation_id: str, body: VerificationRequest) -> Organisation:
    """Say that a company was checked: from now on it may bid."""
    return actions_operators.verify_organisation(call, organisation_id, body.reason)
