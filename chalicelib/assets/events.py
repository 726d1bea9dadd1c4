"""Owns the facts the asset register tells: assets changed, and places became known."""

from __future__ import annotations

from pydantic import Field

from chalicelib.kernel.events import Event

MOST_IDS = 100


class AssetsChanged(Event):
    """Assets of one FSP were created or changed; readers load them anew."""

    owner: str
    asset_ids: tuple[str, ...] = Field(min_length=1, max_length=MOST_IDS)


class GazetteerLoaded(Event):
    """Postcodes of these outward codes ("IP1") were given places, or other places."""

    outward_codes: tuple[str, ...] = Field(min_length=1, max_length=MOST_IDS)
