"""Owns what a settlement report says, ready for any document: sides, totals, lines by instruction. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from chalicelib.kernel.periods import zone_of
from chalicelib.kernel.quantities import ZERO
from chalicelib.settlement import wording
from chalicelib.settlement.models_runs import (
    InstructionDetail,
    ObligationDetail,
    PeriodDetail,
    Report,
    ReportDetail,
    ReportLine,
)
from chalicelib.settlement.payment import total

_SECONDS_AN_HOUR = 3600
_ROUNDING_MWH = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Sum:
    """Lines of one kind together: how many, how many of them could not be settled, and what they come to."""

    name: str
    lines: int
    unsettled: int
    amount: Decimal


@dataclass(frozen=True)
class Contents:
    """A report with its lines as they stand, what explains them, and the names of both sides."""

    report: Report
    lines: Sequence[ReportLine]
    detail: ReportDetail
    operator: str
    provider: str

    @cached_property
    def zone(self) -> ZoneInfo:
        return zone_of(self.report.time_zone)

    @property
    def title(self) -> str:
        return f"Settlement report {wording.period(self.report.first, self.report.last)}"

    @property
    def version(self) -> str:
        """`version 2, published`: what two papers in one hand are told apart by."""
        return f"version {self.report.number}, {self.report.state}"

    @property
    def total(self) -> Decimal:
        return total(line.amount for line in self.lines if line.amount is not None)

    @property
    def by_component(self) -> list[Sum]:
        return _sums(self.lines, "component", wording.COMPONENTS)

    @property
    def by_state(self) -> list[Sum]:
        return _sums(self.lines, "state", wording.LINE_STATES)

    @cached_property
    def obligations(self) -> dict[str, str]:
        """`competition · window` by obligation, in the order in which the report names them."""
        named: list[ObligationDetail | InstructionDetail | ReportLine] = [*self.detail.obligations]
        named += [*self.detail.instructions, *self.lines]
        found: dict[str, str] = {}
        for each in named:
            found.setdefault(each.obligation_id, place(each.competition_reference, each.window_name))
        return found

    def amount_of(self, obligation_id: str, component: str, month: str | None = None) -> Decimal | None:
        """What a component of an obligation (and month) comes to; None where the report has no amount for it."""
        lines = self._lines_of_obligations.get(obligation_id, ())
        return _amount(line for line in lines if line.component == component and month in (None, line.month))

    def amount_of_instruction(self, instruction_id: str) -> Decimal | None:
        """What an instruction's lines come to; None where it has none with an amount."""
        return _amount(self.lines_of(instruction_id))

    def lines_of(self, instruction_id: str) -> Sequence[ReportLine]:
        """The lines of an instruction in order: its amounts, or why it has none, and corrections after them."""
        return self._lines_of_instructions.get(instruction_id, ())

    @cached_property
    def other_lines(self) -> list[ReportLine]:
        """Lines of obligation-months, and of instructions that this version does not explain."""
        explained = {instruction.instruction_id for instruction in self.detail.instructions}
        return [line for line in self.lines if line.instruction_id not in explained]

    @cached_property
    def _lines_of_instructions(self) -> dict[str, list[ReportLine]]:
        found: dict[str, list[ReportLine]] = {}
        for line in self.lines:
            if line.instruction_id is not None:
                found.setdefault(line.instruction_id, []).append(line)
        return found

    @cached_property
    def _lines_of_obligations(self) -> dict[str, list[ReportLine]]:
        found: dict[str, list[ReportLine]] = {}
        for line in self.lines:
            found.setdefault(line.obligation_id, []).append(line)
        return found


def place(competition_reference: str, window_name: str) -> str:
    """`UKPN-EAST-1 · Winter evenings`; what is not known is left out."""
    return " · ".join(filter(None, [competition_reference, window_name]))


def length_of(periods: Sequence[PeriodDetail], whole: timedelta) -> timedelta:
    """How long each period is: the least step between two; `whole`, the instruction, where there is but one."""
    starts = sorted({period.start for period in periods})
    steps = [later - earlier for earlier, later in pairwise(starts)]
    return min(steps, default=min(whole, timedelta(minutes=30)))


def energy_mwh(instruction: InstructionDetail, name: str) -> Decimal | None:
    """MWh of a series (`baseline_mw`, `metered_mw`) over the instruction's periods; None where a value is missing."""
    periods = instruction.periods
    step = length_of(periods, instruction.ends - instruction.starts)
    during = [period for period in periods if _touches(period.start, step, instruction)]
    values: list[Decimal | None] = [getattr(period, name) for period in during]
    if not values or any(value is None for value in values):
        return None
    return sum((value for value in values if value is not None), ZERO) * hours_of(instruction)


def is_shared(instruction: InstructionDetail) -> bool:
    """Whether what was delivered is but a part of baseline less metered: its meters served another one as well."""
    baseline, metered = energy_mwh(instruction, "baseline_mw"), energy_mwh(instruction, "metered_mw")
    if baseline is None or metered is None or instruction.delivered_mwh is None:
        return False
    return abs(abs(baseline - metered) - abs(instruction.delivered_mwh)) > _ROUNDING_MWH


def hours_of(instruction: InstructionDetail) -> Decimal:
    """Δ: the length of an instruction's periods in hours."""
    step = length_of(instruction.periods, instruction.ends - instruction.starts)
    return Decimal(int(step.total_seconds())) / _SECONDS_AN_HOUR


def _amount(lines: Iterable[ReportLine]) -> Decimal | None:
    found = [line.amount for line in lines if line.amount is not None]
    return total(found) if found else None


def _touches(start: datetime, step: timedelta, instruction: InstructionDetail) -> bool:
    return start < instruction.ends and start + step > instruction.starts


def _sums(lines: Iterable[ReportLine], field: str, names: dict[str, str]) -> list[Sum]:
    by: dict[str, list[ReportLine]] = {name: [] for name in names}
    for line in lines:
        by[getattr(line, field)].append(line)
    return [_sum(names[name], found) for name, found in by.items() if found]


def _sum(name: str, lines: Sequence[ReportLine]) -> Sum:
    amounts = [line.amount for line in lines if line.amount is not None]
    return Sum(name, len(lines), len(lines) - len(amounts), total(amounts))
