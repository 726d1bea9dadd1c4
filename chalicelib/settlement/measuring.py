"""Owns what was delivered: meters left out and why, baselines by group or meter, less what was metered. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction
from functools import lru_cache

from chalicelib.kernel.periods import Span, days_between
from chalicelib.kernel.quantities import ZERO
from chalicelib.settlement.baselines import Baseline, baseline
from chalicelib.settlement.methods import FixedCapacity, Historical, MeterBefore, Method
from chalicelib.settlement.models import Level, MarketRules, Member, Unsettleable
from chalicelib.settlement.packing import Summed, completeness, is_whole, netted, read
from chalicelib.settlement.questions import Question, Statement, windows
from chalicelib.settlement.series import Grid, Series
from chalicelib.settlement.sharing import Together, members_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """What settlement knows besides the instructions.

    `readings` by meter id; `events` are the spans of every SO's instructions, and `outage_days` local days, by meter
    point; `statements` are the nominations or weekly templates by meter point.
    """

    grid: Grid
    readings: Mapping[str, Series]
    holidays: frozenset[date] = frozenset()
    events: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    outage_days: Mapping[str, frozenset[date]] = field(default_factory=dict)
    statements: Mapping[str, Sequence[Statement]] = field(default_factory=dict)

    def event_days(self, members: Iterable[Member]) -> frozenset[date]:
        """The local days on which any of the members was instructed, by whomever."""
        spans = {span for member in members for span in self.events.get(member.point, ())}
        return frozenset().union(*(_days_of(span, self.grid) for span in spans))

    def outages(self, members: Iterable[Member]) -> frozenset[date]:
        return frozenset().union(*(self.outage_days.get(member.point, frozenset()) for member in members))


@dataclass(frozen=True, slots=True)
class Part:
    """One measured thing, the group or a meter: its share of the MW, its baseline and what was metered, milliwatts."""

    name: str
    share: Fraction
    baseline: Baseline
    metered: Series

    def delivered(self, period: datetime, sign: int) -> Fraction:
        """del = s·(baseline − metered)."""
        return sign * (self.baseline.values[period] - self.metered[period])


@dataclass(frozen=True, slots=True)
class Measured:
    """The parts that count, the points left out with the reason, and why nothing can be settled, if so.

    `refused` are the baselines of the points left out: they tell why.
    """

    parts: tuple[Part, ...]
    left_out: tuple[tuple[str, Unsettleable], ...]
    reason: Unsettleable | None
    refused: tuple[tuple[str, Baseline], ...] = ()


def measure(together: Together, rules: MarketRules, known: Evidence) -> Measured:
    """Baseline and metered power of the meters behind concurrent instructions, by the level of the rules.

    A point with missing readings or too little history is left out of both; with more of the capacity left out than
    the rules allow, or with nothing left, there is a reason and nothing is settled.
    """
    members = members_of(together)
    points = {member.point: netted([known.readings.get(meter, {}) for meter in member.meters]) for member in members}
    shares = _shares(members)
    asked = _question(together, members, known)
    own = _own_questions(asked, members, rules.level, known)
    found = {
        member.point: _own_baseline(rules.baseline, own[member.point], points[member.point], shares[member.point])
        for member in members
        if not _is_enough(rules, own[member.point], points[member.point])
    }
    left_out = {
        point: reason
        for point, its in found.items()
        if (reason := _left_out(rules.baseline, own[point], points[point], its))
    }
    reason = _too_much(shares, left_out, rules)
    counted = [member.point for member in members if member.point not in left_out]
    refused = tuple((point, found[point]) for point in left_out)
    if reason is not None:
        return Measured((), tuple(left_out.items()), reason, refused)
    if rules.level == "meter":
        parts = tuple(Part(point, shares[point], found[point], points[point]) for point in counted)
        return Measured(parts, tuple(left_out.items()), None, refused)
    group = _group(rules.baseline, asked, counted, points, found)
    if not group.baseline.is_sufficient:
        return Measured((group,), tuple(left_out.items()), "INSUFFICIENT_BASELINE", refused)
    return Measured((group,), tuple(left_out.items()), None, refused)


def _is_enough(rules: MarketRules, asked: Question, readings: Series) -> bool:
    """Whether a point of a group counts by the calendar alone: of its own baseline, which the group's takes nothing
    from, it matters only that there would be one, and without a gap in its readings there is."""
    if rules.level != "group" or not isinstance(rules.baseline, Historical):
        return False
    enough = asked.look_back(rules.baseline).enough
    return enough is not None and is_whole(readings, enough)


def _question(together: Together, members: Sequence[Member], known: Evidence) -> Question:
    """What is asked of the group: the whole span, and every day on which any of the points was instructed."""
    notices = [instruction.notice_at for instruction in together if instruction.notice_at is not None]
    return Question(
        span=(together[0].starts, max(instruction.ends for instruction in together)),
        grid=known.grid,
        holidays=known.holidays,
        event_days=known.event_days(members),
        outage_days=known.outages(members),
        notice_at=min(notices, default=None),
    )


@lru_cache(maxsize=1 << 14)
def _days_of(span: Span, grid: Grid) -> frozenset[date]:
    return frozenset(days_between(grid.day(span[0]), grid.day(max(span[0], span[1] - grid.step))))


def _own_questions(asked: Question, members: Sequence[Member], level: Level, known: Evidence) -> dict[str, Question]:
    """What is asked of each point; measured by meter, its own days alone are left out. Points of which the same is
    asked share the question, and with it all that follows from it alone."""
    shared: dict[object, Question] = {}
    found = {}
    for member in members:
        statements = tuple(known.statements.get(member.point, ()))
        days = (
            (asked.event_days, asked.outage_days)
            if level == "group"
            else (known.event_days([member]), known.outages([member]))
        )
        key = (member.devices, *days, member.point if statements else None)
        if key not in shared:
            shared[key] = replace(
                asked, devices=member.devices, statements=statements, event_days=days[0], outage_days=days[1]
            )
        found[member.point] = shared[key]
    return found


def _own_baseline(method: Method, asked: Question, readings: Series, share: Fraction) -> Baseline:
    """A point's baseline; a fixed capacity is the whole group's, and each point has its share of it."""
    found = baseline(method, asked, readings)
    if not isinstance(method, FixedCapacity):
        return found
    return replace(found, values={period: value * share for period, value in found.values.items()})


def _left_out(method: Method, asked: Question, readings: Series, found: Baseline) -> Unsettleable | None:
    if None in read(readings, asked.periods):
        return "MISSING_READINGS"
    if isinstance(method, Historical) and completeness(readings, windows(method, asked)) < Fraction(
        method.completeness
    ):
        return "MISSING_READINGS"
    if isinstance(method, MeterBefore) and not found.is_sufficient:
        return "MISSING_READINGS"
    return None if found.is_sufficient else "INSUFFICIENT_BASELINE"


def _too_much(
    shares: Mapping[str, Fraction], left_out: Mapping[str, Unsettleable], rules: MarketRules
) -> Unsettleable | None:
    """Why nothing is settled: more of the capacity is left out than the rules allow, or no point is left."""
    missing = sum((shares[point] for point in left_out), Fraction(0))
    if shares and len(left_out) < len(shares) and missing <= Fraction(rules.max_missing_share):
        return None
    only_baselines = left_out and set(left_out.values()) == {"INSUFFICIENT_BASELINE"}
    return "INSUFFICIENT_BASELINE" if only_baselines else "MISSING_READINGS"


def _shares(members: Sequence[Member]) -> dict[str, Fraction]:
    """Each point's share of the capacity behind the instructions; equal shares where none has any."""
    total = sum((member.capacity_mw for member in members), ZERO)
    if not total:
        return {member.point: Fraction(1, len(members)) for member in members}
    return {member.point: Fraction(member.capacity_mw) / Fraction(total) for member in members}


def _group(
    method: Method,
    asked: Question,
    counted: Sequence[str],
    points: Mapping[str, Series],
    found: Mapping[str, Baseline],
) -> Part:
    """The group: its meters summed first, so that history, adjustment and clamp work on the sum once.

    What each point states by itself (a schedule, a profile, a share of a fixed value) is summed instead.
    """
    metered = Summed([points[point] for point in counted])
    if isinstance(method, Historical | MeterBefore):
        return Part("group", Fraction(1), baseline(method, asked, metered), metered)
    return Part("group", Fraction(1), _summed_baseline([found[point] for point in counted], asked), metered)


def _summed_baseline(members: Sequence[Baseline], asked: Question) -> Baseline:
    values = {period: sum((each.values[period] for each in members), Fraction(0)) for period in asked.periods}
    joined = hashlib.sha256("".join(each.fingerprint for each in members).encode()).hexdigest()
    return Baseline(members[0].method, "SUFFICIENT", values, fingerprint=joined)
