"""Owns the registry of downloads: which room fills which workbook."""

from __future__ import annotations

from importlib import import_module

from chalicelib.files.exports import Exporter

_EXPORTERS = {
    "applications": "chalicelib.registry.downloads:export_applications",
    "assets": "chalicelib.assets.downloads:export_assets",
    "availability": "chalicelib.dispatch.downloads:export_availability",
    "bid-history": "chalicelib.bidding.downloads:export_history",
    "bids": "chalicelib.bidding.downloads:export_bids",
    "competitions": "chalicelib.competitions.downloads:export_competitions",
    "contracts": "chalicelib.contracts.downloads:export_contracts",
    "decisions": "chalicelib.decisions.downloads:export_bids",
    "entries": "chalicelib.qualification.downloads:export_entries",
    "meter-data": "chalicelib.settlement.downloads_meter_data:export_meter_data",
    "qualified-assets": "chalicelib.qualification.downloads:export_qualified_assets",
    "results": "chalicelib.decisions.downloads:export_results",
}


def exporter_of(kind: str) -> Exporter:
    """What fills the workbook of a kind, its room loaded only now; KeyError for a kind nobody fills."""
    module, _, name = _EXPORTERS[kind].partition(":")
    found: Exporter = getattr(import_module(module), name)
    return found


def kinds() -> tuple[str, ...]:
    """Every kind of download."""
    return tuple(_EXPORTERS)
