"""Owns the competitions workbook filled with an operator's own competitions, ready to be changed and sent again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.competitions.actions_reading import all_of_operator
from chalicelib.competitions.listing import is_asked_for
from chalicelib.competitions.models import Competition
from chalicelib.competitions.sheet_rows import rows_of
from chalicelib.competitions.views import CompetitionQuery
from chalicelib.kernel.call import Call


def existing_competitions(call: Call, filters: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Rows by tab of the caller's competitions; `filters` as the list takes them. Withdrawn ones only when asked for."""
    return rows_of(list(_asked_for(call, CompetitionQuery.model_validate(filters))))


def _asked_for(call: Call, query: CompetitionQuery) -> Iterator[Competition]:
    for competition in all_of_operator(call.organisation):
        over = competition.outcome == "withdrawn" and query.phase is None
        if not over and is_asked_for(competition, query, call.now):
            yield competition
