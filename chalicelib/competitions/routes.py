"""Owns the API of competitions and rounds, for their operators, for providers and for the public."""

from __future__ import annotations

import json

from chalicelib.competitions import actions, actions_documents, actions_reading
from chalicelib.competitions.calendars import competition_calendar
from chalicelib.competitions.listing import as_csv, as_geojson
from chalicelib.competitions.requests import CompetitionChange, CompetitionRequest
from chalicelib.competitions.views import (
    CompetitionQuery,
    CompetitionSummary,
    CompetitionView,
    DocumentList,
    DocumentRequest,
    DocumentView,
    PreviewView,
    PublicQuery,
    Reason,
    RoundAnswer,
    RoundQuery,
    RoundView,
)
from chalicelib.edge.web import PUBLIC, Page, Routes, Text, member, so
from chalicelib.kernel.call import Call

routes = Routes(__name__)
_one = actions_reading.view_competition


@routes.get("/competitions", query=CompetitionQuery, returns=Page[CompetitionSummary], who=member("read"))
def list_competitions(call: Call, query: CompetitionQuery) -> Page[CompetitionSummary]:
    return actions_reading.list_competitions(call, query)


@routes.post(
    "/competitions",
    body=CompetitionRequest,
    returns=CompetitionView,
    status=201,
    who=so("procurement"),
    replay=_one,
)
def create_competition(call: Call, body: CompetitionRequest) -> CompetitionView:
    return actions_reading.view_of(call, actions.create_competition(call, body))


@routes.get("/competitions/{competition_id}", returns=CompetitionView, who=member("read"))
def get_competition(call: Call, competition_id: str) -> CompetitionView:
    return actions_reading.view_competition(call, competition_id)


@routes.patch(
    "/competitions/{competition_id}",
    body=CompetitionChange,
    returns=CompetitionView,
    who=so("procurement"),
    if_match=True,
)
def change_competition(call: Call, competition_id: str, body: CompetitionChange, if_match: int) -> CompetitionView:
    return actions_reading.view_of(call, actions.change_competition(call, competition_id, body, if_match))


@routes.get("/competitions/{competition_id}/preview", returns=PreviewView, who=so("read"))
def preview_competition(call: Call, competition_id: str) -> PreviewView:
    return actions_reading.preview_competition(call, competition_id)


@routes.post(
    "/competitions/{competition_id}/publication",
    returns=CompetitionView,
    who=so("procurement"),
    replay=_one,
)
def publish_competition(call: Call, competition_id: str) -> CompetitionView:
    return actions_reading.view_of(call, actions.publish_competition(call, competition_id))


@routes.post(
    "/competitions/{competition_id}/withdrawal",
    body=Reason,
    returns=CompetitionView,
    who=so("procurement"),
    replay=_one,
)
def withdraw_competition(call: Call, competition_id: str, body: Reason) -> CompetitionView:
    return actions_reading.view_of(call, actions.withdraw_competition(call, competition_id, body.reason))


@routes.post(
    "/competitions/{competition_id}/area-versions",
    body=Reason,
    returns=CompetitionView,
    who=so("procurement"),
    if_match=True,
    replay=_one,
)
def take_area_versions(call: Call, competition_id: str, body: Reason, if_match: int) -> CompetitionView:
    """Take the current versions of the competition's areas."""
    return actions_reading.view_of(call, actions.take_area_versions(call, competition_id, if_match, body.reason))


@routes.get("/competitions/{competition_id}/documents", returns=DocumentList, who=member("read"))
def list_documents(call: Call, competition_id: str) -> DocumentList:
    return DocumentList(items=tuple(actions_documents.list_documents(call, competition_id)))


@routes.post(
    "/competitions/{competition_id}/documents",
    body=DocumentRequest,
    returns=DocumentView,
    status=201,
    who=so("procurement"),
    replay=actions_documents.replay_document,
)
def add_document(call: Call, competition_id: str, body: DocumentRequest) -> DocumentView:
    return actions_documents.add_document(call, competition_id, body)


@routes.get("/rounds/{round_ref}", query=RoundQuery, returns=RoundView, who=member("read"))
def get_round(call: Call, round_ref: str, query: RoundQuery) -> RoundView:
    return actions_reading.view_round(call, round_ref, query.so)


@routes.post(
    "/rounds/{round_ref}/publication",
    returns=RoundAnswer,
    who=so("procurement"),
    replay=actions_reading.replay_round,
)
def publish_round(call: Call, round_ref: str) -> RoundAnswer:
    return actions_reading.publish_round(call, round_ref)


@routes.post(
    "/rounds/{round_ref}/withdrawal",
    body=Reason,
    returns=RoundAnswer,
    who=so("procurement"),
    replay=actions_reading.replay_round,
)
def withdraw_round(call: Call, round_ref: str, body: Reason) -> RoundAnswer:
    return actions_reading.withdraw_round(call, round_ref, body.reason)


@routes.get("/public/competitions", query=PublicQuery, returns=Page[CompetitionSummary], who=PUBLIC)
def list_public_competitions(call: Call, query: PublicQuery) -> Page[CompetitionSummary] | Text:
    """Published competitions as JSON; `format=geojson` and `format=csv` give the same page in those forms."""
    page, found = actions_reading.list_public(call, query)
    if query.format == "csv":
        return Text(as_csv(page.items), "text/csv; charset=utf-8", "competitions.csv")
    if query.format == "geojson":
        outlines = actions_reading.outlines_of(found)
        shapes = as_geojson((summary, outlines[summary.id]) for summary in page.items)
        return Text(json.dumps(shapes | {"next": page.next}), "application/geo+json")
    return page


@routes.get("/public/competitions/{competition_id}", returns=CompetitionView, who=PUBLIC)
def get_public_competition(call: Call, competition_id: str) -> CompetitionView:
    return actions_reading.view_of(call, actions_reading.public_competition(call, competition_id))


@routes.get("/public/competitions/{competition_id}/calendar.ics", returns=Text, who=PUBLIC)
def get_calendar(call: Call, competition_id: str) -> Text:
    """The dates of a published competition, for a calendar programme to follow."""
    competition = actions_reading.public_competition(call, competition_id)
    return Text(competition_calendar(competition), "text/calendar; charset=utf-8", f"{competition.reference}.ics")
