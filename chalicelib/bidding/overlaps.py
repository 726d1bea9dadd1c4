"""Owns double selling: what obligations and other live ballots leave of assets, window by window. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from chalicelib.assets.models import Commitment
from chalicelib.bidding.holdings import Sheet, bitmap_of
from chalicelib.bidding.models import Overlap
from chalicelib.bidding.rules import Backing
from chalicelib.competitions.models import Competition
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.periods import Span, occurrences, zone_of
from chalicelib.kernel.quantities import ZERO

MOST_NAMED = 20
Load = tuple[datetime, datetime, Decimal]


@dataclass(frozen=True, slots=True)
class When:
    """The clock times of a service window, apart from its competition: many windows are on at the same ones."""

    period_start: date
    period_end: date
    start: str
    end: str
    days: tuple[str, ...]
    holidays: str
    time_zone: str
    holiday_region: str | None


@lru_cache(4096)
def spans_of(when: When) -> tuple[Span, ...]:
    """Every time a window of these clock times is on, in order and disjoint."""
    return tuple(occurrences(when, zone_of(when.time_zone), holidays_of(when.holiday_region)))


@lru_cache(4096)
def touching(ours: frozenset[When], theirs: frozenset[When]) -> frozenset[When]:
    """Those of our clock times at which one of theirs is on too."""
    return frozenset(
        one for one in ours if any(True for other in theirs for _ in common(spans_of(one), spans_of(other)))
    )


@dataclass
class Times:
    """When the windows of some competitions are on. Unknown windows are never on."""

    competitions: Mapping[str, Competition]
    _committed: dict[tuple[object, ...], list[Span]] = field(default_factory=dict)

    def when(self, competition_id: str, window_id: str) -> When | None:
        """The clock times of a window, or None."""
        competition = self.competitions.get(competition_id)
        window = competition.windows_by_id.get(window_id) if competition else None
        if competition is None or window is None:
            return None
        return When(
            window.period_start,
            window.period_end,
            window.start,
            window.end,
            window.days,
            window.holidays,
            competition.time_zone,
            competition.holiday_region,
        )

    def spans(self, competition_id: str, window_id: str) -> tuple[Span, ...]:
        """Every time the window is on, in order and disjoint."""
        when = self.when(competition_id, window_id)
        return spans_of(when) if when else ()

    def touched(
        self, competition_id: str, window_ids: Iterable[str], other_id: str, others: Iterable[str]
    ) -> list[str]:
        """Those of a competition's windows at whose times windows of another one are on too."""
        ours = {window_id: when for window_id in window_ids if (when := self.when(competition_id, window_id))}
        theirs = frozenset(when for window_id in others if (when := self.when(other_id, window_id)))
        both = touching(frozenset(ours.values()), theirs)
        return [window_id for window_id, when in ours.items() if when in both]

    def of_commitment(self, commitment: Commitment) -> list[Span]:
        """When an obligation may call: its windows' occurrences within its span; all of it where it names no window."""
        key = (commitment.competition_id, commitment.windows, commitment.starts, commitment.ends)
        if key not in self._committed:
            self._committed[key] = self._called(commitment)
        return self._committed[key]

    def _called(self, commitment: Commitment) -> list[Span]:
        whole = [(commitment.starts, commitment.ends)]
        if not commitment.windows:
            return whole
        every = [self.spans(commitment.competition_id, window_id) for window_id in commitment.windows]
        return _merged(sorted(span for spans in every for span in common(spans, whole)))


def common(ours: Sequence[Span], theirs: Sequence[Span]) -> Iterator[Span]:
    """The times that lie in both of two rows of disjoint spans, each in order."""
    one = other = 0
    while one < len(ours) and other < len(theirs):
        start, end = max(ours[one][0], theirs[other][0]), min(ours[one][1], theirs[other][1])
        if start < end:
            yield start, end
        if ours[one][1] <= theirs[other][1]:
            one += 1
        else:
            other += 1


def peak(loads: Iterable[Load]) -> Decimal:
    """The most MW that loads `[start, end)` hold at one instant; an end frees before a start takes."""
    steps = sorted(step for start, end, mw in loads for step in ((start, 1, mw), (end, 0, -mw)))
    highest = running = ZERO
    for _, _, change in steps:
        running += change
        highest = max(highest, running)
    return highest


def free_mw(
    times: Times,
    competition_id: str,
    window_ids: Iterable[str],
    backing: Mapping[str, Backing],
    commitments: Mapping[str, Sequence[Commitment]],
) -> dict[str, Decimal]:
    """MW per window that the assets have left beside their obligations at the same instants."""
    return {
        window_id: sum(
            (
                _left(asset.mw, _loads(times, competition_id, window_id, commitments.get(asset_id, ())))
                for asset_id, asset in backing.items()
            ),
            ZERO,
        )
        for window_id in window_ids
    }


def obligation_overlaps(
    times: Times,
    competition_id: str,
    window_ids: Iterable[str],
    commitments: Mapping[str, Sequence[Commitment]],
) -> list[Overlap]:
    """For each obligation at the time of one of the windows, the assets that stand behind both."""
    windows = list(window_ids)
    behind: dict[Commitment, list[str]] = defaultdict(list)
    for asset_id, own in commitments.items():
        for commitment in own:
            behind[commitment].append(asset_id)
    met: dict[str, list[tuple[Commitment, list[str]]]] = defaultdict(list)
    for commitment in behind:
        touched = [window_id for window_id in windows if _meets(times, competition_id, window_id, commitment)]
        if touched:
            met[commitment.obligation_id].append((commitment, touched))
    return [_obligation_overlap(found, behind) for found in met.values()]


def _obligation_overlap(
    found: Sequence[tuple[Commitment, list[str]]], behind: Mapping[Commitment, Sequence[str]]
) -> Overlap:
    """One flag for an obligation, whose assets may be held at different times."""
    window_ids = list(dict.fromkeys(window_id for _, touched in found for window_id in touched))
    asset_ids = [asset_id for commitment, _ in found for asset_id in behind[commitment]]
    first = found[0][0]
    where = {"competition_id": first.competition_id, "obligation_id": first.obligation_id}
    return _overlap("obligation", window_ids, asset_ids, **where)


def ballot_overlaps(
    times: Times,
    competition_id: str,
    window_ids: Iterable[str],
    ordinals: Mapping[str, int],
    others: Sequence[Sheet],
) -> list[Overlap]:
    """For each live ballot of the FSP elsewhere at the time of one of the windows, the assets that are in both.

    `ordinals` numbers the ballot's assets by id, as bitmaps do.
    """
    mine = bitmap_of(ordinals.values())
    windows = list(window_ids)
    return [
        _overlap("ballot", touched, _named(ordinals, shared), ballot_id=ballot_id, competition_id=sheet.competition_id)
        for sheet in others
        for ballot_id, holding in sheet.live.items()
        if (shared := holding.bitmap & mine)
        and (touched := times.touched(competition_id, windows, sheet.competition_id, holding.mw))
    ]


def _loads(times: Times, competition_id: str, window_id: str, commitments: Sequence[Commitment]) -> list[Load]:
    ours = times.spans(competition_id, window_id)
    return [
        (start, end, commitment.mw)
        for commitment in commitments
        for start, end in common(ours, times.of_commitment(commitment))
    ]


def _left(mw: Decimal, loads: Sequence[Load]) -> Decimal:
    return max(mw - peak(loads), ZERO)


def _meets(times: Times, competition_id: str, window_id: str, commitment: Commitment) -> bool:
    ours = times.spans(competition_id, window_id)
    return any(True for _ in common(ours, times.of_commitment(commitment)))


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Spans in order, those that touch or overlap made one."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _named(ordinals: Mapping[str, int], bitmap: int) -> list[str]:
    bits = bitmap.to_bytes(bitmap.bit_length() // 8 + 1, "little")
    places = [(asset_id, *divmod(ordinal, 8)) for asset_id, ordinal in ordinals.items()]
    return [asset_id for asset_id, byte, bit in places if byte < len(bits) and bits[byte] >> bit & 1]


def _overlap(kind: str, window_ids: Sequence[str], asset_ids: Sequence[str], **where: str) -> Overlap:
    named = {
        "asset_count": len(asset_ids),
        "asset_ids": tuple(asset_ids[:MOST_NAMED]),
        "window_count": len(window_ids),
        "window_ids": tuple(window_ids[:MOST_NAMED]),
    }
    return Overlap.model_validate({"kind": kind, **named, **where})
