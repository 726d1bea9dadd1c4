"""Tells what changed between a settlement run and the version before it, line by line, with the cause."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem, Refused
from chalicelib.kernel.models import Page
from chalicelib.settlement import store_reports, store_runs
from chalicelib.settlement.actions_runs import own_run, told_part
from chalicelib.settlement.differences import Difference, differences, key_of
from chalicelib.settlement.models_runs import ReportLine, Run
from chalicelib.settlement.requests_runs import DifferencesQuery, DifferenceView


def list_differences(call: Call, run_id: str, query: DifferencesQuery) -> Page[DifferenceView]:
    """Every line that changed since the last version that was made; an FSP sees its own once they are published.

    Of a first version every line is new.
    """
    run = own_run(call, run_id)
    if run.state != "done":
        raise Refused("run.not_done", f"The run is {run.state}; what it changed is known once it is done.")
    fsp, skip = _place(query.cursor)
    before = _before(run)
    wanted = [each for each in _fsps(call, run, before, query.fsp) if each >= fsp]
    found = _numbered(run, before, wanted, fsp, skip)
    items = list(islice(found, query.limit + 1))
    following = items[query.limit] if len(items) > query.limit else None
    return Page(
        items=[view for _, view in items[: query.limit]],
        next=f"{following[1].fsp}:{following[0]}" if following else None,
    )


def _fsps(call: Call, run: Run, before: Run | None, asked: str | None) -> list[str]:
    """Whose lines the caller may see, in order."""
    if call.actor.organisation_kind == "fsp":
        own = told_part(call, run) is not None and asked in (None, call.organisation)
        return [call.organisation] if own else []
    everyone = sorted({*run.fsps, *(before.fsps if before else ())})
    return [fsp for fsp in everyone if asked in (None, fsp)]


def _before(run: Run) -> Run | None:
    """The last version before a run that was made."""
    earlier = run.previous
    while earlier is not None:
        found = store_runs.find_run(earlier)
        if found is None or found.state == "done":
            return found
        earlier = found.previous
    return None


def _numbered(
    run: Run, before: Run | None, fsps: list[str], fsp: str, skip: int
) -> Iterator[tuple[int, DifferenceView]]:
    """The differences of each FSP with their numbers, from a place on."""
    for each in fsps:
        views = _differences(run, before, each)
        start = skip if each == fsp else 0
        yield from islice(enumerate(views), start, None)


def _differences(run: Run, before: Run | None, fsp: str) -> list[DifferenceView]:
    old, new = _lines(before, fsp), _lines(run, fsp)
    was, is_now = ({key_of(line): line for line in lines} for lines in (old, new))
    views = []
    for each in differences(old, new):
        key = (each.month, each.obligation_id, each.instruction_id or "", each.component)
        views.append(_view(fsp, each, was.get(key), is_now.get(key)))
    return views


def _lines(run: Run | None, fsp: str) -> list[ReportLine]:
    """What a run said to an FSP as it was made."""
    part = store_runs.find_part(run.id, fsp) if run else None
    return store_reports.load_lines(part.lines_key) if part and part.lines_key else []


def _view(fsp: str, each: Difference, was: ReportLine | None, now: ReportLine | None) -> DifferenceView:
    line = now or was
    assert line is not None, "a difference is of a line"
    return DifferenceView(
        fsp=fsp,
        month=line.month,
        obligation_id=line.obligation_id,
        instruction_id=line.instruction_id,
        competition_reference=line.competition_reference,
        window_name=line.window_name,
        component=line.component,
        before=each.before,
        after=each.after,
        reason_before=was.reason if was else None,
        reason_after=now.reason if now else None,
        rules_before=was.rules_version if was else None,
        rules_after=now.rules_version if now else None,
        change=each.change,
        cause=each.cause,
    )


def _place(cursor: str | None) -> tuple[str, int]:
    """The FSP and the number a page starts at; `Invalid` for what no page gave."""
    if cursor is None:
        return "", 0
    fsp, _, number = cursor.rpartition(":")
    if not fsp or not (number.isascii() and number.isdigit()) or len(number) > 9:
        problem = Problem(
            "cursor.unknown", "The cursor is not one that a list gave.", "cursor", "`next` of the page before"
        )
        raise Invalid.of([problem])
    return fsp, int(number)
