"""Owns the values of the asset register: an asset with its columns, where it stands, and what it is obliged to."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from pydantic import Field

from chalicelib.kernel.models import Instant, Value
from chalicelib.kernel.quantities import ZERO, Degrees, Kilovolts, Megawatts

Status = Literal["In Development", "Operational", "Mothballed", "Archived"]
STATUSES: tuple[Status, ...] = ("In Development", "Operational", "Mothballed", "Archived")
ARCHIVED: Status = "Archived"
Metering = Literal["boundary", "asset"]
METERINGS: tuple[Metering, ...] = ("boundary", "asset")
METER_INTERVALS = (30, 15, 5, 1)
USUAL_KV = tuple(map(Decimal, ("0.23", "0.4", "6.6", "11", "20", "22", "33", "66", "110", "132", "275", "400")))
ONE_KV = Decimal(1)


class AssetColumns(Value):
    """The columns of an asset, as its FSP states them; None where the FSP says nothing."""

    asset_ref: str
    name: str
    status: Status
    category: str
    type: str
    device_count: int = 1
    voltage_kv: Kilovolts
    country_code: str = "GB"
    postcode: str | None = None
    latitude: Degrees | None = None
    longitude: Degrees | None = None
    address: str | None = None
    import_meter_id: str | None = None
    export_meter_id: str | None = None
    metering: Metering | None = None
    meter_interval: int | None = None
    generation_turn_up_mw: Megawatts | None = None
    generation_turn_down_mw: Megawatts | None = None
    demand_turn_up_mw: Megawatts | None = None
    demand_turn_down_mw: Megawatts | None = None
    reactive_import_mvar: Megawatts | None = None
    reactive_export_mvar: Megawatts | None = None
    maximum_import_mw: Megawatts | None = None
    maximum_export_mw: Megawatts | None = None
    response_time: timedelta | None = None
    minimum_run_time: timedelta | None = None
    maximum_run_time: timedelta | None = None
    recovery_time: timedelta | None = None
    operational_date: date | None = None
    supplier: str | None = None
    comment: str | None = None
    consent_ref: str | None = None
    consent_from: date | None = None
    consent_to: date | None = None


class AssetFields(AssetColumns):
    """The columns of an asset with what follows from them."""

    @property
    def ref(self) -> str:
        return self.asset_ref

    @property
    def active_export_mw(self) -> Decimal:
        """What serves a deficit: generation turn up + demand turn down, MW."""
        return (self.generation_turn_up_mw or ZERO) + (self.demand_turn_down_mw or ZERO)

    @property
    def active_import_mw(self) -> Decimal:
        """What serves an excess: generation turn down + demand turn up, MW."""
        return (self.generation_turn_down_mw or ZERO) + (self.demand_turn_up_mw or ZERO)

    @property
    def voltage_level_kv(self) -> Decimal:
        """The voltage as limits compare it: below 1 kV everything is one level, 0."""
        return voltage_level(self.voltage_kv)

    @property
    def meter_ids(self) -> tuple[str, ...]:
        """Its meters, each once."""
        return tuple(dict.fromkeys(meter for meter in (self.import_meter_id, self.export_meter_id) if meter))


def voltage_level(kilovolts: Decimal) -> Decimal:
    """A voltage as limits compare it, kV: below 1 kV is one level (LV), told as 0."""
    return kilovolts if kilovolts >= ONE_KV else ZERO


class Place(Value):
    """Where an asset stands, degrees WGS84, and how we know: its own coordinates, or its postcode's."""

    lat: Degrees
    lon: Degrees
    source: Literal["coordinates", "postcode"]


class Asset(AssetFields):
    """An asset as it stands in one version.

    `first_complete_at` decides the deadline rule of qualification. `ordinal` numbers an FSP's assets from 0 and never
    changes. `receipt` is the file that wrote this version, None where it came by the API.
    """

    id: str
    owner: str
    version: int = 1
    ordinal: int
    created_at: Instant
    first_complete_at: Instant
    changed_at: Instant
    changed_by: str
    receipt: str | None = None
    place: Place | None = None

    def fields(self) -> AssetFields:
        """Its columns alone."""
        return AssetFields.model_construct(**self.columns())

    def columns(self) -> dict[str, Any]:
        """Its columns by field name, None where nothing is stated."""
        return {name: getattr(self, name) for name in COLUMN_FIELDS}

    @property
    def is_archived(self) -> bool:
        return self.status == ARCHIVED


COLUMN_FIELDS: tuple[str, ...] = tuple(AssetColumns.model_fields)


class Commitment(Value):
    """What an obligation holds an asset to: `[starts, ends)`, the windows it serves, and the MW it backs."""

    obligation_id: str
    so: str
    competition_id: str
    starts: Instant
    ends: Instant
    windows: tuple[str, ...] = ()
    mw: Megawatts


class TypeTree(Value):
    """Categories of assets with their types. A category of one type needs no type stated."""

    version: int = 0
    categories: dict[str, tuple[str, ...]]

    def type_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for types in self.categories.values() for name in types))


SHIPPED_TYPES = TypeTree(
    categories={
        "Storage": (
            "Battery",
            "Compressed air",
            "Fuel cell",
            "Liquid air",
            "Pumped hydro",
            "Vehicle to grid",
            "Thermal store",
        ),
        "Demand side response": (
            "Commercial",
            "Industrial",
            "Residential",
            "EV charging",
            "Heat pump",
            "Electric heating",
        ),
        "Energy efficiency": ("Energy efficiency",),
        "Renewable": (
            "Onshore wind",
            "Offshore wind",
            "Solar",
            "Hydro",
            "Biomass",
            "Geothermal",
            "Wave and tidal",
        ),
        "Non-renewable": ("Gas", "Diesel", "CHP", "Energy from waste"),
        "Network equipment": ("Network equipment",),
    }
)


class Placed(NamedTuple):
    """An asset in the place index: its id and position, degrees WGS84."""

    asset_id: str
    lat: Decimal
    lon: Decimal


class Notice(Value):
    """Something worth looking at that does not stop an asset: what, which field, and what would end it."""

    code: str
    detail: str
    field: str | None = None
    allowed: str | None = None


class AssetView(AssetColumns):
    """An asset as its FSP sees it, with what we derive and what we warn of."""

    id: str
    version: int
    created_at: Instant
    first_complete_at: Instant
    changed_at: Instant
    receipt: str | None = None
    place: Place | None = None
    active_export_mw: Megawatts
    active_import_mw: Megawatts
    obligations: tuple[str, ...] = Field(default=(), description="that hold it now; told of one asset, not in lists")
    warnings: tuple[Notice, ...] = ()
