"""Wakes when a workbook was asked for and makes it, or makes the blank templates anew; documents have their own."""

from __future__ import annotations

from chalicelib.edge.entrance import reaction
from chalicelib.files.actions_exporting import TEMPLATES
from chalicelib.files.exports import make_export, make_templates
from chalicelib.files.sealed import may_open_files
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope
from functions import documents, exports, templates


def make(call: Call, envelope: Envelope) -> None:
    job_id, kind = envelope.body["job_id"], envelope.body["kind"]
    if kind == TEMPLATES:
        make_templates(call, job_id, templates.templates().values())
    elif kind not in documents.KINDS:
        make_export(call, job_id, exports.exporter_of(kind))


may_open_files()
handler = reaction(make)
