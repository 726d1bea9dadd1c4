"""Endpoints of dispatch for whoever does not sign in: open data, and calendars behind their secret links."""

from __future__ import annotations

from chalicelib.dispatch import actions_feeds, actions_open_data, actions_rules
from chalicelib.dispatch.listing import as_open_csv
from chalicelib.dispatch.open_data import PublicDispatch
from chalicelib.dispatch.requests import CalendarLinkRequest, PublicDispatchQuery
from chalicelib.dispatch.views import CalendarLinkView, PresetsList
from chalicelib.edge.web import PUBLIC, Page, Routes, Text, either, fsp, so
from chalicelib.kernel.call import Call

routes = Routes(__name__)
_EITHER_READS = either(fsp("read"), so("read"))


@routes.get(
    "/public/dispatches",
    query=PublicDispatchQuery,
    returns=Page[PublicDispatch],
    who=PUBLIC,
    produces=("application/json", "text/csv"),
)
def list_public_dispatches(call: Call, query: PublicDispatchQuery) -> Page[PublicDispatch] | Text:
    """Instructions that ran, for anybody, once their operator's delay has passed."""
    page = actions_open_data.list_public_dispatches(call, query)
    return Text(as_open_csv(page.items), "text/csv; charset=utf-8", "dispatches.csv") if query.format == "csv" else page


@routes.get("/public/calendars/{calendar_key}", returns=Text, who=PUBLIC, produces=("text/calendar",))
def read_calendar(call: Call, calendar_key: str) -> Text:
    """The schedule behind a calendar link, for a calendar program to follow."""
    return Text(actions_feeds.read_calendar(call, calendar_key), "text/calendar; charset=utf-8")


@routes.get("/calendar-links", returns=Page[CalendarLinkView], who=_EITHER_READS)
def list_calendar_links(call: Call) -> Page[CalendarLinkView]:
    """The links by which calendar programs follow the organisation's schedule."""
    return actions_feeds.list_links(call)


@routes.post(
    "/calendar-links",
    body=CalendarLinkRequest,
    returns=CalendarLinkView,
    status=201,
    who=either(fsp("dispatch"), so("dispatch")),
    replay=actions_feeds.get_link,
)
def add_calendar_link(call: Call, body: CalendarLinkRequest) -> CalendarLinkView:
    """Make a link; the answer alone holds its secret path."""
    return actions_feeds.add_link(call, body)


@routes.delete("/calendar-links/{link_id}", who=either(fsp("dispatch"), so("dispatch")))
def remove_calendar_link(call: Call, link_id: str) -> None:
    """Close a link."""
    actions_feeds.remove_link(call, link_id)


@routes.get("/dispatch-rules/presets", returns=PresetsList, who=so("read"))
def list_dispatch_presets(call: Call) -> PresetsList:
    """Dispatch terms that ship, to start from."""
    return actions_rules.list_presets(call)
