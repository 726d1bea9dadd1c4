"""Owns the values of areas: what an operator uploads, the zones it becomes, and how a place matches them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from chalicelib.kernel.models import Instant, Value
from chalicelib.kernel.quantities import Degrees, Metres

MatchKind = Literal["area", "bounding box", "postcode", "meter"]
AreaState = Literal["current", "archived"]

LARGEST_BUFFER_M = Decimal(4_000)
"""The widest `area_buffer` a competition may have, in metres on the ground."""
NEAR_MISS_M = Decimal(1_000)
"""How far outside an area (and its buffer) a place is still told its distance."""
HALO_M = LARGEST_BUFFER_M + NEAR_MISS_M
"""How far around an area its cells reach."""


class Box(Value):
    """A bounding box on the WGS84 graticule, edges included."""

    south: Degrees
    west: Degrees
    north: Degrees
    east: Degrees


class Boundary(Value):
    """The lists of one boundary, as given: each postcode and sector normalised, each meter id as text."""

    postcodes: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    meters: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()


class Zone(Value):
    """A boundary that never changes, named by the hash of what it holds; areas and competitions share it.

    The exact geometry is a body of its own (`geometry_digest`: WKB in degrees, WGS84); `lists_digest` is the body
    of the lists. `cells` counts its cells; counts of zero mean that it has nothing of that kind.
    """

    id: str
    geometry_digest: str | None = None
    lists_digest: str | None = None
    cells_digest: str | None = None
    outline_digest: str | None = None
    polygons: int = 0
    vertices: int = 0
    boxes: int = 0
    postcodes: int = 0
    sectors: int = 0
    meters: int = 0
    cells: int = 0
    bounds: Box | None = None
    area_km2: Decimal | None = None

    @property
    def kinds(self) -> tuple[MatchKind, ...]:
        """The ways in which a place can match this zone, surest first."""
        held: tuple[tuple[MatchKind, int], ...] = (
            ("meter", self.meters),
            ("area", self.polygons),
            ("postcode", self.postcodes + self.sectors),
            ("bounding box", self.boxes),
        )
        return tuple(kind for kind, count in held if count)


class ZoneMatch(Value):
    """One way in which a place matches a zone.

    `distance_m` is 0 inside or on the edge, else metres on the ground to the nearest point of the boundary,
    to the millimetre; only kinds `area` and `bounding box` can be at a distance.
    """

    zone_id: str
    kind: MatchKind
    distance_m: Metres = Decimal(0)


class Area(Value):
    """An operator's named boundary as it stands: the current version of it."""

    id: str
    so: str
    ref: str
    name: str
    version: int
    zone_id: str
    kinds: tuple[MatchKind, ...]
    state: AreaState = "current"
    changed_at: Instant
    source: str | None = Field(default=None, description="the receipt or request that brought this version")


class AreaVersion(Value):
    """One version of an area, kept for ever."""

    area_id: str
    so: str
    ref: str
    version: int
    name: str
    zone_id: str
    kinds: tuple[MatchKind, ...]
    at: Instant
    by: str
    source: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict, description="what the file said of this feature")


class AreaView(Value):
    """An area as the API tells it; `outline` (GeoJSON geometry, simplified for the screen) only when asked for one."""

    id: str
    so: str
    ref: str
    name: str
    version: int
    state: AreaState
    kinds: tuple[MatchKind, ...]
    zone_id: str
    changed_at: Instant
    polygons: int
    vertices: int
    boxes: int
    postcodes: int
    sectors: int
    meters: int
    area_km2: Annotated[str | None, Field(description="on the ground, of the polygons")] = None
    bounds: Box | None = None
    outline: dict[str, Any] | None = None
    attributes: dict[str, str] = Field(default_factory=dict)
