"""Owns entry: an FSP's choice whether to take part, one competition or many at once, and what it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.competitions import actions as competitions
from chalicelib.competitions import actions_reading as competitions_reading
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Problem, Refusal, Stale
from chalicelib.qualification import store
from chalicelib.qualification.actions_sheets import current_sheet, entry_of
from chalicelib.qualification.events import EntryChanged
from chalicelib.qualification.lifecycle import choose
from chalicelib.qualification.models import Entry
from chalicelib.qualification.moments import can_enter, check_entry_open
from chalicelib.qualification.views import MOST_AT_ONCE, EntriesMade, EntriesRequest, EntryRequest, EntryView
from chalicelib.storage import objects
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

AT_ONCE = 24
_ATTEMPTS = 5


def get_entry(call: Call, competition_id: str) -> EntryView:
    """The caller's entry in a competition with what it stands on."""
    return _view(call, competitions.visible_competition(call, competition_id))


def put_entry(call: Call, competition_id: str, request: EntryRequest) -> EntryView:
    """Choose; choosing again what stands changes nothing. `Refused` outside the time of qualification."""
    competition = competitions.visible_competition(call, competition_id)
    check_entry_open(competition, call.now)
    _enter_together(call, [(competition, request.choice)])
    return _view(call, competition)


def put_entries(call: Call, request: EntriesRequest) -> EntriesMade:
    """One choice for many competitions. `Invalid` with every one in which it cannot be made, and then none is."""
    chosen = _chosen(call, request)
    problems = [problem for each in chosen if (problem := _problem(call, each))]
    if problems:
        raise Invalid.of(problems, "entry.refused")
    made = objects.put_json([competition.id for competition in chosen], "entries")
    for start in range(0, len(chosen), AT_ONCE):
        part = [(competition, request.choice) for competition in chosen[start : start + AT_ONCE]]
        _enter_together(call, part, made if start + AT_ONCE >= len(chosen) else None)
    return EntriesMade(entries=tuple(_view(call, competition) for competition in chosen))


def entries_made(call: Call, made: str) -> EntriesMade:
    """The entries that an earlier request made, as they stand now."""
    chosen = competitions.load_competitions(objects.get_json(made)).values()
    return EntriesMade(entries=tuple(_view(call, competition) for competition in chosen))


def enter_by_file(call: Call, receipt: str, choices: Sequence[tuple[Competition, str]]) -> Refusal | None:
    """Save some choices of a file together, with one record that names it; why not, if they did not go in."""
    try:
        _enter_together(call, choices, receipt=receipt)
    except Refusal as refusal:
        return refusal
    return None


def _chosen(call: Call, request: EntriesRequest) -> list[Competition]:
    """The competitions a request names, each once: by id and by round."""
    found = competitions.load_competitions(request.competition_ids)
    problems = [
        Problem("competition.not_found", "There is no such competition.", f"competition_ids/{at}")
        for at, competition_id in enumerate(request.competition_ids)
        if competition_id not in found or not found[competition_id].is_published
    ]
    of_round = _of_round(call, request, problems)
    if not (found or of_round or problems):
        problems.append(Problem("field.missing", "Name competitions, or an operator's round.", "competition_ids"))
    if len({*found, *of_round}) > MOST_AT_ONCE:
        problems.append(Problem("entry.too_many", f"At most {MOST_AT_ONCE} at once; use a file.", "competition_ids"))
    if problems:
        raise Invalid.of(problems)
    return list({**found, **of_round}.values())


def _of_round(call: Call, request: EntriesRequest, problems: list[Problem]) -> dict[str, Competition]:
    if request.round_ref is None:
        return {}
    if request.so is None:
        problems.append(Problem("field.missing", "Say whose round it is.", "so", "the id of the operator"))
        return {}
    try:
        summaries = competitions_reading.view_round(call, request.round_ref, request.so).competitions
    except NotFound as refusal:
        problems.append(Problem(refusal.code, refusal.detail, "round_ref"))
        return {}
    return competitions.load_competitions(summary.id for summary in summaries)


def _problem(call: Call, competition: Competition) -> Problem | None:
    try:
        check_entry_open(competition, call.now)
    except Refusal as refusal:
        return Problem(refusal.code, refusal.detail, "competition_ids")
    return None


def _enter_together(
    call: Call, choices: Sequence[tuple[Competition, str]], result: str | None = None, receipt: str | None = None
) -> None:
    """Several entries in one transaction; the caller's key is claimed with `result`."""
    for _ in range(_ATTEMPTS):
        before = [entry_of(competition, call.organisation) for competition, _ in choices]
        after = [_chosen_anew(call, entry, choice, receipt) for entry, (_, choice) in zip(before, choices, strict=True)]
        moves = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        try:
            _save(call if result else call.without_key(), moves, result, receipt)
            return
        except Stale:
            continue
    raise Stale("entry.raced", "Others of your organisation keep changing these entries. Read them again.")


def _chosen_anew(call: Call, before: Entry, choice: str, receipt: str | None) -> Entry:
    """The entry after a choice; the same one where it stands already."""
    after = choose(before.choice, choice)
    if after == before.choice:
        return before
    return before.but(choice=after, by=call.actor.id, at=call.now, receipt=receipt, version=before.version + 1)


def _save(call: Call, moves: Sequence[tuple[Entry, Entry]], result: str | None, receipt: str | None) -> None:
    entries = [after for _, after in moves]
    writes = [store.entry_written(entry) for entry in entries]
    writes += [store.counted(entry.competition_id, entry.fsp) for entry in entries]
    events = [EntryChanged(competition_id=entry.competition_id, so=entry.so, fsp=entry.fsp) for entry in entries]
    changes = [_change(before, after) for before, after in moves]
    changes = [_packed(call, receipt, entries)] if receipt and entries else changes
    commit(call, writes, events, changes, result)


def _change(before: Entry, after: Entry) -> Change:
    return Change(
        thing=f"competition:{after.competition_id}",
        action=f"entry.{after.choice}",
        organisation=after.fsp,
        before={"choice": before.choice},
        after={"choice": after.choice, "fsp": after.fsp},
    )


def _packed(call: Call, receipt: str, entries: Sequence[Entry]) -> Change:
    return Change(
        thing=f"receipt:{receipt}",
        action="entries.imported",
        organisation=call.organisation,
        after={"entries": {entry.competition_id: entry.choice for entry in entries}},
    )


def _view(call: Call, competition: Competition) -> EntryView:
    entry, sheet = entry_of(competition, call.organisation), current_sheet(competition, call.organisation)
    return EntryView(
        competition_id=competition.id,
        competition_ref=competition.reference,
        competition_name=competition.name,
        fsp=entry.fsp,
        choice=entry.choice,
        state=sheet.state,
        counts_as_entered=sheet.entered,
        entry_required=competition.entry_required,
        eligible=sheet.eligible,
        eligible_mw=sheet.eligible_mw,
        smallest_minimum_mw=sheet.smallest_minimum_mw,
        changeable=can_enter(competition, call.now),
        changeable_until=changeable_until(competition),
        at=entry.at,
        version=entry.version,
    )


def changeable_until(competition: Competition) -> datetime:
    return competition.calendar.qualification_closed
