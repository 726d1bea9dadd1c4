"""Owns the operator's tables of participants, by competition and by round, and who is to be told of its dates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from chalicelib.competitions import actions as competitions
from chalicelib.competitions import actions_reading as competitions_reading
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Page, PageQuery
from chalicelib.kernel.quantities import ZERO
from chalicelib.qualification.actions_sheets import sheets_of
from chalicelib.qualification.actions_views import names_of
from chalicelib.qualification.models import Sheet
from chalicelib.qualification.moments import is_closed
from chalicelib.qualification.views import ParticipantView, RoundParticipantView
from chalicelib.storage.tables import decode_cursor, encode_cursor

Row = TypeVar("Row", ParticipantView, RoundParticipantView)


def list_participants(call: Call, competition_id: str, query: PageQuery) -> Page[ParticipantView]:
    """The operator's table of FSPs in its competition: entry, eligible and qualified assets, MW."""
    competition = competitions.own_competition(call, competition_id)
    return _page_of(participants(competition, call), query)


def list_round_participants(call: Call, round_ref: str, query: PageQuery) -> Page[RoundParticipantView]:
    """The same over all competitions of the operator's round, by FSP."""
    summaries = competitions_reading.view_round(call, round_ref).competitions
    of_round = competitions.load_competitions(summary.id for summary in summaries)
    rows: dict[str, list[ParticipantView]] = {}
    for competition in of_round.values():
        for row in participants(competition, call):
            rows.setdefault(row.fsp, []).append(row)
    return _page_of([_over_round(rows[fsp]) for fsp in sorted(rows)], query)


def participants(competition: Competition, call: Call) -> list[ParticipantView]:
    """Every FSP with a part in a competition, in order of id; nothing is qualified before the close."""
    sheets = sheets_of(competition)
    names, closed = names_of(sheet.fsp for sheet in sheets), is_closed(competition, call.now)
    return [_participant(competition, sheet, names[sheet.fsp], closed) for sheet in sheets]


def undecided_fsps(competition_id: str) -> list[str]:
    """FSPs with eligible assets that have not decided on entry: whom reminders are for."""
    sheets = sheets_of(competitions.get_competition(competition_id))
    return [sheet.fsp for sheet in sheets if sheet.state == "undecided"]


def eligible_fsps(competition_id: str) -> list[str]:
    """FSPs with at least one eligible asset: those a competition is of interest to."""
    return [sheet.fsp for sheet in sheets_of(competitions.get_competition(competition_id)) if sheet.eligible]


def qualified_fsps(competition_id: str) -> list[str]:
    """FSPs with at least one qualified asset: those who may bid."""
    return [sheet.fsp for sheet in sheets_of(competitions.get_competition(competition_id)) if sheet.qualified_count]


def _participant(competition: Competition, sheet: Sheet, name: str, closed: bool) -> ParticipantView:
    return ParticipantView(
        competition_id=competition.id,
        competition_ref=competition.reference,
        fsp=sheet.fsp,
        fsp_name=name,
        state=sheet.state,
        counts_as_entered=sheet.entered,
        assessed=sheet.assessed,
        eligible=sheet.eligible,
        eligible_mw=sheet.eligible_mw,
        qualified=sheet.qualified_count if closed else 0,
        qualified_mw=sheet.qualified_mw if closed else ZERO,
        lost=sheet.lost,
    )


def _over_round(rows: Sequence[ParticipantView]) -> RoundParticipantView:
    states = [row.state for row in rows]
    return RoundParticipantView(
        fsp=rows[0].fsp,
        fsp_name=rows[0].fsp_name,
        entered=states.count("entered"),
        undecided=states.count("undecided"),
        withdrawn=states.count("withdrawn"),
        not_applicable=states.count("not applicable"),
        eligible=sum(row.eligible for row in rows),
        qualified=sum(row.qualified for row in rows),
        competitions=tuple(rows),
    )


def _page_of(rows: Sequence[Row], query: PageQuery) -> Page[Row]:
    """A page of rows in order of FSP; the cursor names the last FSP told."""
    last = decode_cursor(query.cursor).get("fsp", {}).get("S", "") if query.cursor else ""
    left = [row for row in rows if row.fsp > last]
    page = list(left[: query.limit])
    more = len(left) > len(page)
    return Page(items=page, next=encode_cursor({"fsp": {"S": page[-1].fsp}}) if more else None)
