"""Generates a seeded country for the benchmarks: assets clustered in towns, and areas that overlap around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

WEST, SOUTH, EAST, NORTH = -5.5, 50.2, 1.7, 55.8
TOWNS = 300
RURAL_SHARE = 0.15
PLACES = 9


@dataclass(frozen=True, slots=True)
class Country:
    """Towns with their middles, shares of everything there is, and spread in degrees."""

    middles: NDArray[np.float64]
    shares: NDArray[np.float64]
    spreads: NDArray[np.float64]


def a_country(seed: int = 1) -> Country:
    random = np.random.default_rng(seed)
    middles = np.column_stack([random.uniform(WEST, EAST, TOWNS), random.uniform(SOUTH, NORTH, TOWNS)])
    weights = random.pareto(1.2, TOWNS) + 0.2
    return Country(middles, weights / weights.sum(), random.uniform(0.02, 0.12, TOWNS))


def assets(country: Country, count: int, seed: int = 2) -> NDArray[np.float64]:
    """Longitude and latitude of assets, to 9 places: most around towns, some anywhere."""
    random = np.random.default_rng(seed)
    town = random.choice(TOWNS, count, p=country.shares)
    positions = country.middles[town] + random.normal(size=(count, 2)) * country.spreads[town, None] * (1.5, 1.0)
    rural = random.random(count) < RURAL_SHARE
    positions[rural] = random.uniform((WEST, SOUTH), (EAST, NORTH), (int(rural.sum()), 2))
    return np.round(positions, PLACES)


def areas(country: Country, count: int, seed: int = 3) -> list[Any]:
    """Valid multipolygons of 50 to 2,000 corners and 1 to 13 km radius; some in parts, some with a hole."""
    random = np.random.default_rng(seed)
    return [_area(random, country) for _ in range(count)]


def _area(random: np.random.Generator, country: Country) -> Any:
    town = random.choice(TOWNS, p=country.shares)
    middle = country.middles[town] + random.normal(size=2) * country.spreads[town] * 1.5
    corners = round(float(np.exp(random.uniform(np.log(50), np.log(2_000)))))
    radius = float(np.exp(random.uniform(np.log(0.008), np.log(0.12))))
    parts = [_blob(random, middle, radius, corners)]
    if random.random() < 0.15:
        others = random.normal(size=(int(random.integers(1, 4)), 2)) * radius * 2
        parts += [_blob(random, middle + each, radius / 2, max(corners // 4, 8)) for each in others]
    whole = shapely.union_all(parts)
    if random.random() < 0.1:
        whole = shapely.difference(whole, _blob(random, middle, radius * 0.3, 24))
    snapped = shapely.make_valid(shapely.transform(whole, lambda at: np.round(at, PLACES)), method="structure")
    return shapely.normalize(shapely.MultiPolygon([part for part in shapely.get_parts(snapped) if part.area > 0]))


def _blob(random: np.random.Generator, middle: NDArray[np.float64], radius: float, corners: int) -> Any:
    """A closed curve around a middle: eight harmonics and some roughness, wider than high as degrees are."""
    turn = np.sort(random.uniform(0, 2 * np.pi, corners))
    harmonics = np.arange(1, 9)
    heights = random.normal(size=8) * 0.28 / harmonics
    waves = (heights * np.cos(np.outer(turn, harmonics) + random.uniform(0, 2 * np.pi, 8))).sum(axis=1)
    away = radius * np.clip(1 + waves + random.normal(size=corners) * 0.01, 0.15, 3)
    ring = np.column_stack([middle[0] + 1.6 * away * np.cos(turn), middle[1] + away * np.sin(turn)])
    return shapely.make_valid(shapely.Polygon(ring), method="structure")
