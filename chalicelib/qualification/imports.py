"""Takes the qualified assets file back as overrides, and the entries file: each row for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.assets import actions as assets
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.files.importing import Chunk, Importer, ParsedRow, RowOutcome, by_key, by_rows, call_for_row
from chalicelib.files.models import Outcome, Receipt
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Problem, Refusal, Refused, Stale
from chalicelib.qualification.actions_entries import enter_by_file
from chalicelib.qualification.actions_overrides import AT_ONCE, Hand, lay_by_file, lift_problem, load_kept
from chalicelib.qualification.actions_sheets import entry_of
from chalicelib.qualification.models import Entry, Override
from chalicelib.qualification.moments import check_entry_open, check_override_open
from chalicelib.qualification.sheets import (
    CHOICES,
    EFFECTS,
    ENTRIES,
    ENTRIES_TEMPLATE,
    OVERRIDES_TEMPLATE,
    QUALIFIED,
)

_LEAST_REASON = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """An override or a choice that a row asks for, not standing yet; `outcome` is what it comes to once saved."""

    row: ParsedRow
    competition: Competition
    hand: Hand | None
    choice: str
    outcome: Outcome


def apply_overrides(call: Call, receipt: Receipt, chunk: Chunk) -> list[RowOutcome]:
    """Lay the operator's hand on assets by the rows of a chunk, competition by competition."""
    by_competition: dict[str, list[ParsedRow]] = {}
    for row in chunk.clean(QUALIFIED):
        by_competition.setdefault(row.values["competition_id"], []).append(row)
    return [
        outcome
        for competition_id, rows in by_competition.items()
        for outcome in _overrides_of(call, receipt, competition_id, rows)
    ]


def apply_entries(call: Call, receipt: Receipt, chunk: Chunk) -> list[RowOutcome]:
    """Take the FSP's choices by the rows of a chunk."""
    rows = chunk.clean(ENTRIES)
    spoken = [row for row in rows if "choice" in row.values]
    known = competitions.load_competitions(row.values["competition_id"] for row in spoken)
    outcomes = [
        RowOutcome(row.row, ENTRIES, "unchanged", row.values["competition_id"]) for row in rows if row not in spoken
    ]
    judged = [_entry_row(call, receipt, row, known.get(row.values["competition_id"])) for row in spoken]
    outcomes += [each for each in judged if isinstance(each, RowOutcome)]

    def save(own: Call, part: Sequence[Wanted]) -> Refusal | None:
        return enter_by_file(own, receipt.id, [(each.competition, each.choice) for each in part])

    return outcomes + list(_saved(call, receipt, ENTRIES, [each for each in judged if isinstance(each, Wanted)], save))


def _overrides_of(call: Call, receipt: Receipt, competition_id: str, rows: Sequence[ParsedRow]) -> list[RowOutcome]:
    try:
        competition = competitions.own_competition(call, competition_id)
    except NotFound as refusal:
        return [_error(row, QUALIFIED, _at(refusal, "competition_id", "Competition ID")) for row in rows]
    spoken = [row for row in rows if "override" in row.values]
    silent = [row for row in rows if "override" not in row.values]
    outcomes = [RowOutcome(row.row, QUALIFIED, "unchanged", row.values["asset_id"]) for row in silent]
    judged = _override_rows(call, receipt, competition, spoken)
    outcomes += [each for each in judged if isinstance(each, RowOutcome)]

    def save(own: Call, part: Sequence[Wanted]) -> Refusal | None:
        return lay_by_file(own, competition, [each.hand for each in part if each.hand])

    return outcomes + list(
        _saved(call, receipt, QUALIFIED, [each for each in judged if isinstance(each, Wanted)], save)
    )


def _override_rows(
    call: Call, receipt: Receipt, competition: Competition, rows: Sequence[ParsedRow]
) -> list[RowOutcome | Wanted]:
    asset_ids = [row.values["asset_id"] for row in rows]
    present, kept = assets.load_assets(asset_ids), load_kept(competition.id, asset_ids)
    closed = _refusal_of(check_override_open, competition, call)
    judged: list[RowOutcome | Wanted] = []
    for row in rows:
        asset = present.get(row.values["asset_id"])
        if asset is None:
            problem = Problem("asset.not_found", "There is no such asset.", "asset_id", column="Asset ID")
            judged.append(_error(row, QUALIFIED, problem))
            continue
        effect = EFFECTS[row.values["override"]]
        hand = Hand(asset, effect, row.values.get("reason", ""), receipt.id)
        judged.append(_override_row(row, competition, hand, kept.get(asset.id), closed))
    return judged


def _override_row(
    row: ParsedRow, competition: Competition, hand: Hand, kept: Override | None, closed: Refused | None
) -> RowOutcome | Wanted:
    if hand.stands(kept):
        return RowOutcome(row.row, QUALIFIED, _as_before(kept, hand.receipt), hand.asset.id)
    problems = []
    if closed is not None:
        problems.append(_at(closed, "override", "Override"))
    if len(hand.reason) < _LEAST_REASON:
        detail = "An override needs its reason, which the FSP sees."
        problems.append(Problem("override.reason", detail, "reason", "a few words", column="Reason"))
    nothing_to_lift = lift_problem(hand.asset, hand.effect, kept)
    if nothing_to_lift is not None:
        problems.append(nothing_to_lift.at(column="Override"))
    if problems:
        return _error(row, QUALIFIED, *problems)
    return Wanted(row, competition, hand, "", "created" if kept is None else "updated")


def _entry_row(call: Call, receipt: Receipt, row: ParsedRow, competition: Competition | None) -> RowOutcome | Wanted:
    if competition is None or not competition.is_published:
        detail = "There is no such competition."
        problem = Problem("competition.not_found", detail, "competition_id", column="Competition ID")
        return _error(row, ENTRIES, problem)
    kept, choice = entry_of(competition, call.organisation), CHOICES[row.values["choice"]]
    if kept.choice == choice:
        return RowOutcome(row.row, ENTRIES, _as_before(kept, receipt.id), competition.id)
    closed = _refusal_of(check_entry_open, competition, call)
    if closed is not None:
        return _error(row, ENTRIES, _at(closed, "choice", "Entry"))
    return Wanted(row, competition, None, choice, "updated" if kept.version else "created")


def _saved(
    call: Call,
    receipt: Receipt,
    sheet: str,
    wanted: Sequence[Wanted],
    save: Callable[[Call, Sequence[Wanted]], Refusal | None],
) -> Iterator[RowOutcome]:
    """Save rows in groups; a group that was refused is saved row by row. `Stale` where others keep coming first."""
    for start in range(0, len(wanted), AT_ONCE):
        part = wanted[start : start + AT_ONCE]
        refusal = save(call_for_row(call, receipt, sheet, part[0].row.row), part)
        if refusal is not None and len(part) > 1:
            for each in part:
                yield from _saved(call, receipt, sheet, [each], save)
            continue
        if isinstance(refusal, Stale):
            raise refusal
        yield from (_outcome(each, sheet, refusal) for each in part)


def _outcome(wanted: Wanted, sheet: str, refusal: Refusal | None) -> RowOutcome:
    if refusal is not None:
        return _error(wanted.row, sheet, Problem(refusal.code, refusal.detail))
    ref = wanted.hand.asset.id if wanted.hand else wanted.competition.id
    return RowOutcome(wanted.row.row, sheet, wanted.outcome, ref)


def _as_before(kept: Override | Entry | None, receipt: str | None) -> Outcome:
    """What a row that stands already comes to: as the first time where this very file wrote it."""
    if kept is None or kept.receipt is None or kept.receipt != receipt:
        return "unchanged"
    return "created" if kept.version == 1 else "updated"


def _refusal_of(check: Callable[..., None], competition: Competition, call: Call) -> Refused | None:
    try:
        check(competition, call.now)
    except Refused as refusal:
        return refusal
    return None


def _at(refusal: Refusal, field: str, column: str) -> Problem:
    return Problem(refusal.code, refusal.detail, field, column=column)


def _error(row: ParsedRow, sheet: str, *problems: Problem) -> RowOutcome:
    key: Mapping[str, str] = row.values
    return RowOutcome(row.row, sheet, "error", key.get("asset_id") or key.get("competition_id"), problems)


OVERRIDES_IMPORTER = Importer("overrides", OVERRIDES_TEMPLATE, apply_overrides, by_key("competition_id"))
ENTRIES_IMPORTER = Importer("entries", ENTRIES_TEMPLATE, apply_entries, by_rows())
