"""Owns the demo's readings: half-hours as such meters show them, and what they did when they were instructed.

Seeded by meter and day: the same in every run, whatever order they are asked for in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import cos, pi
from random import Random
from typing import Any, Literal

from chalicelib.kernel.holidays import holidays_of
from local.demo.calendars import ZONE

HALF_HOUR = timedelta(minutes=30)
MOST_HALF_HOURS = 50
_STANDBY_KW = 0.02
_SATURDAY = 5
_REGION = "england-and-wales"
Kind = Literal["demand", "storage", "generation"]
_GENERATED = 0.6
_DEMAND_SHAPE = (0.55, 0.5, 0.5, 0.55, 0.7, 0.85, 0.9, 0.9, 0.95, 1.1, 1.1, 0.8)
"""Of the usual level, for each two hours of a working day: chargers that are busiest in the evening."""


@dataclass(frozen=True, slots=True)
class Point:
    """A metered asset: `level_kw` is what it usually draws or, where it generates, puts out; storage idles."""

    ref: str
    kind: Kind
    import_meter: str
    export_meter: str | None
    level_kw: float

    @property
    def channels(self) -> tuple[str, ...]:
        return (self.import_meter,) if self.export_meter is None else (self.import_meter, self.export_meter)


@dataclass(frozen=True, slots=True)
class Response:
    """What a point did over `[start, end)`: average kW, import positive, beside what it does anyway."""

    start: datetime
    end: datetime
    kw: float


Day = Mapping[str, Sequence[float]]
"""kWh of each half-hour of a local day, by meter."""


def half_hours(day: date) -> list[datetime]:
    """The UTC starts of a local day's half-hours: 48, or 46 or 50 when the clocks change."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=ZONE).astimezone(UTC)
    return [midnight + HALF_HOUR * place for place in range((end - midnight) // HALF_HOUR)]


def read_day(point: Point, day: date, responses: Iterable[Response] = ()) -> Day:
    """What a point's meters show over a local day, each channel by itself and never below nothing."""
    random = Random(f"{point.import_meter}/{day}")
    instants = half_hours(day)
    net = [_usual(point, day, at, random) + sum(_at(each, at) for each in responses) for at in instants]
    if point.export_meter is None:
        return {point.import_meter: [_kwh(max(kw, 0), random) for kw in net]}
    return {
        point.import_meter: [_kwh(max(kw, 0) + _STANDBY_KW, random) for kw in net],
        point.export_meter: [_kwh(max(-kw, 0) + _STANDBY_KW, random) for kw in net],
    }


def wide_csv(rows: Iterable[tuple[str, date, Sequence[float]]], positive: str) -> bytes:
    """Rows of a meter and day as a wide CSV that says of itself what its figures stand for."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("Unit", "kWh"), ("Positive", positive), ("Clock", "local")])
    writer.writerow(["meter_id", "day", *range(1, MOST_HALF_HOURS + 1)])
    writer.writerows([meter, day.isoformat(), *figures] for meter, day, figures in rows)
    return out.getvalue().encode()


def workbook_rows(rows: Iterable[tuple[str, date, Sequence[float]]], positive: str) -> Iterator[dict[str, Any]]:
    """The same as rows of the meter-data template."""
    said = {"Unit": "kWh", "Positive": positive, "Clock": "local"}
    for meter, day, figures in rows:
        counted = {str(number): figure for number, figure in enumerate(figures, 1)}
        yield {"Meter ID": meter, "Day": day, **said, **counted}


def _usual(point: Point, day: date, at: datetime, random: Random) -> float:
    """Average kW without any instruction: by clock and kind of day, a season's drift, and the noise of every day."""
    hour = at.astimezone(ZONE).hour
    noise = 1 + random.gauss(0, 0.02)
    if point.kind == "storage":
        return point.level_kw * (0.06 + 0.1 * cos(hour / 12 * pi)) * noise
    if point.kind == "generation":
        return -point.level_kw * _GENERATED * noise
    works = day.weekday() < _SATURDAY and day not in holidays_of(_REGION)
    kind = 1.0 if works else 0.6
    season = 1 + 0.02 * cos((day.timetuple().tm_yday - 20) / 365 * 2 * pi)
    whole_day = 1 + Random(f"weather/{day}").gauss(0, 0.004)
    return point.level_kw * kind * season * whole_day * _DEMAND_SHAPE[hour // 2] * noise


def _at(response: Response, at: datetime) -> float:
    """What a response adds to the half-hour that starts then, kW."""
    inside = min(response.end, at + HALF_HOUR) - max(response.start, at)
    return response.kw * max(inside / HALF_HOUR, 0)


def _kwh(kw: float, random: Random) -> float:
    return round(kw / 2 * (1 + random.gauss(0, 0.002)), 4)
