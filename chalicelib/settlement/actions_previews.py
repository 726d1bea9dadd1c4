"""Shows an FSP the baseline its asset would have, for any span, before any instruction."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from chalicelib.assets.models import Asset
from chalicelib.contracts.models import Obligation
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem
from chalicelib.metering import actions as metering
from chalicelib.metering.reading import LOCAL
from chalicelib.settlement.actions_history import history_of, holidays_by, own_asset, own_obligation
from chalicelib.settlement.actions_rules import rules_of_obligation
from chalicelib.settlement.baselines import Baseline, Question, Statement, baseline
from chalicelib.settlement.methods import DEFAULT_PRESET, PRESETS, Historical, Method
from chalicelib.settlement.requests import PreviewPeriod, PreviewRequest, PreviewView, RefusedDay
from chalicelib.settlement.series import Grid, Series
from chalicelib.settlement.statements import gate_of, statement_of

_PLACES = 6


def preview_baseline(call: Call, request: PreviewRequest) -> PreviewView:
    """The baseline of an asset of the caller's own over a span, with its explanation; nothing is stored.

    Days on which any operator instructed the asset, and days declared less than available, do not count, as in
    settlement.
    """
    asset = own_asset(call, request.asset_id)
    obligation = own_obligation(call, request.obligation_id) if request.obligation_id else None
    grid = Grid(request.minutes, LOCAL)
    method = _method(request, obligation, grid)
    first = grid.day(request.starts) - timedelta(days=look_back(method))
    last = grid.day(request.ends)
    known = history_of([asset], first, last, request.minutes)
    asked = Question(
        (request.starts, request.ends),
        grid,
        holidays=holidays_by(obligation.so if obligation else request.so),
        event_days=known.event_days(),
        outage_days=known.outage_days(),
        notice_at=request.notice_at,
        devices=asset.device_count,
        statements=_statements(asset, method, asked_days=(first, last)),
    )
    readings = known.readings[asset.id]
    return _view(asset, asked, readings, baseline(method, asked, readings))


def look_back(method: Method) -> int:
    """How many days before its own a method reads."""
    return method.look_back_days if isinstance(method, Historical) else 1


def _method(request: PreviewRequest, obligation: Obligation | None, grid: Grid) -> Method:
    if request.method is not None:
        return request.method
    if request.preset is None and obligation is not None:
        return rules_of_obligation(obligation, grid.day(request.starts)).baseline
    name = request.preset or DEFAULT_PRESET
    if name not in PRESETS:
        raise Invalid.of([Problem("baseline.preset", "There is no such preset.", "preset", ", ".join(PRESETS))])
    return PRESETS[name]


def _statements(asset: Asset, method: Method, asked_days: tuple[date, date]) -> tuple[Statement, ...]:
    if gate_of(method) is None:
        return ()
    return tuple(statement_of(each) for each in metering.statements_of({asset.id: asset.id}, *asked_days)[asset.id])


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
