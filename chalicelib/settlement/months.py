"""Owns an obligation-month: availability, its recovery by F, and its share of the service fee. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from chalicelib.kernel.periods import days_between
from chalicelib.settlement.drafting import Draft
from chalicelib.settlement.explaining import Source, explain_obligation
from chalicelib.settlement.fingerprints import Prints, fingerprint
from chalicelib.settlement.inputs import Inputs, Promise, Stretch, month_of
from chalicelib.settlement.models_runs import ObligationDetail
from chalicelib.settlement.payment import (
    Performed,
    availability,
    days_by_month,
    month_performance,
    recovery,
    service_fee,
)
from chalicelib.settlement.settling import Settled


@dataclass(frozen=True, slots=True)
class Month:
    """What an obligation-month comes to. `measured` is its F where instructions or late unavailability gave one."""

    promise: Promise
    detail: ObligationDetail
    drafts: tuple[Draft, ...]
    measured: Fraction | None


def months_of(promise: Promise, inputs: Inputs, instructed: Iterable[str]) -> list[str]:
    """The months of an obligation that a run has anything to say of; `instructed` are those with instructions."""
    told = {*instructed, *(month_of(stretch.day) for stretch in promise.stretches)}
    covered = {month_of(day) for day in days_between(inputs.first, inputs.last)}
    return sorted(told | {month for month in covered if _fee(promise, month, inputs) is not None})


def settle_month(promise: Promise, month: str, settled: Sequence[Settled], prints: Prints, inputs: Inputs) -> Month:
    """An obligation-month, with what was settled of its instructions."""
    stretches = sorted(
        (each for each in promise.stretches if month_of(each.day) == month), key=lambda each: (each.start, each.end)
    )
    counted = [*(each.performed for each in settled), *_late(stretches)]
    before = [performed for earlier, performed in sorted(promise.performed.items()) if earlier < month]
    rules = promise.rules[month]
    f = month_performance(counted, before, rules.recovery_months)
    measured = any(each.f is not None and each.megawatt_hours > 0 for each in counted)
    had = bool(before and rules.recovery_months)
    source: Source = "instructions" if measured else "months before" if had else "nothing"
    marks = [*sorted(prints.of_instruction(each.instruction) for each in settled), *map(str, before)]
    version = max([rules.version, *(each.rules_version for each in settled)])
    fees = _fee_draft(promise, month, inputs)
    return Month(
        promise,
        explain_obligation(promise, month, stretches, f, source, bool(fees)),
        (*_availability(promise, month, stretches), *_recovery(promise, month, stretches, f, version, marks), *fees),
        f if measured else None,
    )


def _late(stretches: Iterable[Stretch]) -> list[Performed]:
    """Late unavailability counts f = 0 for its MWh."""
    zero = Fraction(0)
    return [
        Performed(Fraction(each.promised_mw - each.available_mw) * each.hours, zero) for each in stretches if each.late
    ]


def _availability(promise: Promise, month: str, stretches: Sequence[Stretch]) -> list[Draft]:
    if promise.availability_price is None or not stretches:
        return []
    paid = availability(_available(stretches), promise.availability_price)
    mark = _availability_mark(promise, stretches)
    return [Draft(promise, month, "availability", paid, promise.rules[month].version, mark)]


def _recovery(
    promise: Promise, month: str, stretches: Sequence[Stretch], f: Fraction, version: int, marks: Sequence[str]
) -> list[Draft]:
    if promise.availability_price is None or not stretches or not promise.rules[month].availability_recovery:
        return []
    taken = recovery(_available(stretches), promise.availability_price, f)
    mark = fingerprint(_availability_mark(promise, stretches), marks)
    return [Draft(promise, month, "recovery", taken, version, mark)]


def _available(stretches: Iterable[Stretch]) -> list[tuple[Decimal, Fraction]]:
    return [(each.available_mw, each.hours) for each in stretches]


def _availability_mark(promise: Promise, stretches: Iterable[Stretch]) -> str:
    rows = [(each.start, each.end, each.promised_mw, each.available_mw, each.late) for each in stretches]
    return fingerprint(promise.availability_price, rows)


def _fee_draft(promise: Promise, month: str, inputs: Inputs) -> list[Draft]:
    share = _fee(promise, month, inputs)
    if share is None:
        return []
    mark = fingerprint(promise.service_fee, promise.capacity_mw, promise.period_start, promise.period_end)
    return [Draft(promise, month, "service_fee", share, promise.rules[month].version, mark)]


def _fee(promise: Promise, month: str, inputs: Inputs) -> Decimal | None:
    """The month's share of the service fee, in the run whose days hold the month's last day of service."""
    if promise.service_fee is None:
        return None
    days = [day for day in days_between(promise.period_start, promise.period_end) if month_of(day) == month]
    if not days or not inputs.first <= days[-1] <= inputs.last:
        return None
    period = days_by_month(promise.period_start, promise.period_end)
    return service_fee(promise.service_fee, promise.capacity_mw, period)[month]
