"""Finds outage days: local days on which an asset's obligations were declared less than available."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from chalicelib.assets import actions_reads as assets
from chalicelib.assets.models import Commitment
from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import AvailabilityVariation
from chalicelib.kernel.periods import Span, days_between, days_span, local_day


def outage_days_of(asset_ids: Iterable[str], first: date, last: date, zone: ZoneInfo) -> dict[str, frozenset[date]]:
    """Of each asset the local days, from first to last inclusive, that tell nothing of its usual use."""
    return outage_days_by(assets.commitments_of(asset_ids), first, last, zone)


def outage_days_by(
    committed: Mapping[str, Sequence[Commitment]], first: date, last: date, zone: ZoneInfo
) -> dict[str, frozenset[date]]:
    """The same of assets of which it is known what holds them.

    These are the days of which any obligation behind it holds, as its last word, less than the capacity promised.
    """
    wanted = {each.obligation_id for commitments in committed.values() for each in commitments}
    known = contracts.load_obligations(wanted)
    span = days_span(first, last, zone)
    days = {
        id_: frozenset(_days(contracts.list_variations(id_), obligation.capacity_mw, span, zone))
        for id_, obligation in known.items()
    }
    return {
        asset_id: frozenset().union(*(days.get(each.obligation_id, frozenset()) for each in commitments))
        for asset_id, commitments in committed.items()
    }


def _days(variations: Sequence[AvailabilityVariation], promised: Decimal, span: Span, zone: ZoneInfo) -> Iterator[date]:
    for start, end in _reduced(variations, promised):
        low, high = max(start, span[0]), min(end, span[1])
        if low < high:
            last = local_day(high, zone)
            whole = days_span(last, last, zone)[0] == high
            yield from (day for day in days_between(local_day(low, zone), last) if not (whole and day == last))


def _reduced(variations: Sequence[AvailabilityVariation], promised: Decimal) -> Iterator[Span]:
    """Stretches in which the last variation declared leaves less than was promised."""
    edges = sorted({edge for each in variations for edge in (each.starts, each.ends)})
    for start, end in pairwise(edges):
        standing = _last_word(variations, start)
        if standing is not None and standing.available_mw < promised:
            yield start, end


def _last_word(variations: Sequence[AvailabilityVariation], at: datetime) -> AvailabilityVariation | None:
    """Of variations in the order of declaring, the last one that holds at an instant."""
    return next((each for each in reversed(variations) if each.starts <= at < each.ends), None)
