"""Owns a selection in whole numbers: watts, units of requirement and units of money, with every constraint as a row.

Nothing is rounded on the way in: the unit of money is as fine as the request's figures need, the unit of requirement a
watt divided by the impact factors' denominators. Rows stand in merit order, which is also the order of ties.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from chalicelib.decisions.selection_models import Candidate

Why = Literal["assets", "share", "budget"]


@dataclass(frozen=True, slots=True)
class Row:
    """A bid: nothing of it is taken, or `least` to `most` watts, each worth `counts` units towards its window.

    `cost` is what a watt weighs in the choice, `spend` what it costs in money; they differ only in windows where no
    hours are expected, in which every bid costs nothing and the effective price is weighed instead.
    """

    window: int
    least: int
    most: int
    counts: int
    cost: int
    spend: int


@dataclass(frozen=True, slots=True)
class Need:
    """A window: units required, the price of a unit short (None: shortfall comes before cost).

    `over` is charged for a unit beyond the requirement; it is above 0 only where a bid's price is negative, so that
    money is never made by buying what nobody needs.
    """

    units: int
    price: int | None
    over: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Rows in groups, of which at most one group has anything taken: an exclusive group, or `assets` sold once."""

    groups: tuple[tuple[int, ...], ...]
    why: Literal["exclusive", "assets"] = "exclusive"


@dataclass(frozen=True, slots=True)
class Cap:
    """Rows whose weighted watts may not exceed a limit."""

    why: Why
    rows: tuple[int, ...]
    weights: tuple[int, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A selection to be made. `money` and `unit` are how many units make one of the currency, and one MW."""

    rows: tuple[Row, ...]
    needs: tuple[Need, ...]
    links: tuple[tuple[int, ...], ...] = ()
    choices: tuple[Choice, ...] = ()
    caps: tuple[Cap, ...] = ()
    money: int = 1
    unit: int = 1
    bids: tuple[Candidate, ...] = field(default=(), compare=False)
    windows: tuple[str, ...] = ()
