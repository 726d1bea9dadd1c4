"""Owns whether a ballot may be taken: every limit of page 5, each its own refusal. Pure.

No sentence repeats a figure that was bid: problems travel through receipts and logs, and bids are sealed until close.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from chalicelib.bidding.bid_rules import bid_problems
from chalicelib.bidding.holdings import Sheet, bitmap_of, held_assets, held_mw
from chalicelib.bidding.models import BidRequest, total
from chalicelib.bidding.pricing import by_window, counted_mw
from chalicelib.competitions.models import Competition, ServiceWindow
from chalicelib.kernel.errors import Problem, Refused
from chalicelib.kernel.models import iso
from chalicelib.kernel.quantities import plain

OPENING_DELAY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Backing:
    """What one asset brings: its bit on the sheet, qualified MW, and how long it can run (None: as long as asked)."""

    ordinal: int
    mw: Decimal
    maximum_run_time: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What an FSP may offer with at this instant.

    `backing` holds the qualified assets of the ballot's set (others of the set are absent), `qualified_mw` the FSP's
    qualified capacity over all its assets, `free_mw` per window what overlapping obligations leave of the set.
    """

    backing: Mapping[str, Backing]
    qualified_mw: Decimal
    free_mw: Mapping[str, Decimal]


def check_open(competition: Competition, now: datetime) -> None:
    """Raise unless bidding is open at the instant of receipt: from `opens` on, before `closes`."""
    if competition.outcome == "withdrawn":
        raise Refused("competition.withdrawn", "This competition was withdrawn; its ballots are void.")
    opens, closes = competition.calendar.open, competition.calendar.closed
    if opens is None or closes is None:
        raise Refused("bidding.none", "This competition only shows what is needed; nobody bids in it.")
    if now < opens:
        raise Refused("bidding.not_open", f"Bidding opens at {iso(opens)}.")
    if now >= closes:
        raise Refused("bidding.closed", f"Bidding closed at {iso(closes)}; this arrived at {iso(now)}.")


def check_bidder(verified: bool, entered: bool) -> None:
    """Raise unless the FSP was verified by the market operator and takes part in the competition."""
    if not verified:
        raise Refused("bidding.not_verified", "Your organisation has not been verified by the market operator yet.")
    if not entered:
        raise Refused("bidding.not_entered", "Your organisation did not enter this competition before entry closed.")


def check_closed(competition: Competition, now: datetime) -> None:
    """Raise unless bidding has closed; in a withdrawn competition ballots stay sealed for ever."""
    if competition.outcome == "withdrawn":
        raise Refused("competition.withdrawn", "This competition was withdrawn; its ballots stay sealed.")
    _check_past(competition, now, timedelta(0))


def check_may_open(competition: Competition, now: datetime) -> None:
    """Raise unless the operator may open the ballots: a minute after close, and never in a withdrawn competition."""
    check_closed(competition, now)
    _check_past(competition, now, OPENING_DELAY)


def _check_past(competition: Competition, now: datetime, delay: timedelta) -> None:
    closes = competition.calendar.closed
    if closes is None:
        raise Refused("bidding.none", "This competition only shows what is needed; nobody bids in it.")
    if now < closes + delay:
        wait = math.ceil((closes + delay - now).total_seconds())
        raise Refused("bidding.sealed", f"Bids are sealed until {iso(closes + OPENING_DELAY)}.", retry_after=wait)


def ballot_problems(
    competition: Competition,
    sheet: Sheet,
    standing: Standing,
    asset_ids: Sequence[str],
    bids: Sequence[BidRequest],
    ballot_id: str | None = None,
) -> list[Problem]:
    """Everything that stands against a ballot; none: it may be taken. `ballot_id` is the ballot being replaced."""
    return [
        *set_problems(sheet, standing, asset_ids, ballot_id),
        *bid_problems(competition, bids),
        *capacity_problems(competition, sheet, standing, bids, ballot_id),
    ]


def set_problems(
    sheet: Sheet, standing: Standing, asset_ids: Sequence[str], ballot_id: str | None
) -> Iterator[Problem]:
    """The set of assets: some, each once, each qualified, none in another live ballot."""
    if not asset_ids:
        yield Problem("ballot.no_assets", "None of your assets is qualified for this competition.", "asset_ids")
    wanted = [standing.backing[asset_id].ordinal for asset_id in asset_ids if asset_id in standing.backing]
    held = held_assets(sheet, ballot_id) & bitmap_of(wanted)
    seen: set[str] = set()
    for place, asset_id in enumerate(asset_ids):
        problem = _asset_problem(standing.backing.get(asset_id), asset_id in seen, held)
        if problem is not None:
            yield Problem(problem[0], problem[1].format(asset_id), f"asset_ids/{place}", problem[2])
        seen.add(asset_id)


def _asset_problem(backing: Backing | None, repeated: bool, held: int) -> tuple[str, str, str] | None:
    """Code, sentence and what would pass, for the first thing wrong with an asset of the set."""
    if repeated:
        return "ballot.asset_repeated", "Asset {} stands in the ballot twice.", "each asset once"
    if backing is None:
        return "ballot.asset_not_qualified", "Asset {} is not qualified for this competition.", "your qualified assets"
    if held >> backing.ordinal & 1:
        allowed = "assets that no other live ballot of yours holds; replace or withdraw that one first"
        return "ballot.asset_taken", "Asset {} is in another live ballot of yours in this competition.", allowed
    return None


def capacity_problems(
    competition: Competition, sheet: Sheet, standing: Standing, bids: Sequence[BidRequest], ballot_id: str | None
) -> Iterator[Problem]:
    """Per window, what the ballot offers in all against each limit there is."""
    windows = competition.windows_by_id
    last_row = {bid.window_id: row for row, bid in enumerate(bids)}
    for window_id, offered in by_window(bids).items():
        if window_id in windows:
            limits = _limits(windows[window_id], sheet, standing, offered, ballot_id)
            unit = competition.capacity_unit
            yield from (limit.at_row(last_row[window_id], unit) for limit in limits if limit.is_broken)


@dataclass(frozen=True, slots=True)
class _Limit:
    """MW offered against MW allowed, and how it is told when it does not hold; `would_pass` goes before the figure."""

    code: str
    detail: str
    offered: Decimal
    allowed: Decimal
    field: str = "capacity_mw"
    would_pass: str | None = None

    @property
    def is_broken(self) -> bool:
        return self.offered > self.allowed

    def at_row(self, row: int, unit: str) -> Problem:
        allowed = self.would_pass or f"{plain(self.allowed)} {unit} or less"
        return Problem(self.code, self.detail, f"bids/{row}/{self.field}", allowed)


def _limits(
    window: ServiceWindow, sheet: Sheet, standing: Standing, offered: Sequence[BidRequest], ballot_id: str | None
) -> Iterator[_Limit]:
    mw = counted_mw(offered)
    of_set = total([backing.mw for backing in standing.backing.values()])
    all_ballots = mw + held_mw(sheet, window.id, ballot_id)
    name = f"window {window.name} of {window.period_name}"
    yield _Limit(
        "ballot.over_capacity", f"The bids for {name} exceed the qualified capacity of their assets.", mw, of_set
    )
    yield _Limit(
        "ballot.over_requirement",
        f"The bids for {name} exceed the capacity the operator requires.",
        mw,
        window.capacity_required,
    )
    yield _Limit(
        "ballots.over_capacity",
        f"Your ballots for {name} together exceed your qualified capacity.",
        all_ballots,
        standing.qualified_mw,
    )
    yield _Limit(
        "ballot.obligated",
        f"The assets have obligations at the same time as {name}, which leave less than is bid.",
        mw,
        standing.free_mw.get(window.id, of_set),
    )
    yield from _run_time_limits(name, standing, offered)


def _run_time_limits(name: str, standing: Standing, offered: Sequence[BidRequest]) -> Iterator[_Limit]:
    """For each run time asked: the bids that run so long need assets that can, with as many MW."""
    for run_time in sorted({bid.maximum_run_time for bid in offered}):
        able = total([each.mw for each in standing.backing.values() if _can_run(each, run_time)])
        asked = counted_mw([bid for bid in offered if bid.maximum_run_time >= run_time])
        detail = f"The assets cannot run that long with the capacity bid for {name}."
        allowed = "a shorter run time, less capacity, or assets with a longer maximum run time"
        yield _Limit("ballot.run_time", detail, asked, able, "maximum_run_time", allowed)


def _can_run(backing: Backing, run_time: timedelta) -> bool:
    return backing.maximum_run_time is None or backing.maximum_run_time >= run_time
