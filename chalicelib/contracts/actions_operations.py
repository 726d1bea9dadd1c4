"""What operations ask of contracts: obligations by id and side, their assets, and the variations written into them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chalicelib.contracts import store
from chalicelib.contracts.models import AvailabilityVariation, ObligatedAsset, Obligation
from chalicelib.kernel.models import Page
from chalicelib.storage.writes import Write

IN_FORCE = ("contracted", "varied")


def find_obligation(obligation_id: str) -> Obligation | None:
    """An obligation as it stands, whoever's it is; None when there is none."""
    return store.find_obligation(obligation_id)


def load_obligations(obligation_ids: Iterable[str]) -> dict[str, Obligation]:
    """Obligations by id; unknown ids are left out."""
    return store.load_obligations(obligation_ids)


def list_obligations(side: str, organisation: str, limit: int, cursor: str | None) -> Page[Obligation]:
    """A page of the obligations of one side ("fsp" or "so") by period start."""
    return store.list_obligations(side, organisation, limit, cursor)


def list_all_obligations(side: str, organisation: str) -> Iterator[Obligation]:
    """Every obligation of one side ("fsp" or "so") by period start."""
    return store.list_all_obligations(side, organisation)


def list_assets(obligation_id: str) -> Iterator[ObligatedAsset]:
    """The assets behind an obligation, by reference."""
    return store.list_all_assets(obligation_id)


def list_variations(obligation_id: str) -> list[AvailabilityVariation]:
    """Every variation ever declared for an obligation, in the order they were declared."""
    found = store.list_variations(obligation_id)
    return sorted(found, key=lambda variation: (variation.declared_at, variation.id))


def variation_write(variation: AvailabilityVariation) -> Write:
    """The write of a variation; refused when one of that id was declared already."""
    return store.new_variation(variation)
