"""Owns the demo's meter numbers: made of what they stand for, so that no two demos in one market share a meter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from chalicelib.kernel.meters import check_digit
from local.demo.scenes import Row

_EXPORTING = ("Generation Turn Up (MW)", "Generation Turn Down (MW)")


def metered(rows: Iterable[Row], tag: str) -> list[dict[str, Any]]:
    """Asset rows with their meters: an import channel each, and an export channel for whatever generates."""
    return [{**row, **_meters(row, tag)} for row in rows]


def mpan(*parts: str) -> str:
    """A meter point number of thirteen digits, the last of which checks, that is the same for the same parts."""
    drawn = int(hashlib.sha256("/".join(parts).encode()).hexdigest(), 16) % 10**10
    core = f"10{drawn:010d}"
    return core + str(check_digit(core))


def _meters(row: Row, tag: str) -> dict[str, str]:
    channels = {"Import MPAN": mpan(tag, str(row["Asset Ref"]), "import")}
    if any(header in row for header in _EXPORTING):
        channels["Export MPAN"] = mpan(tag, str(row["Asset Ref"]), "export")
    return channels
