"""Owns the API of areas; boundaries come in as files of the kind `areas`."""

from __future__ import annotations

from chalicelib.areas import actions
from chalicelib.areas.models import AreaChange, AreaQuery, AreaVersion, AreaView
from chalicelib.edge.web import Page, PageQuery, Routes, so
from chalicelib.kernel.call import Call

routes = Routes(__name__)


@routes.get("/areas", query=AreaQuery, returns=Page[AreaView], who=so("read"))
def list_areas(call: Call, query: AreaQuery) -> Page[AreaView]:
    """My areas in their newest versions, by reference."""
    return actions.list_areas(call, query)


@routes.get("/areas/{area_id}", returns=AreaView, who=so("read"))
def get_area(call: Call, area_id: str) -> AreaView:
    """One of my areas."""
    return actions.get_area(call, area_id)


@routes.patch("/areas/{area_id}", body=AreaChange, returns=AreaView, who=so("procurement"), if_match=True)
def change_area(call: Call, area_id: str, body: AreaChange, if_match: int) -> AreaView:
    """Rename an area, archive it or bring it back; its boundary comes by file."""
    return actions.change_area(call, area_id, body, if_match)


@routes.get("/areas/{area_id}/versions", query=PageQuery, returns=Page[AreaVersion], who=so("read"))
def list_area_versions(call: Call, area_id: str, query: PageQuery) -> Page[AreaVersion]:
    """Every version of an area, oldest first."""
    return actions.list_area_versions(call, area_id, query)
