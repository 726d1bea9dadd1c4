"""Owns the states of an obligation, from awarded to ended."""

from __future__ import annotations

from chalicelib.kernel.lifecycle import Moves

MOVES: Moves = {
    ("awarded", "contract"): "contracted",
    ("awarded", "terminate"): "terminated",
    ("contracted", "vary"): "varied",
    ("contracted", "end"): "ended",
    ("contracted", "terminate"): "terminated",
    ("varied", "vary"): "varied",
    ("varied", "end"): "ended",
    ("varied", "terminate"): "terminated",
}
