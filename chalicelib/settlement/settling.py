"""Owns settling instructions: delivery shared among concurrent ones, counted, judged and paid. Pure.

The plain rule: `settlement.calculation` does the same for many meters at once, and a property test holds both equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from chalicelib.settlement.accuracy import stated_against_metered
from chalicelib.settlement.baselines import Baseline
from chalicelib.settlement.measuring import Evidence, Measured, measure
from chalicelib.settlement.models import (
    NOT_DELIVERED,
    SETTLED,
    Component,
    Instruction,
    MarketRules,
    Penalty,
    ScheduleAccuracy,
    Unsettleable,
)
from chalicelib.settlement.payment import Performed, penalty, utilisation
from chalicelib.settlement.performance import Delivery, counted, factor, ratio, schedule_accuracy
from chalicelib.settlement.series import milliwatts, total
from chalicelib.settlement.sharing import Together, settled_together


@dataclass(frozen=True, slots=True)
class Levels:
    """A period's baseline and metered power of the points that count, together, milliwatts; None where unknown."""

    period: datetime
    baseline: Fraction | None
    metered: Fraction | None


@dataclass(frozen=True, slots=True)
class Settled:
    """An instruction settled, with all that explains its amounts; `reason` where it could not be.

    `levels` are of everything settled together with it, before its part of the delivery is taken; `refused` are the
    baselines of the points left out.
    """

    instruction: Instruction
    rules_version: int
    amounts: Mapping[Component, Decimal]
    performed: Performed
    reason: Unsettleable | None = None
    ratio: Fraction | None = None
    factor: Fraction | None = None
    deliveries: tuple[Delivery, ...] = ()
    baselines: tuple[tuple[str, Baseline], ...] = ()
    left_out: tuple[tuple[str, Unsettleable], ...] = ()
    levels: tuple[Levels, ...] = ()
    refused: tuple[tuple[str, Baseline], ...] = ()


def settle_instructions(
    instructions: Sequence[Instruction], rules: Mapping[str, MarketRules], known: Evidence
) -> list[Settled]:
    """Every instruction that ran, or was declined, expired or failed, settled by its rules (by instruction id).

    Instructions without rules take part only in sharing: another operator's, whose delivery is not ours to pay for.
    """
    running = [instruction for instruction in instructions if instruction.state in SETTLED]
    found = [settled for together in settled_together(running) for settled in _settle_together(together, rules, known)]
    found += [
        _not_delivered(instruction, rules[instruction.id], known)
        for instruction in instructions
        if instruction.state in NOT_DELIVERED and instruction.id in rules
    ]
    return sorted(found, key=lambda settled: (settled.instruction.starts, settled.instruction.id))


def _settle_together(together: Together, rules: Mapping[str, MarketRules], known: Evidence) -> list[Settled]:
    measured: dict[tuple[object, ...], Measured] = {}
    settled = []
    for instruction in together:
        its = rules.get(instruction.id)
        if its is None:
            continue
        way = (its.baseline, its.level, its.max_missing_share)
        if way not in measured:
            measured[way] = measure(together, its, known)
        settled.append(_settle(instruction, together, its, measured[way], known))
    return settled


def _settle(
    instruction: Instruction, together: Together, rules: MarketRules, measured: Measured, known: Evidence
) -> Settled:
    accuracy = _accuracy(instruction, rules, measured, known)
    reason = measured.reason
    if reason is None and isinstance(rules.performance, ScheduleAccuracy) and accuracy is None:
        reason = "INSUFFICIENT_BASELINE"
    baselines = tuple((part.name, part.baseline) for part in measured.parts)
    asked_mwh = _asked_mwh(instruction)
    if reason is not None:
        return Settled(
            instruction,
            rules.version,
            {},
            Performed(asked_mwh, None),
            reason,
            baselines=baselines,
            left_out=measured.left_out,
            levels=_levels(instruction, measured, known),
            refused=measured.refused,
        )
    deliveries = _deliveries(instruction, instruction.acknowledged_mw, together, rules, measured, known)
    share = ratio(deliveries)
    f = factor(rules.performance, share, accuracy)
    promised = promised_mw(instruction)
    if promised == instruction.acknowledged_mw:
        performed = Performed(asked_mwh, f)
    else:
        judged = _deliveries(instruction, promised, together, rules, measured, known)
        performed = Performed(asked_mwh, factor(rules.performance, ratio(judged), accuracy))
    return Settled(
        instruction,
        rules.version,
        _amounts(instruction, rules, deliveries, share, f),
        performed,
        ratio=share,
        factor=f,
        deliveries=tuple(deliveries),
        baselines=baselines,
        left_out=measured.left_out,
        levels=_levels(instruction, measured, known),
        refused=measured.refused,
    )


def _levels(instruction: Instruction, measured: Measured, known: Evidence) -> tuple[Levels, ...]:
    """What the parts that count come to in each period of an instruction."""
    periods = known.grid.periods(instruction.span)
    baselines = [part.baseline.values for part in measured.parts]
    metered = [part.metered for part in measured.parts]
    return tuple(Levels(period, _sum_at(period, baselines), _sum_at(period, metered)) for period in periods)


def _sum_at(
    period: datetime, series: Sequence[Mapping[datetime, Fraction] | Mapping[datetime, int]]
) -> Fraction | None:
    """The sum in a period; None where any of them has no value, or there are none."""
    if not series or any(period not in each for each in series):
        return None
    return total(Fraction(each[period]) for each in series)


def promised_mw(instruction: Instruction) -> Decimal:
    """min(instructed, available) MW: what the month's performance is judged on."""
    if instruction.available_mw is None:
        return instruction.instructed_mw
    return min(instruction.instructed_mw, instruction.available_mw)


def _asked_mwh(instruction: Instruction) -> Fraction:
    hours = Fraction(int((instruction.ends - instruction.starts).total_seconds()), 3600)
    return Fraction(promised_mw(instruction)) * hours


def _deliveries(
    instruction: Instruction,
    mw: Decimal,
    together: Together,
    rules: MarketRules,
    measured: Measured,
    known: Evidence,
) -> list[Delivery]:
    """Each period of the instruction: what was asked on average over it, its share of the delivery, what counts."""
    grid = known.grid
    return [
        _delivery(
            period,
            grid.hours,
            milliwatts(mw) * grid.share(period, instruction.span),
            _part_of(instruction, together, known, period),
            rules.over_delivery,
            [(part.share, part.delivered(period, instruction.sign)) for part in measured.parts],
        )
        for period in grid.periods(instruction.span)
    ]


def _delivery(
    period: datetime,
    hours: Fraction,
    required: Fraction,
    part: Fraction,
    over_delivery: Decimal,
    delivered: Sequence[tuple[Fraction, Fraction]],
) -> Delivery:
    most = Fraction(over_delivery) * required
    capped = total(counted(amount * part, most * share) for share, amount in delivered)
    return Delivery(period, hours, required, total(amount for _, amount in delivered) * part, capped)


def _part_of(instruction: Instruction, together: Together, known: Evidence, period: datetime) -> Fraction:
    """The instruction's part of what its meters delivered in a period: in proportion to req."""
    asked = {each.id: Fraction(each.acknowledged_mw) * known.grid.share(period, each.span) for each in together}
    total = sum(asked.values(), Fraction(0))
    return asked[instruction.id] / total if total else Fraction(0)


def _amounts(
    instruction: Instruction, rules: MarketRules, deliveries: Sequence[Delivery], share: Fraction, f: Fraction
) -> dict[Component, Decimal]:
    amounts: dict[Component, Decimal] = {}
    if instruction.utilisation_price is not None:
        price = instruction.utilisation_price
        amounts["utilisation"] = utilisation(rules.performance, rules.paid_volume, price, deliveries, share, f)
    if isinstance(rules.performance, Penalty):
        amounts["penalty"] = penalty(rules.performance, deliveries)
    return amounts


def _accuracy(instruction: Instruction, rules: MarketRules, measured: Measured, known: Evidence) -> Fraction | None:
    """How well the schedules fitted over the instruction's local day outside every event, DP/100."""
    if not isinstance(rules.performance, ScheduleAccuracy):
        return None
    pairs = stated_against_metered(instruction, rules.baseline, measured, known)
    return schedule_accuracy(pairs, rules.performance.epsilon_mw)


def _not_delivered(instruction: Instruction, rules: MarketRules, known: Evidence) -> Settled:
    """Declined, expired or failed: f = 0; what was acknowledged and failed still bears the penalty for all of it."""
    performed = Performed(_asked_mwh(instruction), Fraction(0))
    if instruction.state != "failed":
        return Settled(instruction, rules.version, {}, performed)
    asked = milliwatts(instruction.acknowledged_mw)
    deliveries = [
        Delivery(period, known.grid.hours, asked * known.grid.share(period, instruction.span), Fraction(0), Fraction(0))
        for period in known.grid.periods(instruction.span)
    ]
    zero = Fraction(0)
    amounts = _amounts(instruction, rules, deliveries, zero, zero)
    return Settled(
        instruction, rules.version, amounts, performed, ratio=zero, factor=zero, deliveries=tuple(deliveries)
    )
