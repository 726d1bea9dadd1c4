"""Owns the values of areas: what an operator uploads, the zones it becomes, and how a place matches them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer

from chalicelib.kernel.models import Instant, PageQuery, Value
from chalicelib.kernel.quantities import Degrees, Metres, plain

MatchKind = Literal["area", "bounding box", "postcode", "meter"]
AreaState = Literal["current", "archived"]

MOST_REF = 100
MOST_NAME = 200

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
    """The lists of one boundary, sorted, each once: postcodes and sectors normalised, meter ids as text."""

    postcodes: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    meters: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()


class Zone(Value):
    """A boundary that never changes, named by the hash of what it holds; areas and competitions share it.

    What is large is kept as bodies, here by key: `geometry` (WKB in degrees, WGS84: the exact boundary), `lists`
    (a `Boundary`: postcodes, sectors, meters, boxes), `cells` (its covering, packed) and `outline` (GeoJSON for the
    screen). A count of zero means that it holds nothing of that kind.
    """

    id: str
    geometry: str | None = None
    lists: str | None = None
    cells: str | None = None
    outline: str | None = None
    polygons: int = 0
    vertices: int = 0
    boxes: int = 0
    postcodes: int = 0
    sectors: int = 0
    meters: int = 0
    bounds: Box | None = None
    area_km2: Annotated[Decimal, PlainSerializer(plain, return_type=str)] | None = None

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


class Exact(Value):
    """Polygons once they are exact: what is kept of them, and told."""

    wkb: bytes = Field(repr=False)
    outline: dict[str, Any] = Field(repr=False)
    polygons: int
    vertices: int
    bounds: Box
    area_km2: Decimal


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
    state: AreaState = "current"
    at: Instant
    by: str
    source: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict, description="what the file said of this feature")


class AreaView(Value):
    """An area as the API tells its operator; `outline` (GeoJSON, simplified for the screen) only when asked for one."""

    id: str
    so: str
    ref: str
    name: str
    version: int
    state: AreaState
    kinds: tuple[MatchKind, ...]
    zone_id: str
    changed_at: Instant
    source: str | None = None
    polygons: int
    vertices: int
    boxes: int
    postcodes: int
    sectors: int
    meters: int
    area_km2: str | None = Field(default=None, description="on the ground, of the polygons")
    bounds: Box | None = None
    outline: dict[str, Any] | None = None


class AreaQuery(PageQuery):
    """Which areas: archived ones only when asked for."""

    state: AreaState = "current"
    ref: str | None = Field(default=None, max_length=MOST_REF, description="only the area of this reference")


class AreaChange(Value):
    """What an operator may change of an area without a file; the boundary itself comes by upload."""

    name: str | None = Field(default=None, min_length=1, max_length=MOST_NAME)
    state: AreaState | None = None


class Staged(Value):
    """What an area becomes once the import that staged it is done."""

    area: Area
    import_id: str


class AreaHead(Value):
    """An area's head row: what it is, and what an import not yet settled makes of it."""

    area: Area | None = None
    staged: Staged | None = None


class ImportLock(Value):
    """Which import of an operator's areas began last: only that one may finish."""

    import_id: str


class ImportDone(Value):
    """The one pointer: while it is absent nothing of the import is seen, once it stands all of it is."""

    import_id: str
    so: str
    at: Instant
    areas: int


class NewArea(Value):
    """An area as a file gives it, checked, its zone kept already."""

    ref: str
    name: str
    zone: Zone
    attributes: dict[str, str] = Field(default_factory=dict)
