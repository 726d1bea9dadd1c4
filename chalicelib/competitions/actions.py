"""Owns the verbs of competitions: create, change, publish, withdraw, and the reads that later rooms call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from chalicelib.areas import actions as areas
from chalicelib.areas.models import Area
from chalicelib.competitions import store
from chalicelib.competitions.actions_reads import (
    competition_as_at,
    current_areas,
    find_by_ref,
    find_ids_by_refs,
    get_competition,
    joinable_competition,
    list_by_zones,
    list_live,
    load_competitions,
    outcome_write,
    own_competition,
    unchanged_check,
    visible_competition,
)
from chalicelib.competitions.edits import changed_fields, check_changeable, edit_problems
from chalicelib.competitions.events import (
    CompetitionChanged,
    CompetitionPublished,
    CompetitionWithdrawn,
    QualificationOpened,
)
from chalicelib.competitions.models import Boundaries, Competition, ZoneRef
from chalicelib.competitions.planning import (
    Found,
    Setting,
    as_request,
    is_same,
    plan,
    request_problems,
    setting_of,
    stored_boundaries,
)
from chalicelib.competitions.publishing import publication_problems, published
from chalicelib.competitions.requests import BoundaryRequest, CompetitionChange, CompetitionRequest
from chalicelib.competitions.rules import of_competition, phase
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem, Refused, Stale, raise_problems
from chalicelib.kernel.events import Event
from chalicelib.kernel.models import iso
from chalicelib.registry import actions as registry
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

__all__ = [
    "change_competition",
    "competition_as_at",
    "create_competition",
    "current_areas",
    "find_by_ref",
    "find_ids_by_refs",
    "get_competition",
    "joinable_competition",
    "list_by_zones",
    "list_live",
    "load_competitions",
    "outcome_write",
    "own_competition",
    "publish_competition",
    "put_competition",
    "take_area_versions",
    "unchanged_check",
    "visible_competition",
    "withdraw_competition",
]

_LONG = {"service_windows", "boundaries", "description"}
_ATTEMPTS = 5
# Somebody else, or the same file given twice, was first: what the table says now decides.
_OVERTAKEN = {"competition.stale", "competition.reference_taken"}


def create_competition(call: Call, request: CompetitionRequest) -> Competition:
    """A new competition, a draft or published at once as the request says; `Invalid` with all its problems."""
    if find_ids_by_refs(call.organisation, [request.reference]):
        raise Invalid.of([_taken(request.reference)], "competition.invalid")
    return _create(call, request, call.new_id("cmp"))


def put_competition(
    call: Call, request: CompetitionRequest, problems: Sequence[Problem], new_id: str
) -> tuple[Literal["created", "updated", "unchanged"], Competition]:
    """Create a competition or update the one with its reference, as a workbook asks; `Invalid` with all problems.

    `problems` are those found before; `new_id` is the id to create under. The same again (after a crash, or twice at
    once) answers as the first time and writes nothing. `publish` publishes a draft and leaves a published one as it is.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return _put(call, request, problems, new_id)
        except (Stale, Refused) as refusal:
            if refusal.code not in _OVERTAKEN:
                raise
    return _put(call, request, problems, new_id)


def _put(
    call: Call, request: CompetitionRequest, problems: Sequence[Problem], new_id: str
) -> tuple[Literal["created", "updated", "unchanged"], Competition]:
    current = find_by_ref(call.organisation, request.reference) if request.reference else None
    setting = _setting(call.organisation, current)
    if problems:
        found = _found(setting.so, request)
        raise Invalid.of([*problems, *request_problems(request, setting, found)], "competition.invalid")
    if current is None:
        return "created", _create(call, request, new_id)
    after = _planned(call, request, setting, current.id, current)
    if request.publish and not current.is_published and current.outcome == "open":
        raise_problems(publication_problems(after, call.now), "competition.invalid")
        after = published(after, call.now)
    if is_same(current, after):
        return _stands(call, current, new_id), current
    return "updated", _save(call, current, after)


def _stands(call: Call, current: Competition, new_id: str) -> Literal["created", "updated", "unchanged"]:
    """What a request that changes nothing came to: what it came to the first time, where it was made before."""
    if current.id == new_id:
        return "created"
    return "updated" if iso(current.changed_at) == iso(call.now) else "unchanged"


def change_competition(call: Call, competition_id: str, change: CompetitionChange, if_match: int) -> Competition:
    """Change the fields that were sent; `Invalid` with everything that does not fit or may not change any more."""
    current = own_competition(call, competition_id)
    _check_version(current, if_match)
    values = {**dict(as_request(current)), **change.given()}
    missing = [name for name, value in change.given().items() if value is None and _is_required(name)]
    raise_problems([Problem("field.missing", f"The {name} is required.", name) for name in missing])
    request = CompetitionRequest.model_validate(values)
    after = _planned(call, request, _setting(current.so, current), current.id, current)
    return current if is_same(current, after) else _save(call, current, after)


def publish_competition(call: Call, competition_id: str) -> Competition:
    """Show a draft to everybody; publishing again changes nothing. `Invalid` when nobody could take part any more."""
    current = own_competition(call, competition_id)
    if current.is_published and current.outcome == "open":
        return current
    check_changeable(current, call.now)
    raise_problems(publication_problems(current, call.now), "competition.invalid")
    return _save(call, current, published(current, call.now))


def withdraw_competition(call: Call, competition_id: str, reason: str) -> Competition:
    """Withdraw with a reason, at any time before results are confirmed; its ballots are void and stay sealed."""
    current = own_competition(call, competition_id)
    if current.outcome != "open":
        words = "was withdrawn already" if current.outcome == "withdrawn" else "has confirmed results"
        raise Refused(f"competition.{current.outcome}", f"This competition {words}.")
    after = current.but(outcome="withdrawn", outcome_at=call.now, withdrawal_reason=reason)
    write = outcome_write(current, "withdrawn", call.now, reason)
    facts = [CompetitionWithdrawn(**of_competition(current))] if current.is_published else []
    change = _change("competition.withdrawn", current, {"outcome": "open"}, {"outcome": "withdrawn"}, reason)
    commit(call, [write], facts, [change], current.id)
    return after.model_copy(update={"version": current.version + 1})


def take_area_versions(call: Call, competition_id: str, if_match: int, reason: str) -> Competition:
    """Take the current versions of its areas, before qualification closes; everything is assessed anew."""
    current = own_competition(call, competition_id)
    _check_version(current, if_match)
    if phase(current, call.now) not in {"draft", "published", "qualifying"}:
        raise Refused("competition.areas_fixed", "Areas are fixed once qualification has closed.")
    newest = current_areas(current)
    refs = [_newest(ref, newest) for ref in current.zones]
    after = current.but(zones=tuple(refs), changed_at=call.now)
    return current if is_same(current, after) else _save(call, current, after, ("zones",), reason)


def _create(call: Call, request: CompetitionRequest, new_id: str) -> Competition:
    competition = _planned(call, request, _setting(call.organisation, None), new_id, None)
    if request.publish:
        raise_problems(publication_problems(competition, call.now), "competition.invalid")
        competition = published(competition, call.now)
        store.keep_zones(competition)
    change = _change("competition.created", competition, None, {"reference": competition.reference, "version": 1})
    writes = store.create_competition(competition)
    commit(call, writes, _facts_of_publication(competition, call.now), [change], competition.id)
    return competition


def _save(
    call: Call,
    before: Competition,
    after: Competition,
    fields: tuple[str, ...] | None = None,
    reason: str | None = None,
) -> Competition:
    after = after.but(version=before.version + 1)
    names = changed_fields(before, after) if fields is None else fields
    if after.is_published:
        store.keep_zones(after)
    facts: list[Event] = []
    if after.is_published and not before.is_published:
        facts = _facts_of_publication(after, call.now)
    elif after.is_published:
        facts = [CompetitionChanged(**of_competition(after), fields=names)]
    published_now = after.is_published and not before.is_published
    action = "competition.published" if published_now else "competition.changed"
    change = _change(action, after, _told(before, names), _told(after, names), reason)
    commit(call, store.save_competition(before, after), facts, [change], after.id)
    store.drop_zones(after.id, set(before.zone_ids) - set(after.zone_ids))
    return after


def _facts_of_publication(competition: Competition, now: datetime) -> list[Event]:
    """A competition published while its qualification is open says both at once."""
    if not competition.is_published:
        return []
    head = of_competition(competition)
    opened = [QualificationOpened(**head)] if competition.calendar.qualification_open <= now else []
    return [CompetitionPublished(**head), *opened]


def _planned(
    call: Call, request: CompetitionRequest, setting: Setting, competition_id: str, current: Competition | None
) -> Competition:
    """The competition a request asks for, its own zone kept; `Invalid` with every problem, those of editing too."""
    found = _found(setting.so, request)
    raise_problems(request_problems(request, setting, found), "competition.invalid")
    if current is not None:
        check_changeable(current, call.now)
    found = replace(found, own_zone=_own_zone(call, request.boundaries, current))
    planned = plan(request, setting, found, competition_id, call.now, current)
    raise_problems(planned.problems, "competition.invalid")
    assert planned.competition is not None, "a plan without problems has its competition"
    if current is not None:
        raise_problems(edit_problems(current, planned.competition, call.now), "competition.edit")
    return planned.competition


def _found(so: str, request: CompetitionRequest) -> Found:
    refs = request.boundaries.areas if request.boundaries else ()
    known = {ref: area for ref, area in areas.find_areas(so, refs).items() if area.state == "current"} if refs else {}
    zones = {ref: ZoneRef(zone_id=area.zone_id, area_ref=ref, area_version=area.version) for ref, area in known.items()}
    scheme = registry.find_scheme_by_ref(so, request.dps_record_reference) if request.dps_record_reference else None
    earlier = request.duplicate_asset_overrides
    return Found(
        areas=zones,
        schemes={str(request.dps_record_reference): scheme.id} if scheme else {},
        competitions=store.find_ids(so, [earlier]) if earlier else {},
    )


def _own_zone(call: Call, boundaries: BoundaryRequest | None, current: Competition | None) -> str | None:
    """The zone of the competition's own lists; known lists are not written again."""
    if boundaries is None or not (boundaries.postcodes or boundaries.postcode_sectors or boundaries.bounding_boxes):
        return None
    wanted = stored_boundaries(boundaries)
    if current is not None and _lists(wanted) == _lists(current.boundaries):
        return next(ref.zone_id for ref in current.zones if ref.area_ref is None)
    zone_id, writes = areas.list_zone_writes(wanted.postcodes, wanted.postcode_sectors, wanted.bounding_boxes)
    commit(call.without_key(), writes)
    return zone_id


def _lists(boundaries: Boundaries) -> tuple[object, ...]:
    return boundaries.postcodes, boundaries.postcode_sectors, boundaries.bounding_boxes


def _newest(ref: ZoneRef, newest: dict[str, Area]) -> ZoneRef:
    area = newest.get(ref.area_ref or "")
    return ref if area is None else ref.but(zone_id=area.zone_id, area_version=area.version)


def _setting(so: str, current: Competition | None) -> Setting:
    """The operator's setting; a published competition keeps the one it was made in."""
    if current is not None and current.is_published:
        return setting_of(current)
    operator = registry.get_operator(so)
    return Setting(
        so=so,
        time_zone=operator.time_zone,
        holiday_region=operator.holiday_region,
        currency=operator.currency,
        allow_negative_prices=operator.allow_negative_prices,
        market_rules=operator.default_market_rules,
    )


def _check_version(competition: Competition, if_match: int) -> None:
    if competition.version != if_match:
        detail = f"This competition is at version {competition.version} now. Read it again and repeat the change."
        raise Stale("competition.stale", detail)


def _is_required(name: str) -> bool:
    return CompetitionRequest.model_fields[name].is_required()


def _taken(reference: str) -> Problem:
    detail = f"The reference {reference} is taken; references are never used twice."
    return Problem("competition.reference_taken", detail, "reference", "a reference that was never used")


def _told(competition: Competition, names: Sequence[str]) -> dict[str, Any]:
    """What the audit trail keeps of changed fields; long ones stand in the version it names."""
    asked = as_request(competition).model_dump(mode="json")
    return {name: asked[name] for name in names if name in asked and name not in _LONG} | {
        "version": competition.version
    }


def _change(
    action: str,
    competition: Competition,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    reason: str | None = None,
) -> Change:
    return Change(
        thing=f"competition:{competition.id}",
        action=action,
        organisation=competition.so,
        before=before,
        after=after,
        reason=reason,
    )
