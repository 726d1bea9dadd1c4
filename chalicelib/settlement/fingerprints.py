"""Owns the fingerprints of lines: a hash of all the data a line stands on, but not of the rules applied to it. Pure.

Two versions of a line with one fingerprint differ by their rules alone; with two, data came in between.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from chalicelib.kernel.models import iso
from chalicelib.kernel.periods import Span
from chalicelib.settlement.inputs import LOOK_BACK_DAYS
from chalicelib.settlement.measuring import Evidence
from chalicelib.settlement.models import SETTLED, Instruction, Member
from chalicelib.settlement.packing import MISSING, Packed
from chalicelib.settlement.series import Series
from chalicelib.settlement.sharing import Together, members_of, settled_together

_LOOK_BACK = timedelta(days=LOOK_BACK_DAYS)


class Prints:
    """Fingerprints of the instructions of a cluster; each meter-day is hashed once."""

    def __init__(self, instructions: Sequence[Instruction], known: Evidence) -> None:
        self._known = known
        self._days: dict[str, list[DayPrint]] = {}
        self._made: dict[str, str] = {}
        running = [instruction for instruction in instructions if instruction.state in SETTLED]
        self._together = {each.id: group for group in settled_together(running) for each in group}

    def of_instruction(self, instruction: Instruction) -> str:
        """Of an instruction: itself, those it shares with, and what is known of their meters from 60 days before."""
        if instruction.id not in self._made:
            self._made[instruction.id] = self._of(instruction, self._together.get(instruction.id, (instruction,)))
        return self._made[instruction.id]

    def _of(self, instruction: Instruction, together: Together) -> str:
        span = together[0].starts - _LOOK_BACK, max(each.ends for each in together)
        members = members_of(together)
        meters = sorted({meter for member in members for meter in member.meters})
        return fingerprint(
            instruction.model_dump_json(),
            [each.model_dump_json() for each in together],
            [(meter, self._readings(meter, span)) for meter in meters],
            [self._stated(member, span) for member in members],
            sorted(day for day in self._known.holidays if span[0].date() <= day <= span[1].date()),
        )

    def _stated(self, member: Member, span: Span) -> list[Any]:
        known = self._known
        events = [each for each in known.events.get(member.point, ()) if each[0] < span[1] and each[1] > span[0]]
        statements = [
            [each.submitted_at, sorted((str(key), value) for key, value in each.values.items())]
            for each in known.statements.get(member.point, ())
        ]
        return [member.point, sorted(events), sorted(known.outage_days.get(member.point, ())), statements]

    def _readings(self, meter: str, span: Span) -> str:
        if meter not in self._days:
            self._days[meter] = sorted(_by_day(self._known.readings.get(meter, {})))
        days = self._days[meter]
        first = bisect_left(days, span[0].toordinal(), key=_number)
        end = bisect_right(days, span[1].toordinal(), key=_number)
        return hashlib.sha256(b"".join([print_ for _, print_ in days[first:end]])).hexdigest()


def fingerprint(*parts: Any) -> str:
    """A hash of figures, texts, instants and lists of them; the same whenever they are the same."""
    return hashlib.sha256(repr(_plain(parts)).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return _stamp(value)
    return value if value is None or isinstance(value, int) else str(value)


_stamp = lru_cache(maxsize=1 << 12)(iso)


DayPrint = tuple[int, bytes]
"""A UTC day's number, and a hash of what was read of it."""


def _number(day: DayPrint) -> int:
    return day[0]


def _by_day(readings: Series) -> Iterator[DayPrint]:
    if not isinstance(readings, Packed):
        yield from _of_items(readings.items())
        return
    for at, values in readings.by_utc_day():
        if MISSING in values:
            yield from _of_items(_items(at, values, readings.minutes))
        else:
            told = array("q", bytes(2 * values.itemsize * len(values)))
            told[::2] = _minutes(at.hour * 60 + at.minute, readings.minutes, len(values))
            told[1::2] = values
            yield _printed(at.toordinal(), told)


def _of_items(readings: Iterable[tuple[datetime, int]]) -> Iterator[DayPrint]:
    days: dict[int, array[int]] = {}
    for at, value in sorted(readings):
        days.setdefault(at.toordinal(), array("q")).extend((at.hour * 60 + at.minute, value))
    return (_printed(day, told) for day, told in days.items())


def _items(at: datetime, values: array[int], minutes: int) -> list[tuple[datetime, int]]:
    step = timedelta(minutes=minutes)
    return [(at + step * place, value) for place, value in enumerate(values) if value != MISSING]


@lru_cache(maxsize=1 << 8)
def _minutes(first: int, step: int, count: int) -> array[int]:
    """The minutes of the day of so many periods from the first on."""
    return array("q", range(first, first + step * count, step))


def _printed(day: int, told: array[int]) -> DayPrint:
    return day, day.to_bytes(4, "big") + hashlib.sha256(told.tobytes()).digest()
