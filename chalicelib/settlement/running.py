"""Owns what a run says: of an operator's local days, every provider's lines and all that explains them. Pure.

Inputs come in clusters: obligations that share no meter with those of another cluster. The order of what is put in
changes nothing, and the same inputs give the same lines to the byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from chalicelib.settlement.drafting import Draft, drafts_of, line_of
from chalicelib.settlement.explaining import explain_instruction
from chalicelib.settlement.fingerprints import Prints
from chalicelib.settlement.inputs import Inputs, month_of
from chalicelib.settlement.models import MarketRules
from chalicelib.settlement.models_runs import (
    InstructionDetail,
    MeterQuality,
    ObligationDetail,
    ReportDetail,
    ReportLine,
    Run,
    report_id_of,
)
from chalicelib.settlement.months import months_of, settle_month
from chalicelib.settlement.settling import Settled, settle_instructions


@dataclass(frozen=True, slots=True)
class Found:
    """What one cluster comes to. `performed` is F by obligation and month; None where no instruction gave one."""

    drafts: tuple[Draft, ...]
    instructions: tuple[tuple[str, InstructionDetail], ...]
    obligations: tuple[tuple[str, ObligationDetail], ...]
    quality: Mapping[str, Sequence[MeterQuality]]
    rules: tuple[tuple[str, MarketRules], ...]
    performed: Mapping[tuple[str, str], Fraction | None]


@dataclass(frozen=True, slots=True)
class Account:
    """One provider's part of a run: what becomes its report."""

    fsp: str
    report_id: str
    lines: tuple[ReportLine, ...]
    detail: ReportDetail

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines if line.amount is not None), Decimal("0.00"))

    @property
    def unsettled(self) -> int:
        return sum(line.amount is None for line in self.lines)


def settle(inputs: Inputs) -> Found:
    """Every line of a cluster, and what explains it."""
    prints = Prints(inputs.instructions, inputs.known)
    promises = {promise.id: promise for promise in inputs.promises}
    settled = settle_instructions(inputs.instructions, inputs.rules, inputs.known)
    of_month: dict[tuple[str, str], list[Settled]] = {}
    for each in settled:
        month = month_of(inputs.known.grid.day(each.instruction.starts))
        of_month.setdefault((each.instruction.obligation_id, month), []).append(each)
    drafts = [
        draft
        for (promise_id, month), found in of_month.items()
        for each in found
        for draft in drafts_of(promises[promise_id], month, each, prints)
    ]
    months = [
        settle_month(promise, month, of_month.get((promise.id, month), []), prints, inputs)
        for promise in inputs.promises
        for month in months_of(promise, inputs, [month for whose, month in of_month if whose == promise.id])
    ]
    return Found(
        drafts=(*drafts, *(draft for each in months for draft in each.drafts)),
        instructions=tuple(
            (each.instruction.fsp, explain_instruction(each, promises[each.instruction.obligation_id], inputs))
            for each in settled
        ),
        obligations=tuple((each.promise.fsp, each.detail) for each in months),
        quality=inputs.quality,
        rules=(
            *((each.instruction.fsp, inputs.rules[each.instruction.id]) for each in settled),
            *((each.promise.fsp, each.promise.rules[each.detail.month]) for each in months),
        ),
        performed={(each.promise.id, each.detail.month): each.measured for each in months},
    )


def accounts(run: Run, found: Iterable[Found]) -> list[Account]:
    """The clusters' lines and details by provider, in order; line ids follow from the run, the provider and place."""
    clusters = list(found)
    drafts: dict[str, list[Draft]] = {}
    for draft in (draft for cluster in clusters for draft in cluster.drafts):
        drafts.setdefault(draft.promise.fsp, []).append(draft)
    fsps = {*drafts, *(fsp for cluster in clusters for fsp, _ in (*cluster.instructions, *cluster.obligations))}
    return [_account(run, fsp, drafts.get(fsp, []), clusters) for fsp in sorted(fsps)]


def _account(run: Run, fsp: str, drafts: Sequence[Draft], clusters: Sequence[Found]) -> Account:
    own = report_id_of(run.id, fsp)
    ordered = sorted(drafts, key=lambda draft: draft.place)
    lines = tuple(line_of(run, own, ordinal, draft) for ordinal, draft in enumerate(ordered))
    instructions = [detail for each in clusters for whose, detail in each.instructions if whose == fsp]
    obligations = [detail for each in clusters for whose, detail in each.obligations if whose == fsp]
    quality = {meter.meter_id: meter for each in clusters for meter in each.quality.get(fsp, ())}
    rules = {(its.name, its.version): its for each in clusters for whose, its in each.rules if whose == fsp}
    detail = ReportDetail(
        instructions=tuple(sorted(instructions, key=lambda each: (each.starts, each.instruction_id))),
        obligations=tuple(
            sorted(
                obligations,
                key=lambda each: (each.month, each.competition_reference, each.window_name, each.obligation_id),
            )
        ),
        quality=tuple(quality[meter] for meter in sorted(quality)),
        rules=tuple(rules[key] for key in sorted(rules)),
    )
    return Account(fsp, own, lines, detail)
