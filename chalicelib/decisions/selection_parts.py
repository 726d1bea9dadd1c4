"""Owns what hangs together in a selection: windows that no constraint joins are parts, solved apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.decisions.selection_problem import Cap, Choice, Problem, Row


@dataclass(frozen=True, slots=True)
class Part:
    """A problem of its own, and the places its rows have in the whole."""

    problem: Problem
    places: tuple[int, ...]

    @property
    def is_one_window(self) -> bool:
        """Whether nothing but one window's requirement binds the part."""
        problem = self.problem
        return len(problem.needs) == 1 and not (problem.links or problem.choices or problem.caps)


def without_sold_once(problem: Problem) -> Problem:
    """The problem as if an asset could be sold to everybody: what is left joins windows far less."""
    return replace(problem, choices=tuple(choice for choice in problem.choices if choice.why != "assets"))


def restricted(problem: Problem, windows: Sequence[int], costs: Mapping[int, int]) -> Part:
    """The problem with only these windows and rows, at these costs a watt, and the constraints among them."""
    links = [link for link in problem.links if all(number in costs for number in link)]
    lost = {number for link in problem.links for number in link} - {number for link in links for number in link}
    places = sorted(set(costs) - lost)
    kept = set(places)
    groups = [
        (choice, tuple(filter(None, (_within(group, kept) for group in choice.groups)))) for choice in problem.choices
    ]
    caps = [_cut(cap, kept) for cap in problem.caps]
    choices = [replace(choice, groups=left) for choice, left in groups if len(left) > 1]
    part = _part(problem, windows, places, links, choices, [cap for cap in caps if cap.rows])
    rows = tuple(replace(row, cost=costs[number]) for number, row in zip(places, part.problem.rows, strict=True))
    return replace(part, problem=replace(part.problem, rows=rows))


def without_budget(problem: Problem) -> Problem:
    """The problem without its budget: when its best selection keeps the budget, that is the best with it too."""
    return replace(problem, caps=tuple(cap for cap in problem.caps if cap.why != "budget"))


def parts_of(problem: Problem) -> list[Part]:
    """The problem in parts, in order of their first window; together they are the whole."""
    joined = _Joined(len(problem.needs))
    for rows in _constraints(problem):
        joined.join({problem.rows[number].window for number in rows})
    windows: dict[int, list[int]] = defaultdict(list)
    rows_of: dict[int, list[int]] = defaultdict(list)
    for window in range(len(problem.needs)):
        windows[joined.head(window)].append(window)
    for number, row in enumerate(problem.rows):
        rows_of[joined.head(row.window)].append(number)
    constraints = _by_part(problem, joined)
    return [_part(problem, windows[head], rows_of[head], *constraints[head]) for head in windows]


def _constraints(problem: Problem) -> Iterator[Sequence[int]]:
    yield from problem.links
    yield from (_rows_of(choice) for choice in problem.choices)
    yield from (cap.rows for cap in problem.caps)


def _rows_of(choice: Choice) -> list[int]:
    return [number for group in choice.groups for number in group]


Kept = tuple[list[tuple[int, ...]], list[Choice], list[Cap]]


def _by_part(problem: Problem, joined: _Joined) -> dict[int, Kept]:
    kept: dict[int, Kept] = defaultdict(lambda: ([], [], []))
    for link in problem.links:
        kept[joined.head(problem.rows[link[0]].window)][0].append(link)
    for choice in problem.choices:
        kept[joined.head(problem.rows[choice.groups[0][0]].window)][1].append(choice)
    for cap in problem.caps:
        kept[joined.head(problem.rows[cap.rows[0]].window)][2].append(cap)
    return kept


def _part(
    problem: Problem,
    windows: Sequence[int],
    places: Sequence[int],
    links: Iterable[tuple[int, ...]],
    choices: Iterable[Choice],
    caps: Iterable[Cap],
) -> Part:
    place = {number: here for here, number in enumerate(places)}
    window = {number: here for here, number in enumerate(windows)}
    rows = tuple(_moved(problem.rows[number], window) for number in places)
    part = replace(
        problem,
        rows=rows,
        needs=tuple(problem.needs[number] for number in windows),
        links=tuple(tuple(place[number] for number in link) for link in links),
        choices=tuple(_placed(choice, place) for choice in choices),
        caps=tuple(replace(cap, rows=tuple(place[number] for number in cap.rows)) for cap in caps),
        bids=tuple(problem.bids[number] for number in places) if problem.bids else (),
        windows=tuple(problem.windows[number] for number in windows) if problem.windows else (),
    )
    return Part(part, tuple(places))


def _moved(row: Row, window: Mapping[int, int]) -> Row:
    here = window[row.window]
    return row if here == row.window else Row(here, row.least, row.most, row.counts, row.cost, row.spend)


def _within(group: Iterable[int], places: Container[int]) -> tuple[int, ...]:
    return tuple(number for number in group if number in places)


def _cut(cap: Cap, places: Container[int]) -> Cap:
    kept = [(number, weight) for number, weight in zip(cap.rows, cap.weights, strict=True) if number in places]
    return replace(cap, rows=tuple(number for number, _ in kept), weights=tuple(weight for _, weight in kept))


def _placed(choice: Choice, place: Mapping[int, int]) -> Choice:
    return replace(choice, groups=tuple(tuple(place[number] for number in group) for group in choice.groups))


class _Joined:
    """Windows joined into sets, each known by its first."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def head(self, window: int) -> int:
        while self._above[window] != window:
            self._above[window] = self._above[self._above[window]]
            window = self._above[window]
        return window

    def join(self, windows: Iterable[int]) -> None:
        heads = sorted({self.head(window) for window in windows})
        for head in heads[1:]:
            self._above[head] = heads[0]
