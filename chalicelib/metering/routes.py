"""Endpoints of metering: how complete the readings are."""

from __future__ import annotations

from chalicelib.edge.web import Page, Routes, either, fsp, so
from chalicelib.kernel.call import Call
from chalicelib.metering import actions
from chalicelib.metering.models import MeterDataQuery, MeterView

routes = Routes(__name__)


@routes.get("/meter-data", query=MeterDataQuery, returns=Page[MeterView], who=either(fsp("read"), so("read")))
def list_meter_data(call: Call, query: MeterDataQuery) -> Page[MeterView]:
    """How complete a month's readings are, by meter and day: of an obligation's meters, or of one of the caller's."""
    return actions.list_meter_data(call, query)
