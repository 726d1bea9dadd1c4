"""Owns the registry of importers: which room takes which kind of file."""

from __future__ import annotations

from importlib import import_module

from chalicelib.files.importing import Importer

_IMPORTERS = {
    "assets": "chalicelib.assets.imports:IMPORTER",
    "availability": "chalicelib.dispatch.imports:IMPORTER",
    "baselines": "chalicelib.settlement.imports_nominations:IMPORTER",
    "bids": "chalicelib.bidding.imports:IMPORTER",
    "competitions": "chalicelib.competitions.imports:IMPORTER",
    "decisions": "chalicelib.decisions.imports:IMPORTER",
    "dispatch": "chalicelib.dispatch.imports:DISPATCH_IMPORTER",
    "entries": "chalicelib.qualification.imports:ENTRIES_IMPORTER",
    "overrides": "chalicelib.qualification.imports:OVERRIDES_IMPORTER",
    "payments": "chalicelib.settlement.imports_payments:IMPORTER",
    "postcodes": "chalicelib.assets.imports:GAZETTEER_IMPORTER",
}

ELSEWHERE = frozenset({"areas", "meter-data"})
"""Kinds that are not applied row by row, or need another bundle: each has a function of its own."""


def importer_of(kind: str) -> Importer:
    """The importer of a kind, its room loaded only now; KeyError for a kind nobody imports here."""
    module, _, name = _IMPORTERS[kind].partition(":")
    found: Importer = getattr(import_module(module), name)
    return found


def kinds() -> tuple[str, ...]:
    """Every kind imported here."""
    return tuple(_IMPORTERS)
