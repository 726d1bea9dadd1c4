"""Owns how a line's amount came about, in figures a person can work out again. Pure.

Figures are shown rounded; amounts come from the exact ones, so that working them out again may differ by a penny.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from chalicelib.kernel.quantities import ZERO
from chalicelib.settlement import wording
from chalicelib.settlement.models import MarketRules, Penalty
from chalicelib.settlement.models_runs import InstructionDetail, ObligationDetail, ReportDetail, ReportLine
from chalicelib.settlement.report_contents import hours_of

_TIMES = " × "


class Workings:
    """The workings of a report's lines, found through what explains the report."""

    def __init__(self, detail: ReportDetail, currency: str) -> None:
        self._instructions = {each.instruction_id: each for each in detail.instructions}
        self._obligations = {(each.obligation_id, each.month): each for each in detail.obligations}
        self._rules: Mapping[tuple[str, int], MarketRules] = {(its.name, its.version): its for its in detail.rules}
        self._currency = currency

    def of(self, line: ReportLine) -> str:
        """How a line came about: its reason, or its working; what it puts right; what its state is for."""
        parts = [wording.reason(line.reason) if line.reason else self._working(line)]
        if line.corrects is not None:
            parts.append(f"difference to {wording.money(line.corrects, self._currency)} invoiced before")
        return "; ".join(filter(None, [*parts, line.why]))

    def _working(self, line: ReportLine) -> str:
        if line.instruction_id is not None:
            instruction = self._instructions.get(line.instruction_id)
            return self._of_instruction(line, instruction) if instruction else ""
        obligation = self._obligations.get((line.obligation_id, line.month))
        return self._of_obligation(line, obligation) if obligation else ""

    def _of_instruction(self, line: ReportLine, instruction: InstructionDetail) -> str:
        if line.component == "penalty":
            return self._of_penalty(instruction)
        price = wording.price(instruction.utilisation_price, "MWh", self._currency)
        if instruction.paid_volume == "instructed":
            asked = wording.fixed(instruction.requested_mwh, 4, "MWh")
            return _TIMES.join([asked, price, f"factor {wording.trimmed(instruction.factor)}"])
        counted = wording.fixed(instruction.counted_mwh, 4, "MWh")
        below = line.amount == 0 and bool(instruction.counted_mwh) and bool(instruction.utilisation_price)
        return _TIMES.join([counted, price, *(["0, below the floor"] if below else [])])

    def _of_penalty(self, instruction: InstructionDetail) -> str:
        missed = wording.fixed(_missed_mwh(instruction), 4, "MWh missed")
        rules = self._rules.get((instruction.rules_name, instruction.rules_version))
        if rules is None or not isinstance(rules.performance, Penalty):
            return missed
        return f"{wording.MINUS}{missed}{_TIMES}{wording.price(rules.performance.price, 'MWh', self._currency)}"

    def _of_obligation(self, line: ReportLine, obligation: ObligationDetail) -> str:
        available = wording.fixed(obligation.available_mwh, 3, "MWh")
        price = wording.price(obligation.availability_price, "MW/h", self._currency)
        if line.component == "availability":
            return _TIMES.join([available, price])
        if line.component == "recovery":
            missed = f"(1 {wording.MINUS} {wording.trimmed(obligation.performance)})"
            return wording.MINUS + _TIMES.join([available, price, missed])
        fee = wording.price(obligation.service_fee_price, "MW", self._currency)
        if obligation.days_in_month is None:
            return f"share of {fee}"
        return f"{obligation.days_in_month} of {obligation.days_in_period} days of {fee}"


def sentences(how: Sequence[MarketRules]) -> list[str]:
    """What each set of rules settles by, in a sentence."""
    return [_sentence(rules) for rules in how]


def _sentence(rules: MarketRules) -> str:
    return (
        f"“{rules.name}” {wording.rules_version(rules.version)}, in force from {wording.day(rules.effective_from)}: "
        f"baseline {wording.method(rules.baseline)}, measured by {rules.level}; performance by "
        f"{wording.PERFORMANCES[rules.performance.kind]}; paid by the {rules.paid_volume} volume; delivery counts up "
        f"to {wording.trimmed(rules.over_delivery * 100)} % of what was asked; late data: {rules.late_data}."
    )


def _missed_mwh(instruction: InstructionDetail) -> Decimal:
    """Σ max(0, req − del)·Δ over the periods that something was asked in."""
    hours = hours_of(instruction)
    missed = [max(ZERO, each.requested_mw - (each.delivered_mw or ZERO)) for each in instruction.periods]
    return sum(missed, ZERO) * hours
