"""Owns a line before it has its place in a report: what it pays, for what, by which rules. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from chalicelib.settlement.fingerprints import Prints
from chalicelib.settlement.inputs import Promise
from chalicelib.settlement.models import Component, Instruction, Unsettleable
from chalicelib.settlement.models_runs import ReportLine, Run, line_id_of
from chalicelib.settlement.settling import Settled

COMPONENTS: tuple[Component, ...] = ("utilisation", "penalty", "availability", "recovery", "service_fee")
_AFTER_ALL = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Draft:
    """A line before it has its place in a report."""

    promise: Promise
    month: str
    component: Component
    amount: Decimal | None
    rules_version: int
    fingerprint: str
    instruction: Instruction | None = None
    reason: Unsettleable | None = None

    @property
    def place(self) -> tuple[str, str, str, str, datetime, str, int]:
        """Where it stands in a report: by month, competition, window, then instructions by start, then the month."""
        starts = self.instruction.starts if self.instruction else _AFTER_ALL
        whose = self.promise
        which = self.instruction.id if self.instruction else ""
        names = (self.month, whose.competition_reference, whose.window_name, whose.id)
        return *names, starts, which, COMPONENTS.index(self.component)


def drafts_of(promise: Promise, month: str, settled: Settled, prints: Prints) -> list[Draft]:
    """A line for each of its amounts; one that could not be settled is a line with its reason."""
    amounts: dict[Component, Decimal | None] = dict(settled.amounts)
    if settled.reason is not None:
        amounts = {"utilisation": None}
    mark = prints.of_instruction(settled.instruction)
    return [
        Draft(promise, month, component, amount, settled.rules_version, mark, settled.instruction, settled.reason)
        for component, amount in amounts.items()
    ]


def line_of(run: Run, own: str, ordinal: int, draft: Draft) -> ReportLine:
    instruction = draft.instruction
    return ReportLine(
        id=line_id_of(own, ordinal),
        obligation_id=draft.promise.id,
        instruction_id=instruction.id if instruction else None,
        month=draft.month,
        component=draft.component,
        amount=draft.amount,
        reason=draft.reason,
        rules_version=draft.rules_version,
        fingerprint=draft.fingerprint,
        report_id=own,
        run_id=run.id,
        ordinal=ordinal,
        so=run.so,
        fsp=draft.promise.fsp,
        competition_reference=draft.promise.competition_reference,
        window_name=draft.promise.window_name,
        starts=instruction.starts if instruction else None,
        ends=instruction.ends if instruction else None,
    )
