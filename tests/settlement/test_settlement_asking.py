"""Claims about asking for runs: versions, who may ask and see what, by the clock, once however often woken."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Refused, Stale
from chalicelib.kernel.events import Envelope
from chalicelib.kernel.meters import check_digit
from chalicelib.settlement import actions_differences, actions_making, actions_publishing, actions_runs
from chalicelib.settlement.requests_runs import DifferencesQuery, DifferenceView, RunQuery, RunRequest
from chalicelib.storage import outbox
from chalicelib.storage.commit import commit
from functions import run_settlement, settle_months
from tests.builders.registry import a_system_operator
from tests.builders.settling import FSP, SettlingMarket

pytestmark = pytest.mark.usefixtures("market")
MONDAY, TUESDAY, THURSDAY = date(2026, 6, 15), date(2026, 6, 16), date(2026, 6, 18)
METER = "120000000001" + str(check_digit("120000000001"))
FAR = datetime(2035, 1, 1, tzinfo=UTC)


@pytest.fixture
def settling(market: None) -> SettlingMarket:
    return SettlingMarket()


def test_a_run_made_twice_leaves_the_same_and_nothing_twice(settling: SettlingMarket) -> None:
    settling.obligation()
    settling.instruction(TUESDAY)
    settling.read(delivered={TUESDAY: 1500})
    run = settling.run()
    report, whole = settling.report(run), actions_runs.get_run(settling.operator(), run.id)
    actions_making.make_run(settling.operator().as_system(), run.id)
    assert (settling.report(run), actions_runs.get_run(settling.operator(), run.id)) == (report, whole)
    again = settling.run()
    assert settling.report(again).detail_key == report.detail_key
    assert settling.changes(again) == []


def test_a_run_cut_short_is_made_again_whole(settling: SettlingMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    settling.obligation()
    settling.obligation("obl_2", ("m2",), fsp="org_fsp2")
    settling.instruction(TUESDAY)
    settling.instruction(TUESDAY, obligation="obl_2")
    for meter in ("m1", "m2"):
        settling.read(meter, delivered={TUESDAY: 1500})
    asked = actions_runs.ask_run(settling.operator(), RunRequest(month="2026-06"))
    cut = Cut(after=1)
    monkeypatch.setattr(actions_making, "commit", cut)
    with pytest.raises(RuntimeError):
        actions_making.make_run(settling.operator().as_system(), asked.id)
    assert actions_runs.get_run(settling.operator(), asked.id).state == "queued"
    monkeypatch.setattr(actions_making, "commit", commit)
    settling.read(delivered={TUESDAY: 2000}, days=(TUESDAY, TUESDAY), now="2026-07-09T09:00:00Z")
    actions_making.make_run(settling.operator().as_system(), asked.id)
    run = actions_runs.get_run(settling.operator(), asked.id)
    assert (run.state, run.fsps, run.total) == ("done", (FSP, "org_fsp2"), Decimal("700.00"))
    assert [settling.report(run, fsp).total for fsp in run.fsps] == [Decimal(400), Decimal(300)]


class Cut:
    """Commits so many times, and then fails as a function does that is killed."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, *args: Any, **how: Any) -> None:
        if self.left == 0:
            raise RuntimeError("killed")
        self.left -= 1
        commit(*args, **how)


def test_a_run_that_cannot_be_made_says_so_and_is_tried_again(
    settling: SettlingMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = actions_runs.ask_run(settling.operator(), RunRequest(month="2026-06"))
    whole = actions_making.gather
    monkeypatch.setattr(actions_making, "gather", broken)
    with pytest.raises(KeyError):
        actions_making.make_run(settling.operator().as_system(), asked.id)
    failed = actions_runs.get_run(settling.operator(), asked.id)
    assert (failed.state, failed.failure) == ("failed", "It could not be made for a fault of ours, and is tried again.")
    monkeypatch.setattr(actions_making, "gather", whole)
    actions_making.make_run(settling.operator().as_system(), asked.id)
    done = actions_runs.get_run(settling.operator(), asked.id)
    assert (done.state, done.failure, done.lines) == ("done", None, 0)


def broken(*_: Any) -> Any:
    raise KeyError("lost")


def test_versions_count_by_scope_and_compare_with_the_last_that_was_made(settling: SettlingMarket) -> None:
    settling.obligation()
    settling.obligation("obl_2", ("m2",), fsp="org_fsp2")
    first = settling.run()
    waiting = actions_runs.ask_run(settling.operator(), RunRequest(month="2026-06"))
    third = settling.run()
    other = settling.run(first="2026-06-01", last="2026-06-10")
    narrow = settling.run(month="2026-06", obligation_id="obl_1")
    assert [each.number for each in (first, waiting, third, other, narrow)] == [1, 2, 3, 1, 1]
    assert third.previous == waiting.id
    assert (third.fsps, narrow.fsps) == ((FSP, "org_fsp2"), (FSP,))
    assert settling.changes(third) == []
    assert [each.can_be_published for each in (first, other, narrow)] == [True, False, False]
    with pytest.raises(Refused):
        settling.changes(waiting)
    listed = actions_runs.list_runs(settling.operator(), RunQuery(limit=2))
    rest = actions_runs.list_runs(settling.operator(), RunQuery(limit=9, cursor=listed.next))
    everything = [each.id for each in (*listed.items, *rest.items)]
    assert len(listed.items) == 2
    assert sorted(everything) == sorted(each.id for each in (first, waiting, third, other, narrow))
    assert everything[-1] == other.id


def test_only_days_past_are_settled_and_only_ones_own_obligation(settling: SettlingMarket) -> None:
    with pytest.raises(Invalid):
        settling.run(now="2026-06-30T12:00:00Z")
    settling.obligation("obl_9", so="org_so9")
    with pytest.raises(NotFound):
        settling.run(month="2026-06", obligation_id="obl_9")
    with pytest.raises(NotFound):
        settling.run(month="2026-06", obligation_id="none")
    for wrong in (
        {},
        {"month": "2026-06", "first": "2026-06-01"},
        {"first": "2026-06-01"},
        {"first": "2026-06-02", "last": "2026-06-01"},
        {"first": "1990-06-02", "last": "1990-06-03"},
    ):
        with pytest.raises(ValidationError):
            RunRequest.model_validate(wrong)
    assert RunRequest(month="2025-12").days == (date(2025, 12, 1), date(2025, 12, 31))


def test_an_fsp_asks_again_for_a_month_that_was_reported_to_it_and_sees_its_own_part(settling: SettlingMarket) -> None:
    settling.obligation()
    settling.obligation("obl_2", ("m2",), fsp="org_fsp2")
    for obligation in ("obl_1", "obl_2"):
        settling.instruction(TUESDAY, obligation=obligation)
    for meter in ("m1", "m2"):
        settling.read(meter, delivered={TUESDAY: 1500})
    first = settling.run()
    wanted = {"month": "2026-06", "so": settling.so, "note": "the file of 9 July"}
    with pytest.raises(NotFound):
        settling.run(call=settling.fsp(), **wanted)
    actions_publishing.publish_run(settling.operator(), first.id)
    settling.read(delivered={TUESDAY: 2000}, days=(TUESDAY, TUESDAY), now="2026-07-09T09:00:00Z")
    later = "2026-07-09T10:00:00Z"
    second = settling.run(call=settling.fsp(now=later), **wanted)
    assert (second.number, second.note, second.fsps, second.total) == (2, "the file of 9 July", (FSP,), None)
    assert settling.changes(second, settling.fsp()) == []
    assert len(settling.changes(second)) == 1
    actions_publishing.publish_run(settling.operator(later), second.id)
    [own] = settling.changes(second, settling.fsp())
    assert (own.fsp, own.change) == (FSP, Decimal(100))
    assert settling.changes(second, settling.fsp("org_fsp2")) == []
    seen = actions_runs.get_run(settling.fsp(), second.id)
    assert (seen.total, seen.report_ids) == (Decimal(400), (settling.report(second).id,))
    assert {each.id for each in actions_runs.list_runs(settling.fsp(), RunQuery()).items} == {first.id, second.id}
    with pytest.raises(NotFound):
        actions_runs.get_run(settling.fsp("org_fsp3"), second.id)
    with pytest.raises(Invalid):
        settling.run(call=settling.fsp(), month="2026-06")


def test_differences_come_in_pages_by_provider(settling: SettlingMarket) -> None:
    for number in (1, 2):
        settling.obligation(f"obl_{number}", (f"m{number}",), fsp=f"org_fsp{number}")
        for day in (MONDAY, TUESDAY, THURSDAY):
            settling.instruction(day, obligation=f"obl_{number}")
        settling.read(f"m{number}", delivered=dict.fromkeys((MONDAY, TUESDAY, THURSDAY), 2000))
    run = settling.run()
    everything = settling.changes(run)
    assert len(everything) == 6
    paged: list[DifferenceView] = []
    cursor = None
    for _ in range(3):
        page = actions_differences.list_differences(
            settling.operator(), run.id, DifferencesQuery(limit=2, cursor=cursor)
        )
        paged += page.items
        cursor = page.next
    assert (paged, cursor) == (everything, None)
    assert {each.fsp for each in settling.changes(run, fsp="org_fsp2")} == {"org_fsp2"}
    for wrong in ("x", ":1", "org_fsp1:y"):
        with pytest.raises(Invalid):
            settling.changes(run, cursor=wrong)


def test_the_month_before_is_settled_once_on_its_day_of_reporting(settling: SettlingMarket) -> None:
    assert not woken(settling, "2026-07-08T00:00:00Z")
    settling.obligation()
    assert not woken(settling, "2026-07-07T22:00:00Z")
    assert woken(settling, "2026-07-07T23:00:00Z")
    assert not woken(settling, "2026-07-08T00:00:00Z")
    [asked] = actions_runs.list_runs(settling.operator(), RunQuery()).items
    assert (asked.month, asked.reason, asked.state) == ("2026-06", "scheduled", "queued")
    told = [each for each in outbox.unpublished(before=FAR) if each.name == "settlement.run_asked.v1"]
    [message] = told
    answer = run_settlement.handler(as_message(message), None)
    assert answer == {"batchItemFailures": []}
    assert actions_runs.get_run(settling.operator(), asked.id).state == "done"
    settling.rules(name="standard agreement", preset="linear", effective_from="2026-06-01", report_day=12)
    assert not woken(settling, "2026-08-11T12:00:00Z")


def woken(settling: SettlingMarket, at: str) -> bool:
    """Whether the hour's round asked for a run."""
    before = len(actions_runs.list_runs(settling.operator(), RunQuery()).items)
    answer = settle_months.handler({"Records": [{"messageId": "1", "body": json.dumps({"time": at})}]}, None)
    assert answer == {"batchItemFailures": []}
    return len(actions_runs.list_runs(settling.operator(), RunQuery()).items) > before


def test_one_operator_that_fails_holds_up_no_other(settling: SettlingMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    settling.obligation()
    a_system_operator(2)
    whole, seen = settle_months.ask_monthly, []

    def failing(call: Call, so: str) -> Any:
        seen.append(so)
        if so != settling.so:
            raise KeyError(so)
        return whole(call, so)

    monkeypatch.setattr(settle_months, "ask_monthly", failing)
    with pytest.raises(ExceptionGroup):
        settle_months.settle_months(settling.operator("2026-07-08T09:00:00Z"))
    assert len(seen) == 2
    assert len(actions_runs.list_runs(settling.operator(), RunQuery()).items) == 1


def test_two_who_ask_at_once_get_versions_one_after_the_other(
    settling: SettlingMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    settling.obligation()
    whole, stale = actions_runs.store_runs.find_scope, [None, None]

    def behind(*of: Any) -> Any:
        return stale.pop() if stale else whole(*of)

    monkeypatch.setattr(actions_runs.store_runs, "find_scope", behind)
    assert [settling.run().number, settling.run().number] == [1, 2]
    monkeypatch.setattr(actions_runs.store_runs, "find_scope", lambda *_: None)
    with pytest.raises(Stale):
        settling.run()


def test_two_rounds_at_once_ask_for_one_run(settling: SettlingMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    settling.obligation()
    call = settling.operator("2026-07-08T09:00:00Z").as_system()
    assert actions_runs.ask_monthly(call, settling.so) is not None
    whole, unseen = actions_runs.store_runs.find_run, [True]
    monkeypatch.setattr(
        actions_runs.store_runs, "find_run", lambda id_: None if unseen and unseen.pop() else whole(id_)
    )
    assert actions_runs.ask_monthly(call, settling.so) is None
    monkeypatch.setattr(actions_runs.store_runs, "find_run", lambda id_: None)
    with pytest.raises(Refused):
        actions_runs.ask_monthly(call, settling.so)


def test_a_run_already_made_or_unknown_is_left_as_it_is(settling: SettlingMarket) -> None:
    actions_making.make_run(settling.operator().as_system(), "run_none")
    with pytest.raises(NotFound):
        actions_runs.get_run(settling.operator(), "run_none")


def test_an_instruction_still_running_waits_for_a_later_run(settling: SettlingMarket) -> None:
    settling.obligation()
    settling.instruction(date(2026, 6, 30), start="23:00", end="23:59", state="acknowledged", ended_at=None)
    asked = actions_runs.ask_run(settling.operator("2026-06-30T23:30:00Z"), RunRequest(month="2026-06"))
    actions_making.make_run(settling.operator("2026-06-30T22:30:00Z").as_system(), asked.id)
    assert actions_runs.get_run(settling.operator(), asked.id).lines == 0
    assert settling.run().lines == 1


def as_message(envelope: Envelope) -> dict[str, Any]:
    body = json.dumps({"detail": envelope.model_dump(mode="json")})
    return {"Records": [{"messageId": "1", "body": body}]}
