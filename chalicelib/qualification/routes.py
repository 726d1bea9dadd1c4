"""Owns qualification's part of the API."""

from __future__ import annotations

from chalicelib.edge.web import Routes, either, fsp, so
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Page, PageQuery
from chalicelib.qualification import actions
from chalicelib.qualification.views import (
    AnswersQuery,
    AnswerView,
    AssetAnswersQuery,
    EntriesMade,
    EntriesRequest,
    EntryRequest,
    EntryView,
    OverridesMade,
    OverridesQuery,
    OverridesRequest,
    OverrideView,
    ParticipantView,
    RoundParticipantView,
    WouldQualifyView,
)

routes = Routes(__name__)
BOTH = either(fsp("read"), so("read"))


@routes.get("/competitions/{competition_id}/qualification", query=AnswersQuery, returns=Page[AnswerView], who=BOTH)
def list_answers(call: Call, competition_id: str, query: AnswersQuery) -> Page[AnswerView]:
    """Answers of a competition with their traces: an operator's all, an FSP's own."""
    return actions.list_answers(call, competition_id, query)


@routes.get("/competitions/{competition_id}/preview/qualification", returns=WouldQualifyView, who=so("read"))
def preview_qualification(call: Call, competition_id: str) -> WouldQualifyView:
    """What would qualify if the competition were published now: assets, MW, and what turns the others away."""
    return actions.preview_qualification(call, competition_id)


@routes.get("/assets/{asset_id}/qualification", query=AssetAnswersQuery, returns=Page[AnswerView], who=fsp("read"))
def list_asset_answers(call: Call, asset_id: str, query: AssetAnswersQuery) -> Page[AnswerView]:
    """One of my assets against competitions, with the traces."""
    return actions.list_asset_answers(call, asset_id, query)


@routes.get("/competitions/{competition_id}/overrides", query=OverridesQuery, returns=Page[OverrideView], who=BOTH)
def list_overrides(call: Call, competition_id: str, query: OverridesQuery) -> Page[OverrideView]:
    """Assets qualified or disqualified by the operator's hand."""
    return actions.list_overrides(call, competition_id, query)


@routes.post(
    "/competitions/{competition_id}/overrides",
    body=OverridesRequest,
    returns=OverridesMade,
    who=so("procurement"),
    replay=actions.overrides_made,
)
def set_overrides(call: Call, competition_id: str, body: OverridesRequest) -> OverridesMade:
    """Qualify, disqualify or lift, many at once."""
    return actions.set_overrides(call, competition_id, body)


@routes.get(
    "/competitions/{competition_id}/participants", query=PageQuery, returns=Page[ParticipantView], who=so("read")
)
def list_participants(call: Call, competition_id: str, query: PageQuery) -> Page[ParticipantView]:
    """FSPs by entry, eligible and qualified assets, MW."""
    return actions.list_participants(call, competition_id, query)


@routes.get("/rounds/{round_ref}/participants", query=PageQuery, returns=Page[RoundParticipantView], who=so("read"))
def list_round_participants(call: Call, round_ref: str, query: PageQuery) -> Page[RoundParticipantView]:
    """The same over a round of mine."""
    return actions.list_round_participants(call, round_ref, query)


@routes.get("/competitions/{competition_id}/entry", returns=EntryView, who=fsp("read"))
def get_entry(call: Call, competition_id: str) -> EntryView:
    """My entry in a competition, and what it stands on."""
    return actions.get_entry(call, competition_id)


@routes.put("/competitions/{competition_id}/entry", body=EntryRequest, returns=EntryView, who=fsp("procurement"))
def put_entry(call: Call, competition_id: str, body: EntryRequest) -> EntryView:
    """Enter, withdraw, or go back to undecided."""
    return actions.put_entry(call, competition_id, body)


@routes.post("/entries", body=EntriesRequest, returns=EntriesMade, who=fsp("procurement"), replay=actions.entries_made)
def put_entries(call: Call, body: EntriesRequest) -> EntriesMade:
    """One choice for many competitions, or for a round."""
    return actions.put_entries(call, body)
