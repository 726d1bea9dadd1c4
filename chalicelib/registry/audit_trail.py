"""Makes an organisation's own audit trail into a file that `headroom audit verify` reads without the market."""

from __future__ import annotations

from typing import Any

from chalicelib.files.exports import FileMade
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Value
from chalicelib.storage.audit_export import export_trail

LINES = "application/x-ndjson"


class TrailFilter(Value):
    """A trail is exported whole: parts of it could not be verified."""


def make_trail(call: Call, filters: dict[str, Any]) -> FileMade:
    """The caller's own organisation's whole trail, as lines of JSON."""
    TrailFilter.model_validate(filters)
    lines = list(export_trail(call, call.organisation))
    content = "".join(f"{line}\n" for line in lines).encode()
    return FileMade(content, f"audit-trail-{call.now:%Y-%m-%d}.jsonl", LINES, len(lines))
