"""Owns the close of qualification: every answer made certain as at the close, every FSP's sheet kept and recorded."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Call, derived_id, ordered_ids
from chalicelib.kernel.errors import Refused
from chalicelib.kernel.quantities import plain
from chalicelib.qualification.actions_assessing import assess_competition, is_assessed
from chalicelib.qualification.actions_sheets import sheets_of
from chalicelib.qualification.models import Sheet
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit


def settle_qualification(call: Call, competition_id: str) -> None:
    """Snapshot the qualified set of a competition whose qualification has closed.

    Answers count as at the close whenever they are made, so this changes none that is right; it catches those whose
    change was never heard. The record names how many qualified and a digest of the set. Done again, it does the same.
    """
    competition = competitions.get_competition(competition_id)
    if not is_assessed(competition, call):
        return
    assess_competition(call, competition_id)
    _record(call, competition, sheets_of(competition))


def _record(call: Call, competition: Competition, sheets: list[Sheet]) -> None:
    entered = [sheet for sheet in sheets if sheet.qualified_count]
    digest = derived_id("set", *(f"{sheet.fsp} {sheet.held} {plain(sheet.held_mw)}" for sheet in entered))
    change = Change(
        thing=f"competition:{competition.id}",
        action="qualification.settled",
        organisation=competition.so,
        after={"fsps": len(entered), "assets": sum(sheet.held for sheet in entered), "digest": digest},
    )
    once = replace(call, new_id=ordered_ids(call.now, call.request_id, "settle", competition.id, digest))
    try:
        commit(once, [], changes=[change])
    except Refused as refusal:
        if refusal.code != "exists":
            raise
