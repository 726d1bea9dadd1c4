"""Owns what an obligation is: who delivers what to whom, when, at which price, with which assets."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from pydantic import Field

from chalicelib.competitions.words import Day, HolidayHandling, NeedDirection, PowerType, ProductType
from chalicelib.kernel.models import Instant, PageQuery, Value
from chalicelib.kernel.quantities import Megawatts, SignedPrice

ObligationState = Literal["awarded", "contracted", "varied", "ended", "terminated"]


class Obligation(Value):
    """An accepted bid as a promise. Times are local to the operator; `period_end` is inclusive."""

    id: str
    bid_id: str
    so: str
    fsp: str
    contracting_entity: str | None = None
    competition_id: str
    competition_reference: str
    round_ref: str | None = None
    power_type: PowerType
    need_direction: NeedDirection
    product_type: ProductType
    window_id: str
    period_name: str
    window_name: str
    period_start: date
    period_end: date
    days: tuple[Day, ...]
    start: str
    end: str
    holidays: HolidayHandling
    holiday_region: str | None = None
    time_zone: str
    currency: str
    capacity_mw: Megawatts
    availability_price: SignedPrice | None = None
    utilisation_price: SignedPrice | None = None
    service_fee: SignedPrice | None = None
    maximum_run_time: timedelta
    required_response_time: timedelta | None = None
    market_rules: str | None = None
    asset_count: int
    state: ObligationState = "awarded"
    drawn_up_at: Instant
    contracted_at: Instant | None = None
    version: int = 1


class ObligatedAsset(Value):
    """One asset behind an obligation, as it stood when the obligation was drawn up."""

    obligation_id: str
    asset_id: str
    asset_ref: str
    name: str
    import_meter_id: str | None = None
    export_meter_id: str | None = None
    capacity_mw: Megawatts


class AvailabilityVariation(Value):
    """A span in which an obligation's FSP declared less than it promised."""

    id: str
    obligation_id: str
    starts: Instant
    ends: Instant
    available_mw: Megawatts
    reason: str
    declared_at: Instant
    late: bool = Field(default=False, description="declared inside the market's notice period")


class ObligationView(Obligation):
    """An obligation as either side reads it."""

    so_name: str
    fsp_name: str
    available_hours: str = Field(description="hours the window is on over its period, a decimal")


class ObligationQuery(PageQuery):
    """Filters; `competition_id` and `state` narrow the list, which runs by period start."""

    competition_id: str | None = Field(default=None, max_length=80)
    state: ObligationState | None = None


class AssetsQuery(PageQuery):
    """Assets behind one obligation."""
