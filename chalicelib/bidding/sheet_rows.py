"""Owns how rows of the bid workbook become ballots, and how a ballot's problems find their cells again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.bidding.models import MOST_BIDS, PRICES, BidRequest
from chalicelib.bidding.sheets import BIDS, TEMPLATE
from chalicelib.competitions.models import Competition
from chalicelib.files.importing import ParsedRow
from chalicelib.kernel.errors import Problem

_SAYS_SOMETHING = ("action", "capacity_mw", "minimum_acceptance_mw", "linked_group", "exclusive_group", *PRICES)
_SAME_ON_ALL_ROWS = ("action", "asset_refs", "contracting_entity")
_TAKEN_OVER = (
    "split",
    "capacity_mw",
    "divisibility",
    "minimum_acceptance_mw",
    "maximum_run_time",
    *PRICES,
    "linked_group",
    "exclusive_group",
)
ORDER = ("withdraw", "replace", "submit")


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one ballot: what stands once for all of them, and the rows themselves, in order."""

    competition_ref: str
    operator: str | None
    ballot_ref: str | None
    action: str
    asset_refs: tuple[str, ...] | None
    contracting_entity: str | None
    rows: tuple[ParsedRow, ...]

    @property
    def first(self) -> int:
        return self.rows[0].row

    def bid_rows(self) -> list[ParsedRow]:
        """The rows that are bids: of a withdrawal none, else those that say something of a bid."""
        return [] if self.action == "withdraw" else [row for row in self.rows if says_something(row)]


def says_something(row: ParsedRow) -> bool:
    """Whether a row asks for anything; those pre-filled and left alone do not."""
    return bool(row.problems) or any(name in row.values for name in _SAYS_SOMETHING)


def grouped(rows: Iterable[ParsedRow]) -> list[Group]:
    """Rows that say something as ballots: withdrawals first, then replacements, then new ones, in order of rows."""
    found: dict[tuple[str, ...], list[ParsedRow]] = {}
    for row in rows:
        if says_something(row):
            found.setdefault(_key(row), []).append(row)
    groups = [_group(own) for own in found.values()]
    return sorted(groups, key=lambda group: (ORDER.index(group.action), group.first))


def group_problems(group: Group) -> list[Problem]:
    """What keeps the rows from being one ballot: they differ in what stands once, or one could not be read."""
    found = [_differs(group, name) for name in _SAME_ON_ALL_ROWS if len(_given(group.rows, name)) > 1]
    if not any(row.problems for row in group.rows):
        return found
    detail = "Another row of this ballot has a problem; a ballot is taken or refused whole."
    sound = [row.row for row in group.rows if not row.problems]
    return found + [Problem("ballot.row_problems", detail, "ballot_ref").at(sheet=BIDS, row=row) for row in sound]


def bid_requests(group: Group, competition: Competition) -> tuple[list[BidRequest], list[Problem]]:
    """The ballot's bids, or what is missing of them, at its cells."""
    windows = {(_folded(each.period_name), _folded(each.name)): each.id for each in competition.windows}
    bids: list[BidRequest] = []
    problems: list[Problem] = []
    for row in group.bid_rows():
        named = (_folded(row.values.get("period_name")), _folded(row.values.get("window_name")))
        missing = _missing(row, named in windows)
        problems += missing
        if not missing:
            taken = {name: row.values[name] for name in _TAKEN_OVER if name in row.values}
            bids.append(BidRequest.model_validate({"window_id": windows[named], **taken}))
    if len(bids) > MOST_BIDS:
        detail = "A ballot takes no more bids."
        problems.append(_at("ballot.too_many_bids", detail, "capacity_mw", group.first, f"{MOST_BIDS} bids or fewer"))
    if not bids and not problems:
        problems.append(_at("ballot.no_bids", "The ballot has no bids.", "capacity_mw", group.first, "capacity"))
    return bids, problems


def placed(group: Group, problem: Problem, refs: Mapping[str, str]) -> Problem:
    """A problem of the ballot at its cell, with assets named as their FSP names them (`refs`: reference by id)."""
    if problem.row is not None:
        return problem
    parts = (problem.field or "").split("/")
    if parts[0] == "bids" and len(parts) == 3:
        field = "window_name" if parts[2] == "window_id" else parts[2]
        row = group.bid_rows()[int(parts[1])].row
        return replace(problem, field=field).at(sheet=BIDS, row=row, column=_header(field))
    field = {"asset_ids": "asset_refs", "ref": "ballot_ref"}.get(parts[0], parts[0])
    field = field if field in _FIELDS else "competition_ref"
    detail = problem.detail
    for asset_id, ref in refs.items():
        detail = detail.replace(f"Asset {asset_id} ", f"Asset {ref} ")
    return replace(problem, field=field, detail=detail).at(sheet=BIDS, row=group.first, column=_header(field))


_FIELDS = {column.field for column in TEMPLATE.sheet(BIDS).columns}


def _header(field: str) -> str:
    return TEMPLATE.sheet(BIDS).column(field).header


def _key(row: ParsedRow) -> tuple[str, ...]:
    """Rows of one competition with the same ballot reference are one ballot; those without, of one action."""
    values = row.values
    which = ("ref", values["ballot_ref"]) if "ballot_ref" in values else ("none", values.get("action", "submit"))
    return _folded(values.get("operator")), str(values.get("competition_ref", "")), *which


def _group(rows: Sequence[ParsedRow]) -> Group:
    refs = _given(rows, "asset_refs")
    first = rows[0].values
    return Group(
        competition_ref=str(first.get("competition_ref", "")),
        operator=first.get("operator"),
        ballot_ref=first.get("ballot_ref"),
        action=next(iter(_given(rows, "action")), "submit"),
        asset_refs=tuple(refs[0]) if refs else None,
        contracting_entity=next(iter(_given(rows, "contracting_entity")), None),
        rows=tuple(rows),
    )


def _given(rows: Iterable[ParsedRow], name: str) -> list[Any]:
    """The different values that rows give for a field, in order."""
    found: list[Any] = []
    for row in rows:
        value = row.values.get(name)
        if value is not None and value not in found:
            found.append(value)
    return found


def _differs(group: Group, name: str) -> Problem:
    detail = f"The rows of this ballot differ in {_header(name)}."
    return _at("ballot.rows_differ", detail, name, group.first, "the same on every row, or on one row alone")


def _missing(row: ParsedRow, window_is_known: bool) -> list[Problem]:
    found = []
    if not window_is_known:
        detail = "This competition has no such service window."
        allowed = "service period and window as the competition names them"
        found.append(_at("bid.window", detail, "window_name", row.row, allowed))
    for name in ("capacity_mw", "maximum_run_time"):
        if name not in row.values:
            detail = f"A bid needs its {_header(name)}."
            found.append(_at("field.missing", detail, name, row.row, "a value, or no bid at all in this row"))
    return found


def _at(code: str, detail: str, field: str, row: int, allowed: str) -> Problem:
    return Problem(code, detail, field, allowed, sheet=BIDS, row=row, column=_header(field))


def _folded(text: object) -> str:
    return "" if text is None else " ".join(str(text).split()).casefold()
