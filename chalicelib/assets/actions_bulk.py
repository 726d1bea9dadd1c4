"""Owns taking many rows into the register: what each comes to, saved in groups that stand or fall together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.assets import store
from chalicelib.assets.actions_gazetteer import place_asset, places_of
from chalicelib.assets.events import AssetsChanged
from chalicelib.assets.lifecycle import (
    Outcome,
    Stamp,
    change_problems,
    is_stored,
    new_asset,
    next_version,
    outcome_of,
)
from chalicelib.assets.models import ARCHIVED, Asset, AssetFields, Commitment, Place
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Problem, Refusal
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import MOST_WRITES, Group, commit, commit_each
from chalicelib.storage.writes import Write

ROWS_AT_ONCE = 25
_ATTEMPTS = 8
_ORDINAL_ATTEMPTS = 50
_BESIDE_ROWS = 2  # the event and the audit record


@dataclass(frozen=True, slots=True)
class Draft:
    """A row that its rules let through; `call` draws the ids of this row alone."""

    row: int
    fields: AssetFields
    call: Call


@dataclass(frozen=True, slots=True)
class Taken:
    """What a row came to, and the asset as it stands then; the problems when it was kept out."""

    row: int
    outcome: Outcome | None
    asset: Asset | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Step:
    """One asset's next version, with the writes that make it."""

    draft: Draft
    before: Asset | None
    after: Asset
    writes: list[Write] = field(default_factory=list)

    @property
    def keys(self) -> set[tuple[str, str, str]]:
        return {write.key for write in self.writes}


@dataclass(frozen=True, slots=True)
class _Known:
    """What a batch of rows is decided on, read before anything is saved."""

    assets: Mapping[str, Asset]
    places: Mapping[str, Place]
    committed: Mapping[str, int]
    commitments: Mapping[str, Sequence[Commitment]]


def take_rows(call: Call, owner: str, drafts: Sequence[Draft], stamp: Stamp) -> list[Taken]:
    """Create or update the owner's assets, each row for itself; no reference may come twice.

    Rows are saved in groups. A group that somebody's change cancels is taken row by row, on what is stored then.
    Rows whose asset is stored as they say write nothing.
    """
    answers: dict[int, Taken] = {}
    steps = _steps(call, owner, drafts, stamp, answers)
    for group in _packed(steps):
        if commit_each(group[0].draft.call, [_group(owner, group, stamp)]) != [None]:
            for step in group:
                answers[step.draft.row] = _take_alone(call, owner, step.draft, stamp)
            continue
        answers |= {step.draft.row: _saved(step) for step in group}
    return [answers[draft.row] for draft in drafts]


def draw_ordinals(call: Call, owner: str, count: int) -> int:
    """The first of `count` ordinals that are the owner's alone from now on; those never used leave a gap."""
    for attempt in range(_ORDINAL_ATTEMPTS):
        first = store.following_ordinal(owner)
        try:
            commit(call, [store.ordinals_drawn(owner, first, count)])
            return first
        except Refusal as refusal:
            if refusal.code != store.RACED or attempt == _ORDINAL_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _take_alone(call: Call, owner: str, draft: Draft, stamp: Stamp) -> Taken:
    """One row on what is stored now; when others keep changing the same asset, their refusal is the row's problem."""
    refused: Refusal | None = None
    for _ in range(_ATTEMPTS):
        answers: dict[int, Taken] = {}
        steps = _steps(call, owner, [draft], stamp, answers)
        if not steps:
            return answers[draft.row]
        (refused,) = commit_each(draft.call, [_group(owner, steps, stamp)])
        if refused is None:
            return _saved(steps[0])
    assert refused is not None
    return Taken(draft.row, None, None, (Problem(refused.code, refused.detail, "asset_ref"),))


def _steps(call: Call, owner: str, drafts: Sequence[Draft], stamp: Stamp, answers: dict[int, Taken]) -> list[_Step]:
    """The versions to be made; rows that need none, or may have none, are answered."""
    known = _read(owner, drafts)
    waiting = []
    for draft in drafts:
        answer = _answer_without_saving(draft, known, stamp)
        if answer is not None:
            answers[draft.row] = answer
        else:
            waiting.append(draft)
    new = [draft for draft in waiting if draft.fields.ref not in known.assets]
    first = draw_ordinals(call, owner, len(new)) if new else 0
    ordinals = {draft.row: first + number for number, draft in enumerate(new)}
    return [_step(owner, draft, known, stamp, ordinals.get(draft.row, 0)) for draft in waiting]


def _read(owner: str, drafts: Sequence[Draft]) -> _Known:
    assets = store.find_by_refs(owner, (draft.fields.ref for draft in drafts))
    archiving = [asset.id for draft in drafts if (asset := _archived_by(draft, assets))]
    committed = store.committed_among(archiving)
    to_place = {draft.fields.postcode for draft in drafts if _needs_gazetteer(draft, assets)}
    return _Known(
        assets=assets,
        places=places_of(postcode for postcode in to_place if postcode),
        committed=committed,
        commitments={asset_id: store.list_commitments(asset_id) for asset_id in committed},
    )


def _archived_by(draft: Draft, assets: Mapping[str, Asset]) -> Asset | None:
    before = assets.get(draft.fields.ref)
    return before if before and archives(before, draft.fields) else None


def archives(before: Asset, fields: AssetFields) -> bool:
    """Whether taking the fields would archive a live asset."""
    return fields.status == ARCHIVED and not before.is_archived


def _needs_gazetteer(draft: Draft, assets: Mapping[str, Asset]) -> bool:
    before = assets.get(draft.fields.ref)
    return draft.fields.latitude is None and (before is None or not is_stored(before, draft.fields))


def _answer_without_saving(draft: Draft, known: _Known, stamp: Stamp) -> Taken | None:
    before = known.assets.get(draft.fields.ref)
    if before is None:
        return None
    if is_stored(before, draft.fields):
        return Taken(draft.row, outcome_of(before, draft.fields, stamp.receipt), before)
    problems = change_problems(before, draft.fields, known.commitments.get(before.id, ()), stamp)
    return Taken(draft.row, None, before, tuple(problems)) if problems else None


def _step(owner: str, draft: Draft, known: _Known, stamp: Stamp, ordinal: int) -> _Step:
    before = known.assets.get(draft.fields.ref)
    place = place_asset(draft.fields, known.places)
    if before is None:
        asset = new_asset(draft.call.new_id("ast"), owner, ordinal, draft.fields, place, stamp)
        return _Step(draft, None, asset, store.created(asset))
    after = next_version(before, draft.fields, place, stamp)
    return _Step(draft, before, after, change_writes(before, after, known.committed.get(before.id)))


def change_writes(before: Asset, after: Asset, committed: int | None) -> list[Write]:
    """The writes of a new version; archiving also requires that no obligation came since `committed` was read."""
    guard = [store.uncommitted_since(before.id, committed)] if archives(before, after) else []
    return [*store.changed(before, after), *guard]


def _packed(steps: Iterable[_Step]) -> Iterator[list[_Step]]:
    """Steps in groups of one transaction each: few rows, few writes, no key twice (two assets behind one meter)."""
    group: list[_Step] = []
    keys: set[tuple[str, str, str]] = set()
    for step in steps:
        full = len(group) == ROWS_AT_ONCE or len(keys) + len(step.writes) + _BESIDE_ROWS > MOST_WRITES
        if group and (full or keys & step.keys):
            yield group
            group, keys = [], set()
        group.append(step)
        keys |= step.keys
    if group:
        yield group


def _group(owner: str, steps: Sequence[_Step], stamp: Stamp) -> Group:
    """A group with one event and one audit record; the file's receipt keeps the rows themselves."""
    ids = tuple(step.after.id for step in steps)
    change = Change(
        thing=f"receipt:{stamp.receipt}",
        action="assets.imported",
        organisation=owner,
        after={"assets": {step.after.id: step.after.version for step in steps}},
    )
    writes = [write for step in steps for write in step.writes]
    return Group(writes, [AssetsChanged(owner=owner, asset_ids=ids)], [change])


def _saved(step: _Step) -> Taken:
    return Taken(step.draft.row, "created" if step.before is None else "updated", step.after)
