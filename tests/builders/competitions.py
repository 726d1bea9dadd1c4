"""Builds operators, areas, competitions and requests for them; each valid, and a test spoils what it is about."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from chalicelib.areas import actions as areas
from chalicelib.areas import store as areas_store
from chalicelib.areas.models import Area, AreaHead, Box
from chalicelib.competitions import actions
from chalicelib.competitions.models import Competition, ZoneRef
from chalicelib.competitions.planning import Found, Setting, plan
from chalicelib.competitions.requests import CompetitionRequest
from chalicelib.kernel.call import Call
from chalicelib.registry import store as registry_store
from chalicelib.registry.models import Operator, OperatorSettings
from chalicelib.storage.commit import commit
from tests.builders.calls import NOON, a_call

SO = "org_so1"
IPSWICH = Box(south=Decimal("52.0"), west=Decimal("1.1"), north=Decimal("52.1"), east=Decimal("1.2"))
NORTH = ZoneRef(zone_id="zon_north", area_ref="NORTH", area_version=1)
KNOWN = Found(areas={"NORTH": NORTH})
SETTING = Setting(SO)
MADE = datetime.fromisoformat(NOON)


def window_values(**changes: Any) -> dict[str, Any]:
    """A weekday evening window over the summer of 2026, as JSON."""
    plain = {
        "service_period_name": "Summer",
        "service_period_start": "2026-07-01",
        "service_period_end": "2026-09-30",
        "service_window_name": "Evening",
        "start": "16:00",
        "end": "20:00",
        "service_days": ["Mon", "Tue", "Wed", "Thu", "Fri"],
        "capacity_required": "2",
        "minimum_aggregate_asset_size": "0.05",
        "dispatch_estimate": "10",
        "dispatch_duration": "PT2H",
    }
    return _without_none(plain | changes)


def request_values(**changes: Any) -> dict[str, Any]:
    """A competition for NORTH, as JSON: qualifying in May 2026, bidding in June, one window."""
    plain = {
        "reference": "T2605_NORTH_01",
        "name": "Northern towns, summer",
        "contact": "flex@operator.example",
        "qualification_open": "2026-05-01T09:00:00",
        "qualification_closed": "2026-05-29T17:00:00",
        "open": "2026-06-01T09:00:00",
        "closed": "2026-06-12T17:00:00",
        "power_type": "Active Power",
        "need_direction": "Deficit",
        "product_type": "Scheduled Utilisation",
        "boundaries": {"areas": ["NORTH"]},
        "service_windows": [window_values()],
    }
    return _without_none(plain | changes)


def a_request(**changes: Any) -> CompetitionRequest:
    return CompetitionRequest.model_validate(request_values(**changes))


def a_competition(competition_id: str = "cmp_1", **changes: Any) -> Competition:
    """A draft as planned from `a_request`; `changes` that are fields of the competition itself are set on it."""
    asked = {name: value for name, value in changes.items() if name in CompetitionRequest.model_fields}
    own = {name: value for name, value in changes.items() if name not in asked}
    planned = plan(a_request(**asked), SETTING, KNOWN, competition_id, MADE)
    assert planned.competition is not None, planned.problems
    return planned.competition.but(**own)


def a_published(competition_id: str = "cmp_1", **changes: Any) -> Competition:
    """A competition published when it was made."""
    return a_competition(competition_id, **{"state": "published", "published_at": MADE, **changes})


def an_so_call(now: str = NOON, so: str = SO, **how: Any) -> Call:
    return a_call(so, "so", now=now, **how)


def an_operator(so: str = SO, **settings: Any) -> str:
    """A stored operator; returns its id."""
    operator = Operator(organisation=so, settings=OperatorSettings(**settings))
    commit(an_so_call(so=so), [registry_store.create_operator(operator)])
    return so


def a_stored_area(ref: str = "NORTH", so: str = SO, box: Box = IPSWICH, version: int = 1) -> Area:
    """A stored area over a box; version 2 and later replace the one before."""
    zone_id, writes = areas.list_zone_writes(boxes=[box])
    area = Area(
        id=areas.area_id_of(so, ref),
        so=so,
        ref=ref,
        name=ref.title(),
        version=version,
        zone_id=zone_id,
        kinds=("bounding box",),
        changed_at=MADE,
    )
    commit(an_so_call(so=so), [*writes, *areas_store.stage_heads([(AreaHead(area=area), version - 1)])])
    return area


def a_stored_competition(call: Call | None = None, **changes: Any) -> Competition:
    """A competition created through the action; the operator and the area must be stored."""
    return actions.create_competition(call or an_so_call(), a_request(**changes))


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
