"""Owns which assets are one meter point, and which obligations have points in common. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """A meter point: its channels' meter ids, and the assets behind it. Its name tells its meters."""

    meters: tuple[str, ...]
    assets: tuple[str, ...]

    @property
    def name(self) -> str:
        return " + ".join(self.meters or self.assets)


def points_of(meters: Mapping[str, Iterable[str]]) -> dict[str, Point]:
    """The point of each asset, of the meters of each: assets with a meter in common are at one point.

    An asset without meters is a point by itself, of which nothing can be read.
    """
    found: dict[str, Point] = {}
    behind = {asset: sorted(set(each)) for asset, each in meters.items()}
    for assets in connected(behind):
        point = Point(tuple(sorted({meter for asset in assets for meter in behind[asset]})), assets)
        found |= dict.fromkeys(assets, point)
    return found


def connected(links: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Names in groups, each connected by links in common; groups and their names in order."""
    heads = {name: name for name in links}
    holder: dict[str, str] = {}
    for name in sorted(links):
        for link in links[name]:
            _join(heads, holder.setdefault(link, name), name)
    groups: dict[str, list[str]] = {}
    for name in sorted(links):
        groups.setdefault(_head(heads, name), []).append(name)
    return [tuple(group) for group in groups.values()]


def _head(heads: dict[str, str], name: str) -> str:
    while heads[name] != name:
        heads[name] = heads[heads[name]]
        name = heads[name]
    return name


def _join(heads: dict[str, str], one: str, other: str) -> None:
    first, second = sorted((_head(heads, one), _head(heads, other)))
    heads[second] = first
