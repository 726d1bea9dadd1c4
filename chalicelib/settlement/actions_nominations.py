"""Takes nominations and weekly templates, shows them, and tells for which events they came too late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.assets import actions_reads as assets
from chalicelib.assets.models import Asset
from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import actions_reads as dispatch
from chalicelib.dispatch.models import Instruction
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Problem, raise_problems
from chalicelib.kernel.periods import Span, days_span
from chalicelib.metering import actions_statements as metering
from chalicelib.metering.actions_statements import Kept
from chalicelib.metering.models_statements import Kind, Schedule, TypicalWeek
from chalicelib.metering.reading import LOCAL
from chalicelib.metering.rules_statements import (
    kilowatts,
    latest_by_day,
    milliwatts,
    schedule_problems,
    week_problems,
)
from chalicelib.settlement.actions_rules import rules_of_obligation
from chalicelib.settlement.requests_nominations import (
    NominationRequest,
    NominationsQuery,
    NominationsRequest,
    NominationsView,
    NominationView,
    StatedView,
    StatementsView,
    WeeklyTemplateRequest,
    WeeklyTemplateView,
)
from chalicelib.settlement.statements import counts_from, gate_of
from chalicelib.storage import objects
from chalicelib.storage.commit import commit

_AHEAD = timedelta(days=14)
_BACK = timedelta(days=1)
_OFF = frozenset({"declined", "expired", "cancelled"})


def state_nominations(call: Call, request: NominationsRequest) -> NominationsView:
    """Keep statements of the caller's own assets, all or none; `Invalid` with every problem of any.

    A statement that comes after an event's gate is kept; for that event the earlier one holds, and the answer says so.
    """
    known = _named(call.organisation, [*request.nominations, *request.weekly_templates])
    raise_problems(_problems(request, known), "nominations.invalid")
    source = call.new_id("nom")
    schedules = [schedule_of(call, each, known[_name(each)].id, source) for each in request.nominations]
    weeks = [week_of(call, each, known[_name(each)].id, source) for each in request.weekly_templates]
    found = NominationsView(items=tuple(take(call, call.organisation, schedules, weeks)))
    return _kept_under_its_key(call, found)


def take(call: Call, owner: str, schedules: Sequence[Schedule], weeks: Sequence[TypicalWeek]) -> list[StatedView]:
    """Keep statements whose figures and assets were checked, and tell what each is good for, in their order."""
    ids = [*(each.asset_id for each in schedules), *(each.asset_id for each in weeks)]
    gates = Gates(call.now, ids)
    kept = metering.state_days(call, owner, schedules)
    kept_weeks = metering.state_weeks(call, owner, weeks)
    told = [gates.told(schedule, each) for schedule, each in zip(schedules, kept, strict=True)]
    return told + [gates.told(week, each) for week, each in zip(weeks, kept_weeks, strict=True)]


def replay_nominations(call: Call, result: str) -> NominationsView:
    """What became of statements that were sent before under the same Idempotency-Key."""
    return NominationsView.model_validate(objects.get_json(result))


def list_statements(call: Call, query: NominationsQuery) -> StatementsView:
    """What was stated of an asset, for its FSP and the operators it has obligations to."""
    asset = seen_asset(call, query.asset_id)
    schedules = metering.schedules_between(asset.id, query.first, query.last)
    standing = latest_by_day(schedules)
    shown = [
        NominationView(
            day=each.day, submitted_at=each.submitted_at, stands=standing[each.day] == each, kw=kilowatts(each.values)
        )
        for each in sorted(schedules, key=lambda each: (each.day, each.submitted_at, each.source))
    ]
    weeks = metering.weeks_of(asset.id)
    templates = [
        WeeklyTemplateView(submitted_at=each.submitted_at, stands=each is weeks[-1], kw=kilowatts(each.values))
        for each in weeks
    ]
    return StatementsView(
        asset_id=asset.id,
        nominations=tuple(each for each in shown if query.versions or each.stands),
        weekly_templates=tuple(each for each in templates if query.versions or each.stands),
    )


def seen_asset(call: Call, asset_id: str) -> Asset:
    """An asset of the caller's own, or one an obligation to the caller stands on; `NotFound` otherwise."""
    asset = assets.load_assets([asset_id]).get(asset_id)
    if asset is not None and call.actor.organisation_kind == "so":
        if any(each.so == call.organisation for each in assets.commitments_of([asset_id])[asset_id]):
            return asset
    elif asset is not None and asset.owner == call.organisation:
        return asset
    raise NotFound("asset.not_found", "There is no such asset.")


def schedule_of(call: Call, request: NominationRequest, asset_id: str, source: str) -> Schedule:
    """A checked request as a schedule stated now."""
    values = milliwatts(request.kw)
    return Schedule(asset_id=asset_id, day=request.day, values=values, submitted_at=call.now, source=source)


def week_of(call: Call, request: WeeklyTemplateRequest, asset_id: str, source: str) -> TypicalWeek:
    """A checked request as a typical week stated now."""
    return TypicalWeek(asset_id=asset_id, values=milliwatts(request.week), submitted_at=call.now, source=source)


@dataclass(frozen=True, slots=True)
class _Settled:
    """An obligation settled by statements, and its gate."""

    obligation: Obligation
    gate: timedelta


class Gates:
    """The gates of the obligations behind some assets, each looked up once."""

    def __init__(self, now: datetime, asset_ids: Iterable[str]) -> None:
        self._now = now
        self._committed = assets.commitments_of(asset_ids)
        wanted = {each.obligation_id for commitments in self._committed.values() for each in commitments}
        self._obligations = contracts.load_obligations(wanted)
        self._gates: dict[tuple[str, Kind, date], timedelta | None] = {}
        self._instructions: dict[tuple[str, Span], list[Instruction]] = {}

    def told(self, statement: Schedule | TypicalWeek, kept: Kept) -> StatedView:
        """What became of a statement, with the events it is too late for."""
        is_schedule = isinstance(statement, Schedule)
        kind: Kind = "nominated" if is_schedule else "weekly_template"
        day = statement.day if isinstance(statement, Schedule) else self._now.astimezone(LOCAL).date()
        before = kept.before if kept.outcome == "unchanged" else None
        submitted_at = before.submitted_at if before else statement.submitted_at
        span = days_span(day, day, LOCAL) if is_schedule else (self._now - _BACK, self._now + _AHEAD)
        settled = self._settled(statement.asset_id, kind, day)
        after = max((counts_from(submitted_at, each.gate) for each in settled), default=None)
        late = [
            instruction.id
            for each in settled
            for instruction in self._instructed(each.obligation, span)
            if instruction.start <= counts_from(submitted_at, each.gate)
        ]
        return StatedView(
            kind=kind,
            asset_id=statement.asset_id,
            day=day if is_schedule else None,
            outcome=kept.outcome,
            submitted_at=submitted_at,
            obligations=tuple(each.obligation.id for each in settled),
            counts_after=after,
            too_late_for=tuple(late),
            remark=_remark(late, after, span, is_schedule),
        )

    def _settled(self, asset_id: str, kind: Kind, day: date) -> list[_Settled]:
        """The obligations behind an asset on a day whose rules settle by statements of a kind."""
        gates = [(each, self._gate(each, kind, day)) for each in self._behind(asset_id)]
        return [_Settled(obligation, gate) for obligation, gate in gates if gate is not None]

    def _behind(self, asset_id: str) -> list[Obligation]:
        ids = (each.obligation_id for each in self._committed[asset_id])
        return [self._obligations[id_] for id_ in ids if id_ in self._obligations]

    def _gate(self, obligation: Obligation, kind: Kind, day: date) -> timedelta | None:
        if not obligation.period_start <= day <= obligation.period_end:
            return None
        key = (obligation.id, kind, day)
        if key not in self._gates:
            method = rules_of_obligation(obligation, day).baseline
            self._gates[key] = gate_of(method) if method.kind == kind else None
        return self._gates[key]

    def _instructed(self, obligation: Obligation, span: Span) -> list[Instruction]:
        key = (obligation.id, span)
        if key not in self._instructions:
            found = dispatch.instructions_in(obligation.id, span)
            self._instructions[key] = [each for each in found if each.state not in _OFF]
        return self._instructions[key]


def _remark(late: Sequence[str], after: datetime | None, span: Span, is_schedule: bool) -> str | None:
    """A sentence on what a statement came too late for."""
    if late:
        return (
            f"The gate of {len(late)} instructions had passed: for them what was stated earlier holds, "
            "and this counts for later ones."
        )
    if is_schedule and after is not None and after >= span[1]:
        return "The gate of every event of this day had passed: what was stated earlier holds for it."
    return None


def _named(
    owner: str, requests: Sequence[NominationRequest | WeeklyTemplateRequest]
) -> dict[tuple[str | None, str | None], Asset]:
    """The owner's assets by how requests name them; unknown ones and others' are left out."""
    by_id = assets.load_assets(each.asset_id for each in requests if each.asset_id)
    by_ref = assets.find_by_refs(owner, {each.asset_ref for each in requests if each.asset_ref})
    found = {_name(each): by_id.get(each.asset_id or "") or by_ref.get(each.asset_ref or "") for each in requests}
    return {name: asset for name, asset in found.items() if asset is not None and asset.owner == owner}


def _name(request: NominationRequest | WeeklyTemplateRequest) -> tuple[str | None, str | None]:
    return request.asset_id, request.asset_ref


def _problems(request: NominationsRequest, known: dict[tuple[str | None, str | None], Asset]) -> list[Problem]:
    found: list[Problem] = []
    seen: set[tuple[str, date | None]] = set()
    for number, each in enumerate(request.nominations):
        found += _named_once(f"nominations/{number}", known.get(_name(each)), each.day, seen)
        found += schedule_problems(each.day, each.kw, f"nominations/{number}/kw")
    for number, week in enumerate(request.weekly_templates):
        found += _named_once(f"weekly_templates/{number}", known.get(_name(week)), None, seen)
        found += week_problems(week.week, f"weekly_templates/{number}/kw")
    return found


def _named_once(place: str, asset: Asset | None, day: date | None, seen: set[tuple[str, date | None]]) -> list[Problem]:
    if asset is None:
        return [Problem("asset.unknown", "You have no such asset.", f"{place}/asset_id", "an asset of your own")]
    if (asset.id, day) in seen:
        detail = "It stands twice in this request." if day is None else f"{day} of this asset stands twice."
        return [Problem("nomination.repeated", detail, place, "each once")]
    seen.add((asset.id, day))
    return []


def _kept_under_its_key(call: Call, found: NominationsView) -> NominationsView:
    """Keep what became of a request under its Idempotency-Key, if it has one."""
    if call.idempotency is not None:
        commit(call, [], result=objects.put_json(found.model_dump(mode="json"), "nominations"))
    return found
