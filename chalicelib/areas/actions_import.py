"""Owns bringing areas in: zones kept first, every area's new version staged, then one pointer that makes all seen.

An import is seen whole or not at all. Heads are staged with the import's id; while its `done` row is absent they stand
for what they were, once it is there for what was staged. The operator's lock lets only the import that began last
write that row; one overtaken fails, is given again by its queue, and begins anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from chalicelib.areas import store
from chalicelib.areas.actions import area_id_of, version_of, zone_of
from chalicelib.areas.events import AreasChanged
from chalicelib.areas.matching import ZoneCell
from chalicelib.areas.models import Area, AreaHead, Boundary, Exact, ImportDone, ImportLock, NewArea, Staged, Zone
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Stale
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

MOST_AREAS = 5_000
_HEADS_AT_ONCE = 40
_IDS_AT_ONCE = 100
_REFS_AUDITED = 500

Came = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class _Step:
    """One area of an import: its head's row as stored, the area as it was, and as it will be (None: unchanged)."""

    stored: int
    before: Area | None
    after: Area | None
    new: NewArea

    def came(self, import_id: str) -> Came:
        """What became of the area; brought by the same import given twice at once, it is told as the first told it."""
        if self.after is None:
            assert self.before is not None, "an area that changes nothing is there"
            return _came_with(self.before, import_id)
        return "updated" if self.before else "created"


def find_zone(exact: Exact | None, lists: Boundary) -> Zone | None:
    """The zone of a boundary where it is known already: then nothing of it need be computed or kept."""
    return store.load_zone(zone_of(exact, lists, ()).id)


def keep_zone(exact: Exact | None, lists: Boundary, covering: Sequence[ZoneCell]) -> Zone:
    """Keep a boundary as a zone with the rows that find it; the zone's own row last, so that it stands for all."""
    zone = zone_of(exact, lists, covering)
    store.keep_places(zone.id, covering, lists)
    store.keep_zone(zone)
    return zone


def import_areas(call: Call, so: str, import_id: str, areas: Sequence[NewArea]) -> dict[str, Came]:
    """Bring in an operator's areas, each by its reference, all at once; what came of each.

    The same import again changes nothing more. Raises `Stale` when another import of the operator overtook this one.
    """
    if store.load_done([import_id]):
        return _as_done(so, import_id, areas)
    lock = _take_lock(call, so, import_id)
    steps = _plan(call, so, import_id, areas)
    changing = [step for step in steps if step.after]
    if changing:
        _stage(call, import_id, changing)
        _finish(call, so, import_id, lock, changing)
        _settle(call, changing)
    return {step.new.ref: step.came(import_id) for step in steps}


def _take_lock(call: Call, so: str, import_id: str) -> int:
    """Make this the operator's import that began last; the lock's version then."""
    found = store.load_lock(so)
    stored = found[1] if found else 0
    if found and found[0].import_id == import_id:
        return stored
    commit(call, [store.save_lock(so, ImportLock(import_id=import_id), stored)])
    return stored + 1


def _plan(call: Call, so: str, import_id: str, areas: Sequence[NewArea]) -> list[_Step]:
    heads = store.load_heads([area_id_of(so, new.ref) for new in areas])
    done = store.load_done({head.staged.import_id for head, _ in heads.values() if head.staged})
    steps = []
    for new in areas:
        head, stored = heads.get(area_id_of(so, new.ref), (AreaHead(), 0))
        before = store.area_of(head, done)
        steps.append(_Step(stored, before, _after(call, so, import_id, before, new), new))
    return steps


def _after(call: Call, so: str, import_id: str, before: Area | None, new: NewArea) -> Area | None:
    """The area with its new version; None where nothing of it changes."""
    if before and (before.zone_id, before.name, before.state) == (new.zone.id, new.name, "current"):
        return None
    return Area(
        id=area_id_of(so, new.ref),
        so=so,
        ref=new.ref,
        name=new.name,
        version=before.version + 1 if before else 1,
        zone_id=new.zone.id,
        kinds=new.zone.kinds,
        changed_at=call.now,
        source=import_id,
    )


def _stage(call: Call, import_id: str, steps: Sequence[_Step]) -> None:
    for group in _groups(steps, _HEADS_AT_ONCE):
        heads = [(AreaHead(area=step.before, staged=_staged(step, import_id)), step.stored) for step in group]
        versions = [store.save_version(version_of(_new(step), call.actor.id, step.new.attributes)) for step in group]
        commit(call, [*store.stage_heads(heads), *versions])


def _finish(call: Call, so: str, import_id: str, lock: int, steps: Sequence[_Step]) -> None:
    """Flip the one pointer, with the facts and the audit record, if no other import began meanwhile."""
    done = ImportDone(import_id=import_id, so=so, at=call.now, areas=len(steps))
    held = store.save_lock(so, ImportLock(import_id=import_id), lock)
    commit(call, [store.save_done(done), held], _events(so, steps), [_audit(so, import_id, steps)])


def _settle(call: Call, steps: Sequence[_Step]) -> None:
    """Write the heads as they are now. Not needed to be seen rightly, so a head that moved on is left alone."""
    for group in _groups(steps, _HEADS_AT_ONCE):
        try:
            commit(call, store.stage_heads([(AreaHead(area=step.after), step.stored + 1) for step in group]))
        except Stale:
            continue


def _as_done(so: str, import_id: str, areas: Sequence[NewArea]) -> dict[str, Came]:
    """What an import that is done came to, told from the versions it brought."""
    heads = store.load_heads([area_id_of(so, new.ref) for new in areas])
    found: dict[str, Came] = {}
    for new in areas:
        head, _ = heads[area_id_of(so, new.ref)]
        area = head.staged.area if head.staged else head.area
        assert area is not None, "an area of a finished import"
        found[new.ref] = _came_with(area, import_id)
    return found


def _came_with(area: Area, import_id: str) -> Came:
    """What an area as it stands owes to an import."""
    if area.source != import_id:
        return "unchanged"
    return "created" if area.version == 1 else "updated"


def _events(so: str, steps: Sequence[_Step]) -> list[AreasChanged]:
    return [
        AreasChanged(
            so=so,
            area_ids=tuple(_new(step).id for step in group),
            zone_ids=tuple(sorted({_new(step).zone_id for step in group})),
        )
        for group in _groups(steps, _IDS_AT_ONCE)
    ]


def _audit(so: str, import_id: str, steps: Sequence[_Step]) -> Change:
    refs = [step.new.ref for step in steps]
    counts = {came: sum(step.came(import_id) == came for step in steps) for came in ("created", "updated")}
    told = {**counts, "references": refs[:_REFS_AUDITED], "receipt": import_id}
    return Change(thing=f"receipt:{import_id}", action="areas.imported", organisation=so, after=told)


def _staged(step: _Step, import_id: str) -> Staged:
    return Staged(area=_new(step), import_id=import_id)


def _new(step: _Step) -> Area:
    assert step.after is not None, "a step that changes something"
    return step.after


def _groups(steps: Sequence[_Step], most: int) -> Iterator[Sequence[_Step]]:
    return (steps[start : start + most] for start in range(0, len(steps), most))
