"""Owns what other rooms and entrances ask of qualification."""

from __future__ import annotations

from chalicelib.qualification.actions_assessing import (
    assess_assets,
    assess_company,
    assess_competition,
    assess_pairs,
)
from chalicelib.qualification.actions_closing import settle_qualification
from chalicelib.qualification.actions_entries import entries_made, get_entry, put_entries, put_entry
from chalicelib.qualification.actions_overrides import copy_overrides, list_overrides, overrides_made, set_overrides
from chalicelib.qualification.actions_participants import (
    eligible_fsps,
    list_participants,
    list_round_participants,
    participants,
    qualified_fsps,
    undecided_fsps,
)
from chalicelib.qualification.actions_previewing import preview_qualification
from chalicelib.qualification.actions_sheets import find_competitions_of, is_entered, qualified_set
from chalicelib.qualification.actions_views import list_answers, list_asset_answers

__all__ = [
    "assess_assets",
    "assess_company",
    "assess_competition",
    "assess_pairs",
    "copy_overrides",
    "eligible_fsps",
    "entries_made",
    "find_competitions_of",
    "get_entry",
    "is_entered",
    "list_answers",
    "list_asset_answers",
    "list_overrides",
    "list_participants",
    "list_round_participants",
    "overrides_made",
    "participants",
    "preview_qualification",
    "put_entries",
    "put_entry",
    "qualified_fsps",
    "qualified_set",
    "set_overrides",
    "settle_qualification",
    "undecided_fsps",
]
