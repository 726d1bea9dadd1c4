"""Owns the way from what an operator asks for to a competition: every problem of it, or the competition it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.areas.rules import boundary, box_problems, postcode_problem, sector_problem
from chalicelib.competitions.models import Boundaries, Calendar, Competition, ZoneRef
from chalicelib.competitions.requests import BoundaryRequest, CompetitionRequest
from chalicelib.competitions.terms import CALENDAR, term_problems, type_of
from chalicelib.competitions.windows import asked_window, planned_window, window_problems
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.holidays import holidays_of, regions
from chalicelib.kernel.periods import Repeated, instant_of, zone_of
from chalicelib.kernel.quantities import ZERO

CLOSES = ("qualification_closed", "closed")
SAME_NAME = (
    "reference",
    "name",
    "description",
    "contact",
    "round_ref",
    "power_type",
    "need_direction",
    "need_type",
    "product_type",
    "availability_fixed_price",
    "utilisation_fixed_price",
    "service_fee_fixed",
    "availability_guide_price",
    "utilisation_guide_price",
    "service_fee_guide",
    "minimum_budget",
    "maximum_budget",
    "availability_ceiling",
    "utilisation_ceiling",
    "effective_price_ceiling",
    "minimum_connection_voltage",
    "maximum_connection_voltage",
    "dps_record_reference",
    "duplicate_asset_overrides",
    "market_rules",
)
WITH_DEFAULT: dict[str, Any] = {
    "settlement_price_rule": "pay-as-bid",
    "ceiling_rule": "refuse",
    "area_buffer": ZERO,
    "location_rule": "area_or_meter",
    "minimum_bid_size": ZERO,
    "entry_required": False,
    "accept_planned_assets": False,
    "accept_partial_award": True,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """How the operator works: its zone, holidays, currency and what it allows."""

    so: str
    time_zone: str = "Europe/London"
    holiday_region: str | None = "england-and-wales"
    currency: str = "GBP"
    allow_negative_prices: bool = False
    market_rules: str | None = None

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.time_zone)

    @property
    def holidays(self) -> frozenset[date]:
        return holidays_of(self.holiday_region if self.holiday_region in regions() else None)


def setting_of(competition: Competition) -> Setting:
    """The setting a published competition was made in, which stays with it."""
    return Setting(
        so=competition.so,
        time_zone=competition.time_zone,
        holiday_region=competition.holiday_region,
        currency=competition.currency,
        allow_negative_prices=competition.allow_negative_prices,
        market_rules=competition.market_rules,
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What the references of a request stand for; a reference that is not here does not exist.

    `own_zone` is the zone of the competition's own list of postcodes, sectors and boxes, when it has one.
    """

    areas: Mapping[str, ZoneRef] = field(default_factory=dict)
    schemes: Mapping[str, str] = field(default_factory=dict)
    competitions: Mapping[str, str] = field(default_factory=dict)
    own_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """The competition, or all that stands against it."""

    competition: Competition | None
    problems: tuple[Problem, ...] = ()


def request_problems(request: CompetitionRequest, setting: Setting, found: Found) -> list[Problem]:
    """Every breach of the rules of page 3 in a request; fields that did not fit are judged as absent."""
    windows = request.service_windows
    problems = term_problems(request, dates_of(request, setting.zone), setting.allow_negative_prices)
    problems += boundary_problems(request.boundaries, found) if request.boundaries is not None else []
    problems += _reference_problems(request, found)
    if windows is not None:
        problems += window_problems(
            windows, setting.zone, setting.holidays, request.minimum_bid_size, setting.allow_negative_prices
        )
    return problems


def plan(
    request: CompetitionRequest,
    setting: Setting,
    found: Found,
    competition_id: str,
    now: datetime,
    current: Competition | None = None,
) -> Planned:
    """The competition that a request asks for, a draft or `current` with its terms replaced, or all its problems.

    What is already known of `current` (state, outcome, version, areas at their version once published) is kept.
    """
    problems = request_problems(request, setting, found)
    calendar = calendar_of(request, setting.zone)
    if problems or calendar is None:
        return Planned(None, tuple(problems))
    zone, holidays = setting.zone, setting.holidays
    windows = request.service_windows or ()
    terms: dict[str, Any] = {name: getattr(request, name) for name in SAME_NAME}
    terms |= {name: _or(getattr(request, name), default) for name, default in WITH_DEFAULT.items()}
    terms |= {
        "calendar": calendar,
        "type": type_of(request),
        "market_rules": request.market_rules or setting.market_rules,
        "scheme_id": found.schemes.get(request.dps_record_reference or ""),
        "overrides_from": found.competitions.get(request.duplicate_asset_overrides or ""),
        "allow_negative_prices": setting.allow_negative_prices,
        "boundaries": stored_boundaries(request.boundaries),
        "zones": _zones(request.boundaries, found, current),
        "windows": tuple(planned_window(competition_id, window, zone, holidays) for window in windows),
        "time_zone": setting.time_zone,
        "holiday_region": setting.holiday_region if setting.holiday_region in regions() else None,
        "currency": setting.currency,
        "changed_at": now,
    }
    if current is not None:
        return Planned(current.but(**terms))
    head = {"id": competition_id, "so": setting.so, "created_at": now, "announced_until": now}
    return Planned(Competition(**head, **terms))


def as_request(competition: Competition) -> CompetitionRequest:
    """The request that asks for a competition exactly as it stands: what downloads show and changes start from."""
    calendar, boundaries = competition.calendar, competition.boundaries
    return CompetitionRequest(
        **{name: getattr(competition, name) for name in (*SAME_NAME, *WITH_DEFAULT, "type")},
        qualification_open=calendar.qualification_open,
        qualification_closed=calendar.qualification_closed,
        open=calendar.open,
        closed=calendar.closed,
        archive_on=calendar.archive_on,
        boundaries=BoundaryRequest(**dict(boundaries)),
        service_windows=tuple(asked_window(window) for window in competition.windows),
    )


def is_same(before: Competition, after: Competition) -> bool:
    """Whether a plan changes nothing but the instant of the change."""
    return before == after.but(changed_at=before.changed_at)


def dates_of(request: CompetitionRequest, zone: ZoneInfo) -> dict[str, datetime | None]:
    """The dates of a request in UTC; of a local time that comes twice, an opening is the first, a close the second."""
    found: dict[str, datetime | None] = {}
    for name in CALENDAR:
        given: datetime | None = getattr(request, name)
        found[name] = None if given is None else _instant(given, zone, "second" if name in CLOSES else "first")
    return found


def calendar_of(request: CompetitionRequest, zone: ZoneInfo) -> Calendar | None:
    """The calendar in UTC; None when qualification lacks a date."""
    dates = dates_of(request, zone)
    if dates["qualification_open"] is None or dates["qualification_closed"] is None:
        return None
    return Calendar.model_validate({**dates, "archive_on": request.archive_on})


def boundary_problems(boundaries: BoundaryRequest, found: Found) -> list[Problem]:
    """A competition is somewhere, and every place that is named exists."""
    where = "boundaries/"
    problems = [
        _unknown(f"{where}areas/{number}", "area", ref)
        for number, ref in enumerate(boundaries.areas)
        if ref not in found.areas
    ]
    for number, text in enumerate(boundaries.postcodes):
        problems += _at(f"{where}postcodes/{number}", postcode_problem(text))
    for number, text in enumerate(boundaries.postcode_sectors):
        problems += _at(f"{where}postcode_sectors/{number}", sector_problem(text))
    for number, box in enumerate(boundaries.bounding_boxes):
        problems += [each for one in box_problems(box) for each in _at(f"{where}bounding_boxes/{number}", one)]
    if not (boundaries.areas or boundaries.postcodes or boundaries.postcode_sectors or boundaries.bounding_boxes):
        detail = "A competition needs a boundary: where the flexibility is wanted."
        allowed = "an area reference, postcode, postcode sector or bounding box"
        problems.append(Problem("boundary.none", detail, "boundaries", allowed))
    return problems


def stored_boundaries(boundaries: BoundaryRequest) -> Boundaries:
    """Boundaries as kept: area references once each in their order, lists normalised as areas does."""
    lists = boundary(boundaries.postcodes, boundaries.postcode_sectors, (), boundaries.bounding_boxes)
    return Boundaries(
        areas=tuple(dict.fromkeys(boundaries.areas)),
        postcodes=lists.postcodes,
        postcode_sectors=lists.sectors,
        bounding_boxes=lists.boxes,
    )


def _zones(boundaries: BoundaryRequest, found: Found, current: Competition | None) -> tuple[ZoneRef, ...]:
    """A published competition keeps the version of the areas it has; all others are taken as they are now."""
    kept = {ref.area_ref: ref for ref in current.zones} if current is not None and current.is_published else {}
    refs = [kept.get(ref) or found.areas[ref] for ref in dict.fromkeys(boundaries.areas)]
    return (*refs, ZoneRef(zone_id=found.own_zone)) if found.own_zone else tuple(refs)


def _reference_problems(request: CompetitionRequest, found: Found) -> list[Problem]:
    problems = []
    scheme, earlier = request.dps_record_reference, request.duplicate_asset_overrides
    if scheme and scheme not in found.schemes:
        problems.append(_unknown("dps_record_reference", "scheme", scheme))
    if earlier and earlier == request.reference:
        detail = "A competition cannot copy overrides from itself."
        problems.append(Problem("overrides.itself", detail, "duplicate_asset_overrides", "an earlier competition"))
    elif earlier and earlier not in found.competitions:
        problems.append(_unknown("duplicate_asset_overrides", "competition", earlier))
    return problems


def _unknown(field_name: str, thing: str, ref: str) -> Problem:
    detail = f"There is no {thing} {ref} of this operator."
    return Problem(f"{thing}.unknown", detail, field_name, f"the reference of one of your {thing}s")


def _at(field_name: str, problem: Problem | None) -> list[Problem]:
    return [Problem(problem.code, problem.detail, field_name, problem.allowed)] if problem else []


def _instant(given: datetime, zone: ZoneInfo, repeated: Repeated) -> datetime:
    return instant_of(given, zone, repeated) if given.tzinfo is None else given.astimezone(UTC)


def _or(given: Any, default: Any) -> Any:
    return default if given is None else given
