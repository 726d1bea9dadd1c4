"""Owns the rules of availability: promised periods, what variations leave of them, gates of variable availability."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from chalicelib.contracts.models import AvailabilityVariation, Obligation
from chalicelib.dispatch.models import VARIABLE, AvailabilityPeriod, OfferedPeriod, PeriodState, Segment
from chalicelib.dispatch.terms import DispatchTerms
from chalicelib.kernel import periods
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.models import iso
from chalicelib.kernel.periods import Span
from chalicelib.kernel.quantities import ZERO, plain

_AROUND = timedelta(days=2)
_WEEK = 7


@dataclass(frozen=True)
class _Clipped:
    """An obligation's window over some of its days."""

    period_start: date
    period_end: date
    start: str
    end: str
    days: tuple[str, ...]
    holidays: str


def promised_spans(obligation: Obligation, holidays: Collection[date], span: Span) -> list[Span]:
    """The occurrences of an obligation's window that touch a span, as UTC `[start, end)`, in order."""
    zone = periods.zone_of(obligation.time_zone)
    first, last = (periods.local_day(instant, zone) for instant in span)
    window = _Clipped(
        max(obligation.period_start, first - _AROUND),
        min(obligation.period_end, last + _AROUND),
        obligation.start,
        obligation.end,
        obligation.days,
        obligation.holidays,
    )
    found = periods.occurrences(window, zone, holidays)
    return [(start, end) for start, end in found if start < span[1] and end > span[0]]


def segments(span: Span, mw: Decimal, variations: Sequence[AvailabilityVariation], notice: timedelta) -> list[Segment]:
    """What is available through one period of `mw`, in order and without gaps.

    Of several variations over one instant the one declared last holds, so that a later one may give back what an
    earlier one took. What is taken back nearer than the notice period is late.
    """
    touching = [each for each in variations if each.starts < span[1] and each.ends > span[0]]
    cuts = {span[0], span[1]}
    for each in touching:
        cuts |= {max(each.starts, span[0]), min(each.ends, span[1])}
        cuts |= {each.declared_at + notice} if span[0] < each.declared_at + notice < span[1] else set()
    bounds = sorted(cuts)
    pieces = [_segment((low, high), mw, touching, notice) for low, high in pairwise(bounds)]
    return _merged(pieces)


def _segment(piece: Span, mw: Decimal, variations: Sequence[AvailabilityVariation], notice: timedelta) -> Segment:
    covering = [each for each in variations if each.starts <= piece[0] and each.ends >= piece[1]]
    if not covering:
        return Segment(start=piece[0], end=piece[1], available_mw=mw)
    last = max(covering, key=lambda each: (each.declared_at, each.id))
    left = min(last.available_mw, mw)
    late = left < mw and piece[0] < last.declared_at + notice
    return Segment(start=piece[0], end=piece[1], available_mw=left, late=late, variation_id=last.id)


def _merged(pieces: Iterable[Segment]) -> list[Segment]:
    merged: list[Segment] = []
    for piece in pieces:
        before = merged[-1] if merged else None
        if before and (before.available_mw, before.late, before.variation_id) == (
            piece.available_mw,
            piece.late,
            piece.variation_id,
        ):
            merged[-1] = before.but(end=piece.end)
        else:
            merged.append(piece)
    return merged


def is_variable(obligation: Obligation) -> bool:
    """Whether its availability is offered and accepted period by period."""
    return obligation.product_type == VARIABLE


def gates(start: datetime, terms: DispatchTerms, time_zone: str) -> Span:
    """Until when a period starting then may be offered, and until when accepted: clocks of the local week before."""
    zone = periods.zone_of(time_zone)
    day = periods.local_day(start, zone)
    monday = day - timedelta(days=day.weekday() + _WEEK)

    def instant(name: str, clock: str) -> datetime:
        there = monday + timedelta(days=periods.DAYS.index(name))
        return periods.at_clock(there, periods.clock_minutes(clock), zone)

    return instant(terms.gate_day, terms.gate_clock), instant(terms.decision_day, terms.decision_clock)


def period_of(
    obligation: Obligation,
    span: Span,
    terms: DispatchTerms,
    variations: Sequence[AvailabilityVariation],
    offer: OfferedPeriod | None,
    now: datetime,
) -> AvailabilityPeriod:
    """One occurrence as both sides see it at `now`."""
    if not is_variable(obligation):
        left = segments(span, obligation.capacity_mw, variations, terms.variation_notice)
        state: PeriodState = "promised" if len(left) == 1 and left[0].variation_id is None else "varied"
        return AvailabilityPeriod(
            start=span[0], end=span[1], promised_mw=obligation.capacity_mw, state=state, segments=tuple(left)
        )
    gate, decide_by = gates(span[0], terms, obligation.time_zone)
    mw = offer.mw if offer and offer.state == "accepted" else ZERO
    return AvailabilityPeriod(
        start=span[0],
        end=span[1],
        promised_mw=mw,
        state=_offer_state(offer, decide_by, now),
        offered_mw=offer.mw if offer else None,
        gate=gate,
        decide_by=decide_by,
        segments=tuple(segments(span, mw, variations, terms.variation_notice)),
    )


def _offer_state(offer: OfferedPeriod | None, decide_by: datetime, now: datetime) -> PeriodState:
    if offer is None:
        return "not offered"
    return "lapsed" if offer.state == "offered" and now >= decide_by else offer.state


def available_mw(found: Iterable[AvailabilityPeriod], span: Span) -> Decimal | None:
    """The least MW available through a whole span; None where the span leaves the available periods."""
    least: Decimal | None = None
    reached = span[0]
    for segment in _in_order(found):
        if segment.end <= reached:
            continue
        if segment.start > reached or reached >= span[1]:
            break
        least = segment.available_mw if least is None else min(least, segment.available_mw)
        reached = segment.end
    return least if reached >= span[1] else None


def _in_order(found: Iterable[AvailabilityPeriod]) -> Iterator[Segment]:
    for period in sorted(found, key=lambda period: period.start):
        yield from period.segments


def variation_problems(
    obligation: Obligation, start: datetime, end: datetime, mw: Decimal, now: datetime
) -> list[Problem]:
    """Every breach of a variation: it lies ahead, has length, and is not above what is promised."""
    found: list[Problem] = []
    if start < now:
        found.append(Problem("variation.past", "Availability already past cannot be varied.", "start", "now or later"))
    if end <= start:
        found.append(Problem("variation.order", "It ends at or before its start.", "end", f"after {iso(start)}"))
    if mw > obligation.capacity_mw:
        most = plain(obligation.capacity_mw)
        detail = f"{plain(mw)} MW is more than the {most} MW promised."
        found.append(Problem("variation.above_promise", detail, "available_mw", f"0 to {most}"))
    return found


def is_late(start: datetime, mw: Decimal, promised_mw: Decimal, declared_at: datetime, notice: timedelta) -> bool:
    """Whether a variation takes something back inside the notice period."""
    return mw < promised_mw and start < declared_at + notice
