"""Owns the states of a receipt and of a job, and the moves between them."""

from __future__ import annotations

RECEIPT_MOVES = {
    ("expected", "arrive"): "received",
    ("expected", "refuse"): "refused",
    ("received", "start"): "processing",
    ("received", "finish"): "done",
    ("received", "refuse"): "refused",
    ("processing", "finish"): "done",
    ("processing", "refuse"): "refused",
    ("received", "replay"): "received",
    ("processing", "replay"): "processing",
    ("refused", "replay"): "received",
}

JOB_MOVES = {
    ("queued", "finish"): "done",
    ("queued", "refuse"): "refused",
}

OPEN = frozenset({"received", "processing"})
"""States in which a file is still being read."""
