"""Gathers what is known of a cluster's meter points: readings, events by any operator, outages, statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from chalicelib.assets import actions_reads as assets
from chalicelib.dispatch.models import Instruction as Dispatched
from chalicelib.kernel.periods import Span, local_day
from chalicelib.metering import actions as metering
from chalicelib.metering.actions_evidence import read_meters
from chalicelib.metering.models_reads import HALF_HOURLY
from chalicelib.metering.models_statements import Stated
from chalicelib.settlement.actions_outages import outage_days_by
from chalicelib.settlement.baselines import Statement
from chalicelib.settlement.ground import Ground
from chalicelib.settlement.inputs import LOOK_BACK_DAYS
from chalicelib.settlement.measuring import Evidence
from chalicelib.settlement.methods import FixedReference, Nominated, WeeklyTemplate
from chalicelib.settlement.models import MarketRules
from chalicelib.settlement.points import Point
from chalicelib.settlement.series import Grid
from chalicelib.settlement.statements import statements_of_point
from chalicelib.settlement.taking import Metered, metered_of

_UNTOUCHED = frozenset({"declined", "expired", "cancelled"})
"""Instructions that nobody was to deliver: their days stay in history."""


def devices_of(ground: Ground, obligation_ids: Iterable[str], rules: Mapping[str, MarketRules]) -> dict[str, int]:
    """How many devices each asset is, where a profile per device is any instruction's baseline."""
    if not any(isinstance(each.baseline, FixedReference) for each in rules.values()):
        return {}
    ids = [each.asset_id for id_ in obligation_ids for each in ground.behind[id_]]
    return {id_: asset.device_count for id_, asset in assets.load_assets(ids).items()}


def evidence_of(
    ground: Ground,
    cluster: Sequence[str],
    known: Mapping[str, Sequence[Dispatched]],
    reads: Mapping[str, Metered],
    rules: Mapping[str, MarketRules],
) -> Evidence:
    minutes = max((read.minutes for read in reads.values()), default=HALF_HOURLY)
    points = {each.asset_id: ground.points[each.asset_id] for id_ in cluster for each in ground.behind[id_]}
    return Evidence(
        grid=Grid(minutes, ground.zone),
        readings={meter: read.of(minutes) for meter, read in reads.items()},
        holidays=ground.holidays,
        events=_events(ground, known),
        outage_days=_outages(ground, points) if rules else {},
        statements=_statements(ground, points, rules),
    )


def _events(ground: Ground, known: Mapping[str, Sequence[Dispatched]]) -> dict[str, list[Span]]:
    """The spans of every instruction to each point, by any operator."""
    events: dict[str, list[Span]] = {}
    for id_, found in known.items():
        spans = [(each.start, each.effective_end) for each in found if each.state not in _UNTOUCHED]
        for name in sorted({ground.points[each.asset_id].name for each in ground.behind[id_]}):
            events.setdefault(name, []).extend(spans)
    return events


def _outages(ground: Ground, points: Mapping[str, Point]) -> dict[str, frozenset[date]]:
    first, last = (local_day(at, ground.zone) for at in ground.longest)
    by_asset = outage_days_by({asset: ground.held[asset] for asset in sorted(points)}, first, last, ground.zone)
    found: dict[str, frozenset[date]] = {}
    for asset, point in points.items():
        found[point.name] = found.get(point.name, frozenset()) | by_asset.get(asset, frozenset())
    return found


def _statements(
    ground: Ground, points: Mapping[str, Point], rules: Mapping[str, MarketRules]
) -> dict[str, list[Statement]]:
    """What providers stated of each point, where any instruction's baseline is a schedule or a template of theirs."""
    if not any(isinstance(each.baseline, Nominated | WeeklyTemplate) for each in rules.values()):
        return {}
    names = {asset: asset for asset in points}
    stated = metering.statements_of(names, ground.run.first, ground.run.last + timedelta(days=1))
    behind: dict[str, list[Sequence[Stated]]] = {}
    for asset, point in points.items():
        behind.setdefault(point.name, []).append(stated[asset])
    return {name: statements_of_point(each) for name, each in behind.items()}


def reads_of(ground: Ground, cluster: Sequence[str], rules: Mapping[str, MarketRules]) -> dict[str, Metered]:
    """What was read of the cluster's meters; with instructions to settle, as far back as any history goes."""
    run, points = ground.run, [ground.points[each.asset_id] for id_ in cluster for each in ground.behind[id_]]
    meters = sorted({meter for point in points for meter in point.meters})
    back = timedelta(days=LOOK_BACK_DAYS if rules else 0)
    found = read_meters(meters, run.first - back, run.last + timedelta(days=1))
    return {read.meter_id: metered_of(read, run.first, run.last) for read in found}
