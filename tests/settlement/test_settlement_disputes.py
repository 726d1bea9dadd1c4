"""Claims about disputes: who may raise and move them, when, and what becomes of the line and of the others."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from chalicelib.kernel.errors import Forbidden, Invalid, NotFound, Refused, Stale
from chalicelib.kernel.lifecycle import actions_from
from chalicelib.settlement import actions_agreeing as agreeing
from chalicelib.settlement import actions_disputes as disputes
from chalicelib.settlement import actions_publishing as publishing
from chalicelib.settlement import actions_report_views as views
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement.lifecycle import DISPUTE_ACTS, DISPUTE_MOVES
from chalicelib.settlement.models_runs import LineMove, Report
from chalicelib.settlement.requests_disputes import (
    DisputeQuery,
    DisputeRequest,
    DisputeView,
    EndRequest,
    MessageRequest,
)
from chalicelib.settlement.requests_reports import EarlyAgreementRequest, LineQuery
from chalicelib.storage import outbox
from chalicelib.storage.commit import commit
from tests.builders.calls import a_call
from tests.builders.reports import FSP, SO, a_report_line, fsp_call, given_sides, made, so_call

pytestmark = pytest.mark.usefixtures("market")
WITHIN, AFTER = "2026-05-22T22:59:00Z", "2026-05-22T23:01:00Z"
"""Either side of the local midnight that ends the window of a report published on 8 May 2026."""
OTHER = "org_fsp2"
MUCH_LATER = datetime(2026, 12, 1, tzinfo=UTC)
WHY = DisputeRequest(reason="Our own meter shows more.", evidence=("https://flex.example/log?day=15",))


@pytest.fixture
def report(market: None) -> Report:
    given_sides(FSP, OTHER)
    draft = made([a_report_line(0), a_report_line(1), a_report_line(2, None)])
    return publishing.publish_report(so_call(), draft.id)


def line_of(report: Report, ordinal: int = 0) -> str:
    return reports.line_id_of(report.id, ordinal)


def raised(report: Report, ordinal: int = 0, now: str = WITHIN) -> DisputeView:
    return disputes.raise_dispute(fsp_call(now), line_of(report, ordinal), WHY)


def states(report: Report, now: str = WITHIN) -> list[str]:
    return [line.state for line in views.list_lines(fsp_call(now), report.id, LineQuery()).items]


def moved(report: Report, ordinal: int, state: str, **but: str) -> None:
    move = LineMove.model_validate({"state": state, "at": WITHIN, **but})
    commit(so_call(), reports.move_writes(report, {line_of(report, ordinal): move}))


def act(name: str, dispute_id: str, now: str = WITHIN) -> DisputeView:
    """One act by the side it is for."""
    call = so_call(now) if DISPUTE_ACTS[name] == "so" else fsp_call(now)
    asked = MessageRequest(words="As we said.") if name in ("answer", "escalate") else EndRequest()
    return getattr(disputes, f"{name}_dispute")(call, dispute_id, asked)  # type: ignore[no-any-return]


def told(name: str) -> list[dict[str, object]]:
    return [each.body for each in outbox.unpublished(MUCH_LATER) if each.name == f"settlement.{name}.v1"]


def test_a_line_is_disputed_with_a_reason_and_evidence_and_the_others_are_not_held_up(report: Report) -> None:
    dispute = raised(report)
    assert (dispute.state, dispute.amount, dispute.month) == ("raised", Decimal(10), "2026-04")
    assert dispute.messages[0].words == WHY.reason
    assert dispute.messages[0].evidence == WHY.evidence
    assert (dispute.line and dispute.line.state, dispute.line and dispute.line.dispute_id) == ("disputed", dispute.id)
    assert states(report) == ["disputed", "open", "open"]
    assert states(report, AFTER) == ["disputed", "agreed", "open"], "what has no amount waits"
    assert told("dispute_raised") == [{"so": SO, "fsp": FSP, "dispute_id": dispute.id, "report_id": report.id}]


def test_a_line_is_disputed_on_the_last_day_of_the_window_and_not_after_it(report: Report) -> None:
    with pytest.raises(Refused, match=r"line\.agreed"):
        raised(report, now=AFTER)
    with pytest.raises(Refused, match=r"dispute\.window_closed"):
        raised(report, 2, AFTER)
    assert raised(report, now=WITHIN).state == "raised"


def test_a_line_is_disputed_once_at_a_time(report: Report) -> None:
    raised(report)
    with pytest.raises(Refused, match=r"line\.disputed"):
        raised(report)


def test_an_invoiced_line_is_not_disputed(report: Report) -> None:
    moved(report, 0, "invoiced", invoice_id="inv_1")
    with pytest.raises(Refused, match=r"line\.invoiced"):
        raised(report)


def test_another_providers_line_is_not_found_and_the_operator_disputes_none(report: Report) -> None:
    for call in (fsp_call(fsp=OTHER), so_call(), a_call("org_so2", "so")):
        with pytest.raises(NotFound):
            disputes.raise_dispute(call, line_of(report), WHY)
    for line_id in ("nonsense", f"{report.id}-00009", f"{report.id}-9"):
        with pytest.raises(NotFound):
            disputes.raise_dispute(fsp_call(), line_id, WHY)


def test_lines_of_a_superseded_report_are_disputed_in_the_newer_one(report: Report) -> None:
    publishing.publish_report(so_call(), made([a_report_line()], 2).id)
    with pytest.raises(Refused, match=r"report\.superseded"):
        raised(report)


@pytest.mark.parametrize(
    "named", ["http://flex.example", "https://", "ftp://x", "rct_none", "https://a b", "https://ä"]
)
def test_evidence_is_a_file_of_ones_own_or_a_secure_link(report: Report, named: str) -> None:
    asked = DisputeRequest(reason="See.", evidence=("https://flex.example/ok", named))
    with pytest.raises(Invalid) as refused:
        disputes.raise_dispute(fsp_call(), line_of(report), asked)
    assert [(each.code, each.field) for each in refused.value.problems] == [("dispute.evidence", "evidence/1")]


@pytest.mark.parametrize(
    "bad", [{"reason": " "}, {"reason": "x" * 2001}, {"reason": "x", "evidence": ["https://x"] * 11}]
)
def test_a_dispute_has_a_reason_of_some_length_and_some_evidence(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DisputeRequest.model_validate(bad)


@pytest.mark.parametrize("name", list(DISPUTE_ACTS))
@pytest.mark.parametrize("before", ["raised", "answered", "escalated", "agreed"])
def test_every_act_is_by_its_side_and_from_the_states_that_have_it(report: Report, before: str, name: str) -> None:
    dispute = raised(report)
    ways = {"raised": [], "answered": ["answer"], "escalated": ["answer", "escalate"], "agreed": ["agree"]}
    for step in ways[before]:
        dispute = act(step, dispute.id)
    assert dispute.state == before
    other_side = fsp_call(WITHIN) if DISPUTE_ACTS[name] == "so" else so_call(WITHIN)
    asked = MessageRequest(words="Why?") if name in ("answer", "escalate") else EndRequest()
    with pytest.raises(Forbidden, match=r"dispute\.side"):
        getattr(disputes, f"{name}_dispute")(other_side, dispute.id, asked)
    if name in actions_from(DISPUTE_MOVES, before):
        assert act(name, dispute.id).state == DISPUTE_MOVES[before, name]
    else:
        with pytest.raises(Refused, match=rf"dispute\.{before}"):
            act(name, dispute.id)


@pytest.mark.parametrize("name", ["agree", "withdraw"])
def test_a_line_whose_dispute_ended_is_agreed_and_remembers_it(report: Report, name: str) -> None:
    dispute = raised(report)
    after = act(name, dispute.id, AFTER)
    assert (after.state, after.ended_at is not None) == ("agreed", True)
    assert states(report)[0] == "agreed"
    assert after.line is not None
    assert after.line.dispute_id == dispute.id
    assert told("dispute_moved")[0]["act"] == name


def test_a_line_without_an_amount_waits_again_when_its_dispute_ends(report: Report) -> None:
    dispute = raised(report, 2)
    assert states(report)[2] == "disputed"
    act("withdraw", dispute.id)
    assert states(report, AFTER)[2] == "open"
    assert raised(report, 2).state == "raised", "it may be disputed anew while the window is open"
    assert len(disputes.list_line_disputes(so_call(), line_of(report, 2)).items) == 2


def test_a_dispute_goes_on_in_the_next_version_of_its_month(report: Report) -> None:
    dispute = raised(report)
    newer = publishing.publish_report(so_call(WITHIN), made([a_report_line(0, "12.34"), a_report_line(1)], 2).id)
    shown = disputes.get_dispute(fsp_call(AFTER), dispute.id)
    assert shown.line is not None
    assert (shown.line.report_id, shown.line.amount, shown.line.state) == (newer.id, Decimal("12.34"), "disputed")
    answered = act("answer", dispute.id, AFTER)
    assert answered.can == ()
    assert disputes.get_dispute(fsp_call(), dispute.id).can == ("agree", "withdraw", "escalate")
    act("agree", dispute.id, AFTER)
    assert states(newer, AFTER) == ["agreed", "open"], "a later report has a window of its own"
    assert [each.id for each in disputes.list_line_disputes(fsp_call(), line_of(newer)).items] == [dispute.id]
    assert {each["report_id"] for each in told("dispute_moved")} == {newer.id}


def test_a_dispute_of_a_line_that_was_invoiced_since_can_still_be_ended(report: Report) -> None:
    dispute = raised(report)
    act("answer", dispute.id)
    moved(report, 0, "agreed")
    moved(report, 0, "invoiced", invoice_id="inv_1")
    assert act("withdraw", dispute.id).state == "agreed"
    assert states(report)[0] == "invoiced"


def test_a_line_that_changes_after_its_dispute_ended_is_open_anew_and_remembers_it(report: Report) -> None:
    dispute = raised(report)
    act("agree", dispute.id)
    newer = publishing.publish_report(so_call(WITHIN), made([a_report_line(0, "12.34")], 2).id)
    assert states(newer) == ["open"]
    assert disputes.get_dispute(fsp_call(), dispute.id).line is None
    second = raised(newer)
    assert [each.id for each in disputes.list_line_disputes(so_call(), line_of(newer)).items] == [dispute.id, second.id]


def test_two_acts_of_one_moment_end_in_one_stale(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    dispute = raised(report)
    act("answer", dispute.id)
    find = disputes._line_under

    def meanwhile(*arguments: object) -> object:
        monkeypatch.undo()
        act("escalate", dispute.id)
        return find(*arguments)

    monkeypatch.setattr(disputes, "_line_under", meanwhile)
    with pytest.raises(Stale, match=r"dispute\.changed"):
        act("agree", dispute.id)
    assert disputes.get_dispute(fsp_call(), dispute.id).state == "escalated"


def test_a_dispute_does_not_go_on_for_ever(report: Report) -> None:
    dispute = raised(report)
    for name in ["answer", "escalate"] * 9 + ["answer"]:
        act(name, dispute.id)
    with pytest.raises(Refused, match=r"dispute\.too_long"):
        act("escalate", dispute.id)
    assert act("agree", dispute.id).state == "agreed"


def test_disputes_are_listed_to_both_sides_and_to_nobody_else(report: Report) -> None:
    first, second = raised(report), raised(report, 1)
    act("answer", first.id)
    for call in (fsp_call(), so_call()):
        assert {each.id for each in disputes.list_disputes(call, DisputeQuery()).items} == {first.id, second.id}
        answered = disputes.list_disputes(call, DisputeQuery(state="answered", month="2026-04", fsp=FSP, so=SO)).items
        assert [each.id for each in answered] == [first.id]
    assert disputes.list_disputes(so_call(), DisputeQuery(month="2026-03")).items == []
    assert disputes.list_disputes(fsp_call(fsp=OTHER), DisputeQuery()).items == []
    for dispute_id in (first.id, "nothing"):
        with pytest.raises(NotFound):
            disputes.get_dispute(fsp_call(fsp=OTHER), dispute_id)
        with pytest.raises(NotFound):
            disputes.answer_dispute(a_call("org_so2", "so"), dispute_id, MessageRequest(words="x"))


def test_a_line_may_have_no_disputes(report: Report) -> None:
    assert disputes.list_line_disputes(fsp_call(), line_of(report)).items == []
    with pytest.raises(NotFound):
        disputes.list_line_disputes(fsp_call(fsp=OTHER), line_of(report))


def test_a_provider_agrees_to_lines_before_the_window_closes(report: Report) -> None:
    view = agreeing.agree_lines(fsp_call(), report.id, EarlyAgreementRequest(line_ids=(line_of(report),)))
    assert {each.state: each.lines for each in view.by_state} == {"open": 2, "agreed": 1}
    assert states(report) == ["agreed", "open", "open"]


def test_a_provider_agrees_to_every_open_line_with_an_amount(report: Report) -> None:
    raised(report)
    agreeing.agree_lines(fsp_call(), report.id, EarlyAgreementRequest(every_line=True))
    assert states(report) == ["disputed", "agreed", "open"]
    agreeing.agree_lines(fsp_call(), report.id, EarlyAgreementRequest(every_line=True))
    assert states(report) == ["disputed", "agreed", "open"]


def test_lines_that_cannot_be_agreed_are_named_all_at_once(report: Report) -> None:
    raised(report)
    asked = EarlyAgreementRequest(line_ids=(line_of(report), line_of(report, 1), line_of(report, 2), "rpt_9-00000"))
    with pytest.raises(Invalid) as refused:
        agreeing.agree_lines(fsp_call(), report.id, asked)
    assert [(each.code, each.field) for each in refused.value.problems] == [
        ("line.disputed", "line_ids/0"),
        ("line.unsettled", "line_ids/2"),
        ("line.not_found", "line_ids/3"),
    ]
    assert states(report)[1] == "open"


def test_agreement_is_the_providers_own_and_of_the_published_report(report: Report) -> None:
    every = EarlyAgreementRequest(every_line=True)
    for call in (so_call(), fsp_call(fsp=OTHER)):
        with pytest.raises(NotFound):
            agreeing.agree_lines(call, report.id, every)
    publishing.publish_report(so_call(), made([a_report_line()], 2).id)
    with pytest.raises(Refused, match=r"report\.superseded"):
        agreeing.agree_lines(fsp_call(), report.id, every)


@pytest.mark.parametrize("bad", [{}, {"line_ids": ["a"], "every_line": True}, {"line_ids": ["a"] * 501}])
def test_lines_are_named_or_all_are_meant(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EarlyAgreementRequest.model_validate(bad)
