"""Owns the facts that areas tell the market."""

from __future__ import annotations

from chalicelib.kernel.events import Event


class AreasChanged(Event):
    """Areas of an operator have a new version (or were archived); `zone_ids` are the zones they have now."""

    so: str
    area_ids: tuple[str, ...]
    zone_ids: tuple[str, ...]
