"""Owns what a run takes: obligations with their availability, instructions, rules, and what was metered. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from chalicelib.settlement.measuring import Evidence
from chalicelib.settlement.models import Instruction, MarketRules
from chalicelib.settlement.models_runs import MeterQuality

LOOK_BACK_DAYS = 60
"""The longest history any baseline may ask for: so many days before are read, whatever the rules."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of an obligation's availability, MW throughout; `day` is the local day its window started on.

    `late` says that what is missing of it was taken back inside the notice period.
    """

    day: date
    start: datetime
    end: datetime
    promised_mw: Decimal
    available_mw: Decimal
    late: bool = False

    @property
    def hours(self) -> Fraction:
        return Fraction((self.end - self.start) // timedelta(seconds=1), 3600)


@dataclass(frozen=True, slots=True)
class Promise:
    """An obligation as a run takes it. `rules` are those of each month (`2026-04`), by its first day in force.

    `performed` is F of months before, by month, where instructions gave one.
    """

    id: str
    fsp: str
    competition_reference: str
    window_name: str
    period_start: date
    period_end: date
    capacity_mw: Decimal
    rules: Mapping[str, MarketRules]
    availability_price: Decimal | None = None
    service_fee: Decimal | None = None
    stretches: Sequence[Stretch] = ()
    performed: Mapping[str, Fraction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inputs:
    """A cluster: its obligations, every instruction to any of its meters by any operator, and what was metered.

    `rules` name, by id, the instructions to settle; the others take part in sharing. `quality` is by provider.
    """

    first: date
    last: date
    promises: Sequence[Promise]
    instructions: Sequence[Instruction]
    rules: Mapping[str, MarketRules]
    known: Evidence
    quality: Mapping[str, Sequence[MeterQuality]] = field(default_factory=dict)


def month_of(day: date) -> str:
    """The local month of a day: `2026-04`."""
    return f"{day:%Y-%m}"
