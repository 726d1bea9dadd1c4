"""Owns the contracts workbook as columns: obligations, obligated assets, variations; the same on both sides."""

from __future__ import annotations

from chalicelib.files.columns import (
    CellKind,
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


def _shown(header: str, field: str, told: str, kind: CellKind | None = None, width: int | None = None) -> Column:
    return Column(header, field, told, kind=kind or Text(), shown_only=True, width=width)


_OBLIGATION = _shown("Obligation ID", "obligation_id", "The obligation.", width=40)

TEMPLATE = Template(
    kind="contracts",
    title="Contracts",
    version="1",
    sheets=(
        Sheet(
            OBLIGATIONS,
            (
                _OBLIGATION,
                _shown("State", "state", "awarded, contracted, varied, ended or terminated."),
                _shown("System Operator", "so_name", "Who buys.", width=30),
                _shown("Provider", "fsp_name", "Who delivers.", width=30),
                _shown("Contracting Entity", "contracting_entity", "The company that contracts."),
                _shown("Competition Ref", "competition_reference", "The competition's reference."),
                _shown("Product", "product_type", "The product."),
                _shown("Direction", "need_direction", "What is needed."),
                _shown("Service Period", "period_name", "The service period."),
                _shown("First Day", "period_start", "First day, local.", LocalDate()),
                _shown("Last Day", "period_end", "Last day, inclusive, local.", LocalDate()),
                _shown("Service Window", "window_name", "The service window."),
                _shown("Days", "days", "Days of the week."),
                _shown("Start", "start", "Local clock time.", ClockTime()),
                _shown("End", "end", "Local clock time.", ClockTime()),
                _shown("Time Zone", "time_zone", "Zone of the clock times."),
                _shown("Public Holidays", "holidays", "Included or excluded."),
                _shown("Hours", "available_hours", "The window's hours over its period.", DecimalNumber(places=6)),
                _shown("MW", "capacity_mw", "What is promised.", _MW),
                _shown("Availability Price", "availability_price", "Per MW/h.", _PRICE),
                _shown("Utilisation Price", "utilisation_price", "Per MWh.", _PRICE),
                _shown("Service Fee", "service_fee", "Per MW for the service period.", _PRICE),
                _shown("Currency", "currency", "Of the prices."),
                _shown("Maximum Run Time", "maximum_run_time", "How long one run may last.", Duration()),
                _shown("Response Time", "required_response_time", "How fast it must respond.", Duration()),
                _shown("Assets", "asset_count", "Assets behind it.", WholeNumber()),
            ),
            unique=("obligation_id",),
        ),
        Sheet(
            ASSETS,
            (
                _OBLIGATION,
                _shown("Asset ID", "asset_id", "The asset.", width=34),
                _shown("Asset Ref", "asset_ref", "The provider's reference."),
                _shown("Asset Name", "name", "The asset's name."),
                _shown("Import MPAN", "import_meter_id", "Its import meter."),
                _shown("Export MPAN", "export_meter_id", "Its export meter."),
                _shown("MW", "capacity_mw", "Its share of what is promised.", _MW),
            ),
            unique=("obligation_id", "asset_id"),
        ),
        Sheet(
            VARIATIONS,
            (
                _OBLIGATION,
                _shown("From", "starts", "Local.", LocalDateTime()),
                _shown("Until", "ends", "Local.", LocalDateTime()),
                _shown("Available MW", "available_mw", "What was declared available.", _MW),
                _shown("Reason", "reason", "Why."),
                _shown("Declared At", "declared_at", "When it was declared, local.", LocalDateTime()),
            ),
            optional=True,
        ),
    ),
    how_to=(
        "One row per obligation, one per asset behind it, one per declared variation of its availability.",
        "Clock times are local to the system operator; the last day of a period is part of it.",
        "It is for reading and for writing the legal contract from; nothing reads it back.",
    ),
)
