"""Owns whether each bid of a ballot stands by itself: window, size, run time, prices, ceilings and groups. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from chalicelib.bidding.models import PRICE_UNITS, PRICES, Bid, BidRequest, PriceName, bid_id
from chalicelib.bidding.pricing import Priced, effective_price
from chalicelib.competitions.models import Competition, ServiceWindow
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.quantities import ZERO, plain

CEILINGS = {"availability_price": "availability", "utilisation_price": "utilisation", "effective_price": "effective"}


def bid_problems(competition: Competition, bids: Sequence[BidRequest]) -> Iterator[Problem]:
    """Everything that stands against single bids and their groups, with `field` as `bids/<place>/<name>`."""
    windows = competition.windows_by_id
    seen: set[tuple[str, int]] = set()
    for row, bid in enumerate(bids):
        window = windows.get(bid.window_id)
        found = [_unknown_window()] if window is None else _window_problems(competition, window, bid)
        if (bid.window_id, bid.split) in seen:
            found = [*found, Problem("bid.repeated", "This window and split stand in the ballot twice.", "split")]
        seen.add((bid.window_id, bid.split))
        yield from (_at(problem, row) for problem in found)
    yield from _group_problems(bids)


def filled_prices(competition: Competition, bid: BidRequest) -> BidRequest:
    """The bid with the competition's fixed prices filled in."""
    asked = competition.asked_prices
    fixed = {str(name): price for name, price in competition.fixed_prices.items() if name in asked}
    return bid.model_copy(update=fixed)


def completed(competition: Competition, bid: BidRequest, ballot_id: str, version: int, row: int) -> Bid:
    """A bid that may be taken, as it is kept: its id, fixed prices, and how much of it may be accepted.

    Where the competition takes no part of a bid, every bid is all-or-nothing whatever it says. A divisible bid without
    a smallest part may be cut down to the competition's minimum bid size.
    """
    divisible = bid.divisibility == "divisible" and competition.accept_partial_award
    smallest = bid.minimum_acceptance_mw if bid.minimum_acceptance_mw is not None else competition.minimum_bid_size
    fields = dict(filled_prices(competition, bid)) | {
        "id": bid_id(ballot_id, version, row),
        "divisibility": "divisible" if divisible else "all-or-nothing",
        "minimum_acceptance_mw": smallest if divisible else None,
    }
    return Bid.model_validate(fields)


def ceilings_of(competition: Competition, window: ServiceWindow) -> dict[str, Decimal]:
    """The ceilings that bind in a window, by `availability_price`, `utilisation_price`, `effective_price`."""
    limits = {name: _ceiling(competition, window, name) for name in CEILINGS}
    return {name: limit for name, limit in limits.items() if limit is not None}


def ceiling_breaches(competition: Competition, window: ServiceWindow, bid: Priced) -> list[str]:
    """Which of `availability_price`, `utilisation_price`, `effective_price` lie above the window's ceilings.

    A fixed price is the operator's own and is measured by the effective ceiling alone.
    """
    return [name for name in CEILINGS if _is_above(competition, window, bid, name)]


def _is_above(competition: Competition, window: ServiceWindow, bid: Priced, name: str) -> bool:
    limit = _ceiling(competition, window, name)
    if limit is None or name in competition.fixed_prices:
        return False
    price = effective_price(bid, window) if name == "effective_price" else getattr(bid, name)
    return price is not None and Fraction(price) > Fraction(limit)


def _ceiling(competition: Competition, window: ServiceWindow, name: str) -> Decimal | None:
    limit: Decimal | None = getattr(competition.ceilings(window), CEILINGS[name])
    return limit


def _window_problems(competition: Competition, window: ServiceWindow, bid: BidRequest) -> list[Problem]:
    prices = list(_price_problems(competition, bid))
    return [
        *_size_problems(competition, bid),
        *_run_time_problems(window, bid),
        *prices,
        *([] if prices else _ceiling_problems(competition, window, filled_prices(competition, bid))),
    ]


def _size_problems(competition: Competition, bid: BidRequest) -> Iterator[Problem]:
    smallest, part = competition.minimum_bid_size, bid.minimum_acceptance_mw
    if bid.capacity_mw == 0:
        yield Problem("bid.no_capacity", "A bid needs capacity.", "capacity_mw", "more than 0 MW")
    elif bid.capacity_mw < smallest:
        allowed = f"{plain(smallest)} MW or more"
        yield Problem("bid.below_minimum", "The bid is below the minimum bid size.", "capacity_mw", allowed)
    if part is None:
        return
    if bid.divisibility == "all-or-nothing":
        detail = "An all-or-nothing bid is accepted whole; it has no smaller part."
        yield Problem("bid.not_divisible", detail, "minimum_acceptance_mw", "leave it out, or make the bid divisible")
    elif part > bid.capacity_mw:
        detail = "The smallest part is more than the bid."
        yield Problem("bid.minimum_acceptance", detail, "minimum_acceptance_mw", "the capacity of the bid or less")


def _run_time_problems(window: ServiceWindow, bid: BidRequest) -> Iterator[Problem]:
    if window.minimum_run_time is not None and bid.maximum_run_time < window.minimum_run_time:
        detail = "The run time is shorter than the window needs."
        yield Problem("bid.run_time", detail, "maximum_run_time", f"{clock(window.minimum_run_time)} or longer")


def _price_problems(competition: Competition, bid: BidRequest) -> Iterator[Problem]:
    for name in PRICES:
        problem = _price_problem(competition, name, bid)
        if problem is not None:
            yield Problem(problem[0], problem[1], name, problem[2])


def _price_problem(competition: Competition, name: PriceName, bid: BidRequest) -> tuple[str, str, str] | None:
    """Code, sentence and what would pass: exactly the prices asked for, fixed ones as they are, others not negative."""
    price, fixed = getattr(bid, name), competition.fixed_prices.get(name)
    label = name.replace("_", " ")
    if name not in competition.asked_prices:
        found = ("bid.price_not_asked", f"This competition asks for no {label}.", "leave it out")
        return None if price is None else found
    if fixed is not None:
        found = ("bid.price_fixed", f"The operator fixed the {label}.", f"{plain(fixed)}, or leave it out")
        return None if price is None or price == fixed else found
    if price is None:
        return "bid.price_missing", f"This competition asks for a {label}.", f"a price per {PRICE_UNITS[name]}"
    if price < 0 and not competition.allow_negative_prices:
        return "bid.price_negative", f"The operator takes no negative {label}.", "0 or more"
    return None


def _ceiling_problems(competition: Competition, window: ServiceWindow, bid: BidRequest) -> Iterator[Problem]:
    if competition.ceiling_rule == "assess":
        return
    for name in ceiling_breaches(competition, window, bid):
        limit = plain(_ceiling(competition, window, name) or ZERO)
        field = _highest_price(competition, bid) if name == "effective_price" else name
        detail = f"The {name.replace('_', ' ')} is above the published ceiling."
        yield Problem(f"bid.above_{CEILINGS[name]}_ceiling", detail, field, f"{limit} or less")


def _highest_price(competition: Competition, bid: BidRequest) -> str:
    """The field to look at when the effective price is too high: the first price that is the FSP's to change."""
    return next((name for name in competition.asked_prices if name not in competition.fixed_prices), "capacity_mw")


def _group_problems(bids: Sequence[BidRequest]) -> Iterator[Problem]:
    """Bids that must be accepted together cannot also exclude each other."""
    pairs = Counter((bid.linked_group, bid.exclusive_group) for bid in bids)
    for row, bid in enumerate(bids):
        if bid.linked_group and bid.exclusive_group and pairs[bid.linked_group, bid.exclusive_group] > 1:
            detail = "Bids of one linked group are accepted together; these also exclude each other."
            problem = Problem("bid.linked_and_exclusive", detail, "exclusive_group", "another exclusive group, or none")
            yield _at(problem, row)


def _unknown_window() -> Problem:
    return Problem("bid.window", "This competition has no such service window.", "window_id", "a window of it")


def _at(problem: Problem, row: int) -> Problem:
    return Problem(problem.code, problem.detail, f"bids/{row}/{problem.field}", problem.allowed)


def clock(length: timedelta) -> str:
    """A length of time as people write it: `2:30:00`, with days before it where there are some."""
    days, rest = divmod(int(length.total_seconds()), 86_400)
    time = f"{rest // 3600}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{days} {time}" if days else time
