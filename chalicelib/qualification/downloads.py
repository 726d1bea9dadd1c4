"""Fills the qualified assets file and the entries file: the same sheets that can be uploaded again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from chalicelib.assets.models import Asset
from chalicelib.competitions import actions as competitions
from chalicelib.competitions import actions_reading as competitions_reading
from chalicelib.competitions.models import Competition
from chalicelib.files.columns import Template
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem
from chalicelib.kernel.models import Value
from chalicelib.kernel.periods import local_of
from chalicelib.qualification.actions_entries import get_entry
from chalicelib.qualification.actions_sheets import current_sheet, find_competitions_of
from chalicelib.qualification.actions_views import names_of, told_answers
from chalicelib.qualification.models import EntryState, Standing
from chalicelib.qualification.moments import can_enter
from chalicelib.qualification.sheets import (
    CHOICES,
    EFFECTS,
    ENTRIES,
    ENTRIES_TEMPLATE,
    OVERRIDES_TEMPLATE,
    QUALIFIED,
    rule_field,
)
from chalicelib.qualification.views import AnswerView

Row = dict[str, Any]
_EFFECT_WORDS = {effect: word for word, effect in EFFECTS.items()}
_CHOICE_WORDS = {choice: word for word, choice in CHOICES.items()}


class QualifiedFilters(Value):
    """Which answers: of a competition, or of an operator's round; `standing` leaves out the others."""

    competition_id: str | None = Field(default=None, max_length=60)
    round_ref: str | None = Field(default=None, max_length=60)
    so: str | None = Field(default=None, max_length=60)
    standing: Standing | None = None


def export_qualified_assets(call: Call, filters: dict[str, Any]) -> tuple[Template, dict[str, Iterator[Row]]]:
    """Answers with their assets: an operator's of all FSPs, an FSP's own. `Invalid` when no competition is named.

    ValidationError when the filters are not `QualifiedFilters`.
    """
    wanted = QualifiedFilters.model_validate(filters)
    asked = _asked(call, wanted)
    return OVERRIDES_TEMPLATE, {QUALIFIED: (row for each in asked for row in _rows(call, each, wanted.standing))}


def export_entries(call: Call, filters: dict[str, Any]) -> tuple[Template, dict[str, Iterator[Row]]]:
    """The caller's entry in every competition that its assets match and whose entry can still be changed."""
    Value.model_validate(filters)
    found = [each for each in find_competitions_of(call.organisation) if can_enter(each, call.now)]
    names = names_of(each.so for each in found)
    return ENTRIES_TEMPLATE, {ENTRIES: (_entry_row(call, each, names[each.so]) for each in found)}


def _asked(call: Call, wanted: QualifiedFilters) -> list[Competition]:
    if wanted.competition_id is not None:
        return [competitions.joinable_competition(call, wanted.competition_id)]
    if wanted.round_ref is None:
        problem = Problem("export.filter", "Name a competition or a round.", "filters", "competition_id or round_ref")
        raise Invalid.of([problem], "export.filters")
    summaries = competitions_reading.view_round(call, wanted.round_ref, wanted.so).competitions
    return list(competitions.load_competitions(summary.id for summary in summaries).values())


def _rows(call: Call, competition: Competition, standing: Standing | None) -> Iterator[Row]:
    own = None if competition.so == call.actor.organisation else call.organisation
    states: dict[str, EntryState] = {}
    for view, asset in told_answers(call, competition, own):
        if view.fsp not in states:
            states[view.fsp] = current_sheet(competition, view.fsp).state
        if standing in (None, view.standing):
            yield _row(competition, view, asset, states[view.fsp])


def _row(competition: Competition, view: AnswerView, asset: Asset, entry: EntryState) -> Row:
    override = view.override if view.override and view.override.active else None
    rules = {rule_field(line.rule): f"{'pass' if line.passed else 'fail'}: {line.detail}" for line in view.rules}
    shown = ("fsp_name", "competition_id", "competition_ref", "competition_name", "phase", "asset_id")
    result = ("match", "area", "distance_m", "standing", "capacity_mw", "remaining_mw")
    return (
        asset.columns()
        | rules
        | {name: getattr(view, name) for name in (*shown, *result)}
        | {
            "entry": entry,
            "changed_at": local_of(asset.changed_at, competition.zone).replace(microsecond=0),
            "why": "; ".join(view.why),
            "override": _EFFECT_WORDS[override.effect] if override else None,
            "reason": override.reason if override else None,
        }
    )


def _entry_row(call: Call, competition: Competition, so_name: str) -> Row:
    view = get_entry(call, competition.id)
    until = local_of(view.changeable_until, competition.zone)
    told = {"so_name": so_name, "changeable_until": until, "choice": _CHOICE_WORDS[view.choice]}
    return view.model_dump() | told
