"""Owns the reads of competitions that other rooms and other verbs stand on, and the writes later rooms commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

from chalicelib.areas import actions as areas
from chalicelib.areas.models import Area
from chalicelib.competitions import store
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Refused
from chalicelib.kernel.models import iso
from chalicelib.storage.writes import Write

FAR_AWAY = "9999"


def get_competition(competition_id: str) -> Competition:
    """A competition as it stands, drafts and withdrawn ones too; `NotFound` when there is none."""
    competition = store.find_competition(competition_id)
    if competition is None:
        raise NotFound("competition.not_found", "There is no such competition.")
    return competition


def load_competitions(competition_ids: Iterable[str]) -> dict[str, Competition]:
    """Competitions by id; those that are not there are left out."""
    return store.load_competitions(competition_ids)


def find_by_ref(so: str, ref: str) -> Competition | None:
    """An operator's competition by its reference, or None."""
    competition_id = store.find_ids(so, [ref]).get(ref)
    return store.find_competition(competition_id) if competition_id else None


def find_ids_by_refs(so: str, refs: Iterable[str]) -> dict[str, str]:
    """Ids of an operator's competitions by reference; references never used are left out."""
    return store.find_ids(so, refs)


def competition_as_at(competition_id: str, instant: datetime) -> Competition | None:
    """The competition with its terms as they stood at an instant; None before it was made."""
    return store.find_version_at(competition_id, instant)


def list_live(now: datetime) -> Iterator[Competition]:
    """Competitions that are published, not withdrawn and not over at `now` (`rules.is_live`), soonest end first.

    Read from an index: one published a moment ago may be missing.
    """
    cursor: str | None = None
    while True:
        page = store.list_published(100, cursor, (iso(now), FAR_AWAY))
        yield from (each for each in page.items if each.outcome == "open")
        cursor = page.next
        if cursor is None:
            return


def list_by_zones(zone_ids: Iterable[str], ending_after: datetime | None = None) -> list[str]:
    """Ids of competitions published for any of these zones, each once; with an instant, only those that end after it.

    It may name one whose publication failed halfway or that has left the zone: read it before believing it.
    """
    found = [each for zone_id in zone_ids for each in store.list_ids_by_zone(zone_id, ending_after)]
    return list(dict.fromkeys(found))


def outcome_write(
    competition: Competition, outcome: Literal["confirmed", "withdrawn"], at: datetime, reason: str | None = None
) -> Write:
    """The write that ends a competition, on condition that it is open; `Refused` names what it is otherwise."""
    detail = "The competition was withdrawn or its results were confirmed meanwhile."
    after = competition.but(outcome=outcome, outcome_at=at, withdrawal_reason=reason)
    return store.save_outcome(competition, after, Refused("competition.over", detail))


def unchanged_check(competition: Competition) -> Write:
    """A condition for a later room's commit: the competition is open and still at this version."""
    return store.check_unchanged(competition)


def own_competition(call: Call, competition_id: str) -> Competition:
    """The caller's own competition; `NotFound` for another operator's."""
    competition = get_competition(competition_id)
    call.check_owner(competition.so, "competition")
    return competition


def visible_competition(call: Call, competition_id: str) -> Competition:
    """A competition that the caller may see: its own, or any that was published; else `NotFound`."""
    competition = get_competition(competition_id)
    if not competition.is_published:
        call.check_owner(competition.so, "competition")
    return competition


def joinable_competition(call: Call, competition_id: str) -> Competition:
    """A competition that the caller may have a part in: an operator's own, any published one for others."""
    competition = visible_competition(call, competition_id)
    if call.actor.organisation_kind == "so":
        call.check_owner(competition.so, "competition")
    return competition


def current_areas(competition: Competition) -> dict[str, Area]:
    """The areas that a competition names, as they are now, by reference; archived ones are left out."""
    found = areas.find_areas(competition.so, [ref.area_ref for ref in competition.zones if ref.area_ref])
    return {ref: area for ref, area in found.items() if area.state == "current"}
