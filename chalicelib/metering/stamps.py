"""Owns what a stamp means: start or end, UTC or local. What fits two readings is asked, never guessed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, product
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.kernel.errors import Invalid, Problem
from chalicelib.kernel.periods import instant_of, local_of
from chalicelib.metering.models import RESOLUTIONS, Clock, Declaration, Stamp

MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class Meaning:
    """One way to read a file's stamps."""

    clock: Clock
    stamp: Stamp


def parse_stamp(cell: Any) -> datetime | None:
    """A stamp as written: aware if it says its offset; `24:00` is the midnight after. None when it is no time."""
    if isinstance(cell, datetime):
        return cell
    text = str(cell or "").strip()
    if text[11:16] == "24:00":
        before = parse_stamp(f"{text[:11]}00:00{text[16:]}")
        return before + timedelta(days=1) if before else None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def meaning_of(declared: Declaration, stamps: Mapping[str, Sequence[datetime]], zone: ZoneInfo) -> Meaning:
    """How a file's stamps (by meter, in its order) are to be read.

    What the file declares holds, and stamps that say their offset are their own clock. What is open is taken only if
    one way alone makes every meter's readings whole days without a gap or repeat, or all such ways come to the same
    instants; else `Invalid` asks.
    """
    kinds = {stamp.tzinfo is not None for rows in stamps.values() for stamp in rows}
    if len(kinds) > 1:
        detail = "Some stamps say their offset from UTC and others do not."
        raise Invalid.of([Problem("stamps.mixed", detail, "clock", "all with an offset or Z, or none")], "stamps.mixed")
    aware = kinds == {True}
    clocks: tuple[Clock, ...] = ("UTC",) if aware else (declared.clock,) if declared.clock else ("UTC", "local")
    marks: tuple[Stamp, ...] = (declared.stamp,) if declared.stamp else ("start", "end")
    ways = [Meaning(clock, mark) for clock, mark in product(clocks, marks)]
    if len(ways) == 1:
        return ways[0]
    minutes = declared.minutes or resolution(stamps)
    fitting = [way for way in ways if all(_fits(rows, way, zone, minutes) for rows in stamps.values())]
    if len(fitting) == 1 or (fitting and _same_instants(fitting, stamps, zone, minutes)):
        return fitting[0]
    raise _question(len(clocks) > 1, len(marks) > 1, stamps)


def resolution(stamps: Mapping[str, Sequence[datetime]]) -> int:
    """Minutes between stamps: the least step of any meter; `Invalid` when that is none of 30, 15, 5 and 1."""
    steps = [later - earlier for rows in stamps.values() for earlier, later in pairwise(sorted(set(rows)))]
    least = min(steps, default=None)
    minutes = int(least.total_seconds() // 60) if least is not None else 0
    if minutes not in RESOLUTIONS or least != timedelta(minutes=minutes):
        detail = "How long a period is cannot be told from the stamps."
        raise Invalid.of(
            [Problem("stamps.minutes", detail, "minutes", "a row “Minutes, 30” (15, 5 or 1) above the header")],
            "stamps.minutes",
        )
    return minutes


def instants(rows: Sequence[datetime], way: Meaning, zone: ZoneInfo, minutes: int) -> list[datetime | None]:
    """The UTC starts of the periods; None for a local time that the clocks skipped.

    Of a local time that happens twice, the first row of it is the first and the second the second.
    """
    seen: dict[datetime, int] = {}
    back = timedelta(minutes=minutes) if way.stamp == "end" else timedelta(0)
    found: list[datetime | None] = []
    for stamp in rows:
        seen[stamp] = seen.get(stamp, 0) + 1
        instant = _instant(stamp, way, zone, second=seen[stamp] > 1)
        found.append(None if instant is None else instant - back)
    return found


def _instant(stamp: datetime, way: Meaning, zone: ZoneInfo, second: bool) -> datetime | None:
    if stamp.tzinfo is not None:
        return stamp.astimezone(UTC)
    if way.clock == "UTC":
        return stamp.replace(tzinfo=UTC)
    instant = instant_of(stamp, zone, "second" if second else "first")
    return instant if local_of(instant, zone) == stamp or way.stamp == "end" else None


def _fits(rows: Sequence[datetime], way: Meaning, zone: ZoneInfo, minutes: int) -> bool:
    """Whether the readings are whole days of the way's own clock, without a gap or a repeat."""
    found = instants(rows, way, zone, minutes)
    if any(instant is None for instant in found):
        return False
    starts = sorted(instant for instant in found if instant is not None)
    step = timedelta(minutes=minutes)
    if len(set(starts)) < len(starts) or starts[-1] - starts[0] != step * (len(starts) - 1):
        return False
    own = zone if way.clock == "local" else ZoneInfo("UTC")
    return all(_is_midnight(edge, own, zone) for edge in (starts[0], starts[-1] + step))


def _is_midnight(instant: datetime, own: ZoneInfo, zone: ZoneInfo) -> bool:
    """Midnight of the file's clock; files of UTC stamps are often cut by the local day."""
    return MIDNIGHT in (local_of(instant, own).time(), local_of(instant, zone).time())


def _same_instants(
    ways: Sequence[Meaning], stamps: Mapping[str, Sequence[datetime]], zone: ZoneInfo, minutes: int
) -> bool:
    first, *others = ([instants(rows, way, zone, minutes) for rows in stamps.values()] for way in ways)
    return all(other == first for other in others)


def _question(clock_open: bool, stamp_open: bool, stamps: Mapping[str, Sequence[datetime]]) -> Invalid:
    example = next(iter(next(iter(stamps.values()))))
    shown = example.replace(tzinfo=None).isoformat(" ", "minutes")
    problems = []
    if stamp_open:
        detail = (
            f"The stamps fit two readings: does {shown} name the period that begins then, or the one that ends then?"
        )
        allowed = "a column named start or end, or a row “Stamps, start” or “Stamps, end” above the header"
        problems.append(Problem("stamps.start_or_end", detail, "stamp", allowed))
    if clock_open:
        detail = f"The stamps fit two readings: is {shown} UTC, or the local clock?"
        allowed = "stamps ending in Z, or a row “Clock, UTC” or “Clock, local” above the header"
        problems.append(Problem("stamps.clock", detail, "clock", allowed))
    return Invalid.of(problems, "stamps.ambiguous")


def parse_day(cell: Any) -> date | None:
    """A day as written: a real date or ISO text; None when it is none."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    try:
        return date.fromisoformat(str(cell or "").strip()[:10])
    except ValueError:
        return None
