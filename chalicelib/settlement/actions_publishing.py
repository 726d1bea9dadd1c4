"""Publishes reports: draws each upon the published one of its month, which it supersedes, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Refused
from chalicelib.kernel.holidays import holidays_of
from chalicelib.kernel.lifecycle import move
from chalicelib.kernel.periods import local_day, zone_of
from chalicelib.registry import actions as registry
from chalicelib.settlement import store_reports as store
from chalicelib.settlement import store_runs
from chalicelib.settlement.actions_report_views import summaries
from chalicelib.settlement.actions_reports import lines_with, load_detail, load_lines, load_report
from chalicelib.settlement.events import ReportPublished
from chalicelib.settlement.lifecycle import REPORT_MOVES, disputable_until
from chalicelib.settlement.models_runs import LineStates, Report, ReportDetail, Run, report_id_of
from chalicelib.settlement.publishing import Drawn, dispute_days, draw_upon, policy_of, sheets_of
from chalicelib.settlement.requests_reports import PublicationView
from chalicelib.settlement.store_reports import Published
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

_AT_ONCE = 50
_OLDER_DRAFTS = 10


@dataclass(frozen=True, slots=True)
class _Before:
    """The report that is published until now, and what became of its lines as it was read."""

    report: Report
    sheets: Sequence[LineStates]


def publish_report(call: Call, report_id: str) -> Report:
    """Publish a draft of the calling operator's; the provider may dispute its lines for so many working days.

    `Refused` for one that was published or superseded already, whose run may not be published, or that is older than
    the published one; `Stale` when a line of the older report moved in the same moment.
    """
    report = load_report(report_id)
    call.check_owner(report.so, "report")
    move(REPORT_MOVES, "report", report.state, "publish")
    _check_run(_load_run(report.run_id))
    return _publish(call, report, report.id)


def publish_run(call: Call, run_id: str) -> PublicationView:
    """Publish the drafts of a run, so many in one call; asked again it goes on with what is left."""
    run = _load_run(run_id)
    call.check_owner(run.so, "run")
    _check_run(run)
    drafts = [report for report in reports_of(run) if report.state == "draft"]
    for report in drafts[:_AT_ONCE]:
        _publish(call.without_key(), report, None)
    commit(call, [], result=run.id)
    return get_publication(call, run.id)


def get_publication(call: Call, run_id: str) -> PublicationView:
    """What of a run of the calling operator's is published by now, and how many drafts are left."""
    run = _load_run(run_id)
    call.check_owner(run.so, "run")
    reports = reports_of(run)
    published = [report for report in reports if report.state == "published"]
    left = sum(report.state == "draft" for report in reports)
    return PublicationView(run_id=run.id, reports=tuple(summaries(published)), left=left)


def reports_of(run: Run) -> list[Report]:
    """Every report of a run that was made, by provider, strongly consistent."""
    found = store.load_reports(report_id_of(run.id, fsp) for fsp in run.fsps)
    return sorted(found.values(), key=lambda report: report.fsp)


def _load_run(run_id: str) -> Run:
    run = store_runs.find_run(run_id)
    if run is None:
        raise NotFound("run.not_found", "There is no such settlement run.")
    return run


def _check_run(run: Run) -> None:
    if not run.can_be_published:
        detail = (
            "Only what a finished run of a whole month and all obligations says is published; others are to look at."
        )
        raise Refused("run.not_publishable", detail)


def _publish(call: Call, draft: Report, result: str | None) -> Report:
    state = move(REPORT_MOVES, "report", draft.state, "publish")
    assert draft.month is not None, "a run that can be published is of a month"
    published = store.find_published(draft.so, draft.fsp, draft.month)
    before = _before(draft, published)
    detail = load_detail(draft)
    after = draft.but(
        state=state,
        published_at=call.now,
        disputable_until=_until(call, draft, detail),
        version=draft.version + 1,
    )
    writes: list[Write] = [_pointer(after, published)]
    if before is not None:
        drawn = _drawn(call, draft, before, detail)
        after = after.but(**_changed_by(drawn))
        writes += [*map(store.save_states, sheets_of(drawn, draft.id)), *map(store.check_states, before.sheets)]
    gone = [each for each in (before.report if before else None, *_older_drafts(draft)) if each is not None]
    superseded = [_superseded(call, each, after) for each in gone]
    heads = [after, *superseded]
    commit(
        call,
        [*writes, *map(store.save_report, heads)],
        [ReportPublished(so=after.so, fsp=after.fsp, report_id=after.id, month=draft.month)],
        [_change(was, now) for was, now in zip([draft, *gone], heads, strict=True)],
        result=result,
    )
    return after


def _before(draft: Report, published: Published | None) -> _Before | None:
    """The report published until now; `Refused` where it is of a later version of the month than the draft."""
    if published is None:
        return None
    if published.number > draft.number:
        detail = f"Version {published.number} of this month is published; version {draft.number} is older."
        raise Refused("report.older", detail)
    report = load_report(published.report_id)
    return _Before(report, store.load_states(report))


def _until(call: Call, draft: Report, detail: ReportDetail) -> date:
    region = registry.get_operator(draft.so).holiday_region
    return disputable_until(_today(call, draft), dispute_days(detail), holidays_of(region))


def _drawn(call: Call, draft: Report, before: _Before, detail: ReportDetail) -> Drawn:
    """The lines drawn upon those before, by the rules of the run; where it settled nothing, by those before."""
    applied = detail if detail.rules else load_detail(before.report)
    standing = lines_with(before.report, before.sheets, _today(call, draft))
    return draw_upon(draft.id, load_lines(draft), standing, policy_of(applied), call.now)


def _changed_by(drawn: Drawn) -> dict[str, Any]:
    return {
        "lines": len(drawn.lines),
        "unsettled": drawn.unsettled,
        "total": drawn.total,
        "lines_key": store.keep_lines(drawn.lines),
    }


def _pointer(report: Report, published: Published | None) -> Write:
    assert report.month is not None, "only reports of a month are published"
    version = published.version + 1 if published else 1
    fields = {"so": report.so, "fsp": report.fsp, "month": report.month, "report_id": report.id}
    return store.save_published(Published(**fields, number=report.number, version=version))


def _older_drafts(draft: Report) -> Iterator[Report]:
    """Drafts of older versions of the month, which nobody can publish any more; a list may lag, and so may they."""
    older = [each.id for each in store.list_versions(draft) if each.number < draft.number and each.state == "draft"]
    found = [each for each in store.load_reports(older[:_OLDER_DRAFTS]).values() if each.state == "draft"]
    runs = store_runs.load_runs(each.run_id for each in found)
    return (each for each in found if runs[each.run_id].can_be_published)


def _superseded(call: Call, report: Report, by: Report) -> Report:
    state = move(REPORT_MOVES, "report", report.state, "supersede")
    changed: Report = report.but(state=state, superseded_by=by.id, superseded_at=call.now, version=report.version + 1)
    return changed


def _change(was: Report, now: Report) -> Change:
    told = {"state", "total", "lines", "number", "superseded_by", "disputable_until"}
    return Change(
        thing=f"settlement-report:{now.id}",
        action=f"settlement_report.{now.state}",
        organisation=now.so,
        before=was.model_dump(mode="json", include=told),
        after=now.model_dump(mode="json", include=told),
    )


def _today(call: Call, report: Report) -> date:
    return local_day(call.now, zone_of(report.time_zone))
