"""Owns the registry of documents: which room makes which file that is no plain workbook of rows."""

from __future__ import annotations

from importlib import import_module

from chalicelib.files.exports import Maker

KINDS = (
    "audit-trail",
    "invoice-ledger",
    "invoice-pdf",
    "invoice-ubl",
    "settlement-report",
    "settlement-report-pdf",
)
"""Every kind of document: apart from who makes it, so that a function that only asks has none of the makers' rights."""

_MAKERS = {
    "audit-trail": "chalicelib.registry.audit_trail:make_trail",
    "invoice-ledger": "chalicelib.settlement.documents:make_ledger",
    "invoice-pdf": "chalicelib.settlement.documents:make_invoice_pdf",
    "invoice-ubl": "chalicelib.settlement.documents:make_invoice_ubl",
    "settlement-report": "chalicelib.settlement.documents:make_report_workbook",
    "settlement-report-pdf": "chalicelib.settlement.documents:make_report_pdf",
}


def maker_of(kind: str) -> Maker:
    """What makes the document of a kind, its room loaded only now; KeyError for a kind nobody makes."""
    module, _, name = _MAKERS[kind].partition(":")
    found: Maker = getattr(import_module(module), name)
    return found
