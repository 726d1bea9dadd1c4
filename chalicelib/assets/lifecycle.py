"""Owns how an asset comes to be, changes and is archived: the next version of it, and what may not happen to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from chalicelib.assets.models import (
    ARCHIVED,
    COLUMN_FIELDS,
    STATUSES,
    USUAL_KV,
    Asset,
    AssetFields,
    Commitment,
    Notice,
    Place,
)
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.lifecycle import Moves, move
from chalicelib.kernel.quantities import plain

Outcome = Literal["created", "updated", "unchanged"]

_VERBS = {"In Development": "develop", "Operational": "commission", "Mothballed": "mothball", ARCHIVED: "archive"}
# Any status may follow any other: an archived asset comes back, a mothballed one is rebuilt. Only obligations hold it.
MOVES: Moves = {(before, _VERBS[after]): after for before in STATUSES for after in STATUSES if before != after}


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a version is made, by whom, and in which file, if any."""

    at: datetime
    by: str
    receipt: str | None = None


def new_asset(asset_id: str, owner: str, ordinal: int, fields: AssetFields, place: Place | None, stamp: Stamp) -> Asset:
    """The first version of an asset; it is complete at once, since only rows with all required columns are taken."""
    return Asset(
        **dict(fields),
        id=asset_id,
        owner=owner,
        ordinal=ordinal,
        created_at=stamp.at,
        first_complete_at=stamp.at,
        changed_at=stamp.at,
        changed_by=stamp.by,
        receipt=stamp.receipt,
        place=place,
    )


def next_version(before: Asset, fields: AssetFields, place: Place | None, stamp: Stamp) -> Asset:
    """The version that follows. Versions never go back in time, even where an earlier file is read late."""
    if fields.status != before.status:
        move(MOVES, "asset", before.status, _VERBS[fields.status])
    changed = dict(fields) | {
        "version": before.version + 1,
        "changed_at": max(stamp.at, before.changed_at),
        "changed_by": stamp.by,
        "receipt": stamp.receipt,
        "place": place,
    }
    return Asset(**(dict(before) | changed))


def placed(before: Asset, place: Place, stamp: Stamp) -> Asset:
    """The version in which a place became known; nothing its FSP states changes."""
    return next_version(before, before.fields(), place, stamp)


def outcome_of(before: Asset | None, fields: AssetFields, receipt: str | None = None) -> Outcome:
    """What taking a row comes to. A file read again after a crash is told what it came to the first time."""
    if before is None:
        return "created"
    if any(getattr(before, name) != getattr(fields, name) for name in COLUMN_FIELDS):
        return "updated"
    if receipt is None or before.receipt != receipt:
        return "unchanged"
    return "created" if before.version == 1 else "updated"


def is_stored(before: Asset | None, fields: AssetFields) -> bool:
    """Whether the row's columns are stored as they are."""
    return outcome_of(before, fields) == "unchanged"


def change_problems(
    before: Asset, fields: AssetFields, commitments: Sequence[Commitment], stamp: Stamp
) -> list[Problem]:
    """What keeps a change from a stored asset: an obligation it would break, or a change made after the file came."""
    problems = []
    held = held_by(commitments, stamp.at)
    if fields.status == ARCHIVED and not before.is_archived and held:
        problems.append(_obligated(before, held))
    if stamp.receipt is not None and before.changed_at > stamp.at:
        problems.append(_changed_since(before))
    return problems


def held_by(commitments: Sequence[Commitment], now: datetime) -> list[str]:
    """The obligations that have not ended, in order."""
    return sorted({commitment.obligation_id for commitment in commitments if commitment.ends > now})


def _obligated(asset: Asset, obligations: list[str]) -> Problem:
    noun = "obligation" if len(obligations) == 1 else "obligations"
    detail = f"{asset.ref} cannot be archived: it is held by {noun} {', '.join(obligations)}."
    return Problem("asset.obligated", detail, "status", "any other status until the obligation ends")


def _changed_since(asset: Asset) -> Problem:
    detail = f"{asset.ref} was changed after this file was dropped; the later change stands."
    return Problem("asset.changed_since", detail, "asset_ref", "the row again in a new file, if it is still wanted")


def notices_of(asset: AssetFields, place: Place | None, day: date) -> list[Notice]:
    """What is worth looking at in an asset by itself, on a local day."""
    found = [_consent_notice(asset, day), _place_notice(place), _voltage_notice(asset), *_limit_notices(asset)]
    return [notice for notice in found if notice is not None]


def consent_lack(asset: AssetFields, day: date) -> str | None:
    """Why the FSP has no consent for the asset's meter on a day: "missing", "lapsed" or "not begun"; None when it has.

    An asset without a meter needs none.
    """
    if not asset.meter_ids:
        return None
    if asset.consent_ref is None:
        return "missing"
    if asset.consent_to is not None and asset.consent_to < day:
        return "lapsed"
    return "not begun" if asset.consent_from is not None and asset.consent_from > day else None


def _consent_notice(asset: AssetFields, day: date) -> Notice | None:
    lack = consent_lack(asset, day)
    if lack is None:
        return None
    verb = "has" if lack == "lapsed" else "is"
    detail = f"The consent for its meter {verb} {lack}; some operators ask for one."
    return Notice(code="asset.consent", detail=detail, field="consent_ref", allowed="a consent that holds today")


def _place_notice(place: Place | None) -> Notice | None:
    if place is not None:
        return None
    detail = "Location unknown: the postcode is not in the gazetteer. It is looked up again when a new one is loaded."
    return Notice(code="asset.location_unknown", detail=detail, field="postcode", allowed="latitude and longitude")


def _voltage_notice(asset: AssetFields) -> Notice | None:
    if asset.voltage_kv in USUAL_KV or asset.voltage_level_kv == 0:
        return None
    detail = f"{plain(asset.voltage_kv)} kV is an unusual voltage level."
    return Notice(code="asset.voltage", detail=detail, field="voltage_kv", allowed=", ".join(map(plain, USUAL_KV)))


def _limit_notices(asset: AssetFields) -> list[Notice]:
    limits = (("generation_turn_up_mw", "maximum_export_mw"), ("demand_turn_up_mw", "maximum_import_mw"))
    found = []
    for capacity, limit in limits:
        mw, most = getattr(asset, capacity), getattr(asset, limit)
        if mw is not None and most is not None and mw > most:
            detail = f"It states more than its connection takes: {plain(mw)} of {plain(most)} MW."
            allowed = f"{plain(most)} or less"
            found.append(Notice(code="asset.above_limit", detail=detail, field=capacity, allowed=allowed))
    return found


def duplicate_notices(asset: Asset, holders: Sequence[Asset]) -> list[Notice]:
    """Flags of the same meter with the same type: named within one organisation, nameless beyond it."""
    alike = [
        other
        for other in holders
        if other.id != asset.id and other.type == asset.type and not other.is_archived
        if set(other.meter_ids) & set(asset.meter_ids)
    ]
    own = sorted(other.ref for other in alike if other.owner == asset.owner)
    found = []
    if own:
        detail = f"The same meter and type as {', '.join(own)}."
        found.append(Notice(code="asset.duplicate", detail=detail, field="import_meter_id"))
    if len(own) < len(alike):
        detail = "Also registered by another provider: the same meter and type."
        found.append(Notice(code="asset.registered_elsewhere", detail=detail, field="import_meter_id"))
    return found
