"""Owns how a settled instruction, or an obligation-month, becomes what a report explains of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal

from chalicelib.settlement.baselines import Baseline
from chalicelib.settlement.inputs import Inputs, Promise, Stretch
from chalicelib.settlement.models_runs import BaselineDetail, InstructionDetail, ObligationDetail, PeriodDetail
from chalicelib.settlement.payment import days_by_month
from chalicelib.settlement.performance import Delivery
from chalicelib.settlement.series import MILLIWATTS_PER_MW, milliwatts
from chalicelib.settlement.settling import Settled

Source = Literal["instructions", "months before", "nothing"]
_PLACES = Decimal("0.000000001")


def nine_places(exact: Fraction) -> Decimal:
    """A fraction to nine decimal places, half away from zero."""
    whole = Decimal(exact.numerator * 10**12 // exact.denominator).scaleb(-12)
    return whole.quantize(_PLACES, rounding=ROUND_HALF_UP)


def explain_instruction(settled: Settled, promise: Promise, inputs: Inputs) -> InstructionDetail:
    """Everything that an instruction's lines come from; of points settled together, its own are named."""
    instruction, rules = settled.instruction, inputs.rules[settled.instruction.id]
    own = {"group", *(member.point for member in instruction.members)}
    rows = settled.deliveries
    return InstructionDetail(
        instruction_id=instruction.id,
        obligation_id=promise.id,
        competition_reference=promise.competition_reference,
        window_name=promise.window_name,
        direction=instruction.direction,
        state=instruction.state,
        starts=instruction.starts,
        ends=instruction.ends,
        instructed_mw=instruction.instructed_mw,
        acknowledged_mw=instruction.acknowledged_mw,
        utilisation_price=instruction.utilisation_price,
        paid_volume=rules.paid_volume,
        performance=rules.performance.kind,
        rules_name=rules.name,
        rules_version=rules.version,
        requested_mwh=_requested_mwh(settled),
        delivered_mwh=_mwh([(row.delivered, row.hours) for row in rows]) if rows else None,
        counted_mwh=_mwh([(row.counted, row.hours) for row in rows]) if rows else None,
        ratio=None if settled.ratio is None else nine_places(settled.ratio),
        factor=None if settled.factor is None else nine_places(settled.factor),
        reason=settled.reason,
        left_out=tuple((point, reason) for point, reason in settled.left_out if point in own),
        baselines=tuple(
            _baseline(point, each) for point, each in (*settled.baselines, *settled.refused) if point in own
        ),
        periods=_periods(settled, inputs),
    )


def explain_obligation(
    promise: Promise, month: str, stretches: Sequence[Stretch], performed: Fraction, source: Source, has_fee: bool
) -> ObligationDetail:
    """Everything that an obligation-month's availability, recovery and service-fee lines come from."""
    days = days_by_month(promise.period_start, promise.period_end)
    return ObligationDetail(
        obligation_id=promise.id,
        competition_reference=promise.competition_reference,
        window_name=promise.window_name,
        month=month,
        promised_mwh=_sum([(each.promised_mw, each.hours) for each in stretches]),
        available_mwh=_sum([(each.available_mw, each.hours) for each in stretches]),
        availability_price=promise.availability_price,
        performance=nine_places(performed),
        performance_from=source,
        service_fee_price=promise.service_fee,
        days_in_month=days.get(month) if has_fee else None,
        days_in_period=sum(days.values()) if has_fee else None,
    )


def _requested_mwh(settled: Settled) -> Decimal:
    """What was asked for: by what was acknowledged; of a declined or expired one, what was instructed."""
    instruction = settled.instruction
    hours = Fraction(int((instruction.ends - instruction.starts).total_seconds()), 3600)
    return nine_places(Fraction(instruction.acknowledged_mw) * hours)


def _periods(settled: Settled, inputs: Inputs) -> tuple[PeriodDetail, ...]:
    """Each period of an instruction: asked, and whatever is known of baseline, metered and delivered."""
    instruction, grid = settled.instruction, inputs.known.grid
    levels = {each.period: each for each in settled.levels}
    delivered = {row.period: row for row in settled.deliveries}
    found = []
    for period in grid.periods(instruction.span):
        level, row = levels.get(period), delivered.get(period)
        asked = row.required if row else milliwatts(instruction.acknowledged_mw) * grid.share(period, instruction.span)
        found.append(
            PeriodDetail(
                start=period,
                requested_mw=_mw(asked),
                baseline_mw=_or_none(level.baseline if level else None),
                metered_mw=_or_none(level.metered if level else None),
                delivered_mw=_or_none(_measured(settled, row, "delivered")),
                counted_mw=_or_none(_measured(settled, row, "counted")),
            )
        )
    return tuple(found)


def _measured(settled: Settled, row: Delivery | None, what: Literal["delivered", "counted"]) -> Fraction | None:
    return None if row is None else row.delivered if what == "delivered" else row.counted


def _baseline(point: str, found: Baseline) -> BaselineDetail:
    change = found.adjustment
    return BaselineDetail(
        point=point,
        method=found.method,
        version=found.version,
        status=found.status,
        why=found.why,
        days_used=found.days_used,
        days_refused=found.days_refused,
        adjustment=change.kind if change else None,
        adjustment_before_clamp=_change(change.raw, change.kind) if change else None,
        adjustment_applied=_change(change.applied, change.kind) if change else None,
        adjustment_why=change.why if change else None,
        completeness=nine_places(found.completeness),
        fingerprint=found.fingerprint,
    )


def _change(exact: Fraction, kind: str) -> Decimal:
    """A ratio as it is; an addition in MW."""
    return _mw(exact) if kind == "additive" else nine_places(exact)


def _or_none(exact: Fraction | None) -> Decimal | None:
    return None if exact is None else _mw(exact)


def _mw(exact: Fraction) -> Decimal:
    return nine_places(exact / MILLIWATTS_PER_MW)


def _mwh(rows: Sequence[tuple[Fraction, Fraction]]) -> Decimal:
    return _mw(sum((power * hours for power, hours in rows), Fraction(0)))


def _sum(rows: Sequence[tuple[Decimal, Fraction]]) -> Decimal:
    return nine_places(sum((Fraction(mw) * hours for mw, hours in rows), Fraction(0)))
