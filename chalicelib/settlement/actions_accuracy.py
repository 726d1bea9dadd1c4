"""Tells an FSP how well its forecasts fitted its meters: what it stated, or else what its baseline would have said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from chalicelib.assets import actions_reads as assets
from chalicelib.assets.models import Asset
from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Refused
from chalicelib.kernel.periods import Span, day_span, days_between
from chalicelib.metering import actions_statements as metering
from chalicelib.metering.models_statements import Kind, Schedule, Stated
from chalicelib.metering.rules_statements import as_stated, weeks_as_stated
from chalicelib.settlement.actions_history import History, history_of, holidays_by, own_asset, own_obligation
from chalicelib.settlement.actions_rules import rules_of_obligation
from chalicelib.settlement.baselines import Question, baseline
from chalicelib.settlement.forecasts import ONE_WATT_MW, Pair, fit_of, pairs_of, stated_by_gate, together
from chalicelib.settlement.methods import DEFAULT_PRESET, PRESETS, Historical, Nominated, WeeklyTemplate
from chalicelib.settlement.models import MarketRules, ScheduleAccuracy
from chalicelib.settlement.requests_nominations import AccuracyOfDay, AccuracyQuery, AccuracyView
from chalicelib.settlement.series import Series
from chalicelib.settlement.statements import statement_of

MOST_ASSETS = 100
_HALF_HOURLY = 30
EMPTY = (
    "There is nothing to compare yet: no half-hour of these days has both a reading and a forecast outside an event. "
    "State nominations or a weekly template, or send readings of at least five earlier days."
)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What is compared: assets together, their history, statements and the rules of their obligation."""

    found: Sequence[Asset]
    obligation: Obligation | None
    known: History
    schedules: Mapping[str, Mapping[date, list[Schedule]]]
    weeks: Mapping[str, list[Stated]]
    holidays: frozenset[date]
    metered: Series

    @property
    def events(self) -> list[Span]:
        return [span for spans in self.known.events.values() for span in spans]

    def rules_on(self, day: date) -> MarketRules | None:
        return rules_of_obligation(self.obligation, day) if self.obligation else None


def get_accuracy(call: Call, query: AccuracyQuery) -> AccuracyView:
    """How near the forecasts of an asset, or of an obligation's assets together, came on each local day."""
    ground = _ground(call, query)
    days: list[AccuracyOfDay] = []
    everything: list[Pair] = []
    for day in days_between(query.first, query.last):
        told, pairs = _day(ground, day)
        if pairs:
            days.append(told)
            everything += pairs
    fit = fit_of(everything, _epsilon(ground, query.last))
    return AccuracyView(
        days=tuple(days),
        compared=fit.compared,
        accuracy=fit.accuracy,
        mean_absolute_error_kw=fit.mean_absolute_error_kw,
        empty=None if days else EMPTY,
    )


def _ground(call: Call, query: AccuracyQuery) -> _Ground:
    obligation = own_obligation(call, query.obligation_id) if query.obligation_id else None
    found = _behind(obligation) if obligation else [own_asset(call, query.asset_id or "")]
    known = history_of(found, query.first - timedelta(days=_longest(obligation, query)), query.last, _HALF_HOURLY)
    return _Ground(
        found,
        obligation,
        known,
        {asset.id: _schedules(asset.id, query.first, query.last) for asset in found},
        {asset.id: weeks_as_stated(metering.weeks_of(asset.id)) for asset in found},
        holidays_by(obligation.so if obligation else None),
        together([known.readings[asset.id] for asset in found]),
    )


def _behind(obligation: Obligation) -> list[Asset]:
    """The assets behind an obligation; `Refused` where they are too many to be read while somebody waits."""
    if obligation.asset_count > MOST_ASSETS:
        detail = f"There are {obligation.asset_count} assets behind it; at most {MOST_ASSETS} are compared at once."
        raise Refused("accuracy.too_many_assets", f"{detail} Ask asset by asset.")
    ids = [each.asset_id for each in contracts.list_assets(obligation.id)]
    return list(assets.load_assets(ids).values())


def _schedules(asset_id: str, first: date, last: date) -> dict[date, list[Schedule]]:
    found: dict[date, list[Schedule]] = {}
    for schedule in metering.schedules_between(asset_id, first, last):
        found.setdefault(schedule.day, []).append(schedule)
    return found


def _longest(obligation: Obligation | None, query: AccuracyQuery) -> int:
    """How many days before the first its baselines read."""
    ends = [rules_of_obligation(obligation, day) for day in (query.first, query.last)] if obligation else [None]
    return max(_history_of(rules).look_back_days for rules in ends)


def _history_of(rules: MarketRules | None) -> Historical:
    """The history-based baseline that stands in where nothing was stated; judged without the day's own start."""
    if rules is None or not isinstance(rules.baseline, Historical):
        return PRESETS[DEFAULT_PRESET]
    return rules.baseline.but(adjustment=None)  # type: ignore[no-any-return]


def _day(ground: _Ground, day: date) -> tuple[AccuracyOfDay, list[Pair]]:
    """A day by the forecast it has: schedules of all assets, else their templates, else the baseline."""
    grid = ground.known.grid
    periods = grid.periods(day_span(day, grid.zone))
    kind, forecast = _forecast(ground, day, periods)
    skipped = kind == "baseline" and day in ground.known.event_days()
    pairs = [] if skipped else list(pairs_of(periods, ground.metered, forecast, ground.events, grid))
    fit = fit_of(pairs, _epsilon(ground, day))
    told = AccuracyOfDay(
        day=day,
        forecast=kind,  # type: ignore[arg-type]
        compared=fit.compared,
        left_out=len(periods) - fit.compared,
        accuracy=fit.accuracy,
        mean_absolute_error_kw=fit.mean_absolute_error_kw,
    )
    return told, pairs


def _forecast(ground: _Ground, day: date, periods: Sequence[datetime]) -> tuple[str, Mapping[datetime, Fraction]]:
    for kind in ("nominated", "weekly_template"):
        rows = [_stated(ground, asset.id, kind, day, periods) for asset in ground.found]
        if rows and all(rows):
            both = together(rows)
            return kind, {period: Fraction(value) for period, value in both.items()}
    return "baseline", _baseline(ground, day)


def _stated(ground: _Ground, asset_id: str, kind: Kind, day: date, periods: Sequence[datetime]) -> dict[datetime, int]:
    """What an asset's own statements of a kind said of a day, each half-hour as it stood at its gate."""
    of_day = ground.schedules[asset_id].get(day, [])
    told = as_stated(of_day) if kind == "nominated" else ground.weeks[asset_id]
    return stated_by_gate(_method(ground, kind, day), [statement_of(each) for each in told], periods, ground.known.grid)


def _method(ground: _Ground, kind: Kind, day: date) -> Nominated | WeeklyTemplate:
    """The method of the obligation's rules where it takes such statements, for its gate; else as it ships."""
    rules = ground.rules_on(day)
    if rules is not None and isinstance(rules.baseline, Nominated | WeeklyTemplate) and rules.baseline.kind == kind:
        return rules.baseline
    return Nominated() if kind == "nominated" else WeeklyTemplate()


def _baseline(ground: _Ground, day: date) -> Mapping[datetime, Fraction]:
    asked = Question(
        day_span(day, ground.known.grid.zone),
        ground.known.grid,
        holidays=ground.holidays,
        event_days=ground.known.event_days(),
        outage_days=ground.known.outage_days(),
    )
    return baseline(_history_of(ground.rules_on(day)), asked, ground.metered).values


def _epsilon(ground: _Ground, day: date) -> Decimal:
    """Below it a metered half-hour tells nothing of the share."""
    rules = ground.rules_on(day)
    judged = rules.performance if rules else None
    return judged.epsilon_mw if isinstance(judged, ScheduleAccuracy) else ONE_WATT_MW
