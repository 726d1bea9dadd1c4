"""Owns the contracts workbook as columns: obligations, obligated assets, variations; the same on both sides."""

from __future__ import annotations

from chalicelib.files.columns import (
    ClockTime,
    Column,
    DecimalNumber,
    Duration,
    LocalDate,
    LocalDateTime,
    Sheet,
    Template,
    Text,
    WholeNumber,
)

OBLIGATIONS = "Obligations"
ASSETS = "Obligated Assets"
VARIATIONS = "Availability Variations"
_MW = DecimalNumber(places=6)
_PRICE = DecimalNumber(places=4, minimum=None)

_OBLIGATION = Column("Obligation ID", "obligation_id", "The obligation.", True, Text(80))

TEMPLATE = Template(
    kind="contracts",
    title="Contracts",
    version="1",
    sheets=(
        Sheet(
            OBLIGATIONS,
            (
                _OBLIGATION,
                Column("State", "state", "awarded, contracted, varied, ended or terminated."),
                Column("System Operator", "so_name", "Who buys."),
                Column("Provider", "fsp_name", "Who delivers."),
                Column("Contracting Entity", "contracting_entity", "The company that contracts."),
                Column("Competition Ref", "competition_reference", "The competition's reference."),
                Column("Product", "product_type", "The product."),
                Column("Direction", "need_direction", "What is needed."),
                Column("Service Period", "period_name", "The service period."),
                Column("First Day", "period_start", "First day, local.", kind=LocalDate()),
                Column("Last Day", "period_end", "Last day, inclusive, local.", kind=LocalDate()),
                Column("Service Window", "window_name", "The service window."),
                Column("Days", "days", "Days of the week."),
                Column("Start", "start", "Local clock time.", kind=ClockTime()),
                Column("End", "end", "Local clock time.", kind=ClockTime()),
                Column("Time Zone", "time_zone", "Zone of the clock times."),
                Column("Public Holidays", "holidays", "Included or excluded."),
                Column("Hours", "available_hours", "The window's hours over its period.", kind=DecimalNumber(places=6)),
                Column("MW", "capacity_mw", "What is promised.", kind=_MW),
                Column("Availability Price", "availability_price", "Per MW/h.", kind=_PRICE),
                Column("Utilisation Price", "utilisation_price", "Per MWh.", kind=_PRICE),
                Column("Service Fee", "service_fee", "Per MW for the service period.", kind=_PRICE),
                Column("Currency", "currency", "Of the prices."),
                Column("Maximum Run Time", "maximum_run_time", "How long one run may last.", kind=Duration()),
                Column("Response Time", "required_response_time", "How fast it must respond.", kind=Duration()),
                Column("Assets", "asset_count", "Assets behind it.", kind=WholeNumber()),
            ),
            unique=("obligation_id",),
        ),
        Sheet(
            ASSETS,
            (
                _OBLIGATION,
                Column("Asset ID", "asset_id", "The asset.", True, Text(80)),
                Column("Asset Ref", "asset_ref", "The provider's reference."),
                Column("Asset Name", "name", "The asset's name."),
                Column("Import MPAN", "import_meter_id", "Its import meter."),
                Column("Export MPAN", "export_meter_id", "Its export meter."),
                Column("MW", "capacity_mw", "Its share of what is promised.", kind=_MW),
            ),
            unique=("obligation_id", "asset_id"),
        ),
        Sheet(
            VARIATIONS,
            (
                _OBLIGATION,
                Column("From", "starts", "Local.", kind=LocalDateTime()),
                Column("Until", "ends", "Local.", kind=LocalDateTime()),
                Column("Available MW", "available_mw", "What was declared available.", kind=_MW),
                Column("Reason", "reason", "Why."),
                Column("Declared At", "declared_at", "When it was declared, local.", kind=LocalDateTime()),
            ),
            optional=True,
        ),
    ),
    how_to=(
        "One row per obligation, one per asset behind it, one per declared variation of its availability.",
        "Clock times are local to the system operator; the last day of a period is part of it.",
    ),
)
