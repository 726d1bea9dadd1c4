"""Wakes when a file was received, and imports it if it is one of areas. Carries the geometry libraries."""

from __future__ import annotations

from chalicelib.areas.imports import IMPORTER, apply_object
from chalicelib.edge.entrance import reaction
from chalicelib.edge.observe import count
from chalicelib.files import actions as files
from chalicelib.files.actions_importing import import_object
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Stale
from chalicelib.kernel.events import Envelope


def take(call: Call, envelope: Envelope) -> None:
    """Import the file; what cannot be processed is noted on its receipt before the queue gives it again."""
    if envelope.body["kind"] != IMPORTER.kind:
        return
    receipt_id = envelope.body["receipt_id"]
    try:
        import_object(call, receipt_id, apply_object)
    except Stale:
        raise  # somebody else was first, perhaps the same file given twice: nothing has failed
    except Exception:
        files.mark_failed(call, receipt_id)
        count("files_failed")
        raise


handler = reaction(take)
