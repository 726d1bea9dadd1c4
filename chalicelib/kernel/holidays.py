"""Owns the public holidays that ship with the product: bank holidays of the United Kingdom's three calendars.

The dates stand in `bank_holidays.json`, written from the `holidays` package by `python -m tests.builders.bank_holidays`
and held equal to it by a test, so that a running market needs no library for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path

_DATA = Path(__file__).with_name("bank_holidays.json")


@cache
def _calendars() -> dict[str, frozenset[date]]:
    stored = json.loads(_DATA.read_text(encoding="utf-8"))["regions"]
    return {region: frozenset(map(date.fromisoformat, days)) for region, days in stored.items()}


@cache
def covered_years() -> range:
    """The years whose holidays are known."""
    first, last = json.loads(_DATA.read_text(encoding="utf-8"))["years"]
    return range(first, last + 1)


def regions() -> tuple[str, ...]:
    """The calendars there are: england-and-wales, northern-ireland, scotland."""
    return tuple(sorted(_calendars()))


def holidays_of(region: str | None) -> frozenset[date]:
    """The public holidays of a region in the covered years; none for None; ValueError for an unknown region."""
    if region is None:
        return frozenset()
    if region not in _calendars():
        raise ValueError(f"{region!r} is not a holiday region; there are {', '.join(regions())}")
    return _calendars()[region]


def uncovered_years(days: Iterable[date]) -> list[int]:
    """The years of these days whose holidays are not known yet, each once, in order."""
    return sorted({day.year for day in days} - set(covered_years()))
