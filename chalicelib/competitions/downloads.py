"""Owns the competitions workbook filled with an operator's own competitions, ready to be changed and sent again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.competitions.actions_reading import all_of_operator
from chalicelib.competitions.listing import is_asked_for
from chalicelib.competitions.models import Competition
from chalicelib.competitions.sheet_rows import rows_of
from chalicelib.competitions.sheets import TEMPLATE
from chalicelib.competitions.views import CompetitionQuery
from chalicelib.files.columns import Template
from chalicelib.kernel.call import Call


def export_competitions(call: Call, filters: dict[str, Any]) -> tuple[Template, dict[str, list[dict[str, Any]]]]:
    """The caller's competitions by tab; `filters` as the list takes them; withdrawn ones only if asked for.

    ValidationError when the filters are not those of `CompetitionQuery`.
    """
    return TEMPLATE, rows_of(list(_asked_for(call, CompetitionQuery.model_validate(filters))))


def _asked_for(call: Call, query: CompetitionQuery) -> Iterator[Competition]:
    for competition in all_of_operator(call.organisation):
        over = competition.outcome == "withdrawn" and query.phase is None
        if not over and is_asked_for(competition, query, call.now):
            yield competition
