"""Owns double selling: what obligations and other live ballots leave of assets, window by window. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from chalicelib.assets.models import Commitment
from chalicelib.bidding.holdings import Sheet, bitmap_of
from chalicelib.bidding.models import Overlap
from chalicelib.bidding.rules import Backing
from chalicelib.competitions.models import Competition
from chalicelib.kernel.periods import Span
from chalicelib.kernel.quantities import ZERO

MOST_NAMED = 20
Load = tuple[datetime, datetime, Decimal]


@dataclass
class Times:
    """When the windows of some competitions are on; each is counted out once. Unknown windows are never on."""

    competitions: Mapping[str, Competition]
    _spans: dict[tuple[str, str], list[Span]] = field(default_factory=dict)
    _committed: dict[tuple[object, ...], list[Span]] = field(default_factory=dict)

    def spans(self, competition_id: str, window_id: str) -> list[Span]:
        """Every time the window is on, in order and disjoint."""
        key = (competition_id, window_id)
        if key not in self._spans:
            self._spans[key] = self._occurrences(competition_id, window_id)
        return self._spans[key]

    def _occurrences(self, competition_id: str, window_id: str) -> list[Span]:
        competition = self.competitions.get(competition_id)
        window = competition.windows_by_id.get(window_id) if competition else None
        return list(competition.occurrences(window)) if competition and window else []

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
    """For each window and each obligation at the same time, the assets that stand behind both."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for window_id in window_ids:
        for asset_id, held in commitments.items():
            for commitment in held:
                if _meets(times, competition_id, window_id, commitment):
                    found[window_id, commitment.obligation_id].append(asset_id)
    return [
        _overlap("obligation", window_id, assets, obligation_id=obligation_id)
        for (window_id, obligation_id), assets in found.items()
    ]


def ballot_overlaps(
    times: Times,
    competition_id: str,
    window_ids: Iterable[str],
    backing: Mapping[str, Backing],
    others: Sequence[Sheet],
) -> list[Overlap]:
    """For each window and each live ballot of the FSP elsewhere at the same time, the assets that are in both."""
    mine = bitmap_of(asset.ordinal for asset in backing.values())
    windows = list(window_ids)
    return [
        _overlap("ballot", window_id, _named(backing, shared), ballot_id=ballot_id, competition_id=sheet.competition_id)
        for sheet in others
        for ballot_id, holding in sheet.live.items()
        if (shared := holding.bitmap & mine)
        for window_id in windows
        if _any_meets(times, competition_id, window_id, sheet.competition_id, holding.mw)
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


def _any_meets(times: Times, competition_id: str, window_id: str, other_id: str, other_windows: Iterable[str]) -> bool:
    ours = times.spans(competition_id, window_id)
    return any(True for each in other_windows for _ in common(ours, times.spans(other_id, each)))


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Spans in order, those that touch or overlap made one."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _named(backing: Mapping[str, Backing], bitmap: int) -> list[str]:
    bits = bitmap.to_bytes(bitmap.bit_length() // 8 + 1, "little")
    places = [(asset_id, *divmod(asset.ordinal, 8)) for asset_id, asset in backing.items()]
    return [asset_id for asset_id, byte, bit in places if byte < len(bits) and bits[byte] >> bit & 1]


def _overlap(kind: str, window_id: str, asset_ids: Sequence[str], **where: str) -> Overlap:
    named = tuple(asset_ids[:MOST_NAMED])
    return Overlap.model_validate(
        {"kind": kind, "window_id": window_id, "asset_count": len(asset_ids), "asset_ids": named, **where}
    )
