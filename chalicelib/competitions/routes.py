"""Owns the API of competitions and rounds, for their operators, for providers and for the public."""

from __future__ import annotations

from chalicelib.competitions import actions, actions_documents, actions_reading
from chalicelib.competitions.calendars import competition_calendar
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
    """Competitions the caller may see: of its own operator drafts too, of others what was published."""
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
    """Create a competition, as a draft unless `publish` is true."""
    return actions_reading.view_of(call, actions.create_competition(call, body))


@routes.get("/competitions/{competition_id}", returns=CompetitionView, who=member("read"))
def get_competition(call: Call, competition_id: str) -> CompetitionView:
    """A competition with its windows and documents."""
    return actions_reading.view_competition(call, competition_id)


@routes.patch(
    "/competitions/{competition_id}",
    body=CompetitionChange,
    returns=CompetitionView,
    who=so("procurement"),
    if_match=True,
)
def change_competition(call: Call, competition_id: str, body: CompetitionChange, if_match: int) -> CompetitionView:
    """Change the fields that are sent, as far as the competition's dates still allow."""
    return actions_reading.view_of(call, actions.change_competition(call, competition_id, body, if_match))


@routes.get("/competitions/{competition_id}/preview", returns=PreviewView, who=so("read"))
def preview_competition(call: Call, competition_id: str) -> PreviewView:
    """What a competition comes to: hours and MWh per window, and what to look at before publishing."""
    return actions_reading.preview_competition(call, competition_id)


@routes.post(
    "/competitions/{competition_id}/publication",
    returns=CompetitionView,
    who=so("procurement"),
    replay=_one,
)
def publish_competition(call: Call, competition_id: str) -> CompetitionView:
    """Show a draft to everybody."""
    return actions_reading.view_of(call, actions.publish_competition(call, competition_id))


@routes.post(
    "/competitions/{competition_id}/withdrawal",
    body=Reason,
    returns=CompetitionView,
    who=so("procurement"),
    replay=_one,
)
def withdraw_competition(call: Call, competition_id: str, body: Reason) -> CompetitionView:
    """Withdraw a competition with a reason, until its results are confirmed."""
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
    """The documents of a competition."""
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
    """Add a link, or a file to be sent to the address in the answer."""
    return actions_documents.add_document(call, competition_id, body)


@routes.get("/rounds/{round_ref}", query=RoundQuery, returns=RoundView, who=member("read"))
def get_round(call: Call, round_ref: str, query: RoundQuery) -> RoundView:
    """The competitions of a round and how many are in which phase."""
    return actions_reading.view_round(call, round_ref, query.so)


@routes.post(
    "/rounds/{round_ref}/publication",
    returns=RoundAnswer,
    who=so("procurement"),
    replay=actions_reading.replay_round,
)
def publish_round(call: Call, round_ref: str) -> RoundAnswer:
    """Publish every draft of a round; each is published or says why not."""
    return actions_reading.publish_round(call, round_ref)


@routes.post(
    "/rounds/{round_ref}/withdrawal",
    body=Reason,
    returns=RoundAnswer,
    who=so("procurement"),
    replay=actions_reading.replay_round,
)
def withdraw_round(call: Call, round_ref: str, body: Reason) -> RoundAnswer:
    """Withdraw every open competition of a round with one reason."""
    return actions_reading.withdraw_round(call, round_ref, body.reason)


@routes.get(
    "/public/competitions",
    query=PublicQuery,
    returns=Page[CompetitionSummary],
    who=PUBLIC,
    produces=("application/json", "application/geo+json", "text/csv"),
)
def list_public_competitions(call: Call, query: PublicQuery) -> Page[CompetitionSummary] | Text:
    """Published competitions as JSON; `format=geojson` and `format=csv` give the same page in those forms."""
    page, found = actions_reading.list_public(call, query)
    text = actions_reading.public_text(query.format, page, found)
    return Text(*text) if text else page


@routes.get("/public/competitions/{competition_id}", returns=CompetitionView, who=PUBLIC)
def get_public_competition(call: Call, competition_id: str) -> CompetitionView:
    """A published competition, for anybody."""
    return actions_reading.view_of(call, actions_reading.public_competition(call, competition_id))


@routes.get("/public/competitions/{competition_id}/calendar.ics", returns=Text, who=PUBLIC, produces=("text/calendar",))
def get_calendar(call: Call, competition_id: str) -> Text:
    """The dates of a published competition, for a calendar programme to follow."""
    competition = actions_reading.public_competition(call, competition_id)
    return Text(competition_calendar(competition), "text/calendar; charset=utf-8", f"{competition.reference}.ics")
