"""The quick ways prove what they find: held to trying all, to the whole programme, and to published optima."""

from __future__ import annotations

import os
import random
from fractions import Fraction
from itertools import product
from math import lcm
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.decisions.selection import best_selection, is_allowed, worth
from chalicelib.decisions.selection_counting import problem_of
from chalicelib.decisions.selection_cover import cheapest_cover
from chalicelib.decisions.selection_merit import merit_order
from chalicelib.decisions.selection_milp import solve_by_milp
from chalicelib.decisions.selection_models import SelectionRequest
from chalicelib.decisions.selection_problem import Choice, Need, Problem, Row
from chalicelib.decisions.selection_solving import solve
from tests.builders.selection import a_bid, a_request

DATA = Path(os.environ.get("HEADROOM_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "selection"
WORK = 1_000_000


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 12)), min_size=1, max_size=9),
    st.integers(1, 40),
    st.none() | st.integers(1, 4),
)
@settings(max_examples=400, deadline=None)
def test_the_search_at_the_margin_finds_the_first_of_the_cheapest(
    bids: list[tuple[int, int]], need: int, short: int | None
) -> None:
    bids = sorted(bids, key=lambda bid: Fraction(bid[1], bid[0]))
    weights, costs = (np.array(values, np.int64) for values in zip(*bids, strict=True))
    need = min(need, int(weights.sum()))

    def judged(taken: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        left = max(need - int(weights @ taken), 0)
        return int(costs @ taken) + left * (short or 0), tuple(-each for each in taken)

    every = [t for t in product((0, 1), repeat=len(bids)) if short is not None or int(weights @ t) >= need]
    best = min(map(judged, every))
    found = cheapest_cover(weights, costs, need, short, WORK)
    assert found is not None
    assert found.is_proven
    assert judged(tuple(found.taken.astype(int).tolist())) == best
    assert found.bound == best[0]


def a_window(seed: int, bids: int, divisible: float) -> SelectionRequest:
    chance = random.Random(seed)
    offered = []
    for number in range(bids):
        kilowatts = chance.randint(50, 3000)
        least = chance.choice([1, kilowatts // 2 or 1, kilowatts]) if chance.random() < divisible else None
        minimum = None if least is None else f"{least / 1000}"
        offered.append(
            a_bid(f"b{number:02}", f"{kilowatts / 1000}", chance.randint(5000, 20000) / 100, minimum_mw=minimum)
        )
    return a_request(*offered, mw=f"{chance.randint(1000, bids * 700) / 1000}", shortfall_price=Fraction(180))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("divisible", [0, 0.4])
def test_what_is_searched_at_the_margin_costs_what_the_whole_programme_does(seed: int, divisible: float) -> None:
    problem = problem_of(a_window(seed, 40, divisible).in_order())
    quick = solve(problem, WORK)
    whole = solve_by_milp(problem, merit_order(problem), WORK)
    penny = problem.money // 100
    assert worth(problem, quick.amounts).cost - quick.cost < penny
    assert worth(problem, quick.amounts).cost == worth(problem, whole.amounts).cost


def test_figures_too_large_for_64_bits_are_left_to_the_solver() -> None:
    assert cheapest_cover(np.array([3, 5]), np.array([2**60, 2**60]), 4, None, WORK) is None
    bids = [
        a_bid(name, mw, Fraction(10**15 + place, 7)) for place, (name, mw) in enumerate((("a", "3.000001"), ("b", "2")))
    ]
    more = [a_bid(f"c{n}", f"1.00000{n}", Fraction(10**15 + n, 11)) for n in range(1, 9)]
    problem = problem_of(a_request(*bids, *more, mw="5").in_order())
    found = solve(problem, WORK)
    assert is_allowed(problem, found.amounts)
    assert found.cost <= worth(problem, found.amounts).cost


def test_a_search_cut_short_is_not_called_proven() -> None:
    chance = np.random.default_rng(3)
    weights = np.sort(chance.integers(1000, 2000, 200))
    found = cheapest_cover(weights, weights + 100, 100_001, None, 50)
    assert found is not None
    assert not found.is_proven
    assert found.bound <= int((weights + 100)[found.taken].sum())
    assert int(weights[found.taken].sum()) >= 100_001


def a_round(competitions: int, bids: int, seed: int = 1) -> Problem:
    """Competitions of whole bids, each of an asset that about three bids name."""
    chance = random.Random(seed)
    rows = []
    holders: dict[int, list[int]] = {}
    for number in range(competitions * bids):
        watts = chance.randint(10, 1500) * 1000
        rows.append(Row(number // bids, watts, watts, 1, price := chance.randint(8000, 25000), price))
        holders.setdefault(chance.randrange(competitions * bids // 3), []).append(number)
    needs = tuple(
        Need(sum(row.most for row in rows if row.window == window) // 4, 300_000, 0) for window in range(competitions)
    )
    choices = tuple(Choice(tuple((n,) for n in group), "assets") for group in holders.values() if len(group) > 1)
    return Problem(tuple(rows), needs, choices=choices, windows=tuple(f"w{n:03}" for n in range(competitions)))


def test_a_round_of_competitions_is_bought_within_a_few_percent_of_its_bound() -> None:
    problem = a_round(60, 40)
    found = solve(problem, WORK)
    own = worth(problem, found.amounts)
    assert found.method == "assets priced"
    assert is_allowed(problem, found.amounts)
    assert found.cost <= own.cost <= found.cost * 1.04
    assert own.cost < worth(problem, merit_order(problem)).cost


@pytest.mark.parametrize("seed", range(6))
def test_groups_links_assets_and_budgets_cost_what_trying_all_finds(seed: int) -> None:
    problem = problem_of(entangled(seed).in_order())
    best = worth(problem, best_selection(problem))
    for found in (solve(problem, WORK), solve_by_milp(problem, merit_order(problem), WORK)):
        own = worth(problem, found.amounts)
        assert is_allowed(problem, found.amounts)
        assert own[:2] == best[:2]
        assert (found.missing, found.cost) <= best[:2]


def entangled(seed: int) -> SelectionRequest:
    """Ten whole bids in two windows, of few ballots and assets, linked and exclusive."""
    chance = random.Random(seed)
    bids = [
        a_bid(
            f"b{number}",
            f"{chance.choice([chance.randint(50, 3000), 500, 1000]) / 1000}",
            chance.choice([100, 120, chance.randint(5000, 20000) / 100]),
            window_id=chance.choice(["w1", "w1", "w2"]),
            linked_group=f"l{number % 2}" if number < 3 else None,
            exclusive_group=f"e{number % 2}" if 3 < number < 7 else None,
            asset_ids=(chance.choice("xyzuvw"),),
            ballot_id=f"bal_{chance.randint(0, 5)}",
            fsp=f"org_{chance.randint(0, 3)}",
        )
        for number in range(10)
    ]
    return a_request(
        *bids,
        mw={"w1": f"{chance.randint(1000, 5000) / 1000}", "w2": f"{chance.randint(500, 3000) / 1000}"},
        shortfall_price=chance.choice([None, Fraction(150), Fraction(300)]),
        together=chance.choice([(), (("w1", "w2"),)]),
        budget=chance.choice([None, None, f"{chance.randint(200, 700)}"]),
        maximum_share=chance.choice([None, Fraction(1, 2)]),
    )


@pytest.mark.real_data
@pytest.mark.skipif(not DATA.exists(), reason="public data is not beside the checkout")
@pytest.mark.parametrize("name", sorted(path.stem for path in DATA.glob("*.in")))
def test_published_optima_are_met(name: str) -> None:
    count, *figures, capacity = map(Fraction, (DATA / f"{name}.in").read_text().split())
    optimum = Fraction((DATA / f"{name}.optimum").read_text().split()[0])
    pairs = list(zip(figures[::2], figures[1::2], strict=True))
    assert len(pairs) == count
    scale = lcm(*(value.denominator for value in figures))
    weights = np.array([int(weight * scale) for _, weight in pairs])
    need = int(weights.sum() - capacity * scale)
    total = sum(profit for profit, _ in pairs)
    found = cheapest_cover(weights, np.array([int(profit * scale) for profit, _ in pairs]), need, None, WORK * 10)
    assert found is not None
    assert found.is_proven
    assert abs(found.bound / scale - (total - optimum)) < Fraction(1, 1000)
