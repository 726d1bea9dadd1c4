"""Wakes when a file was received, reads it and sees its rows applied; areas have a function of their own."""

from __future__ import annotations

from chalicelib.edge.entrance import reaction
from chalicelib.edge.observe import count
from chalicelib.files import actions as files
from chalicelib.files.cells import DateOrder
from chalicelib.files.imports import import_file
from chalicelib.files.models import Receipt
from chalicelib.files.sealed import may_open_files
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Stale
from chalicelib.kernel.events import Envelope
from chalicelib.registry import actions as registry
from functions import imports


def take(call: Call, envelope: Envelope) -> None:
    """Import the file; what cannot be processed is noted on its receipt before the queue gives it again."""
    if envelope.body["kind"] in imports.ELSEWHERE:
        return
    receipt = files.get_receipt(envelope.body["receipt_id"])
    try:
        import_file(call, receipt.id, imports.importer_of(receipt.kind), _date_order(receipt))
    except Stale:
        raise  # somebody else was first, perhaps the same file given twice: nothing has failed
    except Exception:
        files.mark_failed(call, receipt.id)
        count("files_failed")
        raise


def _date_order(receipt: Receipt) -> DateOrder:
    """How the operator writes dates; everybody else's are day, month, year."""
    if receipt.organisation_kind != "so":
        return "dmy"
    return registry.get_operator(receipt.organisation).date_order


may_open_files()
handler = reaction(take)
