"""Owns the kinds of file that may be dropped and who may drop each: pure data, read at the API and at the inbox."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.kernel.call import OrganisationKind


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of drop: the organisations it is for, the role it takes and what it is called.

    `sealed` kinds derive from ballots: their receipts, rows and marked workbooks are shown only to people of the
    organisation who hold the role, and never to the market operator.
    """

    kind: str
    title: str
    organisations: frozenset[OrganisationKind]
    role: str
    sealed: bool = False


def _kind(kind: str, title: str, role: str, *organisations: OrganisationKind, sealed: bool = False) -> FileKind:
    return FileKind(kind, title, frozenset(organisations), role, sealed)


_ALL = (
    _kind("assets", "Assets", "procurement", "fsp"),
    _kind("areas", "Areas", "procurement", "so"),
    _kind("competitions", "Competitions", "procurement", "so"),
    _kind("overrides", "Qualification overrides", "procurement", "so"),
    _kind("entries", "Entries", "procurement", "fsp"),
    _kind("bids", "Bids", "bidding", "fsp", sealed=True),
    _kind("decisions", "Decisions on bids", "procurement", "so"),
    _kind("meter-data", "Meter data", "settlement", "fsp"),
    _kind("baselines", "Nominations and weekly templates", "settlement", "fsp"),
    _kind("availability", "Availability", "dispatch", "fsp"),
    _kind("dispatch", "Dispatch instructions", "dispatch", "so"),
    _kind("payments", "Payments", "settlement", "so"),
    _kind("postcodes", "Postcode gazetteer", "account", "market_operator"),
)

KINDS: dict[str, FileKind] = {kind.kind: kind for kind in _ALL}


@dataclass(frozen=True, slots=True)
class ExportKind:
    """A file that may be asked for: by which organisations, with which role. `sealed` ones hold bids."""

    kind: str
    title: str
    organisations: frozenset[OrganisationKind]
    role: str
    sealed: bool = False


def _export(kind: str, title: str, role: str, *organisations: OrganisationKind, sealed: bool = False) -> ExportKind:
    return ExportKind(kind, title, frozenset(organisations), role, sealed)


_EXPORTS = (
    _export("assets", "Existing assets", "read", "fsp"),
    _export("competitions", "Existing competitions", "read", "so"),
    _export("qualified-assets", "Qualified assets", "read", "so", "fsp"),
    _export("entries", "Entries, pre-filled", "read", "fsp"),
    _export("bids", "Bid workbook, pre-filled", "bidding", "fsp"),
    _export("bid-history", "Bid history", "bidding", "fsp", sealed=True),
    _export("decisions", "Bids file", "procurement", "so"),
    _export("results", "Competition results", "read", "so", "fsp"),
    _export("availability", "Availability", "read", "so", "fsp"),
    _export("contracts", "Contracts", "read", "so", "fsp"),
    _export("meter-data", "Meter data of a month, pre-filled", "settlement", "fsp"),
    _export("applications", "Scheme applications", "procurement", "so"),
    _export("audit-trail", "Audit trail", "account", "fsp", "so", "market_operator"),
    _export("settlement-report", "Settlement report, workbook", "read", "so", "fsp"),
    _export("settlement-report-pdf", "Settlement report, PDF", "read", "so", "fsp"),
    _export("invoice-pdf", "Invoice, PDF", "read", "so", "fsp"),
    _export("invoice-ubl", "Invoice, UBL 2.1", "read", "so", "fsp"),
    _export("invoice-ledger", "Invoices for the ledger, CSV", "read", "so", "fsp"),
)

EXPORTS: dict[str, ExportKind] = {kind.kind: kind for kind in _EXPORTS}
