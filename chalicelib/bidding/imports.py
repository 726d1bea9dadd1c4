"""Takes bid workbooks in: each ballot whole or not at all, the others beside it, as of the instant the file arrived."""

from __future__ import annotations

from chalicelib.assets import actions as assets
from chalicelib.bidding.actions import BUSY, take_ballot, take_replacement, withdraw_ballot
from chalicelib.bidding.actions_reads import place_of, sheet_of
from chalicelib.bidding.holdings import Sheet
from chalicelib.bidding.models import BallotRequest, ReplacementRequest
from chalicelib.bidding.sheet_rows import Group, bid_requests, group_problems, grouped, placed, says_something
from chalicelib.bidding.sheets import BIDS, TEMPLATE
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.files.importing import Chunk, Importer, RowOutcome, by_key, call_for_row
from chalicelib.files.models import Outcome, Receipt
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem, Refusal, Stale, raise_problems
from chalicelib.registry import actions as registry

AT_ONCE = 500
"""Rows of a chunk; the rows of one competition always come together, so that ballots may hand assets to each other."""


def apply_bids(call: Call, receipt: Receipt, chunk: Chunk) -> list[RowOutcome]:
    """Submit, replace and withdraw the organisation's ballots by the rows of a chunk, one transaction for each."""
    rows = chunk.rows(BIDS)
    left_alone = [RowOutcome(row.row, BIDS, "unchanged") for row in rows if not says_something(row)]
    operators = _Operators()
    return left_alone + [outcome for group in grouped(rows) for outcome in _applied(call, receipt, group, operators)]


class _Operators:
    """The operators there are, read once: which competition of which of them a row means."""

    def __init__(self) -> None:
        self._all = list(registry.list_organisations("so"))
        self._meant: dict[tuple[str, str], list[Competition]] = {}

    def competition(self, group: Group) -> Competition:
        """The competition a ballot is for; `Invalid` when there is none or more than one."""
        key = ((group.operator or "").casefold(), group.competition_ref)
        if key not in self._meant:
            self._meant[key] = self._published(*key)
        if len(self._meant[key]) == 1:
            return self._meant[key][0]
        raise Invalid.of([_ambiguous() if self._meant[key] else _unknown()])

    def _published(self, wanted: str, reference: str) -> list[Competition]:
        named = [each.id for each in self._all if not wanted or wanted in (each.name.casefold(), each.id.casefold())]
        found = [competitions.find_by_ref(so, reference) for so in named]
        return [competition for competition in found if competition is not None and competition.is_published]


def _applied(call: Call, receipt: Receipt, group: Group, operators: _Operators) -> list[RowOutcome]:
    own_call = call_for_row(call, receipt, BIDS, group.first)
    refs: dict[str, str] = {}
    try:
        raise_problems(group_problems(group))
        competition = operators.competition(group)
        outcome, ref = _acted(own_call, receipt, competition, group, refs)
    except Refusal as refusal:
        if isinstance(refusal, Stale) or refusal.code == BUSY:
            raise  # others keep coming first: the queue gives the file again
        whole = refusal.problems or (Problem(refusal.code, refusal.detail, "competition_ref"),)
        return _refused(group, [placed(group, problem, refs) for problem in whole])
    return [RowOutcome(row.row, BIDS, outcome, ref) for row in group.rows]


def _acted(
    call: Call, receipt: Receipt, competition: Competition, group: Group, refs: dict[str, str]
) -> tuple[Outcome, str]:
    """What the rows came to and the ballot's reference. `refs` is filled with the assets named, for problems to use."""
    token = f"file:{receipt.id}:{group.first}"
    if group.action == "withdraw":
        return "updated", _withdraw(call, competition, group, token)
    bids, problems = bid_requests(group, competition)
    ids, unknown = _asset_ids(call.organisation, group)
    refs |= dict(zip(ids or (), group.asset_refs or (), strict=False))
    raise_problems([*problems, *unknown])
    asked = {
        "client_token": token,
        "asset_ids": ids,
        "contracting_entity": _contracting_entity(call.organisation, group.contracting_entity),
        "bids": bids,
    }
    if group.action == "replace":
        ballot_id = _named(sheet_of(call, competition), group, token)
        _, head = place_of(call, ballot_id)
        return "updated", take_replacement(call, ballot_id, ReplacementRequest(**asked), head.version).ref
    return "created", take_ballot(call, competition.id, BallotRequest(ref=group.ballot_ref, **asked)).ref


def _withdraw(call: Call, competition: Competition, group: Group, token: str) -> str:
    """Withdraw the ballot named; one that this very file withdrew before stays so and is no problem."""
    sheet = sheet_of(call, competition)
    ballot_id = _named(sheet, group, token)
    withdraw_ballot(call, ballot_id, token)
    return next(ref for ref, each in sheet.refs.items() if each == ballot_id)


def _named(sheet: Sheet, group: Group, token: str) -> str:
    """The ballot that the rows mean: by its reference, or the only live one; the same when they are read again."""
    if token in sheet.tokens:
        return sheet.tokens[token].ballot_id
    if group.ballot_ref is not None and group.ballot_ref in sheet.refs:
        return sheet.refs[group.ballot_ref]
    if group.ballot_ref is None and len(sheet.live) == 1:
        return next(iter(sheet.live))
    detail = "You have no such ballot in this competition."
    if group.ballot_ref is None:
        detail = "Say which ballot: you have none that is live in this competition, or several."
    raise Invalid.of([Problem("ballot.unknown", detail, "ballot_ref", "the reference of a ballot of yours")])


def _asset_ids(fsp: str, group: Group) -> tuple[list[str] | None, list[Problem]]:
    """The ids of the assets named, None for all that are qualified; and the references that are no asset."""
    if group.asset_refs is None:
        return None, []
    found = assets.find_by_refs(fsp, group.asset_refs)
    unknown = [ref for ref in group.asset_refs if ref not in found]
    problems = [
        Problem("ballot.asset_unknown", f"You have no asset {ref}.", "asset_refs", "references of your assets")
        for ref in unknown
    ]
    return [found[ref].id for ref in group.asset_refs if ref in found], problems


def _contracting_entity(fsp: str, named: str | None) -> str | None:
    """The id of a contracting entity by its name; what matches none is left for the ballot's own rules."""
    if named is None:
        return None
    ids = {entity.name.casefold(): entity.id for entity in registry.list_contracting_entities(fsp)}
    return ids.get(named.casefold(), named)


def _refused(group: Group, problems: list[Problem]) -> list[RowOutcome]:
    """Every row of the ballot is an error, each with the problems that stand on it beside the reader's."""
    return [
        RowOutcome(row.row, BIDS, "error", group.ballot_ref, tuple(each for each in problems if each.row == row.row))
        for row in group.rows
    ]


def _unknown() -> Problem:
    detail = "There is no published competition of this reference."
    return Problem("competition.unknown", detail, "competition_ref", "a reference as the operator wrote it")


def _ambiguous() -> Problem:
    detail = "More than one operator has a competition of this reference."
    return Problem("competition.ambiguous", detail, "operator", "the name of the operator")


IMPORTER = Importer(kind="bids", template=TEMPLATE, apply=apply_bids, split=by_key("competition_ref", AT_ONCE))
