"""Owns an FSP's sheet in a competition: kept as long as nothing changed, else computed anew from its answers."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.qualification import store
from chalicelib.qualification.capacity import sheet_of
from chalicelib.qualification.models import Entry, Override, Sheet
from chalicelib.qualification.rules import need_of


def qualified_set(competition_id: str, fsp: str) -> dict[str, Decimal]:
    """An FSP's qualified assets in a competition with what each brings, MW (MVAr for reactive power).

    The set as at the close of qualification, less what was lost since; before the close, what would be in it as
    things stand. Empty for an FSP that is not entered. Strongly consistent. `NotFound` for an unknown competition.
    """
    return current_sheet(competitions.get_competition(competition_id), fsp).qualified


def is_entered(competition_id: str, fsp: str) -> bool:
    """Whether an FSP counts as entered in a competition: page 4, "Entry"."""
    return current_sheet(competitions.get_competition(competition_id), fsp).entered


def current_sheet(competition: Competition, fsp: str) -> Sheet:
    """An FSP's sheet with nothing out of date; it is kept for the next reader when it had to be computed."""
    need, changes = need_of(competition), store.count_of(competition.id, fsp)
    kept = store.find_sheet(competition.id, fsp)
    if kept is not None and kept.is_current(need, changes):
        return kept
    overrides = _of_fsp(store.overrides_of(competition.id), fsp)
    computed = _computed(competition, fsp, changes, overrides)
    if changes:
        store.keep_sheets([computed])
    return computed


def sheets_of(competition: Competition) -> list[Sheet]:
    """The sheet of every FSP with a part in a competition, in order of FSP; long ones without their assets."""
    need, changes = need_of(competition), store.counts_of(competition.id)
    kept = store.sheets_of(competition.id)
    stale = [fsp for fsp in changes if fsp not in kept or not kept[fsp].is_current(need, changes[fsp])]
    overrides = list(store.overrides_of(competition.id)) if stale else []
    for fsp in stale:
        kept[fsp] = _computed(competition, fsp, changes[fsp], _of_fsp(overrides, fsp))
        store.keep_sheets([kept[fsp]])
    return [kept[fsp] for fsp in sorted(changes)]


def find_competitions_of(fsp: str) -> list[Competition]:
    """The competitions an FSP has a part in, in order of id; one it came into a moment ago may be missing."""
    found = competitions.load_competitions(store.find_competitions_of(fsp))
    return [found[competition_id] for competition_id in sorted(found)]


def entry_of(competition: Competition, fsp: str) -> Entry:
    """The stored choice, `undecided` where there is none."""
    kept = store.find_entry(competition.id, fsp)
    return kept or Entry(competition_id=competition.id, so=competition.so, fsp=fsp)


def _computed(competition: Competition, fsp: str, changes: int, overrides: dict[str, Override]) -> Sheet:
    answers, entry = store.answers_of(competition.id, fsp), entry_of(competition, fsp)
    return sheet_of(fsp, need_of(competition), answers, overrides, entry, changes)


def _of_fsp(overrides: Iterable[Override], fsp: str) -> dict[str, Override]:
    return {override.asset_id: override for override in overrides if override.fsp == fsp}
