"""Owns the postcode gazetteer: places of postcodes, what a file changes in it, and assets placed once it knows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, islice

from chalicelib.assets import store, store_places
from chalicelib.assets.events import MOST_IDS, AssetsChanged, GazetteerLoaded
from chalicelib.assets.lifecycle import Outcome, Stamp, placed
from chalicelib.assets.models import Asset, AssetFields, Place
from chalicelib.assets.store_gazetteer import Point, Postcodes, load_postcodes, postcodes_changed
from chalicelib.kernel.call import Call, ordered_ids
from chalicelib.kernel.errors import Stale
from chalicelib.kernel.postcodes import outward_of
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import Group, commit, commit_each

_ATTEMPTS = 20
_ASSETS_AT_ONCE = 15


def place_of(postcode: str) -> Place | None:
    """The place of a normalised postcode, None where the gazetteer lacks it."""
    return places_of([postcode]).get(postcode)


def places_of(postcodes: Iterable[str]) -> dict[str, Place]:
    """The places of normalised postcodes; those the gazetteer lacks are left out."""
    wanted = set(postcodes)
    known = load_postcodes({outward_of(postcode) for postcode in wanted})
    found = {postcode: _point_of(postcode, known) for postcode in wanted}
    return {
        postcode: Place(lat=point[0], lon=point[1], source="postcode")
        for postcode, point in found.items()
        if point is not None
    }


def place_asset(fields: AssetFields, places: Mapping[str, Place]) -> Place | None:
    """Where an asset stands: its own coordinates before its postcode's, None while neither is known."""
    if fields.latitude is not None and fields.longitude is not None:
        return Place(lat=fields.latitude, lon=fields.longitude, source="coordinates")
    return places.get(fields.postcode) if fields.postcode is not None else None


def load_points(
    call: Call, organisation: str, receipt: str, outward_code: str, points: Mapping[str, Point]
) -> dict[str, Outcome]:
    """Take points by inward code into one outward code; answers what became of each.

    The same points again change nothing, and a file read again after a crash is told what it was told first.
    """
    for attempt in range(_ATTEMPTS):
        before = load_postcodes([outward_code]).get(outward_code, Postcodes(outward_code))
        after = _merged(before, points, receipt)
        if after.points == before.points:
            return {inward: _outcome(before, receipt, inward) for inward in points}
        change = Change(
            thing=f"gazetteer:{outward_code}",
            action="gazetteer.loaded",
            organisation=organisation,
            after={"receipt": receipt, "created": len(after.created), "updated": len(after.updated)},
        )
        own_ids = ordered_ids(call.now, receipt, outward_code, str(after.version))
        try:
            commit(
                replace(call, new_id=own_ids),
                [postcodes_changed(after)],
                [GazetteerLoaded(outward_codes=(outward_code,))],
                [change],
            )
            return {inward: _outcome(after, receipt, inward) for inward in points}
        except Stale:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def place_unplaced(call: Call, outward_codes: Sequence[str]) -> int:
    """Place the assets that waited for postcodes of these outward codes; answers how many found their place."""
    return sum(_place_waiting(call, code) for code in outward_codes)


def _place_waiting(call: Call, outward_code: str) -> int:
    waiting = store_places.unplaced_in(outward_code)
    count = 0
    while batch := list(islice(waiting, MOST_IDS)):
        count += _place_batch(call, list(store.load_assets(batch).values()))
    return count


def _place_batch(call: Call, assets: Sequence[Asset]) -> int:
    stamp = Stamp(call.now, call.actor.id)
    waiting = sorted((asset for asset in assets if asset.place is None), key=lambda asset: (asset.owner, asset.id))
    places = places_of({asset.postcode for asset in waiting if asset.postcode})
    found = [(asset, place) for asset in waiting if (place := place_asset(asset, places))]
    moves = [(asset, placed(asset, place, stamp)) for asset, place in found]
    return sum(_save_placed(call, group) for group in _groups(moves))


def _groups(moves: Sequence[tuple[Asset, Asset]]) -> Iterator[list[tuple[Asset, Asset]]]:
    """One owner's moves at a time, few enough for a transaction."""
    for _, of_owner in groupby(moves, key=lambda move: move[0].owner):
        while group := list(islice(of_owner, _ASSETS_AT_ONCE)):
            yield group


def _save_placed(call: Call, moves: Sequence[tuple[Asset, Asset]]) -> int:
    """Save placed assets together, or each alone when one of them changed meanwhile (that change placed it)."""
    if commit_each(_call_for(call, moves), [_group(moves)]) == [None]:
        return len(moves)
    alone = [commit_each(_call_for(call, [move]), [_group([move])]) for move in moves]
    return sum(refusals == [None] for refusals in alone)


def _group(moves: Sequence[tuple[Asset, Asset]]) -> Group:
    owner = moves[0][1].owner
    ids = tuple(after.id for _, after in moves)
    change = Change(thing=f"organisation:{owner}", action="assets.placed", organisation=owner, after={"assets": ids})
    writes = [write for before, after in moves for write in store.changed(before, after)]
    return Group(writes, [AssetsChanged(owner=owner, asset_ids=ids)], [change])


def _call_for(call: Call, moves: Sequence[tuple[Asset, Asset]]) -> Call:
    """Ids of this group's own: the reaction heard again goes on with other groups and must not draw the same."""
    first = moves[0][1]
    return replace(call, new_id=ordered_ids(call.now, "placed", first.id, str(first.version), str(len(moves))))


def _point_of(postcode: str, known: Mapping[str, Postcodes]) -> Point | None:
    outward_code, _, inward = postcode.partition(" ")
    found = known.get(outward_code)
    return found.points.get(inward) if found else None


def _merged(before: Postcodes, points: Mapping[str, Point], receipt: str) -> Postcodes:
    """An outward code's postcodes with a file's points taken in, and what the file created and updated so far."""
    same_file = before.receipt == receipt
    new = frozenset(points) - frozenset(before.points)
    moved = frozenset(inward for inward in points if inward not in new and before.points[inward] != points[inward])
    created = new | (before.created if same_file else frozenset())
    return Postcodes(
        outward_code=before.outward_code,
        version=before.version + 1,
        points={**before.points, **points},
        receipt=receipt,
        created=created,
        updated=(moved | (before.updated if same_file else frozenset())) - created,
    )


def _outcome(stored: Postcodes, receipt: str, inward: str) -> Outcome:
    if stored.receipt != receipt:
        return "unchanged"
    if inward in stored.created:
        return "created"
    return "updated" if inward in stored.updated else "unchanged"
