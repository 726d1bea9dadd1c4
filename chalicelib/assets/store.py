"""Owns the rows of assets: heads and older versions, claimed references, commitments, and who is behind which meter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from chalicelib.assets.models import Asset, Commitment, TypeTree
from chalicelib.assets.store_places import place_moves
from chalicelib.kernel.errors import Refused
from chalicelib.kernel.models import iso
from chalicelib.storage.tables import (
    BodyAttribute,
    Row,
    RowMeta,
    RowPage,
    encode_cursor,
    get,
    get_many,
    query_all,
    query_index,
    query_index_all,
    table_name,
)
from chalicelib.storage.writes import Write, check, create, number, put, remove, replace, update, update_if

RACED = "asset.raced"
REF_TAKEN = "asset.ref_taken"
_HEAD = "head"
_COMMITMENTS = "commitments"
_ONLY = "-"
_TYPES = "asset-types"
_REF_BUCKETS = 16


class _AssetRow(Row):
    class Meta(RowMeta):
        table_name = table_name("assets")

    owner = UnicodeAttribute(null=True)
    ref = UnicodeAttribute(null=True)
    changed = UnicodeAttribute(null=True)
    body = BodyAttribute(Asset)


class _RefRow(Row):
    class Meta(RowMeta):
        table_name = table_name("assets")

    asset = UnicodeAttribute()


class _MeterRow(Row):
    class Meta(RowMeta):
        table_name = table_name("assets")

    holders = UnicodeSetAttribute(null=True)


class _CommitmentRow(Row):
    class Meta(RowMeta):
        table_name = table_name("assets")

    body = BodyAttribute(Commitment)


class _CounterRow(Row):
    class Meta(RowMeta):
        table_name = table_name("assets")

    following = NumberAttribute(default=0)


class _TypesRow(Row):
    class Meta(RowMeta):
        table_name = table_name("assets")

    body = BodyAttribute(TypeTree)


# Reading


def find_asset(asset_id: str) -> Asset | None:
    row = get(_AssetRow, asset_id, _HEAD)
    return row.body if row else None


def load_assets(asset_ids: Iterable[str]) -> dict[str, Asset]:
    """Assets by id as they stand, strongly consistent; unknown ids are left out."""
    rows = get_many(_AssetRow, [(asset_id, _HEAD) for asset_id in asset_ids])
    return {row.pk: row.body for row in rows}


def find_by_refs(owner: str, refs: Iterable[str]) -> dict[str, Asset]:
    """An FSP's assets by reference, strongly consistent; unknown references are left out."""
    claims = get_many(_RefRow, [_ref_key(owner, ref) for ref in refs])
    assets = load_assets(row.asset for row in claims)
    return {asset.ref: asset for asset in assets.values()}


def find_version_at(asset_id: str, instant: datetime) -> Asset | None:
    """The version that stood at an instant; None before the first."""
    current = find_asset(asset_id)
    if current is None or current.changed_at <= instant:
        return current
    older = (row.body for row in query_all(_AssetRow, asset_id, "v#", newest_first=True))
    return next((version for version in older if version.changed_at <= instant), None)


def list_of_owner(owner: str) -> Iterator[Asset]:
    """Every asset of an FSP in order of reference, a moment behind."""
    return (row.body for row in query_index_all(_AssetRow, "by_owner", owner))


def page_of_owner(
    owner: str, by_change: bool, newest_first: bool, since: str | None, limit: int, cursor: str | None
) -> RowPage[_AssetRow]:
    """Rows of an FSP's assets by reference, or by change (from an instant on), a moment behind."""
    if by_change:
        between = (since or "0", "9")
        return query_index(
            _AssetRow, "by_owner_changed", owner, between=between, limit=limit, cursor=cursor, newest_first=newest_first
        )
    return query_index(_AssetRow, "by_owner", owner, limit=limit, cursor=cursor, newest_first=newest_first)


def cursor_after(asset: Asset, by_change: bool) -> str:
    """The cursor that goes on after this asset in `page_of_owner`."""
    order = {"changed": {"S": iso(asset.changed_at)}} if by_change else {"ref": {"S": asset.ref}}
    return encode_cursor({"pk": {"S": asset.id}, "sk": {"S": _HEAD}, "owner": {"S": asset.owner}} | order)


def holders_of_meters(meter_ids: Iterable[str]) -> dict[str, list[str]]:
    """The ids of the assets behind each meter, whoever has them."""
    rows = get_many(_MeterRow, [(_meter_key(meter), _ONLY) for meter in meter_ids])
    return {row.pk.removeprefix("meter#"): sorted(row.holders or ()) for row in rows}


def list_commitments(asset_id: str) -> list[Commitment]:
    return [row.body for row in query_all(_CommitmentRow, asset_id, "commit#")]


def committed_among(asset_ids: Iterable[str]) -> dict[str, int]:
    """Of these assets those that were ever committed, with how often that changed."""
    rows = get_many(_CounterRow, [(asset_id, _COMMITMENTS) for asset_id in asset_ids])
    return {row.pk: int(row.following) for row in rows}


def following_ordinal(owner: str) -> int:
    row = get(_CounterRow, f"counter#{owner}", _ONLY)
    return int(row.following) if row else 0


def find_types() -> TypeTree | None:
    row = get(_TypesRow, _TYPES, _ONLY)
    return row.body if row else None


# Writing


def created(asset: Asset) -> list[Write]:
    """The writes of a new asset: its claim on the reference, its head, and where it is found."""
    pk, sk = _ref_key(asset.owner, asset.ref)
    taken = Refused(REF_TAKEN, f"There is an asset {asset.ref} already.")
    claim = create(_RefRow(pk=pk, sk=sk, asset=asset.id), taken)
    return [claim, create(_head(asset)), *_meter_moves(None, asset), *place_moves(None, asset)]


def changed(before: Asset, after: Asset) -> list[Write]:
    """The writes of a new version: the head, the version before it kept, and the moves in what it is found by."""
    kept = _AssetRow(pk=before.id, sk=f"v#{before.version:09d}", version=before.version, body=before)
    return [replace(_head(after)), put(kept), *_meter_moves(before, after), *place_moves(before, after)]


def uncommitted_since(asset_id: str, seen: int | None) -> Write:
    """Require that no obligation took or left the asset since its commitments were read."""
    raced = Refused(RACED, "An obligation took this asset meanwhile. Read it again and repeat the change.")
    if seen is None:
        return check(_CounterRow, asset_id, _COMMITMENTS, "attribute_not_exists(pk)", {}, raced)
    return check(_CounterRow, asset_id, _COMMITMENTS, "#following = :seen", {":seen": number(seen)}, raced)


def committed(asset_id: str, commitment: Commitment) -> list[Write]:
    """The writes of a commitment; the same one again changes nothing."""
    row = _CommitmentRow(pk=asset_id, sk=f"commit#{commitment.obligation_id}", body=commitment)
    return [put(row), _counted(asset_id)]


def released(asset_id: str, obligation_id: str) -> list[Write]:
    """The writes by which an obligation lets an asset go."""
    return [remove(_CommitmentRow, asset_id, f"commit#{obligation_id}"), _counted(asset_id)]


def ordinals_drawn(owner: str, first: int, count: int) -> Write:
    """Take `count` ordinals from `first` on, which nobody took yet."""
    raced = Refused(RACED, "Other assets of yours are being created right now. Try again.")
    pk = f"counter#{owner}"
    if first == 0:
        return create(_CounterRow(pk=pk, sk=_ONLY, following=count), raced)
    values = {":first": number(first), ":next": number(first + count)}
    return update_if(_CounterRow, pk, _ONLY, "SET #following = :next", "#following = :first", values, raced)


def types_changed(tree: TypeTree) -> Write:
    row = _TypesRow(pk=_TYPES, sk=_ONLY, version=tree.version, body=tree)
    return create(row) if tree.version == 1 else replace(row)


def _head(asset: Asset) -> _AssetRow:
    return _AssetRow(
        pk=asset.id,
        sk=_HEAD,
        version=asset.version,
        owner=asset.owner,
        ref=asset.ref,
        changed=iso(asset.changed_at),
        body=asset,
    )


def _ref_key(owner: str, ref: str) -> tuple[str, str]:
    """Sixteen ways, so that one FSP's bulk import never meets one partition's limit."""
    bucket = hashlib.sha256(ref.encode()).digest()[0] % _REF_BUCKETS
    return f"ref#{owner}#{bucket:x}", ref


def _meter_key(meter_id: str) -> str:
    return f"meter#{meter_id}"


def _meter_moves(before: Asset | None, after: Asset) -> list[Write]:
    old, new = _meters(before), _meters(after)
    holder: Mapping[str, object] = {":holder": {"SS": [after.id]}}
    gone = [update(_MeterRow, key, _ONLY, "DELETE #holders :holder", holder) for key in old if key not in new]
    return gone + [update(_MeterRow, key, _ONLY, "ADD #holders :holder", holder) for key in new if key not in old]


def _meters(asset: Asset | None) -> Sequence[str]:
    return [_meter_key(meter) for meter in asset.meter_ids] if asset else []


def _counted(asset_id: str) -> Write:
    return update(_CounterRow, asset_id, _COMMITMENTS, "ADD #following :one", {":one": number(1)})
