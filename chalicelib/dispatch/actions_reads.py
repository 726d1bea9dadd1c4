"""Tells of instructions: one, lists, the schedule, conflicts, and what later rooms settle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from chalicelib.contracts import actions_operations as contracts
from chalicelib.dispatch import store
from chalicelib.dispatch.actions_availability import availability_of, own_obligation, side
from chalicelib.dispatch.lifecycle import MOVES, caught_up
from chalicelib.dispatch.models import AvailabilityPeriod, Conflict, Instruction
from chalicelib.dispatch.requests import ConflictQuery, InstructionQuery, ScheduleQuery
from chalicelib.dispatch.rules import days_of, earnings
from chalicelib.dispatch.views import ConflictView, InstructionView
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.lifecycle import actions_from
from chalicelib.kernel.models import Page
from chalicelib.kernel.periods import Span
from chalicelib.registry import actions as registry

_YEAR = timedelta(days=366)
_BY_CLOCK = frozenset({"send", "expire"})


def own_instruction(call: Call, instruction_id: str) -> Instruction:
    """An instruction the caller is party to, as stored; `NotFound` otherwise."""
    instruction = store.find_instruction(instruction_id)
    if instruction is None or call.actor.organisation not in (instruction.so, instruction.fsp):
        raise NotFound("instruction.not_found", "There is no such instruction.")
    return instruction


def get_instruction(call: Call, instruction_id: str) -> InstructionView:
    """One instruction as it stands now, for either side."""
    return view_of(call, own_instruction(call, instruction_id))


def list_instructions(call: Call, query: InstructionQuery) -> Page[InstructionView]:
    """The caller's instructions by start, as they stand now."""
    start, end = query.after or call.now - _YEAR, query.until or call.now + 2 * _YEAR
    return _listed(call, (start, end), query.limit, query.cursor, query.state, query.obligation_id)


def list_schedule(call: Call, query: ScheduleQuery) -> Page[InstructionView]:
    """What is to come for the caller: everything from today on that is not over or off; tests are not part of it."""
    start = query.after or call.now - timedelta(days=1)
    page = _listed(
        call, (start, query.until or call.now + 2 * _YEAR), query.limit, query.cursor, None, query.obligation_id
    )
    planned = [each for each in page.items if not each.test]
    if query.after is not None:
        return Page(items=planned, next=page.next)
    coming = [each for each in planned if each.end > call.now and each.state in _COMING]
    return Page(items=coming, next=page.next)


_COMING = frozenset({"scheduled", "sent", "acknowledged", "delivering"})


def view_of(call: Call, instruction: Instruction) -> InstructionView:
    """An instruction as it stands now."""
    return next(iter(views_of(call, [instruction])))


def views_of(call: Call, instructions: Iterable[Instruction]) -> list[InstructionView]:
    """Instructions as they stand now, with names and earnings."""
    now = [caught_up(each, call.now) for each in instructions]
    names = registry.get_organisations(sorted({side for each in now for side in (each.so, each.fsp)}))
    return [
        InstructionView(
            **dict(each),
            so_name=names[each.so].name,
            fsp_name=names[each.fsp].name,
            earns=earnings(each),
            can=tuple(act for act in actions_from(MOVES, each.state) if act not in _BY_CLOCK),
        )
        for each in now
    ]


def list_conflicts(call: Call, query: ConflictQuery) -> Page[ConflictView]:
    """Conflicts in which the calling operator has a part, latest first."""
    page = store.list_conflicts(call.organisation, query.limit, query.cursor)
    return Page(items=[_conflict_view(each) for each in page.items], next=page.next)


def conflicts_of_asset(asset_id: str, day: date) -> list[Conflict]:
    """The conflicts recorded for an asset on a UTC day."""
    return store.list_conflicts_of_asset(asset_id, day)


def instructions_in(obligation_id: str, span: Span) -> list[Instruction]:
    """Every instruction of an obligation that touches a span, tests left out, strongly read, by start.

    Declined, expired and cancelled ones are among them: settlement counts the first two.
    """
    wanted = {day.isoformat() for day in days_of(span)}
    ids = {
        entry.instruction_id for day in store.list_days(obligation_id) if day.date in wanted for entry in day.entries
    }
    found = store.load_instructions(ids).values()
    touching = (each for each in found if each.start < span[1] and each.end > span[0])
    return sorted(touching, key=lambda each: (each.start, each.id))


def availability_in(obligation_id: str, span: Span, now: datetime) -> list[AvailabilityPeriod]:
    """The availability periods of an obligation that touch a span, with what was declared until now."""
    obligation = contracts.find_obligation(obligation_id)
    return availability_of(obligation, span, now) if obligation else []


def load_instructions(instruction_ids: Iterable[str]) -> dict[str, Instruction]:
    """Instructions by id as stored; unknown ids are left out."""
    return store.load_instructions(instruction_ids)


def instructions_of(side_name: str, organisation: str, span: Span) -> Iterator[Instruction]:
    """Every instruction of one side ("fsp" or "so") that starts in a span, by start, as stored."""
    return store.list_all_instructions(side_name, organisation, *span)


def _listed(
    call: Call, span: Span, limit: int, cursor: str | None, state: str | None, obligation_id: str | None
) -> Page[InstructionView]:
    if obligation_id is not None:
        own_obligation(call, obligation_id)
    page = store.list_instructions(side(call), call.organisation, *span, limit=limit, cursor=cursor)
    mine = [each for each in page.items if obligation_id in (None, each.obligation_id)]
    found = views_of(call, mine)
    return Page(items=[each for each in found if state in (None, each.state)], next=page.next)


def _conflict_view(conflict: Conflict) -> ConflictView:
    first, second = (registry.get_organisation(so).name for so in conflict.sos)
    return ConflictView(**dict(conflict), so_names=(first, second))
