"""Owns the six automatic rules of page 4: an asset against a competition's need, all of them always evaluated."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from chalicelib.areas.models import NEAR_MISS_M, ZoneMatch
from chalicelib.assets.models import ARCHIVED, Asset, voltage_level
from chalicelib.competitions.models import Competition, ZoneRef
from chalicelib.kernel.quantities import ZERO
from chalicelib.qualification.models import (
    MATCH_ORDER,
    RULES,
    Answer,
    Company,
    Location,
    Loss,
    MatchKind,
    Need,
    Override,
    Rule,
)

ALL_PASSED = (1 << len(RULES)) - 1
PASSING_STATUSES = ("Operational", "In Development")
OWN_LIST = "own list"
"""What stands for an area's reference where a competition's own list of boundaries matched."""
_CAPACITIES = {
    ("Active Power", "Deficit"): "active_export_mw",
    ("Active Power", "Excess"): "active_import_mw",
    ("Reactive Power", "Import"): "reactive_import_mvar",
    ("Reactive Power", "Export"): "reactive_export_mvar",
}


def need_of(competition: Competition) -> Need:
    """What the rules read of a competition."""
    return Need(
        competition_id=competition.id,
        so=competition.so,
        version=competition.version,
        zones={zone.zone_id: _area_name(zone) for zone in reversed(competition.zones)},
        location_rule=competition.location_rule,
        buffer_m=competition.area_buffer,
        lowest_kv=competition.minimum_connection_voltage,
        highest_kv=competition.maximum_connection_voltage,
        power_type=competition.power_type,
        direction=competition.need_direction,
        deadline=competition.calendar.qualification_closed,
        scheme_id=competition.scheme_id,
        scheme_ref=competition.dps_record_reference,
        smallest_minimum_mw=competition.smallest_aggregate_size,
        entry_required=competition.entry_required,
    )


def assess(asset: Asset, need: Need, location: Location, company: Company) -> Answer:
    """An asset against a need, by all six rules; what stands between facts and verdict is kept as numbers."""
    capacity = capacity_of(asset, need)
    verdicts = {
        "location": location.match is not None,
        "voltage": voltage_passes(asset.voltage_kv, need),
        "capacity": capacity > 0,
        "deadline": asset.first_complete_at < need.deadline,
        "company": need.scheme_id is None or company.approved_at_close,
        "status": asset.status in PASSING_STATUSES,
    }
    return Answer(
        competition_id=need.competition_id,
        so=need.so,
        fsp=asset.owner,
        asset_id=asset.id,
        asset_ref=asset.ref,
        passed=sum(1 << bit for bit, rule in enumerate(RULES) if verdicts[rule]),
        match=location.match,
        area=location.area,
        distance_m=location.distance_m,
        placed=location.placed,
        location_rule=need.location_rule,
        buffer_m=need.buffer_m,
        voltage_kv=asset.voltage_kv,
        lowest_kv=need.lowest_kv,
        highest_kv=need.highest_kv,
        power_type=need.power_type,
        direction=need.direction,
        capacity_mw=capacity,
        complete_since=asset.first_complete_at,
        deadline=need.deadline,
        scheme_ref=need.scheme_ref,
        company_state=company.state if need.scheme_id else None,
        status=asset.status,
        remaining_mw=capacity,
        asset_version=asset.version,
        head_version=asset.version,
        competition_version=need.version,
        company_version=company.version if need.scheme_id else 0,
    )


def with_losses(answer: Answer, head: Asset, need: Need, company: Company) -> Answer:
    """The answer as at the close, with what the asset and its FSP lost since: never a gain.

    A lower capacity leaves the lower one; an archived asset or an approval that no longer stands leaves nothing.
    """
    capacity = min(answer.capacity_mw, capacity_of(head, need))
    losses = _losses(answer, capacity, head, need, company)
    remaining = ZERO if "archived" in losses else capacity
    return answer.model_copy(update={"remaining_mw": remaining, "losses": losses, "head_version": head.version})


def capacity_of(asset: Asset, need: Need) -> Decimal:
    """MW (MVAr for reactive power) that the asset has in the needed direction; 0 where it says nothing."""
    return getattr(asset, _CAPACITIES[need.power_type, need.direction]) or ZERO


def voltage_passes(voltage_kv: Decimal, need: Need) -> bool:
    """Whether a voltage lies within the limits, inclusive; everything below 1 kV is one level."""
    level = voltage_level(voltage_kv)
    above = need.lowest_kv is None or level >= voltage_level(need.lowest_kv)
    below = need.highest_kv is None or level <= voltage_level(need.highest_kv)
    return above and below


def locate(matches: Iterable[ZoneMatch], need: Need, placed: bool) -> Location:
    """The surest way in which an asset's matches with zones place it in the competition, or the nearest boundary."""
    relevant = [match for match in matches if match.zone_id in need.zones]
    ways = [(way, match) for match in relevant if (way := _way(match, need)) is not None]
    if ways:
        way, match = min(ways, key=lambda pair: (MATCH_ORDER.index(pair[0]), *_nearness(pair[1], need)))
        return Location(match=way, area=need.zones[match.zone_id], distance_m=match.distance_m, placed=placed)
    near = [match for match in relevant if match.kind in ("area", "bounding box") and _gap(match, need) < NEAR_MISS_M]
    if near:
        nearest = min(near, key=lambda match: (_gap(match, need), *_nearness(match, need)))
        return Location(area=need.zones[nearest.zone_id], distance_m=nearest.distance_m, placed=placed)
    return Location(placed=placed)


def passes(answer: Answer, rule: Rule) -> bool:
    return bool(answer.passed >> RULES.index(rule) & 1)


def is_eligible(answer: Answer, override: Override | None) -> bool:
    """Passes every rule, unless an operator's hand says otherwise."""
    if override is not None and override.is_active:
        return override.effect == "qualify"
    return answer.passed == ALL_PASSED


def remaining_capacity(answer: Answer, override: Override | None) -> Decimal | None:
    """MW an eligible asset brings now; None when it lost its place since the close.

    An operator who qualifies an asset by hand accepts the state of its FSP, but cannot give back capacity.
    """
    by_hand = override is not None and override.is_active and override.effect == "qualify"
    if "archived" in answer.losses or ("approval lost" in answer.losses and not by_hand):
        return None
    if "lower capacity" in answer.losses and answer.remaining_mw == 0:
        return None
    return answer.remaining_mw


def is_worth_keeping(answer: Answer, override: Override | None) -> bool:
    """Whether a pair is stored: it matches, lies near, or an operator has laid a hand on it. Others are recomputed."""
    return answer.match is not None or answer.distance_m is not None or override is not None


def _area_name(zone: ZoneRef) -> str:
    return zone.area_ref or OWN_LIST


def _losses(answer: Answer, capacity: Decimal, head: Asset, need: Need, company: Company) -> tuple[Loss, ...]:
    approval_went = need.scheme_id is not None and company.approved_at_close and not company.approved_now
    found: list[tuple[Loss, bool]] = [
        ("lower capacity", capacity < answer.capacity_mw),
        ("archived", head.status == ARCHIVED and answer.status != ARCHIVED),
        ("approval lost", approval_went),
    ]
    return tuple(loss for loss, happened in found if happened)


def _way(match: ZoneMatch, need: Need) -> MatchKind | None:
    """How a match with one of the competition's zones counts by its location rule, if it does."""
    if (match.kind == "meter") != (need.location_rule == "meter") and need.location_rule != "area_or_meter":
        return None
    if match.distance_m == 0:
        return match.kind
    return "buffer" if match.kind == "area" and match.distance_m <= need.buffer_m else None


def _gap(match: ZoneMatch, need: Need) -> Decimal:
    """Metres from where the match would count: from the widened edge of an area, from a box itself."""
    return match.distance_m - (need.buffer_m if match.kind == "area" else ZERO)


def _nearness(match: ZoneMatch, need: Need) -> tuple[Decimal, str, str]:
    return match.distance_m, need.zones[match.zone_id], match.zone_id
