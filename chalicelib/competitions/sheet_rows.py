"""Owns the way between the rows of a competition workbook and the JSON of the API, and back to a problem's cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.competitions.models import Competition
from chalicelib.competitions.planning import as_request
from chalicelib.competitions.sheets import BOUNDARIES, BOX, BOX_FIELDS, COMPETITIONS, HEADERS, LISTS, WINDOWS
from chalicelib.files.importing import ParsedRow
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.periods import local_of


@dataclass
class Group:
    """The rows of one reference, tab by tab."""

    reference: str
    competitions: list[ParsedRow] = field(default_factory=list)
    boundaries: list[ParsedRow] = field(default_factory=list)
    windows: list[ParsedRow] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[str, ParsedRow]]:
        tabs = ((COMPETITIONS, self.competitions), (BOUNDARIES, self.boundaries), (WINDOWS, self.windows))
        return ((sheet, row) for sheet, rows in tabs for row in rows)


def grouped(sheets: Mapping[str, Sequence[ParsedRow]]) -> list[Group]:
    """The rows of all tabs by reference, in the order in which references first stand; those without one together."""
    groups: dict[str, Group] = {}
    for sheet, rows in sheets.items():
        for row in rows:
            reference = str(row.values.get("reference", ""))
            group = groups.setdefault(reference, Group(reference))
            {COMPETITIONS: group.competitions, BOUNDARIES: group.boundaries, WINDOWS: group.windows}[sheet].append(row)
    return list(groups.values())


def request_values(group: Group) -> dict[str, Any]:
    """The JSON that a group of rows asks for: the competition's row with its boundaries and windows under it."""
    head = dict(group.competitions[0].values) if group.competitions else {"reference": group.reference}
    windows = [{name: value for name, value in row.values.items() if name != "reference"} for row in group.windows]
    return head | {"boundaries": _boundary_values(group.boundaries), "service_windows": windows}


def placed(group: Group, problem: Problem) -> Problem:
    """A problem of the JSON at its tab, row and column."""
    parts = (problem.field or "").split("/")
    if parts[0] == "service_windows" and len(parts) > 1:
        return _at(problem, WINDOWS, group.windows[int(parts[1])], parts[2])
    if parts[0] == "boundaries" and len(parts) > 2:
        row, column = _places_of(group.boundaries, parts[1])[int(parts[2])]
        return _at(problem, BOUNDARIES, row, column)
    if parts[0] == "boundaries" and group.boundaries:
        return _at(problem, BOUNDARIES, group.boundaries[0], "areas")
    return _at(problem, COMPETITIONS, group.competitions[0], parts[0]) if group.competitions else problem


def box_problems(group: Group) -> list[Problem]:
    """Boxes of which a side is missing."""
    found = []
    for row in group.boundaries:
        missing = [name for name in BOX_FIELDS if name not in row.values]
        if 0 < len(missing) < len(BOX_FIELDS):
            detail = "A bounding box needs all four sides."
            problem = Problem("boundary.box_half", detail, missing[0], "degrees for south, west, north and east")
            found.append(_at(problem, BOUNDARIES, row, missing[0]))
    return found


def rows_of(competitions: Sequence[Competition]) -> dict[str, list[dict[str, Any]]]:
    """The rows of all tabs that ask for these competitions exactly as they stand."""
    return {
        COMPETITIONS: [_head_row(each) for each in competitions],
        BOUNDARIES: [row for each in competitions for row in _boundary_rows(each)],
        WINDOWS: [row for each in competitions for row in _window_rows(each)],
    }


def _boundary_values(rows: Sequence[ParsedRow]) -> dict[str, Any]:
    lists = {name: [text for row in rows for text in row.values.get(name, ())] for name in LISTS}
    return lists | {"bounding_boxes": [_box(row) for row in rows if _has_box(row)]}


def _places_of(rows: Sequence[ParsedRow], part: str) -> list[tuple[ParsedRow, str]]:
    """For each entry of a list of boundaries, the row and column it came from."""
    if part == "bounding_boxes":
        return [(row, "box_south") for row in rows if _has_box(row)]
    return [(row, part) for row in rows for _ in row.values.get(part, ())]


def _has_box(row: ParsedRow) -> bool:
    return all(name in row.values for name in BOX_FIELDS)


def _box(row: ParsedRow) -> dict[str, Any]:
    return {side: row.values[f"box_{side}"] for side in BOX}


def _at(problem: Problem, sheet: str, row: ParsedRow, column: str) -> Problem:
    header = HEADERS[sheet].get(column, column)
    return Problem(problem.code, problem.detail, column, problem.allowed, sheet, row.row, header)


def _head_row(competition: Competition) -> dict[str, Any]:
    asked = dict(as_request(competition))
    dates = {
        name: local_of(asked[name], competition.zone) if asked[name] else None
        for name in ("qualification_open", "qualification_closed", "open", "closed")
    }
    return {**asked, **dates, "pricing_type": competition.pricing_type, "publish": competition.is_published}


def _boundary_rows(competition: Competition) -> list[dict[str, Any]]:
    boundaries = competition.boundaries
    lists = {name: getattr(boundaries, name) for name in LISTS if getattr(boundaries, name)}
    boxes = [{f"box_{side}": getattr(box, side) for side in BOX} for box in boundaries.bounding_boxes]
    rows = [{**lists, **(boxes[0] if boxes else {})}, *boxes[1:]]
    return [{"reference": competition.reference, **row} for row in rows]


def _window_rows(competition: Competition) -> list[dict[str, Any]]:
    windows = as_request(competition).service_windows or ()
    return [
        {"reference": competition.reference, **dict(window), "service_days": ", ".join(window.service_days)}
        for window in windows
    ]
