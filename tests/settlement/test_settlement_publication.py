"""Claims about publishing: what may be, what it supersedes, what the two sides see, and races with what lines do."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from chalicelib.kernel.errors import Invalid, NotFound, Refused, Stale
from chalicelib.kernel.models import PageQuery
from chalicelib.settlement import actions_disputes as disputes
from chalicelib.settlement import actions_publishing as publishing
from chalicelib.settlement import actions_report_views as views
from chalicelib.settlement import actions_reports as reports
from chalicelib.settlement import store_reports, store_runs
from chalicelib.settlement.actions_making import make_run
from chalicelib.settlement.models_runs import LineMove, MeterQuality, ObligationDetail, PeriodDetail, Report
from chalicelib.settlement.requests_disputes import DisputeRequest
from chalicelib.settlement.requests_reports import LineQuery, ReportQuery
from chalicelib.storage import outbox
from chalicelib.storage.commit import commit
from tests.builders.calls import a_call
from tests.builders.reports import (
    FSP,
    SO,
    a_detail,
    a_draft,
    a_report_line,
    a_run,
    an_instruction_detail,
    fsp_call,
    given_sides,
    keep,
    made,
    so_call,
)
from tests.builders.settlement import rules

pytestmark = pytest.mark.usefixtures("market")
LATER = "2026-05-13T09:00:00Z"
OTHER = "org_fsp2"
MUCH_LATER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _sides(market: None) -> None:
    given_sides(FSP, OTHER)


def publish(report: Report, now: str = "2026-05-08T09:00:00Z") -> Report:
    return publishing.publish_report(so_call(now), report.id)


def states(report: Report, now: str = LATER) -> list[tuple[str | None, str]]:
    page = views.list_lines(fsp_call(now), report.id, LineQuery())
    return [(None if line.amount is None else f"{line.amount:.2f}", line.state) for line in page.items]


def moved(report: Report, ordinal: int, state: str, **but: str) -> None:
    move = LineMove.model_validate({"state": state, "at": LATER, **but})
    commit(so_call(), reports.move_writes(report, {reports.line_id_of(report.id, ordinal): move}))


def test_a_published_report_may_be_disputed_for_so_many_working_days_of_the_operators_region() -> None:
    report = publish(made([a_report_line()], detail=a_detail(rules(dispute_working_days=12))))
    assert (report.state, report.version) == ("published", 2)
    assert report.disputable_until == date(2026, 5, 27), "25 May 2026 is a bank holiday"
    assert reports.published_report(SO, FSP, "2026-04") == report
    assert reports.published_reports(SO, FSP, "2026-04") == [report]
    assert reports.published_reports(SO, FSP, "2026-03") == []
    assert reports.fsps_published(SO) == [FSP]


def test_a_report_is_published_once() -> None:
    report = made([a_report_line()])
    publish(report)
    with pytest.raises(Refused, match=r"report\.published"):
        publish(report)


@pytest.mark.parametrize(
    "but",
    [
        {"last": date(2026, 4, 29)},
        {"first": date(2026, 4, 2)},
        {"obligation_id": "obl_1"},
        {"state": "queued"},
        {"state": "failed"},
    ],
)
def test_only_a_finished_run_of_a_whole_month_is_published(but: dict[str, object]) -> None:
    commit(so_call(), [store_runs.save_run(a_run(**but))])
    draft = keep(a_draft([a_report_line()]))
    with pytest.raises(Refused, match=r"run\.not_publishable"):
        publish(draft)
    with pytest.raises(Refused, match=r"run\.not_publishable"):
        publishing.publish_run(so_call(), "run_1")


def test_another_operators_report_and_run_are_not_found() -> None:
    report = made([a_report_line()])
    other = a_call("org_so2", "so")
    for act, what in ((publishing.publish_report, report.id), (publishing.publish_run, "run_1")):
        with pytest.raises(NotFound):
            act(other, what)
    with pytest.raises(NotFound):
        views.get_report(other, report.id)
    for act in (publishing.publish_report, publishing.publish_run, publishing.get_publication):
        with pytest.raises(NotFound):
            act(so_call(), "nothing")


def test_a_later_version_supersedes_the_one_before_and_takes_over_its_lines() -> None:
    first = publish(made([a_report_line(number) for number in range(4)]))
    moved(first, 0, "invoiced", invoice_id="inv_1")
    moved(first, 1, "disputed", dispute_id="dsp_1")
    lines = [a_report_line(0, "12"), a_report_line(1, "13"), a_report_line(2), a_report_line(3, "14")]
    second = publish(made(lines, 2), LATER)
    assert states(second) == [
        ("10.00", "invoiced"),
        ("2.00", "open"),
        ("13.00", "disputed"),
        ("10.00", "open"),
        ("14.00", "open"),
    ]
    assert (second.lines, second.total) == (5, Decimal(49))
    before = reports.load_report(first.id)
    assert (before.state, before.superseded_by) == ("superseded", second.id)
    assert states(before)[0] == ("10.00", "invoiced")
    assert reports.published_report(SO, FSP, "2026-04") == second


def test_what_was_agreed_by_its_date_stays_agreed_in_the_next_version() -> None:
    publish(made([a_report_line(0), a_report_line(1)]))
    second = publish(made([a_report_line(0), a_report_line(1, "11")], 2), "2026-05-25T09:00:00Z")
    assert states(second, "2026-05-25T10:00:00Z") == [("10.00", "agreed"), ("11.00", "open")]


def test_an_older_version_is_not_published_after_a_later_one_and_is_superseded_with_it() -> None:
    first = made([a_report_line()])
    second = publish(made([a_report_line()], 2))
    assert reports.load_report(first.id).superseded_by == second.id
    with pytest.raises(Refused, match=r"report\.superseded"):
        publish(first)
    third = made([a_report_line()], 3)
    publish(made([a_report_line()], 4))
    commit(so_call(), [store_reports.save_report(reports.load_report(third.id).but(state="draft", version=3))])
    with pytest.raises(Refused, match=r"report\.older"):
        publish(third)


def test_a_draft_of_one_obligation_is_to_look_at_and_stays() -> None:
    commit(so_call(), [store_runs.save_run(a_run(obligation_id="obl_1"))])
    draft = keep(a_draft([a_report_line()]))
    publish(made([a_report_line()], 2))
    assert reports.load_report(draft.id).state == "draft"


def test_a_superseded_draft_is_not_the_providers_to_see() -> None:
    first = made([a_report_line()])
    second = publish(made([a_report_line()], 2))
    assert [each.id for each in views.list_reports(fsp_call(), ReportQuery()).items] == [second.id]
    with pytest.raises(NotFound):
        views.get_report(fsp_call(), first.id)


def test_publishing_and_a_dispute_of_one_moment_end_in_one_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    first = publish(made([a_report_line()]))
    second = made([a_report_line(0, "12")], 2)
    asked = DisputeRequest(reason="We delivered more.")
    drawn = publishing.draw_upon

    def meanwhile(*arguments: object) -> object:
        disputes.raise_dispute(fsp_call(LATER), reports.line_id_of(first.id, 0), asked)
        return drawn(*arguments)

    monkeypatch.setattr(publishing, "draw_upon", meanwhile)
    with pytest.raises(Stale, match=r"report\.changed"):
        publish(second, LATER)
    monkeypatch.undo()
    assert states(publish(second, LATER)) == [("12.00", "disputed")]


def test_a_run_publishes_all_its_reports_and_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_AT_ONCE", 1)
    commit(so_call(), [store_runs.save_run(a_run(fsps=(FSP, OTHER)))])
    for fsp in (FSP, OTHER):
        keep(a_draft([a_report_line()], fsp=fsp))
    first = publishing.publish_run(so_call(), "run_1")
    assert ([each.fsp for each in first.reports], first.left) == ([FSP], 1)
    second = publishing.publish_run(so_call(), "run_1")
    assert ([each.fsp for each in second.reports], second.left) == ([FSP, OTHER], 0)
    assert publishing.publish_run(so_call(), "run_1") == second
    assert reports.fsps_published(SO, "2026-04") == [FSP, OTHER]
    assert reports.fsps_published(SO, "2026-03") == []


def test_the_provider_is_told_of_what_was_published() -> None:
    report = publish(made([a_report_line()]))
    [told] = [each for each in outbox.unpublished(MUCH_LATER) if each.name == "settlement.report_published.v1"]
    assert told.body == {"so": SO, "fsp": FSP, "report_id": report.id, "month": "2026-04"}


def test_a_provider_sees_no_draft_and_no_report_of_another() -> None:
    draft = made([a_report_line()])
    line = reports.line_id_of(draft.id, 0)
    with pytest.raises(NotFound, match=r"report\.not_found"):
        views.get_report(fsp_call(), draft.id)
    with pytest.raises(NotFound, match=r"line\.not_found"):
        views.own_line(fsp_call(), line)
    publish(draft)
    assert views.get_report(fsp_call(), draft.id).state == "published"
    with pytest.raises(NotFound):
        views.get_report(fsp_call(fsp=OTHER), draft.id)
    with pytest.raises(NotFound):
        views.own_line(fsp_call(fsp=OTHER), line)
    with pytest.raises(NotFound):
        views.own_line(fsp_call(), reports.line_id_of(draft.id, 1))


def test_a_report_is_totalled_by_component_and_by_state() -> None:
    lines = [
        a_report_line(0, "10"),
        a_report_line(1, "5.50"),
        a_report_line(2, None),
        a_report_line(3, "-2.25", component="recovery", instruction_id=None),
    ]
    report = publish(made(lines))
    moved(report, 0, "disputed", dispute_id="dsp_1")
    view = views.get_report(fsp_call(), report.id)
    assert [(each.component, each.lines, each.unsettled, each.total) for each in view.by_component] == [
        ("utilisation", 3, 1, Decimal("15.50")),
        ("recovery", 1, 0, Decimal("-2.25")),
    ]
    assert [(each.state, each.lines, each.total) for each in view.by_state] == [
        ("open", 3, Decimal("3.25")),
        ("disputed", 1, Decimal(10)),
    ]
    assert view.total == Decimal("13.25")
    assert (view.so_name, view.can) == ("Northern Network", ("dispute", "agree"))


def test_each_side_sees_what_it_may_do() -> None:
    report = made([a_report_line(), a_report_line(1, None)])
    assert views.get_report(so_call(), report.id).can == ("publish",)
    publish(report)
    assert views.get_report(so_call(), report.id).can == ()
    can = [line.can for line in views.list_lines(fsp_call(), report.id, LineQuery()).items]
    assert can == [("dispute", "agree"), ("dispute",)]
    assert views.get_report(fsp_call("2026-05-23T09:00:00Z"), report.id).can == ()


def test_a_report_of_some_days_cannot_be_published_and_says_so() -> None:
    commit(so_call(), [store_runs.save_run(a_run(last=date(2026, 4, 10)))])
    assert views.get_report(so_call(), keep(a_draft([a_report_line()])).id).can == ()


def test_reports_are_listed_by_month_state_and_side() -> None:
    report = publish(made([a_report_line()]))
    keep(a_draft([a_report_line()], 2, first=date(2026, 3, 1), last=date(2026, 3, 31), month="2026-03"))
    listed = {
        name: [each.month for each in views.list_reports(so_call(), ReportQuery(**asked)).items]
        for name, asked in {
            "all": {},
            "march": {"month": "2026-03"},
            "published": {"state": "published"},
            "fsp": {"fsp": FSP},
            "other": {"fsp": OTHER},
            "run": {"run_id": "run_1"},
        }.items()
    }
    assert listed == {
        "all": ["2026-04", "2026-03"],
        "march": ["2026-03"],
        "published": ["2026-04"],
        "fsp": ["2026-04", "2026-03"],
        "other": [],
        "run": ["2026-04"],
    }
    [mine] = views.list_reports(fsp_call(), ReportQuery(so=SO)).items
    assert (mine.id, mine.fsp_name) == (report.id, f"Flex of {FSP}")
    assert views.list_reports(fsp_call(fsp=OTHER), ReportQuery()).items == []


def test_lines_are_paged_and_filtered() -> None:
    lines = [
        a_report_line(number, None if number == 3 else "1", obligation_id=f"obl_{number % 2}") for number in range(5)
    ]
    report = publish(made(lines))
    moved(report, 4, "disputed", dispute_id="dsp_1")

    def ordinals(**asked: object) -> list[int]:
        return [line.ordinal for line in views.list_lines(fsp_call(), report.id, LineQuery(**asked)).items]

    assert ordinals() == [0, 1, 2, 3, 4]
    assert ordinals(obligation_id="obl_1") == [1, 3]
    assert ordinals(instruction_id="ins_2") == [2]
    assert ordinals(state="disputed") == [4]
    assert ordinals(unsettled=True) == [3]
    assert ordinals(component="penalty") == []
    found, cursor = [], None
    while True:
        page = views.list_lines(fsp_call(), report.id, LineQuery(limit=2, cursor=cursor, obligation_id="obl_0"))
        found += [line.ordinal for line in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == [0, 2, 4]


def test_a_cursor_of_another_report_is_refused() -> None:
    first = publish(made([a_report_line(number) for number in range(3)]))
    cursor = views.list_lines(fsp_call(), first.id, LineQuery(limit=1)).next
    second = publish(made([a_report_line()], fsp=OTHER, number=9))
    for bad in (cursor, "nonsense"):
        with pytest.raises(Invalid):
            views.list_lines(fsp_call(fsp=OTHER), second.id, LineQuery(cursor=bad))


def test_an_instruction_is_explained_to_its_half_hours() -> None:
    period = PeriodDetail(start="2026-04-15T16:00:00Z", requested_mw="1", baseline_mw="3", metered_mw="2")
    detail = a_detail(instructions=(an_instruction_detail(periods=(period,)), an_instruction_detail("ins_1")))
    report = publish(made([a_report_line(0), a_report_line(1)], detail=detail))
    shown = views.get_instruction(fsp_call(), report.id, "ins_0")
    assert shown.detail.periods == (period,)
    assert [line.instruction_id for line in shown.lines] == ["ins_0"]
    brief = views.list_instructions(so_call(), report.id, PageQuery(limit=1))
    assert [(each.instruction_id, each.periods) for each in brief.items] == [("ins_0", ())]
    assert brief.next is not None
    with pytest.raises(NotFound, match=r"instruction\.not_found"):
        views.get_instruction(fsp_call(), report.id, "ins_9")


def test_availability_quality_and_rules_are_shown() -> None:
    month = ObligationDetail(
        obligation_id="obl_1",
        competition_reference="CMZ-1",
        window_name="Evenings",
        month="2026-04",
        promised_mwh="10",
        available_mwh="9",
    )
    meter = MeterQuality(meter_id="m1", asset_ref="A1", expected=1440, present=1438, revisions=2)
    report = publish(made([a_report_line()], detail=a_detail(obligations=(month,), quality=(meter,))))
    assert views.list_availability(fsp_call(), report.id, PageQuery()).items == [month]
    assert views.list_quality(fsp_call(), report.id, PageQuery()).items == [meter]
    assert [each.name for each in views.list_rules(fsp_call(), report.id).items] == ["test"]


def test_a_report_of_nothing_is_published_and_shown() -> None:
    report = publish(made([], detail=a_detail(instructions=(), rules=())))
    assert views.get_report(fsp_call(), report.id).by_state == ()
    assert views.list_lines(fsp_call(), report.id, LineQuery()).items == []


@pytest.mark.parametrize(
    ("policy", "after"), [("re-run", [("10.00", "invoiced"), ("-10.00", "open")]), ("frozen", [("10.00", "invoiced")])]
)
def test_a_provider_with_nothing_left_in_a_month_has_a_report_that_says_so(policy: str, after: list[object]) -> None:
    first = publish(made([a_report_line()], detail=a_detail(rules(late_data=policy))))
    moved(first, 0, "invoiced", invoice_id="inv_1")
    run = a_run(2, state="queued", fsps=())
    commit(so_call(), [store_runs.save_run(run)])
    make_run(a_call(now=LATER).as_system(), run.id)
    [second] = publishing.publish_run(so_call(LATER), run.id).reports
    assert (second.fsp, second.number) == (FSP, 2)
    assert states(reports.load_report(second.id)) == after


def test_a_run_of_some_days_leaves_no_report_for_those_with_nothing_in_it() -> None:
    publish(made([a_report_line()]))
    run = a_run(2, state="queued", fsps=(), last=date(2026, 4, 10))
    commit(so_call(), [store_runs.save_run(run)])
    make_run(a_call(now=LATER).as_system(), run.id)
    assert store_runs.find_run(run.id).fsps == ()
