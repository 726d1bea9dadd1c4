"""Owns what the files room tells the market."""

from __future__ import annotations

from chalicelib.kernel.events import Event


class FileReceived(Event):
    """A file arrived and has a receipt; the importer of its kind takes it from here."""

    receipt_id: str
    kind: str
    organisation: str


class FileRefused(Event):
    """A file was refused whole; nothing of it was applied."""

    receipt_id: str
    kind: str
    organisation: str


class ExportRequested(Event):
    """Somebody asked for a workbook, or the market needs its blank templates."""

    job_id: str
    kind: str
    organisation: str
