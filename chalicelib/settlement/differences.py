"""Owns what changed between two versions of a run, line by line, with the cause. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from chalicelib.kernel.quantities import ZERO
from chalicelib.settlement.models import Line

Cause = Literal["late_data", "changed_rule", "late_data_and_changed_rule", "new", "gone"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A line of either version whose amount or reason changed; amounts are None where there was none."""

    obligation_id: str
    instruction_id: str | None
    month: str
    component: str
    before: Decimal | None
    after: Decimal | None
    cause: Cause

    @property
    def change(self) -> Decimal:
        return (self.after or ZERO) - (self.before or ZERO)


def differences(before: Iterable[Line], after: Iterable[Line]) -> list[Difference]:
    """Every line that changed between two versions, in order; lines that stayed are left out."""
    old, new = {key_of(line): line for line in before}, {key_of(line): line for line in after}
    found = [_difference(old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys())]
    return [difference for difference in found if difference is not None]


def key_of(line: Line) -> tuple[str, str, str, str]:
    """What a line is about, the same in every version of a run."""
    return line.month, line.obligation_id, line.instruction_id or "", line.component


def _difference(old: Line | None, new: Line | None) -> Difference | None:
    line = new or old
    assert line is not None, "a key stands in one of the two"
    if old is not None and new is not None and (old.amount, old.reason) == (new.amount, new.reason):
        return None
    return Difference(
        line.obligation_id,
        line.instruction_id,
        line.month,
        line.component,
        old.amount if old else None,
        new.amount if new else None,
        _cause(old, new),
    )


def _cause(old: Line | None, new: Line | None) -> Cause:
    if old is None:
        return "new"
    if new is None:
        return "gone"
    if old.rules_version == new.rules_version:
        return "late_data"
    return "changed_rule" if old.fingerprint == new.fingerprint else "late_data_and_changed_rule"
