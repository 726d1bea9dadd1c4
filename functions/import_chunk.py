"""Wakes for each chunk of a long file and applies it; whoever comes last closes the receipt."""

from __future__ import annotations

from typing import Any

from chalicelib.edge.entrance import messages
from chalicelib.edge.observe import count
from chalicelib.files import actions as files
from chalicelib.files.imports import import_chunk
from chalicelib.files.sealed import may_open_files
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Stale
from functions import imports


def apply(call: Call, body: dict[str, Any]) -> None:
    """Apply a chunk; what cannot be processed is noted on the receipt before the queue gives it again."""
    receipt = files.get_receipt(body["receipt_id"])
    try:
        import_chunk(call, receipt.id, body["number"], imports.importer_of(receipt.kind))
    except Stale:
        raise  # somebody else was first, perhaps the same file given twice: nothing has failed
    except Exception:
        files.mark_failed(call, receipt.id)
        count("files_failed")
        raise


may_open_files()
handler = messages(apply)
