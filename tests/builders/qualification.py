"""Builds what qualification compares: needs, assets, places, companies, answers; each valid and passing by default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.areas.models import ZoneMatch
from chalicelib.assets.models import Asset, Place
from chalicelib.competitions.models import Competition
from chalicelib.qualification.models import Answer, Company, Entry, Location, Need, Override
from chalicelib.qualification.rules import assess

CLOSE = datetime(2026, 5, 1, 17, tzinfo=UTC)
BEFORE = CLOSE - timedelta(days=20)
AFTER = CLOSE + timedelta(days=1)

INSIDE = Location(match="area", area="NORTH", distance_m=Decimal(0))
NO_COMPANY = Company()
APPROVED = Company(state="approved", approved_now=True, approved_at_close=True, version=3)


def a_need(**changes: Any) -> Need:
    """A competition that needs active power for a deficit in area NORTH, with no limits."""
    plain = {
        "competition_id": "cmp_1",
        "so": "org_so",
        "version": 2,
        "zones": {"zon_north": "NORTH"},
        "power_type": "Active Power",
        "direction": "Deficit",
        "deadline": CLOSE,
    }
    return Need.model_validate(plain | changes)


def an_asset(**changes: Any) -> Asset:
    """An operational charger that turns 7.2 kW of demand down, complete well before the close."""
    plain = {
        "id": "ast_1",
        "owner": "org_fsp1",
        "asset_ref": "EV-1",
        "ordinal": 0,
        "name": "Charger 1",
        "status": "Operational",
        "category": "Demand side response",
        "type": "EV charging",
        "voltage_kv": Decimal("0.4"),
        "demand_turn_down_mw": Decimal("0.0072"),
        "created_at": BEFORE,
        "first_complete_at": BEFORE,
        "changed_at": BEFORE,
        "changed_by": "per_1",
        "place": Place(lat=Decimal("52.0567"), lon=Decimal("1.1482"), source="coordinates"),
    }
    return Asset.model_validate(plain | changes)


def a_match(kind: str = "area", distance_m: str = "0", zone_id: str = "zon_north") -> ZoneMatch:
    return ZoneMatch.model_validate({"zone_id": zone_id, "kind": kind, "distance_m": Decimal(distance_m)})


def an_answer(
    need: Need | None = None, company: Company = NO_COMPANY, location: Location = INSIDE, **asset: Any
) -> Answer:
    """The answer to an asset with these columns; it passes every rule unless they say otherwise."""
    return assess(an_asset(**asset), need or a_need(), location, company)


def an_override(effect: str = "qualify", asset_id: str = "ast_1", **changes: Any) -> Override:
    plain = {
        "competition_id": "cmp_1",
        "so": "org_so",
        "asset_id": asset_id,
        "fsp": "org_fsp1",
        "effect": effect,
        "reason": "seen on a visit",
        "by": "per_9",
        "at": BEFORE,
    }
    return Override.model_validate(plain | changes)


def an_entry(choice: str = "undecided") -> Entry:
    return Entry.model_validate({"competition_id": "cmp_1", "so": "org_so", "fsp": "org_fsp1", "choice": choice})


def a_competition(**changes: Any) -> Competition:
    """A published competition over zone zon_north; qualification 1 April to 1 May 2026, bidding until 8 May."""
    calendar = {
        "qualification_open": "2026-04-01T09:00:00Z",
        "qualification_closed": CLOSE,
        "open": CLOSE + timedelta(days=1),
        "closed": CLOSE + timedelta(days=7),
    }
    plain = {
        "id": "cmp_1",
        "so": "org_so",
        "reference": "NORTH-1",
        "name": "North",
        "calendar": calendar | changes.pop("calendar", {}),
        "time_zone": "Europe/London",
        "power_type": "Active Power",
        "need_direction": "Deficit",
        "product_type": "Peak Reduction",
        "boundaries": {"areas": ("NORTH",)},
        "zones": ({"zone_id": "zon_north", "area_ref": "NORTH", "area_version": 1},),
        "windows": (a_window(),),
        "state": "published",
        "created_at": BEFORE,
        "changed_at": BEFORE,
        "announced_until": BEFORE,
        "version": 2,
    }
    return Competition.model_validate(plain | changes)


def a_window(**changes: Any) -> dict[str, Any]:
    return {
        "id": "win_1",
        "period_name": "Summer",
        "period_start": "2026-06-01",
        "period_end": "2026-08-31",
        "name": "Evening",
        "start": "17:00",
        "end": "19:00",
        "days": ("Mon",),
        "capacity_required": "5",
        "available_minutes": 1560,
    } | changes
