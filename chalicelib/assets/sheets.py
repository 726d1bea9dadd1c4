"""Owns the asset and gazetteer workbooks as columns: templates, downloads and the reader come from here."""

from __future__ import annotations

from decimal import Decimal

from chalicelib.assets.models import METER_INTERVALS, METERINGS, SHIPPED_TYPES, STATUSES, USUAL_KV
from chalicelib.files.columns import (
    CellKind,
    Choice,
    Column,
    DecimalNumber,
    Duration,
    LocalDate,
    Sheet,
    Template,
    Text,
    WholeNumber,
)
from chalicelib.kernel.quantities import plain

ASSETS = "Assets"
POSTCODES = "Postcodes"

_MW = DecimalNumber(places=6)
_CATEGORIES = "; ".join(SHIPPED_TYPES.categories)
_ALL_TYPES = tuple(dict.fromkeys(name for types in SHIPPED_TYPES.categories.values() for name in types))
_TYPES = "; ".join(f"{category}: {', '.join(types)}" for category, types in SHIPPED_TYPES.categories.items())
_LADDER = ", ".join(map(plain, USUAL_KV))


def _column(
    header: str, field: str, help_text: str, kind: CellKind, example: str = "", *aliases: str, required: bool = False
) -> Column:
    return Column(header, field, help_text, required, kind, example, aliases)


def _needed(header: str, field: str, help_text: str, kind: CellKind, example: str, *aliases: str) -> Column:
    return _column(header, field, help_text, kind, example, *aliases, required=True)


_IDENTITY = (
    _needed(
        "Asset Ref",
        "asset_ref",
        "Your own reference, unique among your assets. A row with a known reference updates that asset.",
        Text(100),
        "EV-0001",
    ),
    _needed("Name", "name", "A name people will recognise.", Text(200), "Depot charger 1"),
    _needed(
        "Status", "status", "Archived hides the asset; any other status brings it back.", Choice(STATUSES), STATUSES[1]
    ),
    _needed(
        "Category",
        "category",
        f"One of: {_CATEGORIES}.",
        Text(100, suggestions=tuple(SHIPPED_TYPES.categories)),
        "Demand side response",
    ),
    _column(
        "Type",
        "type",
        f"A type of its category. {_TYPES}. Required unless the category has one type only.",
        Text(100, suggestions=_ALL_TYPES),
        "EV charging",
    ),
    _column(
        "Device Count", "device_count", "How many alike devices the row stands for.", WholeNumber(1, 10_000_000), "1"
    ),
)
_CONNECTION = (
    _needed(
        "Voltage Level (kV)",
        "voltage_kv",
        f"Voltage at the point of connection. Below 1 kV is one level. Usual: {_LADDER}.",
        DecimalNumber(places=3, minimum=None, maximum=Decimal(1200), above=Decimal(0)),
        "0.4",
        "Voltage Level",
        "Voltage",
        "Voltage (kV)",
    ),
    _column("Country", "country_code", "ISO 3166 code of two letters; GB when blank.", Text(2), "GB", "Country Code"),
    _column(
        "Postcode", "postcode", "A postcode, or Latitude and Longitude, or both.", Text(12), "IP1 1AA", "Post Code"
    ),
    _column(
        "Latitude", "latitude", "Degrees north, WGS84.", DecimalNumber(9, Decimal(-90), Decimal(90)), "52.0567", "Lat"
    ),
    _column(
        "Longitude",
        "longitude",
        "Degrees east, WGS84; west is negative.",
        DecimalNumber(9, Decimal(-180), Decimal(180)),
        "1.1482",
        "Long",
        "Lng",
    ),
    _column("Address", "address", "For your own use.", Text(500), "1 Depot Road, Ipswich"),
    _column(
        "Import MPAN",
        "import_meter_id",
        "In GB the 13 digits of the MPAN core; elsewhere the meter's own number.",
        Text(60),
        "1470116845051",
        "Import Meter Id",
    ),
    _column(
        "Export MPAN",
        "export_meter_id",
        "In GB the 13 digits of the MPAN core; elsewhere the meter's own number.",
        Text(60),
        "",
        "Export Meter Id",
    ),
    _column(
        "Metering Point", "metering", "Metered at the boundary or at the asset itself.", Choice(METERINGS), "boundary"
    ),
    _column(
        "Meter Interval",
        "meter_interval",
        f"Minutes per reading: {', '.join(map(str, METER_INTERVALS))}.",
        WholeNumber(1, 60),
        "30",
        "Meter Interval (minutes)",
    ),
)
_CAPACITY = (
    _column(
        "Generation Turn Up (MW)",
        "generation_turn_up_mw",
        "How much more it can generate.",
        _MW,
        "",
        "Generation Turn Up",
    ),
    _column(
        "Generation Turn Down (MW)",
        "generation_turn_down_mw",
        "How much less it can generate.",
        _MW,
        "",
        "Generation Turn Down",
    ),
    _column("Demand Turn Up (MW)", "demand_turn_up_mw", "How much more it can consume.", _MW, "", "Demand Turn Up"),
    _column(
        "Demand Turn Down (MW)",
        "demand_turn_down_mw",
        "How much less it can consume.",
        _MW,
        "0.0072",
        "Demand Turn Down",
    ),
    _column("Reactive Import (MVAr)", "reactive_import_mvar", "Leading reactive power.", _MW, "", "Reactive Import"),
    _column("Reactive Export (MVAr)", "reactive_export_mvar", "Lagging reactive power.", _MW, "", "Reactive Export"),
    _column("Maximum Import (MW)", "maximum_import_mw", "Limit of the connection.", _MW, "", "Maximum Import"),
    _column("Maximum Export (MW)", "maximum_export_mw", "Limit of the connection.", _MW, "", "Maximum Export"),
)
_TIMES = (
    _column("Response Time", "response_time", "From instruction to full delivery.", Duration(), "00:05:00"),
    _column("Minimum Run Time", "minimum_run_time", "The shortest it can deliver for.", Duration(), "00:30:00"),
    _column("Maximum Run Time", "maximum_run_time", "The longest it can deliver for.", Duration(), "04:00:00"),
    _column("Recovery Time", "recovery_time", "Between the end of one delivery and the next.", Duration(), "02:00:00"),
    _column("Operational Date", "operational_date", "Since when, or from when, it works.", LocalDate(), "2024-04-01"),
    _column("Supplier", "supplier", "Who supplies its energy.", Text(200)),
    _column("Comment", "comment", "For your own use.", Text(2000)),
)
_CONSENT = (
    _column("Consent Ref", "consent_ref", "The customer's authority for the meter.", Text(200)),
    _column("Consent From", "consent_from", "First day of the authority.", LocalDate()),
    _column("Consent To", "consent_to", "Last day of the authority, included.", LocalDate()),
)

COLUMNS: tuple[Column, ...] = (*_IDENTITY, *_CONNECTION, *_CAPACITY, *_TIMES, *_CONSENT)

TEMPLATE = Template(
    kind="assets",
    title="Assets",
    version="1",
    sheets=(
        Sheet(ASSETS, COLUMNS, unique=("asset_ref",), help="One asset, or several alike behind one meter, per row."),
    ),
    how_to=(
        "One row per asset. Asset Ref is the key: a new one creates an asset, a known one updates it.",
        "A row is the asset's full state: a cell left blank is taken as not stated. A column left out changes nothing.",
        "Each row stands alone: a row with a problem changes nothing, the others go in.",
        "Give at least one capacity above 0, and either a postcode or a latitude and longitude.",
        "Megawatts, not kilowatts: a 7.2 kW charger is 0.0072.",
    ),
)

GAZETTEER_TEMPLATE = Template(
    kind="postcodes",
    title="Postcode gazetteer",
    version="1",
    sheets=(
        Sheet(
            POSTCODES,
            (
                _needed(
                    "Postcode",
                    "postcode",
                    "A postcode.",
                    Text(12),
                    "IP1 1AA",
                    "pcds",
                    "pcd",
                    "pcd7",
                    "pcd8",
                    "Post Code",
                ),
                _needed(
                    "Latitude",
                    "latitude",
                    "Degrees north, WGS84.",
                    DecimalNumber(9, Decimal(-90), Decimal(90)),
                    "52.0567",
                    "Lat",
                ),
                _needed(
                    "Longitude",
                    "longitude",
                    "Degrees east, WGS84; west is negative.",
                    DecimalNumber(9, Decimal(-180), Decimal(180)),
                    "1.1482",
                    "Long",
                    "Lng",
                    "Lon",
                ),
            ),
            unique=("postcode",),
            help="One postcode per row.",
        ),
    ),
    how_to=(
        "One row per postcode; a postcode given again takes the new place. Postcodes not in the file keep theirs.",
    ),
)
