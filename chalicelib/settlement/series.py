"""Owns readings as settlement counts them: whole milliwatts by period, clocks that match between days, netting, sums.

A series maps the UTC start of a period to its average power in milliwatts, import positive. A period that is not in it
is missing, which is never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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


def coarsened(series: Series, minutes: int, to_minutes: int) -> dict[datetime, int]:
    """Periods of `minutes` as the mean of each longer period of which none is missing, to the milliwatt."""
    if minutes == to_minutes:
        return dict(series)
    count, step = to_minutes // minutes, timedelta(minutes=to_minutes)
    rows: dict[datetime, list[int]] = {}
    for at, value in series.items():
        rows.setdefault(at - (at - _EPOCH) % step, []).append(value)
    return {at: round(Fraction(sum(row), count)) for at, row in sorted(rows.items()) if len(row) == count}


def mean(values: Sequence[Fraction | int]) -> Fraction:
    """The mean of at least one value, exact."""
    return Fraction(sum(values), len(values))


def total(values: Iterable[Fraction]) -> Fraction:
    """The sum, exact. Of thousands of fractions denominators grow without end: they are added in pairs of pairs, and
    the sum is brought to lowest terms once."""
    pairs = [(value.numerator, value.denominator) for value in values] or [(0, 1)]
    while len(pairs) > 1:
        joined = [
            (a * d + c * b, b * d) if b != d else (a + c, b)
            for (a, b), (c, d) in zip(pairs[::2], pairs[1::2], strict=False)
        ]
        pairs = joined + pairs[len(pairs) - len(pairs) % 2 :]
    return Fraction(*pairs[0])
