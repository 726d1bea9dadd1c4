"""Asks for settlement runs, each a version of its days, and shows them: an FSP sees its own part alone."""

from __future__ import annotations

from datetime import date
from typing import Any

from chalicelib.contracts import actions_operations as contracts
from chalicelib.kernel.call import Call, derived_id
from chalicelib.kernel.errors import Invalid, NotFound, Problem, Refused, Stale
from chalicelib.kernel.models import Page
from chalicelib.kernel.periods import local_day, zone_of
from chalicelib.registry import actions as registry
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement import store, store_runs
from chalicelib.settlement.events import RunAsked
from chalicelib.settlement.models_runs import Run, RunPart, RunReason
from chalicelib.settlement.requests_runs import RunQuery, RunRequest, RunView
from chalicelib.settlement.rules import standing_rules
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

_TURNS = 4
_NOT_FOUND = NotFound("run.not_found", "There is no such settlement run.")


def ask_run(call: Call, request: RunRequest) -> RunView:
    """Ask for the next version of a run; it is made in a moment, and its reports are drafts.

    The operator asks for any days past of its own; an FSP for a month that was reported to it.
    """
    so = call.organisation if _is_operator(call) else _operator_named(call, request)
    first, last = request.days
    today = local_day(call.now, zone_of(registry.get_operator(so).time_zone))
    if last >= today:
        detail = "Days are settled once they are over."
        raise Invalid.of([Problem("run.not_over", detail, "last", f"before {today}")])
    if request.obligation_id is not None:
        _check_own(call, request.obligation_id)
    return _view(call, _ask(call, so, (first, last), call.new_id("run"), "asked", request))


def ask_monthly(call: Call, so: str) -> Run | None:
    """The operator's run of the month before, once the day its rules report on has come; None where there is nothing
    to do, or it was asked for already."""
    settings = registry.get_operator(so)
    today = local_day(call.now, zone_of(settings.time_zone))
    rules = standing_rules(store.list_rules(so), settings.default_market_rules, today)
    last = date.fromordinal(today.replace(day=1).toordinal() - 1)
    run_id = derived_id("run", so, f"{last:%Y-%m}", "scheduled")
    if today.day < rules.report_day or store_runs.find_run(run_id) is not None:
        return None
    if not _has_obligations(so, last.replace(day=1), last):
        return None
    try:
        return _ask(call, so, (last.replace(day=1), last), run_id, "scheduled", RunRequest(month=f"{last:%Y-%m}"))
    except Refused:
        # Two rounds at once: what the other asked for is the same run.
        if store_runs.find_run(run_id) is None:
            raise
        return None


def get_run(call: Call, run_id: str) -> RunView:
    """A run of the operator's, or one that an FSP has a part in."""
    return _view(call, own_run(call, run_id))


def list_runs(call: Call, query: RunQuery) -> Page[RunView]:
    """The caller's runs, latest days first."""
    if _is_operator(call):
        page = store_runs.list_runs(call.organisation, query.limit, query.cursor)
        return Page(items=[_view(call, run) for run in page.items], next=page.next)
    parts = store_runs.list_parts_of(call.organisation, query.limit, query.cursor)
    runs = store_runs.load_runs(part.run_id for part in parts.items)
    return Page(items=[_view(call, runs[part.run_id]) for part in parts.items], next=parts.next)


def own_run(call: Call, run_id: str) -> Run:
    """A run the caller is party to; `NotFound` otherwise."""
    run = load_run(run_id)
    if call.organisation != run.so and store_runs.find_part(run_id, call.organisation) is None:
        raise _NOT_FOUND
    return run


def told_part(call: Call, run: Run) -> RunPart | None:
    """An FSP's own part of a run, once its report was published; None before."""
    part = store_runs.find_part(run.id, call.organisation)
    if part is None or run.state != "done" or not part.lines_key:
        return None
    return part if reports.load_report(part.report_id).published_at is not None else None


def load_run(run_id: str) -> Run:
    """A run by id, whoever's; `NotFound` where there is none."""
    run = store_runs.find_run(run_id)
    if run is None:
        raise _NOT_FOUND
    return run


def _is_operator(call: Call) -> bool:
    return call.actor.organisation_kind == "so"


def _operator_named(call: Call, request: RunRequest) -> str:
    """The operator whose month an FSP asks to be settled again: one that reported that month to it."""
    if request.so is None or request.month is None or request.obligation_id is not None:
        detail = "Name the operator and the month of a report of yours."
        raise Invalid.of([Problem("run.month_of_report", detail, "so", "so and month, nothing else but a note")])
    if reports.published_report(request.so, call.organisation, request.month) is None:
        raise NotFound("report.not_found", "There is no settlement report of that month.")
    return request.so


def _check_own(call: Call, obligation_id: str) -> None:
    obligation = contracts.find_obligation(obligation_id)
    if obligation is None or obligation.so != call.organisation:
        raise NotFound("obligation.not_found", "There is no such obligation.")


def _has_obligations(so: str, first: date, last: date) -> bool:
    found = contracts.list_all_obligations("so", so)
    return any(each.period_start <= last and each.period_end >= first and each.state != "awarded" for each in found)


def _ask(call: Call, so: str, days: tuple[date, date], run_id: str, reason: RunReason, request: RunRequest) -> Run:
    for turn in range(_TURNS):
        run = _next_version(call, so, days, run_id, reason, request)
        try:
            _write_asked(call, run)
            break
        except Stale:
            if turn == _TURNS - 1:
                raise
    return run


def _next_version(
    call: Call, so: str, days: tuple[date, date], run_id: str, reason: RunReason, request: RunRequest
) -> Run:
    scope = store_runs.find_scope(so, *days, request.obligation_id)
    return Run(
        id=run_id,
        so=so,
        first=days[0],
        last=days[1],
        obligation_id=request.obligation_id,
        number=scope.version + 1 if scope else 1,
        previous=scope.latest if scope else None,
        reason=reason,
        note=request.note,
        asked_by=call.actor.id,
        asked_at=call.now,
    )


def _write_asked(call: Call, run: Run) -> None:
    scope = store_runs.Scope(latest=run.id, version=run.number)
    writes = [store_runs.save_run(run), store_runs.save_scope(run, scope)]
    if call.actor.organisation_kind == "fsp":
        asker = call.organisation
        part = RunPart(run_id=run.id, fsp=asker, report_id=reports.report_id_of(run.id, asker))
        writes.append(store_runs.save_part(run, part))
    change = Change(
        thing=f"settlement-run:{run.id}",
        action="settlement_run.asked",
        organisation=run.so,
        after=run.model_dump(mode="json"),
        reason=run.note,
    )
    commit(call, writes, [RunAsked(run_id=run.id, so=run.so)], [change], result=run.id)


def _view(call: Call, run: Run) -> RunView:
    mine = dict(run) | {"month": run.month, "can_be_published": run.can_be_published}
    told = _told_operator(run) if _is_operator(call) else _told_provider(call, run)
    fields = {name: mine[name] for name in RunView.model_fields if name in mine}
    return RunView.model_validate(fields | told)


def _told_operator(run: Run) -> dict[str, Any]:
    return {"report_ids": tuple(reports.report_id_of(run.id, fsp) for fsp in run.fsps)}


def _told_provider(call: Call, run: Run) -> dict[str, Any]:
    own, part = (call.organisation,), told_part(call, run)
    if part is None:
        return {"fsps": own, "lines": None, "unsettled": None, "total": None}
    figures = {"lines": part.lines, "unsettled": part.unsettled, "total": part.total}
    return {"fsps": own, "report_ids": (part.report_id,), **figures}
