"""Owns what a competition is: its calendar, service windows, prices, boundaries and outcome."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from chalicelib.areas.models import Box
from chalicelib.competitions.words import (
    SERVICE_FEE,
    TYPE_OF_PRODUCT,
    CeilingRule,
    CompetitionType,
    Day,
    HolidayHandling,
    LocationRule,
    NeedDirection,
    NeedType,
    PowerType,
    ProductType,
    SettlementPriceRule,
)
from chalicelib.kernel import periods
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.models import Instant, Value
from chalicelib.kernel.quantities import ZERO, Kilovolts, Megawatts, Metres, Money, Number, SignedPrice

PriceName = Literal["availability_price", "utilisation_price", "service_fee"]
Outcome = Literal["open", "withdrawn", "confirmed"]


class Calendar(Value):
    """The instants that decide; `open` and `closed` (bidding) are None when a competition is visibility-only."""

    qualification_open: Instant
    qualification_closed: Instant
    open: Instant | None = None
    closed: Instant | None = None
    archive_on: date | None = None


class Ceilings(Value):
    """The published limits that bind in one window; None where there is none."""

    availability: SignedPrice | None = None
    utilisation: SignedPrice | None = None
    effective: SignedPrice | None = None


class ZoneRef(Value):
    """A zone the competition is for: of an area at one version, or (no `area_ref`) of its own list of boundaries."""

    zone_id: str
    area_ref: str | None = None
    area_version: int | None = None


class Boundaries(Value):
    """Where a competition is wanted, as its operator gave it."""

    areas: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    postcode_sectors: tuple[str, ...] = ()
    bounding_boxes: tuple[Box, ...] = ()

    @property
    def has_own_list(self) -> bool:
        return bool(self.postcodes or self.postcode_sectors or self.bounding_boxes)


class ServiceWindow(Value):
    """A daily clock span of a service period, local, with what is wanted in it (MW, or MVAr for reactive power).

    `period_end` is inclusive; `available_minutes` is how long the window is on over its period, counted at import
    with clock changes and holidays; `id` follows from the competition and the two names.
    """

    id: str
    period_name: str
    period_start: date
    period_end: date
    name: str
    start: str
    end: str
    days: tuple[Day, ...]
    holidays: HolidayHandling = "include"
    capacity_required: Megawatts
    minimum_aggregate_asset_size: Megawatts = ZERO
    minimum_run_time: timedelta | None = None
    required_response_time: timedelta | None = None
    dispatch_estimate: Number | None = None
    dispatch_duration: timedelta | None = None
    availability_ceiling: SignedPrice | None = None
    utilisation_ceiling: SignedPrice | None = None
    effective_price_ceiling: SignedPrice | None = None
    available_minutes: int

    @property
    def hours(self) -> Decimal:
        """H_av: hours the window is on over its period."""
        return periods.hours_of(self.available_minutes)

    @property
    def dispatched_hours(self) -> Decimal | None:
        """H_ut: expected dispatches x expected length in hours; None when the operator expects nothing."""
        if self.dispatch_estimate is None or self.dispatch_duration is None:
            return None
        return self.dispatch_estimate * Decimal(int(self.dispatch_duration.total_seconds())) / 3600


class Competition(Value):
    """A competition as it stands. `version` guards changes; `outcome` is what later rooms made of it."""

    id: str
    so: str
    reference: str
    name: str
    description: str | None = None
    contact: str | None = None
    round_ref: str | None = None
    calendar: Calendar
    time_zone: str
    holiday_region: str | None = None
    currency: str = "GBP"
    power_type: PowerType
    need_direction: NeedDirection
    need_type: NeedType | None = None
    product_type: ProductType
    type: CompetitionType | None = None
    availability_fixed_price: SignedPrice | None = None
    utilisation_fixed_price: SignedPrice | None = None
    service_fee_fixed: SignedPrice | None = None
    availability_guide_price: SignedPrice | None = None
    utilisation_guide_price: SignedPrice | None = None
    service_fee_guide: SignedPrice | None = None
    minimum_budget: Money | None = None
    maximum_budget: Money | None = None
    settlement_price_rule: SettlementPriceRule = "pay-as-bid"
    availability_ceiling: SignedPrice | None = None
    utilisation_ceiling: SignedPrice | None = None
    effective_price_ceiling: SignedPrice | None = None
    ceiling_rule: CeilingRule = "refuse"
    minimum_connection_voltage: Kilovolts | None = None
    maximum_connection_voltage: Kilovolts | None = None
    area_buffer: Metres = ZERO
    location_rule: LocationRule = "area_or_meter"
    dps_record_reference: str | None = None
    scheme_id: str | None = None
    minimum_bid_size: Megawatts = ZERO
    entry_required: bool = False
    accept_planned_assets: bool = False
    accept_partial_award: bool = True
    allow_negative_prices: bool = False
    duplicate_asset_overrides: str | None = None
    overrides_from: str | None = Field(default=None, description="id of the competition overrides are copied from")
    market_rules: str | None = None
    boundaries: Boundaries
    zones: tuple[ZoneRef, ...]
    windows: tuple[ServiceWindow, ...]
    state: Literal["draft", "published"] = "draft"
    published_at: Instant | None = None
    created_at: Instant
    changed_at: Instant
    outcome: Outcome = "open"
    outcome_at: Instant | None = None
    withdrawal_reason: str | None = None
    announced_until: Instant
    version: int = 1

    @property
    def is_visibility_only(self) -> bool:
        return self.calendar.closed is None

    @property
    def is_published(self) -> bool:
        return self.state == "published"

    @property
    def zone(self) -> ZoneInfo:
        return periods.zone_of(self.time_zone)

    @property
    def zone_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(ref.zone_id for ref in self.zones))

    @property
    def capacity_unit(self) -> str:
        return "MW" if self.power_type == "Active Power" else "MVAr"

    @property
    def asked_prices(self) -> tuple[PriceName, ...]:
        """The prices this competition has, in the order availability, utilisation, service fee."""
        return prices_of(self.type or TYPE_OF_PRODUCT[self.product_type])

    @property
    def fixed_prices(self) -> dict[PriceName, Decimal]:
        """The prices the operator has fixed; the other asked prices are bid."""
        given: dict[PriceName, Decimal | None] = {
            "availability_price": self.availability_fixed_price,
            "utilisation_price": self.utilisation_fixed_price,
            "service_fee": self.service_fee_fixed,
        }
        return {name: price for name, price in given.items() if price is not None}

    @property
    def bid_prices(self) -> tuple[PriceName, ...]:
        """The asked prices that providers name in their bids."""
        return tuple(name for name in self.asked_prices if name not in self.fixed_prices)

    @property
    def pricing_type(self) -> str:
        """Fixed, Bid or Mixed: derived from which prices are fixed."""
        if not self.fixed_prices:
            return "Bid"
        return "Mixed" if self.bid_prices else "Fixed"

    @cached_property
    def windows_by_id(self) -> dict[str, ServiceWindow]:
        return {window.id: window for window in self.windows}

    @property
    def last_period_end(self) -> date:
        return max(window.period_end for window in self.windows)

    @property
    def smallest_aggregate_size(self) -> Decimal:
        """The smallest aggregate minimum of all windows: what an FSP's eligible assets must reach together."""
        return min(window.minimum_aggregate_asset_size for window in self.windows)

    def ceilings(self, window: ServiceWindow) -> Ceilings:
        """The limits that bind in a window: its own where it has them, else the competition's."""
        return Ceilings(
            availability=_first(window.availability_ceiling, self.availability_ceiling),
            utilisation=_first(window.utilisation_ceiling, self.utilisation_ceiling),
            effective=_first(window.effective_price_ceiling, self.effective_price_ceiling),
        )

    def occurrences(self, window: ServiceWindow) -> Iterator[periods.Span]:
        """Every time a window is on, as UTC `[start, end)`."""
        return periods.occurrences(window, self.zone, holidays_of(self.holiday_region))


class Document(Value):
    """A document of a competition: a link, or a file kept under `object_key`."""

    id: str
    title: str
    url: str | None = None
    file_name: str | None = None
    object_key: str | None = None
    added_at: Instant


def prices_of(competition_type: str) -> tuple[PriceName, ...]:
    """The prices that a competition type has."""
    found: list[PriceName] = ["availability_price"] if competition_type.startswith("Availability") else []
    found.append("utilisation_price")
    return (*found, "service_fee") if competition_type.endswith(SERVICE_FEE) else tuple(found)


def _first(own: Decimal | None, general: Decimal | None) -> Decimal | None:
    return general if own is None else own
