"""Owns the rules of areas: what a boundary's lists may hold, and how they are read."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from chalicelib.areas.models import MOST_REF, Boundary, Box
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.postcodes import is_postcode, is_sector, normalise_postcode, normalise_sector
from chalicelib.kernel.quantities import plain


def postcode_problem(text: str) -> Problem | None:
    """A listed postcode must be a whole one of Great Britain."""
    if is_postcode(normalise_postcode(text)):
        return None
    return Problem("area.postcode", f"{text!r} is not a postcode.", "postcode", "a whole postcode, such as IP1 2AB")


def sector_problem(text: str) -> Problem | None:
    """A listed sector must be an outward code and the first figure of the inward one."""
    if is_sector(normalise_sector(text)):
        return None
    return Problem("area.sector", f"{text!r} is not a postcode sector.", "sector", "a sector, such as IP1 2")


def box_problems(box: Box) -> list[Problem]:
    """A box has its north above its south and its east beyond its west, on the globe."""
    problems = []
    if not -90 <= box.south < box.north <= 90:
        sentence = f"South {plain(box.south)} must be below north {plain(box.north)}, both from -90 to 90."
        problems.append(Problem("area.box_latitude", sentence, "box_south", "degrees, WGS84"))
    if not -180 <= box.west < box.east <= 180:
        sentence = f"West {plain(box.west)} must be before east {plain(box.east)}, both from -180 to 180."
        problems.append(Problem("area.box_longitude", sentence, "box_west", "degrees, WGS84"))
    return problems


def boundary(
    postcodes: Iterable[str] = (), sectors: Iterable[str] = (), meters: Iterable[str] = (), boxes: Iterable[Box] = ()
) -> Boundary:
    """The lists of a boundary, normalised, each entry once, sorted: the same lists are the same zone."""
    return Boundary(
        postcodes=tuple(sorted({normalise_postcode(text) for text in postcodes})),
        sectors=tuple(sorted({normalise_sector(text) for text in sectors})),
        meters=tuple(sorted({normal_meter(text) for text in meters})),
        boxes=tuple(sorted({_trimmed(box) for box in boxes}, key=_box_key)),
    )


def normal_meter(text: str) -> str:
    """A meter id as we compare it: without spaces."""
    return "".join(text.split())


def ref_problem(ref: str) -> Problem | None:
    """An area's reference is there, on one line, and short enough to be typed in a workbook."""
    if not ref:
        return Problem("area.reference_empty", "It has no reference.", "ref", "a reference that no other area has")
    if len(ref) > MOST_REF or not ref.isprintable():
        allowed = f"one line of at most {MOST_REF} characters"
        return Problem("area.reference", f"Its reference {ref[:40]!r} is not usable.", "ref", allowed)
    return None


def _trimmed(box: Box) -> Box:
    return Box(**{side: Decimal(plain(value)) for side, value in box})


def _box_key(box: Box) -> tuple[Decimal, ...]:
    return box.south, box.west, box.north, box.east
