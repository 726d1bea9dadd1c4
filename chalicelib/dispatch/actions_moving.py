"""Writes what instructions became: head, days and facts in one transaction, on condition that nobody moved them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from chalicelib.dispatch import store
from chalicelib.dispatch.events import (
    ConflictsDetected,
    InstructionsAnswered,
    InstructionsCancelled,
    InstructionsEnded,
    InstructionsEscalated,
    InstructionsExpired,
    InstructionsSent,
    InstructionsStarted,
    InstructionsStopped,
)
from chalicelib.dispatch.lifecycle import CLOCK, IN_THE_WAY, new_moves, next_check_at
from chalicelib.dispatch.models import Conflict, Day, Entry, Instruction
from chalicelib.dispatch.rules import days_of
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Event
from chalicelib.kernel.periods import Span
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

_LONGEST = timedelta(days=2)
_TOLD: dict[str, type[Event]] = {
    "send": InstructionsSent,
    "acknowledge": InstructionsAnswered,
    "decline": InstructionsAnswered,
    "cancel": InstructionsCancelled,
    "stop": InstructionsStopped,
    "expire": InstructionsExpired,
    "start": InstructionsStarted,
    "complete": InstructionsEnded,
    "fail": InstructionsEnded,
}


class Ledger:
    """Days read for some instructions: changed in memory, then written, or required to be as they were read."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, str], Day] = {}
        self._ahead: dict[tuple[str, str], Day] = {}
        self._changed: set[tuple[str, str]] = set()

    def read(self, wanted: Iterable[tuple[str, Span]]) -> None:
        """Read the days of several obligations' spans together; a span of nonsense, or of many days, is left out."""
        near = [(each, span) for each, span in wanted if timedelta(0) < span[1] - span[0] <= _LONGEST]
        keys = [(each, day.isoformat()) for each, span in near for day in days_of(span)]
        self._ahead |= store.load_days(key for key in keys if key not in self._days)

    def entries(self, obligation_id: str, span: Span) -> list[Entry]:
        """The entries of an obligation on the days of a span, each once; these days are guarded from here on."""
        found = {
            entry.instruction_id: entry for day in self._read(obligation_id, days_of(span)) for entry in day.entries
        }
        return list(found.values())

    def put(self, obligation_id: str, span: Span, entry: Entry) -> None:
        """Set an instruction's entry on every day of the span it was instructed for."""
        for day in self._read(obligation_id, days_of(span)):
            others = tuple(each for each in day.entries if each.instruction_id != entry.instruction_id)
            key = (obligation_id, day.date)
            self._days[key] = day.but(entries=(*others, entry))
            self._changed.add(key)

    def writes(self) -> list[Write]:
        return [
            store.save_day(day) if key in self._changed else store.check_day(day) for key, day in self._days.items()
        ]

    def _read(self, obligation_id: str, days: Iterable[date]) -> list[Day]:
        keys = [(obligation_id, day.isoformat()) for day in days]
        missing = [key for key in keys if key not in self._days]
        self._days |= {key: self._ahead[key] for key in missing if key in self._ahead}
        self._days |= store.load_days(key for key in missing if key not in self._ahead)
        return [self._days[key] for key in keys]


def save_moves(
    call: Call, pairs: Sequence[tuple[Instruction, Instruction]], reason: str | None = None, result: str | None = None
) -> list[Instruction]:
    """Write instructions (before, after) that moved; `Stale` when one moved meanwhile. The instructions as stored."""
    saved = [after.but(version=before.version + 1) for before, after in pairs]
    ledger = Ledger()
    for before, after in pairs:
        if not after.test and entry_of(before) != entry_of(after):
            ledger.put(after.obligation_id, (after.start, after.end), entry_of(after))
    writes = [store.save_instruction(each, next_check_at(each)) for each in saved] + ledger.writes()
    changes = [change_of(before, after, reason) for before, after in pairs]
    commit(call, writes, facts_of(pairs), changes, result=result)
    return saved


def entry_of(instruction: Instruction) -> Entry:
    """How an instruction stands on its obligation's days."""
    return Entry(
        instruction_id=instruction.id,
        start=instruction.start,
        end=instruction.effective_end,
        mw=instruction.mw,
        live=instruction.state in IN_THE_WAY,
    )


def change_of(before: Instruction | None, after: Instruction, reason: str | None = None) -> Change:
    """The audit record of an instruction's moves, in its operator's trail."""
    moves = [step.model_dump(mode="json") for step in new_moves(before, after)]
    return Change(
        thing=f"instruction:{after.id}",
        action=f"instruction.{after.state}",
        organisation=after.so,
        before={"state": before.state} if before else None,
        after={"state": after.state, "mw": str(after.mw), "obligation_id": after.obligation_id, "moves": moves},
        reason=reason,
    )


def facts_of(pairs: Iterable[tuple[Instruction | None, Instruction]]) -> list[Event]:
    """What is told of moves: one fact per kind and pair of sides."""
    told: dict[tuple[type[Event], str, str], list[str]] = {}
    for before, after in pairs:
        for kind in _kinds(before, after):
            told.setdefault((kind, after.so, after.fsp), []).append(after.id)
    return [kind(so=so, fsp=fsp, instruction_ids=ids) for (kind, so, fsp), ids in told.items()]  # type: ignore[call-arg]


def conflict_facts(conflicts: Iterable[Conflict]) -> list[Event]:
    """What is told of conflicts: to each operator its own instructions that met another's, by that operator."""
    told: dict[tuple[str, str], list[str]] = {}
    for each in conflicts:
        for own, other in ((0, 1), (1, 0)):
            told.setdefault((each.sos[own], each.sos[other]), []).append(each.instruction_ids[own])
    return [
        ConflictsDetected(so=so, other_so=other, instruction_ids=sorted(set(ids))) for (so, other), ids in told.items()
    ]


def _kinds(before: Instruction | None, after: Instruction) -> list[type[Event]]:
    # Where no answer is needed, the clock acknowledges at sending: that the instruction was sent tells it all.
    kinds = [
        _TOLD[step.act] for step in new_moves(before, after) if not (step.act == "acknowledge" and step.by == CLOCK)
    ]
    if before is not None and before.escalated_at is None and after.escalated_at is not None:
        kinds.append(InstructionsEscalated)
    return list(dict.fromkeys(kinds))
