"""Owns series that are read at many instants at once: packed ones, and sums of several. Pure."""

from __future__ import annotations

from abc import abstractmethod
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from operator import itemgetter
from typing import cast

from chalicelib.kernel.periods import Span
from chalicelib.settlement.series import Series

Instants = Sequence[datetime | None]

MISSING = -(2**63)
"""What stands in a packed series where nothing was read."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Stretch = tuple[datetime, Sequence[int | None]]


class Bulk(Mapping[datetime, int]):
    """A series that is read at many instants at once."""

    __slots__ = ()

    @abstractmethod
    def read(self, instants: Instants) -> Sequence[int | None]:
        """What was read at each instant; None where nothing was, or where there is no instant."""

    @abstractmethod
    def is_whole(self, span: Span) -> bool:
        """Whether every period that starts in a span was read."""


class Summed(Bulk):
    """The sum of at least one series in each period in which none is missing, worked out where it is asked for."""

    def __init__(self, series: Sequence[Series]) -> None:
        self._series = tuple(series)
        self._known: dict[datetime | None, int | None] = {}

    def __getitem__(self, at: datetime) -> int:
        [value] = self.read((at,))
        if value is None:
            raise KeyError(at)
        return value

    def __contains__(self, at: object) -> bool:
        return isinstance(at, datetime) and self.read((at,)) != [None]

    def __iter__(self) -> Iterator[datetime]:
        return iter(sorted(set(self._series[0]).intersection(*self._series[1:])))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def read(self, instants: Instants) -> Sequence[int | None]:
        unknown = tuple(at for at in instants if at not in self._known)
        if unknown:
            self._known |= zip(unknown, _sums([read(each, unknown) for each in self._series]), strict=True)
        return [self._known[at] for at in instants]

    def is_whole(self, span: Span) -> bool:
        return all(is_whole(each, span) for each in self._series)


def _sums(rows: Sequence[Sequence[int | None]]) -> list[int | None]:
    """The sums by place of rows of one length; None where any has none."""
    if any(None in row for row in rows):
        return [None if None in column else sum(column) for column in zip(*rows, strict=True)]  # type: ignore[arg-type]
    return [sum(column) for column in zip(*rows, strict=True)]  # type: ignore[arg-type]


class Packed(Bulk):
    """A series of periods of `minutes` in eight bytes each, for many meters at once.

    Its values run on from the first; a missing one is a mark, and so is one past the last, where every instant that
    lies outside finds its place.
    """

    __slots__ = ("_gaps", "_start", "_step", "_values")

    def __init__(self, series: Series, minutes: int) -> None:
        self._lay([(at, (value,)) for at, value in series.items()], minutes)

    @classmethod
    def of(cls, stretches: Sequence[Stretch], minutes: int) -> Packed:
        """Stretches of values that run on from an instant each; where two meet, the later in order stands."""
        made = cls.__new__(cls)
        made._lay(stretches, minutes)
        return made

    def _lay(self, stretches: Sequence[Stretch], minutes: int) -> None:
        self._step = minutes * 60
        self._start = min((at for at, _ in stretches), default=_EPOCH)
        places = [(_past(at, self._start, self._step), values) for at, values in stretches]
        self._values = array("q", [MISSING]) * (max((at + len(values) for at, values in places), default=0) + 1)
        for at, values in places:
            self._values[at : at + len(values)] = array("q", _marked(values))
        self._gaps = self._values.count(MISSING) - 1

    def __getitem__(self, at: datetime) -> int:
        value = self._values[self._place(at)]
        if value == MISSING:
            raise KeyError(at)
        return value

    def __contains__(self, at: object) -> bool:
        return isinstance(at, datetime) and self._values[self._place(at)] != MISSING

    def __iter__(self) -> Iterator[datetime]:
        for place, value in enumerate(self._values):
            if value != MISSING:
                yield self._start + timedelta(seconds=self._step * place)

    def __len__(self) -> int:
        return len(self._values) - 1 - self._gaps

    def read(self, instants: Instants) -> Sequence[int | None]:
        found = _taker(tuple(instants), self._start, self._step, len(self._values) - 1)(self._values)
        if MISSING in found:
            return [None if value == MISSING else value for value in found]
        return found

    def is_whole(self, span: Span) -> bool:
        first, end = (_past(at, self._start, self._step) for at in span)
        inside = self._place(span[0]) >= 0 and end < len(self._values)
        return inside and (not self._gaps or MISSING not in self._values[first:end])

    def by_utc_day(self) -> Iterator[tuple[datetime, array[int]]]:
        """The values of each UTC day from its first period on, and when that starts; missing ones are `MISSING`."""
        at, place = self._start, 0
        while place < len(self._values) - 1:
            midnight = datetime(at.year, at.month, at.day, tzinfo=UTC) + timedelta(days=1)
            end = min(place + _past(midnight, at, self._step), len(self._values) - 1)
            yield at, self._values[place:end]
            at, place = at + timedelta(seconds=self._step * (end - place)), end

    @property
    def minutes(self) -> int:
        return self._step // 60

    def _place(self, at: datetime) -> int:
        return _place(at, self._start, self._step, len(self._values) - 1)


def _marked(values: Sequence[int | None]) -> Sequence[int]:
    if None in values:
        return [MISSING if each is None else each for each in values]
    return cast(Sequence[int], values)


def _past(at: datetime, start: datetime, step: int) -> int:
    """How many periods of so many seconds lie between two instants, a begun one among them."""
    past = at - start
    return -(-(past.days * 86_400 + past.seconds) // step)


def _place(at: datetime | None, start: datetime, step: int, count: int) -> int:
    """Which of `count` periods starts at an instant; -1 where none does."""
    if at is None:
        return -1
    past = at - start
    place, rest = divmod(past.days * 86_400 + past.seconds, step)
    return place if not rest and 0 <= place < count else -1


@lru_cache(maxsize=1 << 13)
def _taker(
    instants: tuple[datetime | None, ...], start: datetime, step: int, count: int
) -> Callable[[array[int]], tuple[int, ...]]:
    """What takes the values at some instants out of any series packed alike."""
    places = [_place(at, start, step, count) for at in instants]
    if len(places) < 2:
        return lambda values: tuple(values[place] for place in places)
    return itemgetter(*places)


def read(series: Series, instants: Instants) -> Sequence[int | None]:
    """What was read at each instant; None where nothing was, or where there is no instant."""
    if isinstance(series, Bulk):
        return series.read(instants)
    return [None if at is None else series.get(at) for at in instants]


def is_whole(series: Series, span: Span) -> bool:
    """Whether a series is known to have every period that starts in a span; False may mean that nobody looked."""
    return isinstance(series, Bulk) and series.is_whole(span)


def netted(channels: Sequence[Series]) -> Series:
    """A point's import and export channels as one series, import positive, wherever all of them were read."""
    if len(channels) < 2:
        return channels[0] if channels else {}
    return Summed(channels)


def completeness(series: Series, periods: Sequence[datetime | None]) -> Fraction:
    """The share of periods that were read; 1 of no periods."""
    if not periods:
        return Fraction(1)
    return Fraction(sum(value is not None for value in read(series, periods)), len(periods))
