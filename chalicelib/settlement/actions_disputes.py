"""Takes disputes of lines from being raised to their end, and the provider's agreement before its time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from chalicelib.files import actions as files
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Forbidden, NotFound, Problem, Refused, raise_problems
from chalicelib.kernel.events import Event
from chalicelib.kernel.lifecycle import actions_from, move
from chalicelib.kernel.models import Page
from chalicelib.registry import actions as registry
from chalicelib.settlement import store_disputes as store
from chalicelib.settlement.actions_report_views import (
    check_published,
    is_disputable,
    line_view,
    lines_now,
    own_line,
    today_of,
)
from chalicelib.settlement.actions_reports import load_report, move_writes, published_report
from chalicelib.settlement.events import DisputeMoved, DisputeRaised
from chalicelib.settlement.lifecycle import DISPUTE_ACTS, DISPUTE_MOVES
from chalicelib.settlement.models_runs import Dispute, DisputeMessage, LineMove, Report, ReportLine
from chalicelib.settlement.requests_disputes import (
    DisputeQuery,
    DisputeRequest,
    DisputeSummary,
    DisputeView,
    EndRequest,
    MessageRequest,
)
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

_ENDING = ("agree", "withdraw")
_NOT_FOUND = NotFound("dispute.not_found", "There is no such dispute.")
_MOST_MESSAGES = 20
_LINK = re.compile(r"https://[!-~]+")
_SHARED = set(Dispute.model_fields) & set(ReportLine.model_fields) - {"id", "state", "version"}
_NAMED = "a receipt of your own, or a link that begins https://"


def raise_dispute(call: Call, line_id: str, asked: DisputeRequest) -> DisputeView:
    """Dispute a line of the caller's own, with a reason and evidence, while its report's window is open.

    `Refused` after the window, of a line that is disputed, agreed, invoiced or paid, or whose report was superseded.
    """
    report, line = own_line(call, line_id)
    call.check_owner(report.fsp, "line")
    _check_disputable(call, report, line)
    raise_problems(_evidence_problems(call, asked.evidence), "dispute.invalid")
    dispute = _raised(call, line, asked)
    moved = {line.id: LineMove(state="disputed", dispute_id=dispute.id, at=call.now)}
    event = DisputeRaised(so=dispute.so, fsp=dispute.fsp, dispute_id=dispute.id, report_id=report.id)
    writes = [store.save_dispute(dispute), store.remember_of_line(dispute), *move_writes(report, moved)]
    commit(call, writes, [event], [_change(dispute, "dispute.raised")], result=dispute.id)
    return get_dispute(call, dispute.id)


def answer_dispute(call: Call, dispute_id: str, asked: MessageRequest) -> DisputeView:
    """The operator answers; where the provider is right, it settles the month anew and says so here."""
    return _moved(call, dispute_id, "answer", asked.words, asked.evidence)


def escalate_dispute(call: Call, dispute_id: str, asked: MessageRequest) -> DisputeView:
    """The provider does not accept the answer, and carries the dispute to the contract's next step."""
    return _moved(call, dispute_id, "escalate", asked.words, asked.evidence)


def agree_dispute(call: Call, dispute_id: str, asked: EndRequest) -> DisputeView:
    """The provider agrees to the line as it now stands: it is agreed, and goes on to be invoiced."""
    return _moved(call, dispute_id, "agree", asked.words, ())


def withdraw_dispute(call: Call, dispute_id: str, asked: EndRequest) -> DisputeView:
    """The provider takes its claim back: the line is agreed as it stands."""
    return _moved(call, dispute_id, "withdraw", asked.words, ())


def get_dispute(call: Call, dispute_id: str) -> DisputeView:
    """A dispute for either of its sides, with its line as it stands today."""
    dispute = _own(call, dispute_id)
    [summary] = _summaries(call, [dispute])
    report, line = _line_under(call, dispute)
    return DisputeView(**dict(summary), line=line_view(call, report, line) if line else None)


def list_disputes(call: Call, query: DisputeQuery) -> Page[DisputeSummary]:
    """The caller's disputes, latest first; a moment behind."""
    side = "so" if call.actor.organisation_kind == "so" else "fsp"
    page = store.list_disputes(side, call.organisation, query.limit, query.cursor)
    asked = {"state": query.state, "month": query.month, "fsp": query.fsp, "so": query.so}
    found = [each for each in page.items if all(want in (None, getattr(each, name)) for name, want in asked.items())]
    return Page(items=_summaries(call, found), next=page.next)


def list_line_disputes(call: Call, line_id: str) -> Page[DisputeSummary]:
    """Every dispute of a line through the versions of its month, in order."""
    _, line = own_line(call, line_id)
    return Page(items=_summaries(call, store.list_of_line(line)))


def _check_disputable(call: Call, report: Report, line: ReportLine) -> None:
    check_published(report)
    if line.state != "open":
        raise Refused(f"line.{line.state}", f"This line is {line.state}; only an open line can be disputed.")
    if not is_disputable(report, today_of(call, report)):
        detail = f"Lines of this report could be disputed until {report.disputable_until}."
        raise Refused("dispute.window_closed", detail)


def _evidence_problems(call: Call, evidence: Sequence[str]) -> Iterable[Problem]:
    for place, named in enumerate(evidence):
        if not _LINK.fullmatch(named) and not _is_own_receipt(call, named):
            yield Problem(
                "dispute.evidence", "This is neither a file of yours nor a link.", f"evidence/{place}", _NAMED
            )


def _is_own_receipt(call: Call, named: str) -> bool:
    try:
        return files.get_receipt(named).organisation == call.organisation
    except NotFound:
        return False


def _raised(call: Call, line: ReportLine, asked: DisputeRequest) -> Dispute:
    return Dispute(
        id=call.new_id("dsp"),
        line_id=line.id,
        raised_at=call.now,
        messages=(_message(call, "raise", asked.reason, asked.evidence),),
        **line.model_dump(include=_SHARED),
    )


def _message(call: Call, act: str, words: str, evidence: Sequence[str]) -> DisputeMessage:
    return DisputeMessage(
        act=act,
        by=call.actor.id,
        organisation=call.organisation,
        at=call.now,
        words=words,
        evidence=tuple(evidence),
    )


def _moved(call: Call, dispute_id: str, act: str, words: str, evidence: Sequence[str]) -> DisputeView:
    before = _own(call, dispute_id)
    _check_side(call, before, act)
    raise_problems(_evidence_problems(call, evidence), "dispute.invalid")
    state = move(DISPUTE_MOVES, "dispute", before.state, act)
    if act not in _ENDING and len(before.messages) >= _MOST_MESSAGES:
        raise Refused("dispute.too_long", f"After {_MOST_MESSAGES} messages a dispute can only be ended.")
    after = before.but(
        state=state,
        messages=(*before.messages, _message(call, act, words, evidence)),
        ended_at=call.now if act in _ENDING else None,
        version=before.version + 1,
    )
    report, line = _line_under(call, before)
    writes = [store.save_dispute(after), *(_ended(call, report, line, act) if line and act in _ENDING else [])]
    event = _told(after, act, report.id)
    commit(call, writes, [event], [_change(after, f"dispute.{state}", before)], result=after.id)
    return get_dispute(call, after.id)


def _ended(call: Call, report: Report, line: ReportLine, act: str) -> list[Write]:
    """The line of a dispute that ended: agreed, or waiting for what it lacks where it has no amount."""
    if line.state != "disputed":
        return []
    why = "The provider agreed to it as it stands." if act == "agree" else "The provider withdrew its dispute."
    state = "open" if line.amount is None else "agreed"
    return move_writes(report, {line.id: LineMove(state=state, at=call.now, why=why)})


def _told(dispute: Dispute, act: str, report_id: str) -> Event:
    return DisputeMoved(
        so=dispute.so,
        fsp=dispute.fsp,
        dispute_id=dispute.id,
        report_id=report_id,
        act=act,
        by=DISPUTE_ACTS[act],
        step=len(dispute.messages),
    )


def _check_side(call: Call, dispute: Dispute, act: str) -> None:
    if call.organisation != (dispute.so if DISPUTE_ACTS[act] == "so" else dispute.fsp):
        whose = "operator" if DISPUTE_ACTS[act] == "so" else "provider"
        raise Forbidden("dispute.side", f"It is for the {whose} to {act} a dispute.")


def load_dispute(dispute_id: str) -> Dispute:
    """A dispute by id, whoever's; `NotFound` where there is none."""
    dispute = store.find_dispute(dispute_id)
    if dispute is None:
        raise _NOT_FOUND
    return dispute


def _own(call: Call, dispute_id: str) -> Dispute:
    dispute = load_dispute(dispute_id)
    if call.organisation not in (dispute.so, dispute.fsp):
        raise _NOT_FOUND
    return dispute


def _line_under(call: Call, dispute: Dispute) -> tuple[Report, ReportLine | None]:
    """The line of a dispute as it stands now, in the report that is published now.

    One whose dispute ended and whose amount changed since is another line, open anew.
    """
    month = load_report(dispute.report_id).month
    report = published_report(dispute.so, dispute.fsp, month) if month else None
    assert report is not None, "a line is disputed in a published report, and its month has one from then on"
    return report, next((line for line in lines_now(call, report) if line.dispute_id == dispute.id), None)


def _summaries(call: Call, disputes: Sequence[Dispute]) -> list[DisputeSummary]:
    names = registry.get_organisations(sorted({side for each in disputes for side in (each.so, each.fsp)}))
    return [
        DisputeSummary(
            **dict(each),
            so_name=names[each.so].name,
            fsp_name=names[each.fsp].name,
            can=_can(call, each),
        )
        for each in disputes
    ]


def _can(call: Call, dispute: Dispute) -> tuple[str, ...]:
    mine = "so" if call.organisation == dispute.so else "fsp"
    return tuple(act for act in actions_from(DISPUTE_MOVES, dispute.state) if DISPUTE_ACTS[act] == mine)


def _change(after: Dispute, action: str, before: Dispute | None = None) -> Change:
    return Change(
        thing=f"dispute:{after.id}",
        action=action,
        organisation=after.fsp,
        before={"state": before.state} if before else None,
        after={"state": after.state, "line_id": after.line_id, "amount": str(after.amount)},
    )
