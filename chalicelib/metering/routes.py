"""Endpoints of metering: readings in, and how complete they are."""

from __future__ import annotations

from chalicelib.edge.web import Page, Routes, either, fsp, so
from chalicelib.kernel.call import Call
from chalicelib.metering import actions, actions_readings
from chalicelib.metering.models import MeterDataQuery, MeterView
from chalicelib.metering.requests import ReadingsRequest, ReadingsView

routes = Routes(__name__)


@routes.get("/meter-data", query=MeterDataQuery, returns=Page[MeterView], who=either(fsp("read"), so("read")))
def list_meter_data(call: Call, query: MeterDataQuery) -> Page[MeterView]:
    """How complete a month's readings are, by meter and day: of an obligation's meters, or of one of the caller's."""
    return actions.list_meter_data(call, query)


@routes.post(
    "/meter-data",
    body=ReadingsRequest,
    returns=ReadingsView,
    status=201,
    who=fsp("settlement"),
    replay=actions_readings.replay_readings,
)
def send_readings(call: Call, body: ReadingsRequest) -> ReadingsView:
    """Send readings of one's own meters, unit, sign, clock and stamps declared; each meter-day is judged by itself."""
    return actions_readings.take_readings(call, body)
