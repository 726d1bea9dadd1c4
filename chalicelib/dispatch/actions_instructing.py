"""Issues instructions, one or hundreds at once, each judged by itself and written once however often it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.competitions import actions_reads as competitions
from chalicelib.competitions.models import Competition
from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import store
from chalicelib.dispatch.actions_availability import availability_of
from chalicelib.dispatch.actions_footing import footing_of, rivals_in
from chalicelib.dispatch.actions_moving import Ledger, change_of, conflict_facts, entry_of, facts_of
from chalicelib.dispatch.actions_rules import rules_of
from chalicelib.dispatch.lifecycle import caught_up, moved, next_check_at
from chalicelib.dispatch.models import AutoAccept, Conflict, Entry, Instruction, Rival
from chalicelib.dispatch.requests import InstructionRequest, InstructionsRequest
from chalicelib.dispatch.rules import (
    Ground,
    auto_accepting,
    clashes,
    earnings,
    filled_span,
    instruction_problems,
)
from chalicelib.dispatch.rules_clocks import deadlines
from chalicelib.dispatch.terms import DispatchRules
from chalicelib.dispatch.views import InstructionOutcome, InstructionOutcomes
from chalicelib.kernel import periods
from chalicelib.kernel.call import Call, derived_id
from chalicelib.kernel.errors import Invalid, NotFound, Problem, Stale
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.periods import Span
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

TOGETHER = 12
MOVED = store.MOVED
_TURNS = 5
_MOST_WRITES = 80
_ASSETS_RECORDED = 5
_DAY = timedelta(days=1)
Judged = Instruction | list[Problem]


def issue_instructions(call: Call, request: InstructionsRequest) -> InstructionOutcomes:
    """Issue what can be issued; `Invalid` with every problem when nothing could.

    An instruction's id follows from its obligation and client token, so that one sent twice is answered as it stands.
    """
    wanted = list(request.instructions)
    known = Known()
    parts = [wanted[start : start + TOGETHER] for start in range(0, len(wanted), TOGETHER)]
    judged = [each for part in parts for each in _issue_some(call, part, known)]
    if not any(isinstance(each, Instruction) for each in judged):
        raise Invalid.of(_pointed("instructions", judged))
    items = [_outcome(asked, each) for asked, each in zip(wanted, judged, strict=True)]
    return keep_batch(call, InstructionOutcomes(items=tuple(items)))


def keep_batch(call: Call, outcomes: InstructionOutcomes) -> InstructionOutcomes:
    """Keep what came of a request for many under its Idempotency-Key, if it has one."""
    if call.idempotency is not None:
        batch_id = call.new_id("bat")
        commit(call, [store.new_batch(batch_id, outcomes.model_dump_json())], result=batch_id)
    return outcomes


def get_batch(call: Call, batch_id: str) -> InstructionOutcomes:
    """What came of a request for many; only its own caller's key leads here."""
    kept = store.find_batch(batch_id)
    if kept is None:
        raise NotFound("batch.not_found", "There is no such request.")
    return InstructionOutcomes.model_validate_json(kept)


def pointed(place: str, problems: Sequence[Problem]) -> list[Problem]:
    """Problems of one item, at its place in the request."""
    return [replace(each, field=f"{place}/{each.field}" if each.field else place) for each in problems]


def _pointed(name: str, judged: Sequence[Judged]) -> list[Problem]:
    return [
        problem
        for number, each in enumerate(judged)
        if not isinstance(each, Instruction)
        for problem in pointed(f"{name}/{number}", each)
    ]


def _issue_some(call: Call, wanted: Sequence[InstructionRequest], known: Known) -> list[Judged]:
    """A few in one transaction; where that meets somebody else's, or grows too large, one after the other."""
    if len(wanted) > 1:
        try:
            return _issue_together(call, wanted, known)
        except (Stale, _TooMany):
            return [_issue_one(call, each, known) for each in wanted]
    return [_issue_one(call, wanted[0], known)]


def _issue_one(call: Call, wanted: InstructionRequest, known: Known) -> Judged:
    for turn in range(_TURNS):
        try:
            return _issue_together(call, [wanted], known)[0]
        except Stale as stale:
            if turn == _TURNS - 1:
                return [Problem(stale.code, stale.detail, None, "send it again")]
    raise AssertionError("a turn always answers")


class _TooMany(Exception):
    """More writes than one transaction should hold."""


def _issue_together(call: Call, wanted: Sequence[InstructionRequest], known: Known) -> list[Judged]:
    desk = Desk(call, known, wanted)
    judged = [desk.issue(each) for each in wanted]
    desk.commit(len(wanted) > 1)
    return judged


@dataclass
class Known:
    """What does not change while a request is answered, read once for all its parts."""

    competitions: dict[str, Competition] = field(default_factory=dict)
    rules: dict[tuple[str, str | None], DispatchRules] = field(default_factory=dict)
    auto_accepts: dict[str, list[AutoAccept]] = field(default_factory=dict)

    def competition_of(self, obligation: Obligation) -> Competition:
        found = self.competitions.get(obligation.competition_id)
        if found is None:
            found = self.competitions[obligation.competition_id] = competitions.get_competition(
                obligation.competition_id
            )
        return found

    def rules_of(self, obligation: Obligation, at: datetime) -> DispatchRules:
        key = (obligation.so, obligation.market_rules)
        if key not in self.rules:
            self.rules[key] = rules_of(obligation, at)
        return self.rules[key]

    def auto_accepts_of(self, fsp: str) -> list[AutoAccept]:
        if fsp not in self.auto_accepts:
            self.auto_accepts[fsp] = store.list_auto_accepts(fsp)
        return self.auto_accepts[fsp]


class Desk:
    """The instructions of one transaction in the making, with all they are judged by, read together at the start."""

    def __init__(self, call: Call, known: Known, wanted: Sequence[InstructionRequest]) -> None:
        self.call = call
        self.made: dict[str, Instruction] = {}
        self._known = known
        self._ledger = Ledger()
        self._conflicts: list[Conflict] = []
        ids = list(dict.fromkeys(each.obligation_id for each in wanted))
        self._obligations = contracts.load_obligations(ids)
        self._standing = store.load_instructions(instruction_id(it.obligation_id, it.client_token) for it in wanted)
        self._guards = dict.fromkeys(self._obligations, 0) | store.guards_seen(self._obligations)
        self._footings = store.load_footings(self._obligations)
        self._shared = store.shared_among(self._obligations)
        self._guarded: set[str] = set()
        self._ledger.read((it.obligation_id, (it.start, it.end)) for it in wanted if it.start and it.end)

    def issue(self, asked: InstructionRequest) -> Judged:
        """The instruction asked for, new or as it stands already, or every reason against it."""
        obligation = self._obligations.get(asked.obligation_id)
        if obligation is None or obligation.so != self.call.organisation:
            return [Problem("obligation.not_found", "There is no such obligation.", "obligation_id")]
        wanted = instruction_id(asked.obligation_id, asked.client_token)
        standing = self.made.get(wanted) or self._standing.get(wanted)
        if standing is not None:
            return _same_or_refused(asked, standing)
        if obligation.state not in contracts.IN_FORCE:
            detail = f"The obligation is {obligation.state}; instructions need it contracted."
            return [Problem("obligation.not_contracted", detail, "obligation_id", "a contracted obligation")]
        judged = self._judged(asked, obligation)
        return judged if isinstance(judged, Instruction) else self._standing_by_now(asked, wanted) or judged

    def _standing_by_now(self, asked: InstructionRequest, wanted: str) -> Judged | None:
        """The same request, sent twice at once, may be what stands in its own way; it is answered as it stands."""
        standing = store.load_instructions([wanted]).get(wanted)
        return _same_or_refused(asked, standing) if standing is not None else None

    def _judged(self, asked: InstructionRequest, obligation: Obligation) -> Judged:
        if not asked.urgent and (asked.start is None or asked.end is None):
            missing = "start" if asked.start is None else "end"
            return [Problem("field.missing", f"{missing} is required unless it is urgent.", missing, "an instant")]
        self._guarded.add(obligation.id)
        ground = self._ground(obligation, asked.start or self.call.now, asked.end)
        span = filled_span(ground, asked.start, asked.end, self.call.now)
        if span is None:
            return [Problem("instruction.unavailable", "No availability period is on now.", "start", "a period's time")]
        ground = self._with_others(ground, span)
        problems = instruction_problems(ground, span, asked.mw, asked.urgent, self.call.now)
        return problems or self._made(asked, ground, span)

    def _ground(self, obligation: Obligation, start: datetime, end: datetime | None) -> Ground:
        around = (start - _DAY, max(start, end or start) + _DAY)
        rules = self._known.rules_of(obligation, self.call.now)
        footing = self._footings.get(obligation.id) or footing_of(self.call, obligation)
        return Ground(
            obligation,
            rules,
            availability_of(obligation, around, self.call.now, self._guards[obligation.id], rules),
            minimum_run_time=self._known.competition_of(obligation)
            .windows_by_id[obligation.window_id]
            .minimum_run_time,
            recovery_time=footing.recovery_time,
        )

    def _with_others(self, ground: Ground, span: Span) -> Ground:
        """The same with what else is instructed nearby; a span that is refused anyway is not looked at."""
        if not timedelta(0) < span[1] - span[0] <= ground.obligation.maximum_run_time:
            return ground
        near = (span[0] - ground.recovery_time, span[1] + ground.recovery_time)
        own = ground.obligation.id
        sharing = rivals_in(own, near) if own in self._shared else []
        rivals = [(rival, self._ledger.entries(rival.obligation_id, near)) for rival in sharing]
        return replace(ground, entries=self._ledger.entries(own, near), rivals=rivals)

    def _made(self, asked: InstructionRequest, ground: Ground, span: Span) -> Instruction:
        made = new_instruction(self.call, ground.obligation, ground.rules, span, asked)
        met = clashes(ground, span)
        made = made.but(conflicts=tuple(self._conflict(made, rival, entry) for rival, entry in met))
        made = self._sent(made)
        self._ledger.put(ground.obligation.id, span, entry_of(made))
        self.made[made.id] = made
        return made

    def _sent(self, made: Instruction) -> Instruction:
        now = self.call.now
        sent = moved(made, "send", now, self.call.actor.id)
        rule = auto_accepting(self._known.auto_accepts_of(made.fsp), sent, now) if sent.respond_by else None
        if rule is not None:
            sent = moved(sent, "acknowledge", now, rule.id, acknowledged_mw=sent.requested_mw)
        return caught_up(sent, now)

    def _conflict(self, made: Instruction, rival: Rival, entry: Entry) -> str:
        conflict = Conflict(
            id=derived_id("cfl", *sorted((made.id, entry.instruction_id))),
            instruction_ids=(made.id, entry.instruction_id),
            obligation_ids=(made.obligation_id, rival.obligation_id),
            sos=(made.so, rival.so),
            asset_ids=rival.asset_ids,
            start=max(made.start, entry.start),
            end=min(made.end, entry.end),
            detected_at=self.call.now,
        )
        self._conflicts.append(conflict)
        return conflict.id

    def commit(self, may_split: bool) -> None:
        """Write everything in one transaction; `_TooMany` where it should be split."""
        if not self.made:
            return
        writes = [store.save_instruction(each, next_check_at(each)) for each in self.made.values()]
        writes += self._ledger.writes() + [store.check_guard(each, self._guards[each]) for each in self._guarded]
        writes += self._conflict_writes()
        if may_split and len(writes) + len(self.made) > _MOST_WRITES:
            raise _TooMany
        pairs = [(None, each) for each in self.made.values()]
        facts = facts_of(pairs) + conflict_facts(self._conflicts)
        commit(self.call, writes, facts, [change_of(None, each) for each in self.made.values()])

    def _conflict_writes(self) -> list[Write]:
        """Each conflict, and the other operators' instructions with it."""
        writes = [
            write
            for each in self._conflicts
            for write in store.save_conflict(each, each.start.date(), _ASSETS_RECORDED)
        ]
        met: dict[str, list[str]] = {}
        for each in self._conflicts:
            met.setdefault(each.instruction_ids[1], []).append(each.id)
        for other in store.load_instructions(met).values():
            shown = other.but(conflicts=(*other.conflicts, *met[other.id]), version=other.version + 1)
            writes.append(store.save_instruction(shown, next_check_at(shown)))
        return writes


def instruction_id(obligation_id: str, client_token: str) -> str:
    """The id of the instruction that a token names: the same however often it is sent."""
    return derived_id("ins", obligation_id, client_token)


def new_instruction(
    call: Call, obligation: Obligation, rules: DispatchRules, span: Span, asked: InstructionRequest
) -> Instruction:
    """An instruction not yet sent, with the clocks it will have when it is sent now."""
    zone = periods.zone_of(obligation.time_zone)
    clocks = deadlines(rules, call.now, span[1], zone, holidays_of(obligation.holiday_region))
    return Instruction(
        id=instruction_id(obligation.id, asked.client_token),
        obligation_id=obligation.id,
        so=obligation.so,
        fsp=obligation.fsp,
        competition_id=obligation.competition_id,
        competition_reference=obligation.competition_reference,
        client_token=asked.client_token,
        urgent=asked.urgent,
        start=span[0],
        end=span[1],
        requested_mw=asked.mw,
        send_at=call.now,
        respond_by=clocks.respond_by,
        escalate_at=clocks.escalate_at,
        minimum_part=rules.minimum_part,
        rules_version=rules.version,
        utilisation_price=obligation.utilisation_price,
        currency=obligation.currency,
        time_zone=obligation.time_zone,
        issued_by=call.actor.id,
        issued_at=call.now,
        changed_at=call.now,
    )


def _same_or_refused(asked: InstructionRequest, standing: Instruction) -> Judged:
    same = (
        asked.mw == standing.requested_mw
        and asked.start in (None, standing.start)
        and asked.end in (None, standing.end)
        and not standing.test
    )
    if same:
        return standing
    detail = "This client token named another instruction of the obligation before."
    return [Problem("instruction.token_used", detail, "client_token", "a token of its own for each instruction")]


def _outcome(asked: InstructionRequest, judged: Judged) -> InstructionOutcome:
    if isinstance(judged, Instruction):
        return InstructionOutcome(
            client_token=asked.client_token,
            instruction_id=judged.id,
            outcome="issued",
            state=judged.state,
            earns=earnings(judged),
            conflicts=judged.conflicts,
        )
    problems = tuple(problem.as_dict() for problem in judged)
    return InstructionOutcome(client_token=asked.client_token, outcome="refused", problems=problems)
