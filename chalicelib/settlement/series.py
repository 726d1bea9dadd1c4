"""Owns readings as settlement counts them: whole milliwatts by period, clocks that match between days, netting, sums.

A series maps the UTC start of a period to its average power in milliwatts, import positive. A period that is not in it
is missing, which is never zero.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from zoneinfo import ZoneInfo

from chalicelib.kernel.periods import Span, instant_of, local_day, local_of

Series = Mapping[datetime, int]
Exact = Mapping[datetime, Fraction]

MILLIWATTS_PER_MW = 10**9
_MISSING = -(2**63)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RESOLUTIONS = (30, 15, 5, 1)


@dataclass(frozen=True, slots=True)
class Grid:
    """Periods of `minutes` and the local clock they are compared by."""

    minutes: int
    zone: ZoneInfo

    @property
    def step(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    @property
    def hours(self) -> Fraction:
        """Δ: the length of a period in hours."""
        return Fraction(self.minutes, 60)

    def floor(self, instant: datetime) -> datetime:
        """The start of the period an instant lies in."""
        return instant - (instant - _EPOCH) % self.step

    def periods(self, span: Span) -> list[datetime]:
        """The starts of all periods that touch a span `[start, end)`."""
        return list(self._periods(span))

    def _periods(self, span: Span) -> Iterator[datetime]:
        moment, end = self.floor(span[0]), span[1]
        while moment < end:
            yield moment
            moment += self.step

    def share(self, period: datetime, span: Span) -> Fraction:
        """How much of a period lies within a span, 0 to 1."""
        inside = min(period + self.step, span[1]) - max(period, span[0])
        return Fraction(max(inside, timedelta(0)) // timedelta(microseconds=1), self.step // timedelta(microseconds=1))

    def shifted(self, period: datetime, days: int) -> datetime | None:
        """The period with the same clock time so many local days earlier; None where the clocks skip it."""
        return _shifted(period, days, self.zone)

    def day(self, instant: datetime) -> date:
        return local_day(instant, self.zone)


@lru_cache(maxsize=1 << 16)
def _shifted(period: datetime, days: int, zone: ZoneInfo) -> datetime | None:
    local = local_of(period, zone) - timedelta(days=days)
    instant = instant_of(local, zone)
    return instant if local_of(instant, zone) == local else None


def milliwatts(mw: Decimal) -> Fraction:
    """Exact milliwatts of megawatts."""
    return Fraction(mw) * MILLIWATTS_PER_MW


class Summed(Mapping[datetime, int]):
    """The sum of at least one series in each period in which none is missing, worked out where it is asked for."""

    def __init__(self, series: Sequence[Series]) -> None:
        self._series = tuple(series)
        self._known: dict[datetime, int] = {}

    def __getitem__(self, at: datetime) -> int:
        if at not in self._known:
            self._known[at] = sum(row[at] for row in self._series)
        return self._known[at]

    def __contains__(self, at: object) -> bool:
        return at in self._known or all(at in row for row in self._series)

    def __iter__(self) -> Iterator[datetime]:
        return iter(sorted(set(self._series[0]).intersection(*self._series[1:])))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Packed(Mapping[datetime, int]):
    """A series of periods of `minutes` in eight bytes each, for many meters at once."""

    __slots__ = ("_start", "_step", "_values")

    def __init__(self, series: Series, minutes: int) -> None:
        self._step = minutes * 60
        self._start = min(series, default=_EPOCH)
        places = {self._place(at): value for at, value in series.items()}
        self._values = array("q", [_MISSING]) * (max(places, default=-1) + 1)
        for place, value in places.items():
            self._values[place] = value

    def __getitem__(self, at: datetime) -> int:
        place = self._place(at)
        value = self._values[place] if 0 <= place < len(self._values) else _MISSING
        if value == _MISSING:
            raise KeyError(at)
        return value

    def __iter__(self) -> Iterator[datetime]:
        for place, value in enumerate(self._values):
            if value != _MISSING:
                yield self._start + timedelta(seconds=self._step * place)

    def __len__(self) -> int:
        return len(self._values) - self._values.count(_MISSING)

    def _place(self, at: datetime) -> int:
        """Which period starts at an instant; -1 where none does."""
        past = at - self._start
        place, rest = divmod(past.days * 86_400 + past.seconds, self._step)
        return -1 if rest else place


def netted(channels: Sequence[Series]) -> Series:
    """A point's import and export channels as one series, import positive, wherever all of them were read."""
    if len(channels) < 2:
        return channels[0] if channels else {}
    return Summed(channels)


def coarsened(series: Series, minutes: int, to_minutes: int) -> dict[datetime, int]:
    """Periods of `minutes` as the mean of each longer period of which none is missing, to the milliwatt."""
    if minutes == to_minutes:
        return dict(series)
    count, step = to_minutes // minutes, timedelta(minutes=to_minutes)
    rows: dict[datetime, list[int]] = {}
    for at, value in series.items():
        rows.setdefault(at - (at - _EPOCH) % step, []).append(value)
    return {at: round(Fraction(sum(row), count)) for at, row in sorted(rows.items()) if len(row) == count}


def completeness(series: Series, periods: Sequence[datetime | None]) -> Fraction:
    """The share of periods that were read; 1 of no periods."""
    if not periods:
        return Fraction(1)
    return Fraction(sum(1 for at in periods if at in series), len(periods))


def mean(values: Sequence[Fraction | int]) -> Fraction:
    """The mean of at least one value, exact."""
    return Fraction(sum(values)) / len(values)
