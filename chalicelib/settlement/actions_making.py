"""Makes settlement runs that wait: gathers, settles, and leaves a draft report for every provider."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Refusal
from chalicelib.kernel.quantities import ZERO
from chalicelib.registry import actions as registry
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement import store_runs
from chalicelib.settlement.actions_gathering import gather
from chalicelib.settlement.models_runs import Report, ReportDetail, Run, RunPart, report_id_of
from chalicelib.settlement.running import Account, accounts, settle
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit


def make_run(call: Call, run_id: str) -> None:
    """Make a run that waits: its reports as drafts, then the run as done. Made again, it comes to the same.

    Until the run is done nobody sees its reports, so a run cut short is made again whole.
    """
    run = store_runs.find_run(run_id)
    if run is None or run.state == "done":
        return
    try:
        found = [settle(inputs) for inputs in gather(run, call.now)]
    except Exception as error:
        _fail(call, run, error)
        raise
    settled = accounts(run, found)
    made = [*settled, *_emptied(run, {account.fsp for account in settled})]
    parts = [_make_report(call, run, account) for account in made]
    if run.month is not None:
        store_runs.save_performance(run, {key: f for each in found for key, f in each.performed.items()})
    _finish(call, run, parts)


def _emptied(run: Run, settled: Collection[str]) -> list[Account]:
    """Providers that had a report of the month and have nothing in it any more: what was invoiced is due no more."""
    if run.month is None or run.obligation_id is not None:
        return []
    gone = set(reports.fsps_of_month(run.so, run.month)).difference(settled)
    return [Account(fsp, report_id_of(run.id, fsp), (), ReportDetail()) for fsp in sorted(gone)]


def _make_report(call: Call, run: Run, account: Account) -> RunPart:
    """A provider's draft and its part of the run, while the run still waits."""
    operator = registry.get_operator(run.so)
    part = RunPart(
        run_id=run.id,
        fsp=account.fsp,
        report_id=account.report_id,
        lines=len(account.lines),
        unsettled=account.unsettled,
        total=account.total,
        lines_key=reports.keep_lines(account.lines),
    )
    report = Report(
        id=account.report_id,
        run_id=run.id,
        so=run.so,
        fsp=account.fsp,
        first=run.first,
        last=run.last,
        month=run.month,
        number=run.number,
        made_at=call.now,
        lines=part.lines,
        unsettled=part.unsettled,
        total=part.total,
        currency=operator.currency,
        time_zone=operator.time_zone,
        lines_key=part.lines_key,
        detail_key=reports.keep_detail(account.detail),
    )
    commit(call, [store_runs.check_run(run), reports.draft_write(report), store_runs.save_part(run, part)])
    return part


def _finish(call: Call, run: Run, parts: Sequence[RunPart]) -> None:
    done = run.but(
        state="done",
        done_at=call.now,
        failure=None,
        fsps=tuple(part.fsp for part in parts),
        lines=sum(part.lines for part in parts),
        unsettled=sum(part.unsettled for part in parts),
        total=sum((part.total for part in parts), ZERO),
        version=run.version + 1,
    )
    change = Change(
        thing=f"settlement-run:{run.id}",
        action="settlement_run.made",
        organisation=run.so,
        before={"state": run.state},
        after=done.model_dump(mode="json"),
    )
    commit(call, [store_runs.save_run(done)], [], [change])


def _fail(call: Call, run: Run, error: Exception) -> None:
    """Say of a run why it could not be made; it is tried again all the same."""
    why = (
        error.detail if isinstance(error, Refusal) else "It could not be made for a fault of ours, and is tried again."
    )
    commit(call, [store_runs.save_run(run.but(state="failed", failure=why, version=run.version + 1))])
