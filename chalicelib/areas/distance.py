"""Owns the one rule of distance: metres on the ground from a place to an edge of an area.

**The rule.** An edge is straight on the map of longitude and latitude. Around the place the ground is laid flat with
the WGS84 ellipsoid's two radii at the place's latitude (a local equirectangular frame); the point of the edge nearest
in that frame is taken, and its distance is the middle-latitude formula with the ellipsoid's radii half-way between
the two points, rounded to the millimetre; a place outside is never nearer than one. Within the 5 km that areas reach
it differs from the geodesic by less than a centimetre. A place is within a buffer when this distance is not more than
the buffer.

Source: G. Bomford, Geodesy, 4th edition, section 2.12 (middle-latitude formula); WGS84 from NIMA TR8350.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import cos, inf, radians, sin, sqrt

_SEMI_MAJOR_M = 6_378_137.0
_ECCENTRICITY_SQUARED = 0.006_694_379_990_14
_RADIANS_PER_NANODEGREE = radians(1e-9)
MILLIMETRE = Decimal("0.001")

# Two points equally far in the frame differ by less than this on the ground (it grows with the tangent of the
# latitude), so no edge further than the nearest by more can be the nearest.
_FRAME_SPREAD = 1.01

Edges = Sequence[int]


def metres_per_nanodegree(lat: float) -> tuple[float, float]:
    """Metres on the ground of a nanodegree of latitude and of longitude, at a latitude in nanodegrees."""
    angle = lat * _RADIANS_PER_NANODEGREE
    flatness = 1.0 - _ECCENTRICITY_SQUARED * sin(angle) ** 2
    across = _SEMI_MAJOR_M / sqrt(flatness)
    along = across * (1.0 - _ECCENTRICITY_SQUARED) / flatness
    return along * _RADIANS_PER_NANODEGREE, across * cos(angle) * _RADIANS_PER_NANODEGREE


def ground_metres(lat: int, up: float, right: float) -> float:
    """Metres between a place at a latitude and the point `up` north and `right` east of it, all in nanodegrees."""
    north, east = metres_per_nanodegree(lat + up / 2)
    return sqrt((up * north) ** 2 + (right * east) ** 2)


def nearest_metres(lat: int, lon: int, edges: Edges, south: int = 0, within_m: float = inf) -> Decimal:
    """Metres from a place to the nearest of the edges, by the rule of this module; infinite when there is none.

    `edges` is flat: longitude, latitude, longitude, latitude of each edge, in nanodegrees. Latitudes may count from
    any parallel, whose own latitude is then `south`, and longitudes from any meridian. Further away than `within_m`
    the answer is that it is further, not how far.
    """
    north, east = metres_per_nanodegree(south + lat)
    found: list[tuple[float, float, float]] = []
    nearest = inf
    up, right = within_m * _FRAME_SPREAD / north, within_m * _FRAME_SPREAD / east
    low, high, left, far = lat - up, lat + up, lon - right, lon + right
    each = iter(edges)
    for a_lon, a_lat, b_lon, b_lat in zip(each, each, each, each, strict=True):
        # most edges lie wholly beyond a side of the box that the nearest so far leaves
        if (a_lat > high and b_lat > high) or (a_lat < low and b_lat < low):
            continue
        if (a_lon > far and b_lon > far) or (a_lon < left and b_lon < left):
            continue
        point = _nearest_point(a_lat - lat, a_lon - lon, b_lat - lat, b_lon - lon, north, east)
        squared = (point[0] * north) ** 2 + (point[1] * east) ** 2
        if squared <= nearest * _FRAME_SPREAD:
            found.append((squared, *point))
        if squared < nearest:
            nearest = squared
            reach = sqrt(nearest) * _FRAME_SPREAD
            up, right = reach / north + 1, reach / east + 1
            low, high = max(low, lat - up), min(high, lat + up)
            left, far = max(left, lon - right), min(far, lon + right)
    limit = nearest * _FRAME_SPREAD
    in_reach = [(up, right) for squared, up, right in found if squared <= limit]
    metres = min((ground_metres(south + lat, *point) for point in in_reach), default=inf)
    return Decimal(metres).quantize(MILLIMETRE) if metres < inf else Decimal("Infinity")


def _nearest_point(a_up: int, a_right: int, b_up: int, b_right: int, north: float, east: float) -> tuple[float, float]:
    """The point of an edge nearest to the origin of the frame, in nanodegrees up and right of it."""
    up, right = b_up - a_up, b_right - a_right
    length = (up * north) ** 2 + (right * east) ** 2
    if length == 0:
        return a_up, a_right
    along = -(a_up * up * north * north + a_right * right * east * east) / length
    if along <= 0:
        return a_up, a_right
    if along >= 1:
        return b_up, b_right
    return a_up + along * up, a_right + along * right
