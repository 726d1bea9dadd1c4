"""Owns what a newly published report takes over from the one before: states, invoiced lines, corrections. Pure.

A line keeps its place from version to version by what it is about (`differences.key_of`). What was invoiced is history
and stands as it was; what a later run says about it comes as a correction beside it, by the rules' late-data policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from chalicelib.kernel.quantities import ZERO
from chalicelib.settlement.differences import key_of
from chalicelib.settlement.models import LateData, MarketRules, Unsettleable
from chalicelib.settlement.models_runs import LINES_A_SHEET, LineMove, LineStates, ReportDetail, ReportLine, line_id_of
from chalicelib.settlement.payment import total

Key = tuple[str, str, str, str]
Asked = tuple[str, str, str | None]
Policy = Callable[[ReportLine], LateData]
CREDITED_AT_ONCE = "A correction of an invoiced line is credited at once, by the operator's late-data policy."

_DONE = frozenset({"invoiced", "paid"})
_UNMOVED = {"state": "open", "dispute_id": None, "invoice_id": None, "why": None}


@dataclass(frozen=True, slots=True)
class Drawn:
    """The lines of a report as it is published, in order, and what became of them by line id."""

    lines: tuple[ReportLine, ...]
    moves: Mapping[str, LineMove]

    @property
    def total(self) -> Decimal:
        return total(line.amount for line in self.lines if line.amount is not None)

    @property
    def unsettled(self) -> int:
        return sum(line.amount is None for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Upon:
    """What the published report says of one key: lines invoiced or paid, and what is not (any more), as one line."""

    settled: tuple[ReportLine, ...] = ()
    pending: ReportLine | None = None

    @property
    def base(self) -> Decimal:
        return total(line.amount for line in self.settled if line.amount is not None)


def draw_upon(
    report_id: str, now: Sequence[ReportLine], before: Iterable[ReportLine], policy: Policy, at: datetime
) -> Drawn:
    """The lines of report `report_id` from a run's lines `now` and the lines `before` as they stand in the older one.

    Not invoiced: the same amount keeps its state, dispute and all; a changed one is open again, or still disputed.
    Invoiced or paid: the line stands, and with it a correction of the difference to what is now due, open to dispute
    (`re-run`) or agreed at once (`credit-note`); a line that the run no longer has is due nothing. What has no amount
    now waits, beside what was invoiced. `frozen`: an obligation-month of which anything was invoiced takes up nothing
    new, except of lines that were held up then, by a dispute or for want of data. A line under dispute is never lost.
    """
    upon = _by_key(before)
    closed = {(line.month, line.obligation_id) for key in upon.values() for line in key.settled}
    kept: list[tuple[ReportLine, LineMove | None]] = []
    for line in now:
        kept += _drawn(line, upon.pop(key_of(line), _Upon()), closed, policy(line), at)
    waiting = {_asked(line): line.reason for line in now if line.amount is None}
    for gone in upon.values():
        kept += _of_gone(gone, waiting, closed, policy, at)
    return _placed(report_id, kept)


def sheets_of(drawn: Drawn, report_id: str) -> list[LineStates]:
    """What became of the lines, in sheets that were never written; sheets without a word are left out."""
    found: dict[int, dict[str, LineMove]] = {}
    for line in drawn.lines:
        if line.id in drawn.moves:
            found.setdefault(line.ordinal // LINES_A_SHEET, {})[line.id] = drawn.moves[line.id]
    return [LineStates(report_id=report_id, number=number, moved=moved) for number, moved in found.items()]


def rules_by_line(detail: ReportDetail) -> Callable[[ReportLine], MarketRules | None]:
    """Which of the rules applied in a report settled a line: those of its obligation, else of its version, else any."""
    applied = {(rules.name, rules.version): rules for rules in detail.rules}
    named = {each.obligation_id: (each.rules_name, each.rules_version) for each in detail.instructions}
    versions = {rules.version: rules for rules in reversed(detail.rules)}
    fallback = detail.rules[0] if detail.rules else None

    def find(line: ReportLine) -> MarketRules | None:
        own = applied.get(named.get(line.obligation_id, ("", 0)))
        return own or versions.get(line.rules_version, fallback)

    return find


def dispute_days(detail: ReportDetail) -> int:
    """The working days a report may be disputed for: the longest of the rules applied in it."""
    return max((rules.dispute_working_days for rules in detail.rules), default=_default("dispute_working_days"))


def policy_of(detail: ReportDetail) -> Policy:
    """The late-data policy of each line, by the rules that settled it."""
    rules_of = rules_by_line(detail)

    def policy(line: ReportLine) -> LateData:
        rules = rules_of(line)
        return rules.late_data if rules else _default("late_data")

    return policy


def _default(name: str) -> Any:
    return MarketRules.model_fields[name].default


def _asked(line: ReportLine) -> Asked:
    """What was asked for, whatever its components."""
    return line.month, line.obligation_id, line.instruction_id


def _by_key(lines: Iterable[ReportLine]) -> dict[Key, _Upon]:
    upon: dict[Key, _Upon] = {}
    for line in lines:
        here = upon.get(key_of(line), _Upon())
        done = line.state in _DONE
        settled = (*here.settled, line) if done else here.settled
        upon[key_of(line)] = _Upon(settled, here.pending if done else _together(here.pending, line))
    return upon


def _together(one: ReportLine | None, other: ReportLine) -> ReportLine:
    """Lines of one key of which none is invoiced, as one: a line and its correction whose invoices were credited."""
    if one is None:
        return other
    states = {one.state, other.state}
    state = "disputed" if "disputed" in states else "open" if "open" in states else "agreed"
    known = [each.amount for each in (one, other) if each.amount is not None]
    amount = total(known) if len(known) == 2 else None
    last = one if one.state == state == "disputed" else other
    return last.model_copy(update={"state": state, "amount": amount, "corrects": one.corrects})


def _drawn(
    line: ReportLine, upon: _Upon, closed: set[tuple[str, str]], policy: LateData, at: datetime
) -> Iterator[tuple[ReportLine, LineMove | None]]:
    """What a line of the run becomes, upon what was published of its key."""
    yield from ((each, _move_of(each, at)) for each in upon.settled)
    if policy == "frozen" and (line.month, line.obligation_id) in closed:
        yield from _of_frozen(line, upon, at)
    elif not upon.settled:
        yield line, _carried(line, upon.pending, at)
    else:
        yield from _corrected(line, upon, policy, at)


def _of_frozen(line: ReportLine, upon: _Upon, at: datetime) -> Iterator[tuple[ReportLine, LineMove | None]]:
    was = upon.pending
    if was is None:
        return
    held_up = was.state == "disputed" or was.amount is None
    yield (line, _carried(line, was, at)) if held_up and not upon.settled else (was, _move_of(was, at))


def _of_gone(
    upon: _Upon,
    waiting: Mapping[Asked, Unsettleable | None],
    closed: set[tuple[str, str]],
    policy: Policy,
    at: datetime,
) -> Iterator[tuple[ReportLine, LineMove | None]]:
    """What becomes of lines that the run no longer has: those never invoiced go, of the others nothing is due.

    Where the whole instruction waits for its data, so do they.
    """
    last = upon.settled[-1] if upon.settled else upon.pending
    assert last is not None, "a key has a line"
    is_closed = policy(last) == "frozen" and (last.month, last.obligation_id) in closed
    if upon.settled or is_closed or last.state == "disputed":
        reason = waiting.get(_asked(last))
        due = {"amount": None if reason else ZERO, "reason": reason, "corrects": None}
        yield from _drawn(last.model_copy(update=due), upon, closed, policy(last), at)


def _corrected(
    line: ReportLine, upon: _Upon, policy: LateData, at: datetime
) -> Iterator[tuple[ReportLine, LineMove | None]]:
    amount = None if line.amount is None else line.amount - upon.base
    is_disputed = upon.pending is not None and upon.pending.state == "disputed"
    if amount == 0 and not is_disputed:
        return
    correction = line.model_copy(update={"amount": amount, "corrects": upon.base})
    move = _carried(correction, upon.pending, at)
    if move is None and policy == "credit-note" and amount is not None:
        move = LineMove(state="agreed", at=at, why=CREDITED_AT_ONCE)
    yield correction, move


def _carried(line: ReportLine, was: ReportLine | None, at: datetime) -> LineMove | None:
    """How a line not yet invoiced stands now, after how it stood: None where it is open."""
    if was is None:
        return None
    same = (was.amount, was.reason) == (line.amount, line.reason) and was.corrects in (None, line.corrects)
    return _move_of(was, at) if same or was.state == "disputed" else None


def _move_of(was: ReportLine, at: datetime) -> LineMove | None:
    if was.state == "open":
        return None
    return LineMove(state=was.state, dispute_id=was.dispute_id, invoice_id=was.invoice_id, at=at, why=was.why)


def _placed(report_id: str, kept: Sequence[tuple[ReportLine, LineMove | None]]) -> Drawn:
    lines, moves = [], {}
    for ordinal, (line, move) in enumerate(kept):
        line_id = line_id_of(report_id, ordinal)
        place = {"id": line_id, "report_id": report_id, "ordinal": ordinal}
        lines.append(line.model_copy(update=place | _UNMOVED))
        if move is not None:
            moves[line_id] = move
    return Drawn(tuple(lines), moves)
