"""Owns the minute's round: tells each date of a calendar that has passed, once, in order, and moves the waking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chalicelib.competitions import store
from chalicelib.competitions.models import Competition
from chalicelib.competitions.rules import crossed
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Stale
from chalicelib.storage.commit import commit


def never() -> bool:
    return False


def announce_due(call: Call, is_time_up: Callable[[], bool] = never) -> int:
    """Announce every milestone that has passed by `call.now`; how many competitions were moved on.

    Each competition's facts and its next waking go in one transaction, on condition that nobody moved it meanwhile;
    one that changed under our hands is left to the next minute, as are all others once the time is up.
    """
    moved = 0
    for listed in store.list_due(call.now):
        if is_time_up():
            break
        moved += _announce(call, listed.id)
    return moved


def _announce(call: Call, competition_id: str) -> bool:
    """Announce one competition from what is stored, not from the index, which may be a moment behind."""
    competition = store.find_competition(competition_id)
    if competition is None or not _is_behind(competition, call.now):
        return False
    passed = crossed(competition, competition.announced_until, call.now)
    after = competition.but(announced_until=call.now)
    try:
        commit(call, [store.save_announced(competition, after)], [milestone.event for milestone in passed])
    except Stale:
        return False
    return True


def _is_behind(competition: Competition, now: datetime) -> bool:
    return bool(crossed(competition, competition.announced_until, now))
