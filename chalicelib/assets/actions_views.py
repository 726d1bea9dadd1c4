"""Owns how an FSP sees its assets: with derived capacities and warnings, one by one or page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from chalicelib.assets import store
from chalicelib.assets.lifecycle import duplicate_notices, held_by, notices_of
from chalicelib.assets.models import Asset, AssetView, Commitment
from chalicelib.assets.requests import AssetQuery
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Page, iso
from chalicelib.kernel.periods import local_day, zone_of

_LONDON = zone_of("Europe/London")
_READ_AT_ONCE = 500
_MOST_READS = 20


def list_assets(call: Call, query: AssetQuery) -> Page[AssetView]:
    """A page of the caller's assets that fit the filters, in the order asked for; archived ones only when asked for.

    Rare finds among very many assets may come as short pages; the list has ended when `next` is null.
    """
    if query.ref is not None:
        found = store.find_by_refs(call.organisation, [query.ref]).values()
        return Page(items=view_assets([asset for asset in found if _fits(asset, query)], call.now))
    assets, following = _page(call.organisation, query)
    return Page(items=view_assets(assets, call.now), next=following)


def view_assets(
    assets: Sequence[Asset], now: datetime, commitments: Mapping[str, Sequence[Commitment]] | None = None
) -> list[AssetView]:
    """Assets as their FSP sees them; obligations are told where commitments are given."""
    holders = sharers_of(assets)
    day = local_day(now, _LONDON)
    return [_view(asset, holders, held_by((commitments or {}).get(asset.id, ()), now), day) for asset in assets]


def sharers_of(assets: Sequence[Asset]) -> dict[str, list[Asset]]:
    """By meter id, the assets behind it where there are several, whoever has them."""
    meters = {meter for asset in assets for meter in asset.meter_ids}
    shared = {meter: ids for meter, ids in store.holders_of_meters(meters).items() if len(ids) > 1}
    loaded = store.load_assets({asset_id for ids in shared.values() for asset_id in ids})
    return {meter: [loaded[asset_id] for asset_id in ids if asset_id in loaded] for meter, ids in shared.items()}


def sharing(asset: Asset, sharers: Mapping[str, Sequence[Asset]]) -> list[Asset]:
    """The assets behind a meter of this one, each once."""
    return list({other.id: other for meter in asset.meter_ids for other in sharers.get(meter, ())}.values())


def _view(asset: Asset, sharers: Mapping[str, Sequence[Asset]], obligations: Sequence[str], day: date) -> AssetView:
    notices = [*notices_of(asset, asset.place, day), *duplicate_notices(asset, sharing(asset, sharers))]
    return AssetView.model_construct(
        **asset.columns(),
        id=asset.id,
        version=asset.version,
        created_at=asset.created_at,
        first_complete_at=asset.first_complete_at,
        changed_at=asset.changed_at,
        receipt=asset.receipt,
        place=asset.place,
        active_export_mw=asset.active_export_mw,
        active_import_mw=asset.active_import_mw,
        obligations=tuple(obligations),
        warnings=tuple(notices),
    )


def _page(owner: str, query: AssetQuery) -> tuple[list[Asset], str | None]:
    by_change, newest_first = query.sort.endswith("changed"), query.sort.startswith("-")
    since = iso(query.changed_since) if query.changed_since else None
    found: list[Asset] = []
    cursor = query.cursor
    for _ in range(_MOST_READS):
        page = store.page_of_owner(owner, by_change, newest_first, since, _READ_AT_ONCE, cursor)
        for row in page.items:
            if len(found) == query.limit:
                return found, store.cursor_after(found[-1], by_change)
            if _fits(row.body, query):
                found.append(row.body)
        cursor = page.next
        if cursor is None:
            break
    return found, cursor


def _fits(asset: Asset, query: AssetQuery) -> bool:
    if asset.is_archived and query.status is None:
        return False
    wanted = {"status": query.status, "category": query.category, "type": query.type}
    if any(value is not None and getattr(asset, name) != value for name, value in wanted.items()):
        return False
    return query.changed_since is None or asset.changed_at >= query.changed_since
