"""Owns the asset register's part of the API."""

from __future__ import annotations

from chalicelib.assets import actions
from chalicelib.assets.models import AssetView, TypeTree
from chalicelib.assets.requests import AssetChange, AssetQuery, AssetRequest, AssetState, TypesRequest
from chalicelib.edge.web import Routes, fsp, market_operator, member
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Page

routes = Routes(__name__)


@routes.get("/assets", query=AssetQuery, returns=Page[AssetView], who=fsp("read"))
def list_assets(call: Call, query: AssetQuery) -> Page[AssetView]:
    """My assets, by filters and in order."""
    return actions.list_assets(call, query)


@routes.post(
    "/assets", body=AssetRequest, returns=AssetView, status=201, who=fsp("procurement"), replay=actions.get_asset
)
def create_asset(call: Call, body: AssetRequest) -> AssetView:
    """Create an asset."""
    return actions.create_asset(call, body)


@routes.get("/assets/{asset_id}", returns=AssetView, who=fsp("read"))
def get_asset(call: Call, asset_id: str) -> AssetView:
    """One of my assets."""
    return actions.get_asset(call, asset_id)


@routes.patch("/assets/{asset_id}", body=AssetChange, returns=AssetView, who=fsp("procurement"), if_match=True)
def update_asset(call: Call, asset_id: str, body: AssetChange, if_match: int) -> AssetView:
    """Change columns of an asset."""
    return actions.update_asset(call, asset_id, body, if_match)


@routes.put("/assets/by-ref/{ref}", body=AssetState, returns=AssetView, who=fsp("procurement"))
def put_asset(call: Call, ref: str, body: AssetState) -> AssetView:
    """Create the asset of a reference, or bring it wholly to this state."""
    return actions.put_asset(call, ref, body)


@routes.get("/asset-types", returns=TypeTree, who=member("read"))
def get_asset_types(call: Call) -> TypeTree:
    """The categories and types an asset may have."""
    return actions.get_types(call)


@routes.post(
    "/asset-types", body=TypesRequest, returns=TypeTree, who=market_operator("account"), replay=actions.get_types
)
def add_asset_types(call: Call, body: TypesRequest) -> TypeTree:
    """Add types to a category."""
    return actions.add_types(call, body)
