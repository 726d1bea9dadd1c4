"""Wakes when a file was asked for, and makes it if it is a document or an audit trail. Carries the PDF library."""

from __future__ import annotations

from chalicelib.edge.entrance import reaction
from chalicelib.files.exports import make_file
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope
from functions import documents


def make(call: Call, envelope: Envelope) -> None:
    """Make the document; workbooks of rows are made by `make_export`."""
    job_id, kind = envelope.body["job_id"], envelope.body["kind"]
    if kind in documents.KINDS:
        make_file(call, job_id, documents.maker_of(kind))


handler = reaction(make)
