"""Gathers what a run takes: obligations, every operator's instructions to their meters, availability, readings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from chalicelib.assets import actions_reads as assets
from chalicelib.assets.models import Commitment
from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import ObligatedAsset, Obligation
from chalicelib.dispatch import actions as dispatch
from chalicelib.dispatch.models import Instruction as Dispatched
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.periods import days_between, local_day, zone_of
from chalicelib.registry import actions as registry
from chalicelib.settlement import store, store_runs
from chalicelib.settlement.actions_evidence import devices_of, evidence_of, reads_of
from chalicelib.settlement.ground import Ground
from chalicelib.settlement.inputs import LOOK_BACK_DAYS, Inputs, Promise, Stretch, month_of
from chalicelib.settlement.models import NOT_DELIVERED, SETTLED, Instruction, MarketRules
from chalicelib.settlement.models_runs import MeterQuality, Run
from chalicelib.settlement.points import connected, points_of
from chalicelib.settlement.taking import Metered, instruction_as_taken, members_behind, refs_of, stretches_of


def gather(run: Run, now: datetime) -> Iterator[Inputs]:
    """The inputs of a run, cluster by cluster: obligations that share no meter stand apart.

    Instructions still running at `now` wait for a later run.
    """
    ground = ground_of(run, now)
    links = {id_: [ground.points[each.asset_id].name for each in behind] for id_, behind in ground.behind.items()}
    for cluster in connected(links):
        if any(ground.is_settled(id_) for id_ in cluster):
            yield _inputs(ground, cluster)


def ground_of(run: Run, now: datetime) -> Ground:
    operator = registry.get_operator(run.so)
    own = {each.id: each for each in contracts.list_all_obligations("so", run.so) if _overlaps(each, run)}
    behind = {id_: list(contracts.list_assets(id_)) for id_ in own}
    held = assets.commitments_of(_sharing(behind))
    others = contracts.load_obligations(_others(held, run) - own.keys())
    behind |= {id_: list(contracts.list_assets(id_)) for id_ in others}
    held |= assets.commitments_of(_assets(behind) - held.keys())
    meters = {each.asset_id: _meters(each) for assets_behind in behind.values() for each in assets_behind}
    return Ground(
        run=run,
        now=now,
        zone=zone_of(operator.time_zone),
        holidays=holidays_of(operator.holiday_region),
        versions=[MarketRules.model_validate(_only_rules(each)) for each in store.list_rules(run.so)],
        obligations=own | others,
        behind=behind,
        points=points_of(meters),
        held=held,
    )


def _overlaps(obligation: Obligation, run: Run) -> bool:
    """A window that starts on the day before may run into the first day: its meters are shared."""
    return obligation.period_start <= run.last and obligation.period_end >= run.first - timedelta(days=1)


def _only_rules(kept: MarketRules) -> dict[str, object]:
    return {name: getattr(kept, name) for name in MarketRules.model_fields}


def _sharing(behind: Mapping[str, Sequence[ObligatedAsset]]) -> list[str]:
    """The assets behind obligations, and whoever's have a meter in common with them."""
    meters = {meter for assets_behind in behind.values() for each in assets_behind for meter in _meters(each)}
    return sorted(_assets(behind) | set(assets.assets_with_meters(meters)))


def _assets(behind: Mapping[str, Sequence[ObligatedAsset]]) -> set[str]:
    return {each.asset_id for assets_behind in behind.values() for each in assets_behind}


def _others(held: Mapping[str, Sequence[Commitment]], run: Run) -> set[str]:
    """The obligations, any operator's, that hold any of these assets to anything in the days a run looks at."""
    earliest = run.first - timedelta(days=LOOK_BACK_DAYS + 2)
    latest = run.last + timedelta(days=2)
    return {
        each.obligation_id
        for commitments in held.values()
        for each in commitments
        if each.starts.date() <= latest and each.ends.date() >= earliest
    }


def _meters(asset: ObligatedAsset) -> tuple[str, ...]:
    return tuple(meter for meter in (asset.import_meter_id, asset.export_meter_id) if meter)


def _inputs(ground: Ground, cluster: Sequence[str]) -> Inputs:
    promises = {id_: _promise(ground, ground.obligations[id_]) for id_ in cluster if ground.is_settled(id_)}
    known = {id_: _instructions(ground, id_) for id_ in cluster}
    rules = {
        each.id: ground.rules_of(ground.obligations[id_], local_day(each.start, ground.zone))
        for id_ in promises
        for each in known[id_]
        if _is_to_settle(each, ground)
    }
    taken = _taken(ground, known, rules, promises)
    reads = reads_of(ground, cluster, rules)
    return Inputs(
        first=ground.run.first,
        last=ground.run.last,
        promises=list(promises.values()),
        instructions=taken,
        rules=rules,
        known=evidence_of(ground, cluster, known, reads, rules),
        quality=_quality(ground, promises, reads),
    )


def _quality(
    ground: Ground, obligation_ids: Iterable[str], reads: Mapping[str, Metered]
) -> dict[str, list[MeterQuality]]:
    """How complete the meters behind the obligations settled are, by provider, each with its own assets' references."""
    behind: dict[str, list[ObligatedAsset]] = {}
    for id_ in obligation_ids:
        behind.setdefault(ground.obligations[id_].fsp, []).extend(ground.behind[id_])
    return {
        fsp: [reads[meter].quality.but(asset_ref=refs) for meter, refs in refs_of(found).items()]
        for fsp, found in behind.items()
    }


def _promise(ground: Ground, obligation: Obligation) -> Promise:
    run = ground.run
    months = sorted({month_of(day) for day in days_between(run.first, run.last)})
    return Promise(
        id=obligation.id,
        fsp=obligation.fsp,
        competition_reference=obligation.competition_reference,
        window_name=obligation.window_name,
        period_start=obligation.period_start,
        period_end=obligation.period_end,
        capacity_mw=obligation.capacity_mw,
        rules={
            month: ground.rules_of(obligation, max(date.fromisoformat(f"{month}-01"), obligation.period_start))
            for month in months
        },
        availability_price=obligation.availability_price,
        service_fee=obligation.service_fee,
        stretches=_stretches(ground, obligation),
        performed=store_runs.list_performance(obligation.id),
    )


def _stretches(ground: Ground, obligation: Obligation) -> list[Stretch]:
    periods = dispatch.availability_of(obligation, ground.span, ground.now)
    return [
        stretch for stretch in stretches_of(periods, ground.zone) if ground.run.first <= stretch.day <= ground.run.last
    ]


def _instructions(ground: Ground, obligation_id: str) -> list[Dispatched]:
    found = dispatch.instructions_in(obligation_id, ground.longest)
    return [dispatch.caught_up(each, ground.now) for each in found]


def _is_to_settle(instruction: Dispatched, ground: Ground) -> bool:
    day = local_day(instruction.start, ground.zone)
    over = instruction.effective_end <= ground.now
    settles = instruction.state in SETTLED | NOT_DELIVERED
    return settles and over and ground.run.first <= day <= ground.run.last


def _taken(
    ground: Ground,
    known: Mapping[str, Sequence[Dispatched]],
    rules: Mapping[str, MarketRules],
    promises: Mapping[str, Promise],
) -> list[Instruction]:
    """The instructions to settle, and every other that may run beside one of them."""
    low, high = ground.span[0] - timedelta(days=1), ground.span[1] + timedelta(days=1)
    devices = devices_of(ground, known, rules)
    taken = []
    for id_, found in known.items():
        members = members_behind(ground.behind[id_], ground.points, devices)
        stretches = promises[id_].stretches if id_ in promises else ()
        taken += [
            instruction_as_taken(each, ground.obligations[id_], members, stretches)
            for each in found
            if each.effective_end > each.start and each.start < high and each.effective_end > low
        ]
    return taken
