"""Owns what an instruction must hold to, what an answer must, which rules apply, and what it earns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from chalicelib.contracts.models import Obligation
from chalicelib.dispatch.models import AutoAccept, AvailabilityPeriod, Entry, Instruction, Rival
from chalicelib.dispatch.rules_availability import available_mw
from chalicelib.dispatch.terms import DispatchRules
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.models import iso
from chalicelib.kernel.periods import Span
from chalicelib.kernel.quantities import ZERO, plain, round_money

_NONE = timedelta(0)


@dataclass(frozen=True)
class Ground:
    """All an instruction is judged by: its obligation, the rules, what is available, and what else is instructed.

    `rivals` are other obligations on some of the same assets, each with its own entries.
    """

    obligation: Obligation
    rules: DispatchRules
    periods: Sequence[AvailabilityPeriod]
    entries: Sequence[Entry] = ()
    rivals: Sequence[tuple[Rival, Sequence[Entry]]] = ()
    minimum_run_time: timedelta | None = None
    recovery_time: timedelta = field(default=_NONE)


def rules_at(known: Iterable[DispatchRules], ref: str, day: date) -> DispatchRules | None:
    """The version of that name in force on a local day: of the latest start, the latest version; None before all."""
    begun = [rules for rules in known if rules.ref == ref and rules.effective_from <= day]
    return max(begun, key=lambda rules: (rules.effective_from, rules.version), default=None)


def filled_span(ground: Ground, start: datetime | None, end: datetime | None, now: datetime) -> Span | None:
    """The span meant: an urgent instruction starts now and runs as long as it may; None where that is never."""
    begins = start or now
    if end is not None:
        return begins, end
    longest = begins + ground.obligation.maximum_run_time
    around = [each for each in ground.periods if each.start <= begins < each.end]
    return (begins, min(longest, around[0].end)) if around else None


def instruction_problems(ground: Ground, span: Span, mw: Decimal, urgent: bool, now: datetime) -> list[Problem]:
    """Every reason against an instruction of `mw` over a span. An urgent one needs no notice, recovery or least run."""
    shape = list(_shape(span, mw, now))
    if shape:
        return shape
    found = [*_longest_run(ground, span), *_availability(ground, span, mw), *_others(ground, span, urgent)]
    return found if urgent else [*found, *_shortest_run(ground, span), *_notice(ground, span, now)]


def _shape(span: Span, mw: Decimal, now: datetime) -> Iterator[Problem]:
    if mw <= 0:
        yield Problem("instruction.no_mw", "Nothing is instructed: 0 MW.", "mw", "more than 0")
    if span[0] < now:
        yield Problem("instruction.past", "It starts in the past.", "start", f"{iso(now)} or later")
    if span[1] <= span[0]:
        yield Problem("instruction.order", "It ends at or before its start.", "end", f"after {iso(span[0])}")


def _longest_run(ground: Ground, span: Span) -> Iterator[Problem]:
    most = ground.obligation.maximum_run_time
    if span[1] - span[0] > most:
        detail = f"It runs for {_words(span[1] - span[0])}, longer than the {_words(most)} agreed."
        yield Problem("instruction.run_time_long", detail, "end", f"{iso(span[0] + most)} or earlier")


def _shortest_run(ground: Ground, span: Span) -> Iterator[Problem]:
    least = ground.minimum_run_time
    if least is not None and span[1] - span[0] < least:
        detail = f"It runs for {_words(span[1] - span[0])}, shorter than the least run of {_words(least)}."
        yield Problem("instruction.run_time_short", detail, "end", f"{iso(span[0] + least)} or later")


def _notice(ground: Ground, span: Span, now: datetime) -> Iterator[Problem]:
    earliest = earliest_start(ground.obligation, ground.rules, now)
    if span[0] < earliest:
        detail = f"It starts in {_words(span[0] - now)}, inside the notice of {_words(earliest - now)}."
        yield Problem("instruction.notice", detail, "start", f"{iso(earliest)} or later, or urgent")


def earliest_start(obligation: Obligation, rules: DispatchRules, now: datetime) -> datetime:
    """The earliest start of an instruction sent now: after the market's notice and the window's response time."""
    return now + max(rules.notice, obligation.required_response_time or _NONE)


def _availability(ground: Ground, span: Span, mw: Decimal) -> Iterator[Problem]:
    least = available_mw(ground.periods, span)
    if least is None:
        yield Problem("instruction.unavailable", "It leaves the available periods.", "start", _periods(ground, span))
    elif mw > least:
        detail = f"{plain(mw)} MW is more than the {plain(least)} MW available."
        yield Problem("instruction.above_available", detail, "mw", f"{plain(least)} or less")


def _periods(ground: Ground, span: Span) -> str:
    near = [f"{iso(each.start)} to {iso(each.end)}" for each in ground.periods if each.end > span[0]]
    return f"inside {near[0]}" if near else "inside a period of the obligation"


def _others(ground: Ground, span: Span, urgent: bool) -> Iterator[Problem]:
    margin = _NONE if urgent else ground.recovery_time
    for entry in in_the_way(ground.entries, span, margin):
        if overlaps(entry, span):
            detail = (
                f"The obligation is instructed from {iso(entry.start)} to {iso(entry.end)}: {entry.instruction_id}."
            )
            yield Problem(
                "instruction.overlaps", detail, "start", f"before {iso(entry.start)} or from {iso(entry.end)}"
            )
        else:
            detail = f"Its assets recover for {_words(margin)} beside instruction {entry.instruction_id}."
            yield Problem("instruction.recovery", detail, "start", f"{iso(entry.end + margin)} or later")
    for rival, entries in ground.rivals:
        if rival.so == ground.obligation.so:
            for entry in in_the_way(entries, span, margin):
                detail = (
                    f"Asset {rival.asset_ids[0]} is under instruction {entry.instruction_id} of obligation "
                    f"{rival.obligation_id} from {iso(entry.start)} to {iso(entry.end)}."
                )
                yield Problem("instruction.asset_busy", detail, "start", f"{iso(entry.end + margin)} or later")


def in_the_way(entries: Iterable[Entry], span: Span, margin: timedelta) -> list[Entry]:
    """The live entries nearer to a span than the margin."""
    wide = (span[0] - margin, span[1] + margin)
    return [entry for entry in entries if entry.live and overlaps(entry, wide)]


def overlaps(entry: Entry, span: Span) -> bool:
    return entry.start < span[1] and entry.end > span[0]


def clashes(ground: Ground, span: Span) -> list[tuple[Rival, Entry]]:
    """Other operators' instructions to some of the same assets at the same time: conflicts, shown and not refused."""
    return [
        (rival, entry)
        for rival, entries in ground.rivals
        if rival.so != ground.obligation.so
        for entry in in_the_way(entries, span, _NONE)
    ]


def answer_problems(instruction: Instruction, mw: Decimal | None, reason: str | None, declined: bool) -> list[Problem]:
    """Every breach of an answer: a decline says why; a part lies between the market's minimum and what was asked."""
    if declined:
        missing = Problem("answer.no_reason", "A decline needs a reason.", "reason", "why it cannot be delivered")
        return [] if reason else [missing]
    if mw is None:
        return []
    most, least = instruction.requested_mw, instruction.requested_mw * instruction.minimum_part
    if mw > most:
        detail = f"{plain(mw)} MW is more than the {plain(most)} MW asked for."
        return [Problem("answer.above_asked", detail, "mw", f"{plain(least)} to {plain(most)}")]
    if mw <= ZERO or mw < least:
        detail = f"{plain(mw)} MW is less than the least part of {plain(least)} MW."
        return [Problem("answer.below_part", detail, "mw", f"{plain(least)} to {plain(most)}")]
    return []


def earnings(instruction: Instruction) -> Decimal | None:
    """What it earns delivered in full, to the penny: MW x hours x utilisation price; None for a test or no price."""
    if instruction.test or instruction.utilisation_price is None:
        return None
    seconds = Decimal((instruction.effective_end - instruction.start) // timedelta(seconds=1))
    return round_money(instruction.mw * max(seconds, ZERO) * instruction.utilisation_price / 3600)


def auto_accepting(rules: Iterable[AutoAccept], instruction: Instruction, sent_at: datetime) -> AutoAccept | None:
    """The first of the provider's rules that an instruction fits, or None; a test is always answered by somebody."""
    return None if instruction.test else next((rule for rule in rules if _fits(rule, instruction, sent_at)), None)


def _fits(rule: AutoAccept, instruction: Instruction, sent_at: datetime) -> bool:
    return (
        rule.obligation_id in (None, instruction.obligation_id)
        and rule.so in (None, instruction.so)
        and (rule.maximum_mw is None or instruction.requested_mw <= rule.maximum_mw)
        and (rule.minimum_notice is None or instruction.start - sent_at >= rule.minimum_notice)
    )


def days_of(span: Span) -> list[date]:
    """The UTC days that a span touches."""
    last = (span[1] - timedelta(microseconds=1)).date()
    return [span[0].date() + timedelta(days=number) for number in range((last - span[0].date()).days + 1)]


def _words(length: timedelta) -> str:
    minutes = length // timedelta(minutes=1)
    hours, rest = divmod(minutes, 60)
    return " ".join(filter(None, [f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else ""]))
