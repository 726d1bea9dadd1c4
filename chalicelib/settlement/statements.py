"""Owns what statements mean to settlement: as baselines take them, and for which events they come in time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from chalicelib.metering.models_statements import Kind, Stated
from chalicelib.settlement.baselines import Statement
from chalicelib.settlement.methods import Method, Nominated, WeeklyTemplate


def statement_of(stated: Stated) -> Statement:
    """What had been stated at one instant, as a baseline takes it."""
    return Statement(stated.submitted_at, stated.by_start if stated.kind == "nominated" else stated.by_week)  # type: ignore[arg-type]


def statements_of_point(assets: Sequence[Sequence[Stated]]) -> list[Statement]:
    """What had been stated of a meter point at each instant: the sum of what stood of the assets behind it.

    `assets` are the statements of each. A half-hour counts what those state that say anything of it.
    """
    if len(assets) == 1:
        return [statement_of(each) for each in assets[0]]
    kinds = sorted({each.kind for stated in assets for each in stated})
    return [
        Statement(instant, Together([_standing(stated, kind, instant) for stated in assets]))
        for kind in kinds
        for instant in sorted({each.submitted_at for stated in assets for each in stated if each.kind == kind})
    ]


class Together(Mapping[Any, int]):
    """Several assets' statements as one: in each half-hour the sum of those that say anything of it."""

    def __init__(self, parts: Sequence[Mapping[Any, int]]) -> None:
        self._parts = parts

    def __getitem__(self, key: Any) -> int:
        found = [part[key] for part in self._parts if key in part]
        if not found:
            raise KeyError(key)
        return sum(found)

    def __iter__(self) -> Iterator[Any]:
        return iter(dict.fromkeys(key for part in self._parts for key in part))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _standing(stated: Sequence[Stated], kind: Kind, instant: datetime) -> Mapping[Any, int]:
    """What stood of one asset at an instant; nothing where it had stated nothing yet."""
    earlier = [each for each in stated if each.kind == kind and each.submitted_at <= instant]
    newest = max(earlier, key=lambda each: each.submitted_at, default=None)
    return {} if newest is None else statement_of(newest).values


def gate_of(method: Method) -> timedelta | None:
    """How long before an event's start a statement must have come; None for methods that take none."""
    if not isinstance(method, Nominated | WeeklyTemplate):
        return None
    return timedelta(seconds=int(Fraction(method.gate_hours) * 3600))


def counts_from(submitted_at: datetime, gate: timedelta) -> datetime:
    """A statement counts for events that start after this instant, and for none that starts by then."""
    return submitted_at + gate
