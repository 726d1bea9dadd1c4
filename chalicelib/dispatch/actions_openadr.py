"""Tells OpenADR clients of their provider's programs and events, and logs when an instruction first reached one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import NoReturn, TypeVar

from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import store, store_openadr
from chalicelib.dispatch.actions_availability import own_obligation
from chalicelib.dispatch.actions_reads import own_instruction
from chalicelib.dispatch.lifecycle import caught_up
from chalicelib.dispatch.models import Instruction
from chalicelib.dispatch.openadr_models import Event, Listed, OpenadrClient, Program, Reached, ReachedList
from chalicelib.dispatch.openadr_queries import EventQuery, ProgramQuery
from chalicelib.dispatch.openadr_translate import (
    SHOWN,
    event_of,
    is_active,
    meets,
    program_of,
    targets_of,
)
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Forbidden, Invalid, NotFound, Problem
from chalicelib.registry import actions as registry
from chalicelib.storage.commit import commit

KEPT = timedelta(days=31)
"""How long an event is listed after it started: long enough to report on it."""

_AHEAD = timedelta(days=3 * 366)
_LOGGED_TOGETHER = 90
T = TypeVar("T")


def list_programs(call: Call, query: ProgramQuery) -> Listed[Program]:
    """The caller's obligations in force as programs, by the start of their period."""
    found = (each for each in contracts.list_all_obligations("fsp", call.organisation) if _is_program(each))
    wanted = (each for each in found if meets(targets_of(each.id, each.competition_reference), query.targets))
    chosen = page_of(wanted, query.skip, query.limit)
    names = registry.get_organisations(sorted({each.so for each in chosen}))
    return Listed[Program]([program_of(each, names[each.so].name, query.targets) for each in chosen])


def get_program(call: Call, program_id: str) -> Program:
    """One of the caller's programs; `NotFound` for another provider's."""
    obligation = own_obligation(call, program_id)
    if obligation.state == "awarded":
        raise NotFound("program.not_found", "There is no such program.")
    return program_of(obligation, registry.get_organisation(obligation.so).name)


def list_events(call: Call, query: EventQuery) -> Listed[Event]:
    """The caller's instructions as events by their start, from a month ago on; each is logged as fetched."""
    chosen = page_of(_wanted(call, query), query.skip, query.limit)
    log_fetches(call, chosen)
    return Listed[Event]([event_of(each, query.targets) for each in chosen])


def get_event(call: Call, event_id: str) -> Event:
    """One of the caller's events; `NotFound` once it was cancelled, declined or has expired."""
    instruction = find_event(call, event_id)
    if instruction.state not in SHOWN:
        raise _no_event()
    log_fetches(call, [instruction])
    return event_of(instruction)


def find_event(call: Call, event_id: str) -> Instruction:
    """The instruction behind an event of the caller's, as it stands now, also where the event is gone."""
    instruction = store.find_instruction(event_id)
    if instruction is None or instruction.fsp != call.organisation:
        raise _no_event()
    standing = caught_up(instruction, call.now)
    if standing.state == "scheduled":
        raise _no_event()
    return standing


def named_event(call: Call, event_id: str) -> Instruction:
    """The same for an event that a body names; `Invalid` where there is none."""
    try:
        return find_event(call, event_id)
    except NotFound as missing:
        raise named_nothing(missing, "eventID") from missing


def named_nothing(missing: NotFound, field: str) -> Invalid:
    """What a body names and is not there, as a problem of the body."""
    return Invalid.of([Problem(missing.code, missing.detail, field, "the id of one of yours")])


def refuse_writing(call: Call) -> NoReturn:
    """Programs and events follow from contracts and instructions: no client writes them."""
    raise Forbidden("openadr.read_only", "Programs and events are read here: contracts and instructions make them.")


def log_fetches(call: Call, instructions: Iterable[Instruction]) -> None:
    """Log which instructions the calling client sees for the first time: they reached it on this channel."""
    ids = [each.id for each in instructions]
    client = call.actor.id
    seen = store_openadr.fetched_among(client, ids)
    new = [each for each in ids if each not in seen]
    for start in range(0, len(new), _LOGGED_TOGETHER):
        part = new[start : start + _LOGGED_TOGETHER]
        writes = [store_openadr.fetched(client, each, call.now) for each in part]
        commit(call.without_key(), [*writes, store_openadr.reached(call.organisation, client, call.now)])


def list_reached(call: Call, instruction_id: str) -> ReachedList:
    """The clients that have fetched an instruction, for either side: the channel's log."""
    own_instruction(call, instruction_id)
    found = sorted(store_openadr.list_fetches(instruction_id), key=lambda each: each[1])
    return ReachedList(items=tuple(Reached(client_id=client, at=at) for client, at in found))


def list_clients(call: Call) -> list[OpenadrClient]:
    """The OpenADR clients of the caller's organisation that have a VEN or have fetched an instruction."""
    reached = store_openadr.last_reached(call.organisation)
    vens = store_openadr.list_vens(reached)
    return [
        OpenadrClient(id=client, ven_name=vens[client].ven_name if client in vens else None, last_fetched_at=at)
        for client, at in reached.items()
    ]


def page_of(found: Iterable[T], skip: int, limit: int) -> list[T]:
    """`limit` things after the first `skip`."""
    return list(islice(found, skip, skip + limit))


def _wanted(call: Call, query: EventQuery) -> Iterator[Instruction]:
    listed = store.list_told(call.organisation, call.now - KEPT, call.now + _AHEAD)
    standing = (caught_up(each, call.now) for each in listed)
    return (each for each in standing if each.state in SHOWN and _is_wanted(call, query, each))


def _is_wanted(call: Call, query: EventQuery, each: Instruction) -> bool:
    return (
        query.program_id in (None, each.obligation_id)
        and query.active in (None, is_active(each, call.now))
        and meets(targets_of(each.obligation_id, each.competition_reference), query.targets)
    )


def _is_program(obligation: Obligation) -> bool:
    return obligation.state in contracts.IN_FORCE


def _no_event() -> NotFound:
    return NotFound("event.not_found", "There is no such event.")
