"""Owns how well a provider's own schedules fitted its meters outside events. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from chalicelib.kernel.periods import day_span
from chalicelib.settlement.baselines import Question, stated, timely_statement
from chalicelib.settlement.measuring import Evidence, Measured
from chalicelib.settlement.methods import Method, Nominated, WeeklyTemplate
from chalicelib.settlement.models import Instruction, Member
from chalicelib.settlement.packing import netted


def stated_against_metered(
    instruction: Instruction, method: Method, measured: Measured, known: Evidence
) -> Iterator[tuple[int, int]]:
    """(metered, stated) milliwatts of the counted points together, in each period of the instruction's local day that
    no event of theirs touches, wherever all of them were metered and stated."""
    if not isinstance(method, Nominated | WeeklyTemplate):
        return
    out = {point for point, _ in measured.left_out}
    members = [member for member in instruction.members if member.point not in out]
    rows = [list(_of_point(instruction, member, method, known)) for member in members]
    for row in zip(*rows, strict=True):
        if all(pair is not None for pair in row):
            yield sum(pair[0] for pair in row), sum(pair[1] for pair in row)


def _of_point(
    instruction: Instruction, member: Member, method: Nominated | WeeklyTemplate, known: Evidence
) -> Iterator[tuple[int, int] | None]:
    grid = known.grid
    asked = Question(instruction.span, grid, statements=tuple(known.statements.get(member.point, ())))
    statement = timely_statement(method, asked)
    metered = netted([known.readings.get(meter, {}) for meter in member.meters])
    for period in grid.periods(day_span(asked.day, grid.zone)):
        value = stated(method, asked, statement, period) if statement is not None else None
        if value is None or period not in metered or _is_in_event(period, instruction, member, known):
            yield None
        else:
            yield metered[period], value


def _is_in_event(period: datetime, instruction: Instruction, member: Member, known: Evidence) -> bool:
    spans = [instruction.span, *known.events.get(member.point, ())]
    return any(start < period + known.grid.step and period < end for start, end in spans)
