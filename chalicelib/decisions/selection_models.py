"""Owns what a least-cost selection is asked and what it answers; `selection_solving.select` answers. Pure and exact."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from pydantic import Field

from chalicelib.decisions.models import Reason
from chalicelib.kernel.models import Instant, Value
from chalicelib.kernel.periods import Span
from chalicelib.kernel.quantities import Megawatts, Money

DEFAULT_WORK = 20_000


class Requirement(Value):
    """What a window needs, and what each MW that is not bought is worth over the period (page 5).

    `shortfall_price` is money per MW: the window's effective ceiling x the hours it is spread over, else availability
    ceiling x H_av + utilisation ceiling x H_ut. None, or nothing at all: least shortfall first, then least cost.
    """

    window_id: str
    mw: Megawatts
    shortfall_price: Fraction | None = None


class Candidate(Value):
    """A bid as the selection weighs it.

    `mw` is what can still be bought; `minimum_mw` the least that may be taken of a divisible bid, None when it is all
    or nothing. Groups are unique over the whole request (a ballot's own names need its id before them). `cost_per_mw`
    is the expected cost, money per MW over the period; `effective_price` is divided by `impact` already, and each MW
    counts as `impact` MW towards the requirement. `barred` says why the bid may not be chosen at all.
    """

    bid_id: str
    ballot_id: str
    fsp: str
    window_id: str
    mw: Megawatts
    minimum_mw: Megawatts | None = None
    linked_group: str | None = None
    exclusive_group: str | None = None
    cost_per_mw: Fraction
    effective_price: Fraction | None = None
    impact: Fraction = Field(default=Fraction(1), gt=0)
    submitted_at: Instant
    asset_ids: tuple[str, ...] = ()
    barred: Reason | None = None


class SelectionRequest(Value):
    """Everything a selection goes by; the same request has the same answer, in whatever order its rows come.

    `together` names the windows that are on at one instant, each such set once (`windows_together`); a window that
    stands in none is on alone. `ballot_mw` is what a ballot's assets can deliver at one instant; a ballot it does not
    name is bound by its bids alone. `budget` is money for bids; `maximum_share` the part of a window's required MW
    that one FSP may have. `work` bounds the search in its own steps, which do not depend on the machine.
    """

    requirements: tuple[Requirement, ...]
    candidates: tuple[Candidate, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    ballot_mw: dict[str, Megawatts] = Field(default_factory=dict)
    budget: Money | None = None
    maximum_share: Fraction | None = Field(default=None, gt=0, le=1)
    work: int = Field(default=DEFAULT_WORK, ge=1)

    @property
    def digest(self) -> str:
        """SHA-256 of the request with its rows in order, so that the order they came in does not show."""
        return hashlib.sha256(self.in_order().model_dump_json().encode()).hexdigest()

    def in_order(self) -> SelectionRequest:
        """The same request, every row in the order of its id."""
        return SelectionRequest(
            requirements=tuple(sorted(self.requirements, key=lambda each: each.window_id)),
            candidates=tuple(sorted(map(_with_sorted_assets, self.candidates), key=lambda each: each.bid_id)),
            together=tuple(sorted({tuple(sorted(set(windows))) for windows in self.together})),
            ballot_mw=dict(sorted(self.ballot_mw.items())),
            budget=self.budget,
            maximum_share=self.maximum_share,
            work=self.work,
        )


class WindowSelection(Value):
    """What was bought for one window. MW are as they count towards the requirement (`Candidate.impact`).

    `over_procured_by` is the bid, taken whole, without which the window would fall short by part of it;
    `marginal_price` the highest effective price accepted, of `marginal_bid`. `message` reads alike for 0 and 20 bids.
    """

    window_id: str
    required_mw: Megawatts
    accepted_mw: Megawatts
    shortfall_mw: Megawatts
    over_procured_mw: Megawatts
    over_procured_by: str | None
    bids: int
    accepted_bids: int
    cost: Fraction
    shortfall_cost: Fraction | None
    marginal_price: Fraction | None
    marginal_bid: str | None
    message: str


class NotTaken(Value):
    """Why a bid, or the rest of a divisible one, was not taken: code, the figures it hangs on, and a sentence."""

    bid_id: str
    code: Reason
    numbers: dict[str, str] = Field(default_factory=dict)
    text: str


class MeritOrder(Value):
    """What buying in merit order would come to, and how much more it costs than the selection.

    `difference` is money, shortfalls included where they are priced; `shortfall_mw` counts where they are not.
    """

    mw: dict[str, Megawatts]
    cost: Fraction
    shortfall_mw: Megawatts
    difference: Fraction


class Selection(Value):
    """The proposed selection. `proven`: nothing cheaper exists, shown by a bound in whole numbers; else best found.

    `mw` holds the bids taken. `cost` is what they are expected to cost; `total` adds shortfalls at their price, and
    `lower_bound` is what no selection's total can be below; `gap` = (total - bound) / |total|. `shortfall_gap_mw` is
    the unpriced shortfall that could perhaps still be avoided; 0 when it is proven least.
    """

    mw: dict[str, Megawatts]
    cost: Fraction
    total: Fraction
    lower_bound: Fraction | None
    gap: Fraction | None
    shortfall_gap_mw: Megawatts
    proven: bool
    message: str
    windows: tuple[WindowSelection, ...]
    not_taken: tuple[NotTaken, ...]
    merit_order: MeritOrder
    method: str
    solver: str
    solver_version: str
    digest: str


def windows_together(spans: Mapping[str, Sequence[Span]]) -> tuple[tuple[str, ...], ...]:
    """The sets of windows that are on at one instant, none inside another; `spans` has each window's, disjoint.

    An end comes before a start at the same instant: spans are `[start, end)`.
    """
    steps = sorted(step for window, times in spans.items() for step in _steps(window, times))
    found: set[frozenset[str]] = set()
    on: set[str] = set()
    for _, starts, window in steps:
        if starts:
            on.add(window)
            found.add(frozenset(on))
        else:
            on.discard(window)
    return tuple(sorted(tuple(sorted(each)) for each in _largest(found) if len(each) > 1))


def _steps(window: str, times: Iterable[Span]) -> Iterable[tuple[datetime, bool, str]]:
    return ((moment, starts, window) for start, end in times for moment, starts in ((start, True), (end, False)))


def _largest(sets: set[frozenset[str]]) -> list[frozenset[str]]:
    return [each for each in sets if not any(each < other for other in sets)]


def _with_sorted_assets(candidate: Candidate) -> Candidate:
    return candidate.model_copy(update={"asset_ids": tuple(sorted(set(candidate.asset_ids)))})
