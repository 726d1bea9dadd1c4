"""Owns what is read of competitions over the API: lists, rounds, previews, documents, the public's view."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib.areas import actions_outlines as areas
from chalicelib.competitions import store
from chalicelib.competitions.actions import (
    current_areas,
    own_competition,
    publish_competition,
    visible_competition,
    withdraw_competition,
)
from chalicelib.competitions.actions_documents import documents_of
from chalicelib.competitions.actions_reads import FAR_AWAY
from chalicelib.competitions.listing import as_csv, as_geojson, box_of, is_asked_for, overlaps
from chalicelib.competitions.models import Competition
from chalicelib.competitions.publishing import preview
from chalicelib.competitions.rules import phase
from chalicelib.competitions.views import (
    CompetitionQuery,
    CompetitionSummary,
    CompetitionView,
    PreviewView,
    PublicQuery,
    RoundAnswer,
    RoundOutcome,
    RoundView,
    competition_summary,
    competition_view,
)
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Refusal
from chalicelib.kernel.models import Page, iso
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

_LIVE = {"published", "qualifying", "qualified", "bidding"}
_PAGES_AT_MOST = 20
_AT_ONCE = 100

Pages = Callable[[str | None], Page[Competition]]


def view_competition(call: Call, competition_id: str) -> CompetitionView:
    """A competition the caller may see, with its documents."""
    return view_of(call, visible_competition(call, competition_id))


def view_of(call: Call, competition: Competition) -> CompetitionView:
    documents = tuple(documents_of(competition.id))
    return competition_view(competition, call.now, documents)


def list_competitions(call: Call, query: CompetitionQuery) -> Page[CompetitionSummary]:
    """What the caller may see: of its own operator everything, of all others what was published.

    Without a filter by operator, an operator gets its own; everybody else all, in order of their end.
    """
    own = call.actor.organisation if call.actor.organisation_kind == "so" else None
    page = _asked_for(call, query, query.so or own, own)
    return Page(items=[competition_summary(each, call.now) for each in page.items], next=page.next)


def list_public(call: Call, query: PublicQuery) -> tuple[Page[CompetitionSummary], list[Competition]]:
    """Published competitions for anybody, also by place: the page, and its competitions."""
    page = _asked_for(call, query, query.so, None)
    found = page.items
    if query.bbox is not None:
        wanted = box_of(query.bbox)
        bounds = areas.zone_bounds({zone_id for each in found for zone_id in each.zone_ids})
        found = [each for each in found if any(overlaps(bounds.get(zone_id), wanted) for zone_id in each.zone_ids)]
    return Page(items=[competition_summary(each, call.now) for each in found], next=page.next), found


def outlines_of(competitions: list[Competition]) -> dict[str, list[Mapping[str, Any]]]:
    """GeoJSON outlines, simplified for the screen, of each competition's zones, by competition id."""
    held = areas.zone_outlines({zone_id for each in competitions for zone_id in each.zone_ids})
    return {each.id: [held[zone_id] for zone_id in each.zone_ids if zone_id in held] for each in competitions}


def public_text(form: str, page: Page[CompetitionSummary], found: list[Competition]) -> tuple[str, str, str] | None:
    """A page as text, content type and file name, of `csv` or `geojson` (`next` beside the features); else None."""
    if form == "csv":
        return as_csv(page.items), "text/csv; charset=utf-8", "competitions.csv"
    if form == "geojson":
        outlines = outlines_of(found)
        shapes = as_geojson((summary, outlines[summary.id]) for summary in page.items)
        return json.dumps(shapes | {"next": page.next}), "application/geo+json", "competitions.geojson"
    return None


def public_competition(call: Call, competition_id: str) -> Competition:
    """A published competition; `NotFound` for a draft, whoever asks."""
    competition = visible_competition(call, competition_id)
    if not competition.is_published:
        raise NotFound("competition.not_found", "There is no such competition.")
    return competition


def preview_competition(call: Call, competition_id: str) -> PreviewView:
    """What the operator's own competition comes to, with its outlines and what to look at before publishing."""
    competition = own_competition(call, competition_id)
    outlines = outlines_of([competition])[competition.id]
    shape = {"type": "GeometryCollection", "geometries": outlines} if outlines else None
    return preview(competition, call.now, current_areas(competition)).but(outlines=shape)


def all_of_operator(so: str) -> Iterator[Competition]:
    """Every competition of an operator, drafts too, in order of reference."""
    cursor: str | None = None
    while True:
        page = store.list_of_operator(so, _AT_ONCE, cursor)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def view_round(call: Call, round_ref: str, so: str | None = None) -> RoundView:
    """A round of an operator (the caller's own, unless another is named): its competitions and how many are where."""
    found = [each for each in _of_round(call, round_ref, so) if _may_see(call, each)]
    if not found:
        raise NotFound("round.not_found", "There is no such round.")
    summaries = tuple(competition_summary(each, call.now) for each in found)
    phases = [summary.phase for summary in summaries]
    counts = {name: phases.count(name) for name in dict.fromkeys(phases)}
    return RoundView(ref=round_ref, so=found[0].so, phases=counts, competitions=summaries)


def publish_round(call: Call, round_ref: str) -> RoundAnswer:
    """Publish every draft of the caller's round; each is published or says why not."""
    drafts = [each for each in _of_round(call, round_ref, None) if phase(each, call.now) == "draft"]
    return _act_on_round(call, round_ref, drafts, "published", lambda one, each: publish_competition(one, each.id))


def withdraw_round(call: Call, round_ref: str, reason: str) -> RoundAnswer:
    """Withdraw every competition of the caller's round that is open; each is withdrawn or says why not."""
    still_open = [each for each in _of_round(call, round_ref, None) if each.outcome == "open"]
    return _act_on_round(
        call, round_ref, still_open, "withdrawn", lambda one, each: withdraw_competition(one, each.id, reason)
    )


def replay_round(call: Call, made: str) -> RoundAnswer:
    """What an act on a round says when its Idempotency-Key comes again: the round as it stands, nothing done twice."""
    return RoundAnswer(round=view_round(call, made), outcomes=())


def _act_on_round(
    call: Call,
    round_ref: str,
    competitions: list[Competition],
    done: str,
    act: Callable[[Call, Competition], Competition],
) -> RoundAnswer:
    view_round(call, round_ref)
    outcomes = tuple(_tried(call.without_key(), each, done, act) for each in competitions)
    change = Change(
        thing=f"round:{call.organisation}/{round_ref}",
        action=f"round.{done}",
        organisation=call.organisation,
        after={"competitions": [each.competition_id for each in outcomes if each.refusal is None][:_AT_ONCE]},
    )
    commit(call, (), (), [change], round_ref)
    return RoundAnswer(round=view_round(call, round_ref), outcomes=outcomes)


def _tried(call: Call, competition: Competition, done: str, act: Callable[[Call, Competition], Any]) -> RoundOutcome:
    head = {"competition_id": competition.id, "reference": competition.reference}
    try:
        act(call, competition)
    except Refusal as refusal:
        return RoundOutcome(**head, outcome="refused", code=refusal.code, refusal=refusal.detail)
    return RoundOutcome(**head, outcome=done)


def _of_round(call: Call, round_ref: str, so: str | None) -> list[Competition]:
    """Every competition of a round as it stands, found by the index and read strongly."""
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = store.list_of_round(so or call.organisation, round_ref, _AT_ONCE, cursor)
        ids += [each.id for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    found = store.load_competitions(ids)
    return [found[each] for each in ids if each in found and found[each].round_ref == round_ref]


def _asked_for(call: Call, query: CompetitionQuery, so: str | None, own: str | None) -> Page[Competition]:
    """One page of what is asked for and may be seen; a page may be short where a filter leaves little."""
    pages = _pages(call, query, so)
    cursor = query.cursor
    for _ in range(_PAGES_AT_MOST):
        page = pages(cursor)
        found = [each for each in page.items if (each.is_published or each.so == own)]
        found = [each for each in found if is_asked_for(each, query, call.now)]
        cursor = page.next
        if found or cursor is None:
            break
    return Page(items=found, next=cursor)


def _pages(call: Call, query: CompetitionQuery, so: str | None) -> Pages:
    """The narrowest index there is for a query."""
    if so is not None and query.round is not None:
        return lambda cursor: store.list_of_round(so, str(query.round), query.limit, cursor)
    if so is not None:
        return lambda cursor: store.list_of_operator(so, query.limit, cursor)
    closing = (iso(call.now), FAR_AWAY) if query.phase in _LIVE else None
    return lambda cursor: store.list_published(query.limit, cursor, closing)


def _may_see(call: Call, competition: Competition) -> bool:
    return competition.is_published or call.actor.organisation == competition.so
