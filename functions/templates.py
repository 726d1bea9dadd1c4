"""Owns the registry of blank templates: which room declares the columns of which kind of file."""

from __future__ import annotations

import hashlib
from importlib import import_module

from chalicelib.files.columns import Template

_TEMPLATES = {
    "areas": "chalicelib.areas.sheets:TEMPLATE",
    "assets": "chalicelib.assets.sheets:TEMPLATE",
    "availability": "chalicelib.dispatch.sheets:TEMPLATE",
    "baselines": "chalicelib.metering.sheets_statements:TEMPLATE",
    "bids": "chalicelib.bidding.sheets:TEMPLATE",
    "competitions": "chalicelib.competitions.sheets:TEMPLATE",
    "decisions": "chalicelib.decisions.sheets:TEMPLATE",
    "dispatch": "chalicelib.dispatch.sheets:DISPATCH_TEMPLATE",
    "entries": "chalicelib.qualification.sheets:ENTRIES_TEMPLATE",
    "meter-data": "chalicelib.metering.sheets:TEMPLATE",
    "overrides": "chalicelib.qualification.sheets:OVERRIDES_TEMPLATE",
    "payments": "chalicelib.settlement.sheets_payments:TEMPLATE",
    "postcodes": "chalicelib.assets.sheets:GAZETTEER_TEMPLATE",
}


def templates() -> dict[str, Template]:
    """The templates of every kind of file, by kind."""
    return {kind: _loaded(place) for kind, place in _TEMPLATES.items()}


def fingerprint() -> str:
    """A mark that changes whenever any template does."""
    return hashlib.sha256(repr(sorted(templates().items())).encode()).hexdigest()[:16]


def _loaded(place: str) -> Template:
    module, _, name = place.partition(":")
    found: Template = getattr(import_module(module), name)
    return found
