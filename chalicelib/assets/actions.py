"""Owns the verbs of the asset register by API: create, change, list; other rooms' reads come through here too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.assets import store
from chalicelib.assets.actions_bulk import archives, change_writes
from chalicelib.assets.actions_gazetteer import place_asset
from chalicelib.assets.actions_reads import (
    asset_as_at,
    assets_in_cells,
    assets_of,
    assets_with_meters,
    assets_with_postcodes,
    assets_with_sectors,
    commitment_writes,
    commitments_of,
    current_types,
    find_by_refs,
    load_assets,
    place_of,
    place_unplaced,
    places_of,
    release_writes,
)
from chalicelib.assets.actions_views import list_assets, view_assets
from chalicelib.assets.events import AssetsChanged
from chalicelib.assets.lifecycle import Stamp, change_problems, is_stored, new_asset, next_version
from chalicelib.assets.models import Asset, AssetFields, AssetView, Place, TypeTree
from chalicelib.assets.requests import AssetChange, AssetRequest, AssetState, TypesRequest, read_asset
from chalicelib.assets.rules import added_types
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Problem, Refused, Stale, raise_problems
from chalicelib.storage.audit import Change, differences
from chalicelib.storage.commit import commit

__all__ = [
    "add_types",
    "asset_as_at",
    "assets_in_cells",
    "assets_of",
    "assets_with_meters",
    "assets_with_postcodes",
    "assets_with_sectors",
    "commitment_writes",
    "commitments_of",
    "create_asset",
    "current_types",
    "find_by_refs",
    "get_asset",
    "get_types",
    "list_assets",
    "load_assets",
    "place_of",
    "place_unplaced",
    "places_of",
    "put_asset",
    "release_writes",
    "update_asset",
]

_ATTEMPTS = 20
_INVALID = "asset.invalid"


def get_asset(call: Call, asset_id: str) -> AssetView:
    """One of the caller's assets with what is derived and warned of; `NotFound` for anybody else's."""
    return _view(call, _own(call, asset_id))


def create_asset(call: Call, request: AssetRequest) -> AssetView:
    """Create an asset of the caller's. `Invalid` with every problem; `Refused` when the reference is in use."""
    fields = _checked(request.stated())
    return _view(call, _create(call, fields))


def update_asset(call: Call, asset_id: str, change: AssetChange, version: int) -> AssetView:
    """Change columns of an asset whose version the caller read; a change that changes nothing writes nothing."""
    before = _own(call, asset_id)
    if before.version != version:
        raise Stale("asset.stale", f"{before.ref} is at version {before.version} now; read it again.")
    cells = before.columns() | change.stated()
    _check_ref(before.ref, change.stated())
    return _view(call, _change(call, before, _checked(cells)))


def put_asset(call: Call, ref: str, state: AssetState) -> AssetView:
    """Create the asset of this reference, or bring it wholly to this state. The last to write wins."""
    _check_ref(ref, state.stated())
    fields = _checked(state.stated() | {"asset_ref": ref})
    for attempt in range(_ATTEMPTS):
        before = store.find_by_refs(call.organisation, [ref]).get(ref)
        try:
            return _view(call, _change(call, before, fields) if before else _create(call, fields))
        except (Stale, Refused) as refusal:
            raced = isinstance(refusal, Stale) or refusal.code == store.REF_TAKEN
            if not raced or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def get_types(call: Call, replayed: str = "") -> TypeTree:
    """The categories and types an asset may have."""
    return current_types()


def add_types(call: Call, request: TypesRequest) -> TypeTree:
    """Add types to a category, for the market operator; types that are there already change nothing."""
    before = current_types()
    added, problems = added_types(before, store.find_types(), request.category, request.types)
    raise_problems(problems, _INVALID)
    if added is not None:
        change = Change(
            thing="asset-types",
            action="asset_types.added",
            organisation=call.organisation,
            after={"category": request.category, "types": list(request.types)},
        )
        commit(call, [store.types_changed(added)], changes=[change], result="asset-types")
    return current_types()


def _create(call: Call, fields: AssetFields) -> Asset:
    """Save a new asset; drawing its ordinal is tried again while others of the same FSP are created."""
    owner = call.organisation
    place = _place(fields)
    for attempt in range(_ATTEMPTS):
        ordinal = store.following_ordinal(owner)
        asset = new_asset(call.new_id("ast"), owner, ordinal, fields, place, _stamp(call))
        change = Change(
            thing=f"asset:{asset.id}",
            action="asset.created",
            organisation=owner,
            after=fields.model_dump(mode="json", exclude_none=True),
        )
        writes = [*store.created(asset), store.ordinals_drawn(owner, ordinal, 1)]
        try:
            commit(call, writes, [AssetsChanged(owner=owner, asset_ids=(asset.id,))], [change], result=asset.id)
            return asset
        except Refused as refusal:
            if refusal.code != store.RACED or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _change(call: Call, before: Asset, fields: AssetFields) -> Asset:
    """Save the next version of an asset, unless its columns are stored as they are."""
    if is_stored(before, fields):
        return before
    committed = _commitments_before(before, fields)
    commitments = store.list_commitments(before.id) if committed is not None else []
    for problem in change_problems(before, fields, commitments, _stamp(call)):
        raise Refused(problem.code, problem.detail, [problem])
    after = next_version(before, fields, _place(fields), _stamp(call))
    old, new = differences(before.fields(), after.fields())
    change = Change(
        thing=f"asset:{before.id}", action="asset.updated", organisation=before.owner, before=old, after=new
    )
    event = AssetsChanged(owner=before.owner, asset_ids=(before.id,))
    commit(call, change_writes(before, after, committed), [event], [change], result=before.id)
    return after


def _commitments_before(before: Asset, fields: AssetFields) -> int | None:
    """How often the asset's commitments changed so far, read where archiving it depends on them."""
    return store.committed_among([before.id]).get(before.id) if archives(before, fields) else None


def _own(call: Call, asset_id: str) -> Asset:
    asset = store.find_asset(asset_id)
    if asset is None:
        raise NotFound("asset.not_found", "There is no such asset.")
    call.check_owner(asset.owner, "asset")
    return asset


def _checked(cells: Mapping[str, Any]) -> AssetFields:
    checked = read_asset(cells, current_types())
    raise_problems(checked.problems, _INVALID)
    assert checked.fields is not None
    return checked.fields


def _check_ref(ref: str, stated: Mapping[str, Any]) -> None:
    given = stated.get("asset_ref", ref)
    if given != ref:
        detail = "An asset keeps its reference for ever."
        raise_problems([Problem("asset.ref_fixed", detail, "asset_ref", ref)], _INVALID)


def _place(fields: AssetFields) -> Place | None:
    return place_asset(fields, places_of([fields.postcode] if fields.postcode and fields.latitude is None else []))


def _stamp(call: Call) -> Stamp:
    return Stamp(call.now, call.actor.id)


def _view(call: Call, asset: Asset) -> AssetView:
    commitments = commitments_of([asset.id])
    return view_assets([asset], call.now, commitments)[0]
