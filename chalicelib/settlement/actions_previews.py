"""Shows an FSP the baseline its asset would have, for any span, before any instruction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from chalicelib.assets import actions_reads as assets
from chalicelib.assets.models import Asset
from chalicelib.dispatch import actions_reads as dispatch
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Problem
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.periods import days_between, days_span
from chalicelib.metering import actions as metering
from chalicelib.metering.reading import LOCAL
from chalicelib.registry.models import OperatorSettings
from chalicelib.settlement.baselines import Baseline, Question, baseline
from chalicelib.settlement.methods import DEFAULT_PRESET, PRESETS, Historical
from chalicelib.settlement.requests import PreviewPeriod, PreviewRequest, PreviewView, RefusedDay
from chalicelib.settlement.series import Grid, Series, netted

_HOLIDAYS = OperatorSettings().holiday_region
_PLACES = 6
_UNTOUCHED = frozenset({"declined", "expired", "cancelled"})


def preview_baseline(call: Call, request: PreviewRequest) -> PreviewView:
    """The baseline of an asset of the caller's own over a span, with its explanation; nothing is stored.

    Days on which any operator instructed the asset do not count, as in settlement.
    """
    asset = assets.load_assets([request.asset_id]).get(request.asset_id)
    if asset is None or asset.owner != call.organisation:
        raise NotFound("asset.not_found", "There is no such asset.")
    method, grid = _method(request), Grid(request.minutes, LOCAL)
    first = grid.day(request.starts) - timedelta(days=method.look_back_days)
    last = grid.day(request.ends)
    found = metering.readings_between(asset.meter_ids, first, last)
    readings = netted([found[meter] for meter in asset.meter_ids])
    asked = Question(
        (request.starts, request.ends),
        grid,
        holidays=holidays_of(_HOLIDAYS),
        event_days=frozenset(_event_days(asset, grid, first, last)),
        notice_at=request.notice_at,
    )
    return _view(asset, asked, readings, baseline(method, asked, readings))


def _method(request: PreviewRequest) -> Historical:
    name = request.preset or DEFAULT_PRESET
    if request.method is None and name not in PRESETS:
        raise Invalid.of([Problem("baseline.preset", "There is no such preset.", "preset", ", ".join(PRESETS))])
    return request.method or PRESETS[name]


def _event_days(asset: Asset, grid: Grid, first: date, last: date) -> Iterator[date]:
    """The local days on which any operator's instruction to the asset ran."""
    span = days_span(first, last, LOCAL)
    for commitment in assets.commitments_of([asset.id])[asset.id]:
        for instruction in dispatch.instructions_in(commitment.obligation_id, span):
            if instruction.state not in _UNTOUCHED:
                ended = instruction.ended_at or instruction.end
                yield from days_between(
                    grid.day(instruction.start), grid.day(max(instruction.start, ended - grid.step))
                )


def _view(asset: Asset, asked: Question, readings: Series, found: Baseline) -> PreviewView:
    change = found.adjustment
    is_power = change is not None and change.kind == "additive"
    return PreviewView(
        asset_id=asset.id,
        method=found.method,
        version=found.version,
        status=found.status,
        why=found.why,
        days_used=found.days_used,
        days_refused=tuple(RefusedDay(day=day, reason=reason) for day, reason in found.days_refused),
        adjustment=change.kind if change else None,
        adjustment_before_clamp=_shown(change.raw, is_power) if change else None,
        adjustment_applied=_shown(change.applied, is_power) if change else None,
        adjustment_why=change.why if change else None,
        completeness=_shown(found.completeness, False),
        fingerprint=found.fingerprint,
        periods=tuple(
            PreviewPeriod(
                start=at,
                baseline_kw=_shown(found.values[at], True) if at in found.values else None,
                metered_kw=_shown(Fraction(readings[at]), True) if at in readings else None,
            )
            for at in asked.periods
        ),
    )


def _shown(exact: Fraction, is_power: bool) -> Decimal:
    """To six places, for people: milliwatts as kW, ratios as they are."""
    value = exact / 10**6 if is_power else exact
    return round(Decimal(value.numerator) / value.denominator, _PLACES)
