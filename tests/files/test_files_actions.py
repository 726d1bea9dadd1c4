"""What callers ask of files: uploads bound to place and size, who sees what, templates, exports and jobs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from pydantic import Field

from chalicelib.files import actions, actions_exporting
from chalicelib.files.actions_receiving import mark_failed, receive, refuse
from chalicelib.files.columns import Template
from chalicelib.files.exports import make_export, make_templates
from chalicelib.files.kinds import EXPORTS, KINDS
from chalicelib.files.models import MOST_BYTES, ExportRequest, FileQuery, FileRequest, FileView, Receipt
from chalicelib.files.workbook import read_file
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Forbidden, Invalid, NotFound, Problem, Refused, TooLarge
from chalicelib.kernel.models import PageQuery, Value
from chalicelib.storage import objects, outbox
from tests.builders.calls import a_call, a_system_call
from tests.builders.files import ARRIVED, TEMPLATE, TWO_TABS, a_drop, a_row

pytestmark = pytest.mark.usefixtures("market")


def asked(**changes: Any) -> FileRequest:
    return FileRequest.model_validate(
        {"kind": "assets", "name": "my assets.xlsx", "size": 5, "sha256": "0" * 64} | changes
    )


def received(kind: str = "assets", organisation: str = "org_fsp1", name: str = "a.csv") -> Receipt:
    return receive(a_system_call(), a_drop(b"hello", kind, name, organisation), organisation, "fsp")


def test_an_upload_is_announced_with_a_place_of_its_own() -> None:
    view = actions.request_upload(a_call(), asked(reference_attribute="AREA_ID"))
    assert view.upload is not None
    assert view.state == "expected"
    assert view.upload.fields["key"] == f"inbox/org_fsp1/assets/{view.id}/my_assets.xlsx"
    assert view.upload.fields["x-amz-meta-reference-attribute"] == "AREA_ID"
    assert view.upload.expires_seconds == 900
    again = actions.get_upload(a_call(), view.id)
    assert again.upload is not None
    assert again.upload.fields["key"] == view.upload.fields["key"]


def test_an_upload_that_arrived_is_told_without_a_link() -> None:
    view = actions.request_upload(a_call(), asked())
    receive(a_system_call(), a_drop(b"hello", f"assets/{view.id}", "my_assets.xlsx"), "org_fsp1", "fsp")
    assert actions.get_upload(a_call(), view.id).upload is None


def test_a_machine_user_is_known_as_one() -> None:
    call = a_call()
    machine = Call(
        call.actor.__class__("machine", "mch_1", "org_fsp1", "fsp", call.actor.roles), call.now, call.new_id, "r"
    )
    view = actions.request_upload(machine, asked())
    assert actions.get_receipt(view.id).actor_kind == "machine"


@pytest.mark.parametrize(
    ("call", "request_", "error", "code"),
    [
        (a_call(), asked(kind="recipes"), Invalid, "invalid"),
        (a_call(), asked(kind="competitions"), Forbidden, "file.kind_not_yours"),
        (a_call(roles={"read"}), asked(), Forbidden, "identity.role"),
        (a_call(), asked(size=MOST_BYTES + 1), TooLarge, "file.too_large"),
    ],
)
def test_an_upload_is_refused_before_it_is_sent(call: Call, request_: FileRequest, error: Any, code: str) -> None:
    with pytest.raises(error) as refused:
        actions.request_upload(call, request_)
    assert refused.value.code == code


def test_files_are_listed_newest_first_by_kind_and_state() -> None:
    first = received(name="a.csv")
    second = receive(
        a_system_call(), a_drop(b"x", name="b.csv").but(at=ARRIVED + timedelta(seconds=1)), "org_fsp1", "fsp"
    )
    refuse(a_system_call(), second, Invalid("file.x", "No."))
    received(organisation="org_fsp2")
    assert [view.id for view in actions.list_files(a_call(), FileQuery()).items] == [second.id, first.id]
    assert [view.id for view in actions.list_files(a_call(), FileQuery(state="refused")).items] == [second.id]
    assert actions.list_files(a_call(), FileQuery(kind="areas")).items == []


def test_another_organisations_file_is_not_found() -> None:
    receipt = received()
    stranger = a_call("org_fsp2")
    for act in (actions.get_file, actions.marked_workbook, actions.get_upload):
        with pytest.raises(NotFound):
            act(stranger, receipt.id)
    with pytest.raises(NotFound):
        actions.list_problems(stranger, receipt.id, PageQuery())
    with pytest.raises(NotFound):
        actions.get_file(a_call("org_mo", "market_operator"), receipt.id)


def test_a_bids_file_is_seen_only_by_those_who_bid() -> None:
    receipt = received("bids")
    others = a_call(roles={"procurement", "read"})
    assert actions.list_files(others, FileQuery()).items == []
    with pytest.raises(Forbidden):
        actions.get_file(others, receipt.id)
    assert actions.get_file(a_call(roles={"bidding"}), receipt.id).id == receipt.id


def test_a_file_of_a_kind_nobody_knows_can_still_be_seen_by_its_owner() -> None:
    receipt = received("recipes")
    assert actions.get_file(a_call(), receipt.id).refusal_code == "file.kind_unknown"


def test_the_market_operator_sees_what_failed_and_nothing_of_its_rows() -> None:
    receipt, _ = received("bids"), received(name="fine.csv")
    mark_failed(a_system_call(), receipt.id)
    operator = a_call("org_mo", "market_operator")
    (view,) = actions.list_files(operator, FileQuery(status="failed")).items
    assert view == actions.get_file(operator, receipt.id) == actions.get_replayed(operator, receipt.id)
    assert (view.id, view.failed, view.organisation) == (receipt.id, True, "org_fsp1")
    assert (view.problems, view.notes, view.refusal) == ((), (), None)
    assert actions.list_files(operator, FileQuery(status="failed", kind="assets")).items == []
    with pytest.raises(Forbidden):
        actions.list_files(a_call(), FileQuery(status="failed"))


def test_a_replayed_file_is_no_longer_failed() -> None:
    receipt = received()
    mark_failed(a_system_call(), receipt.id)
    operator = a_call("org_mo", "market_operator")
    assert actions.replay_file(operator, receipt.id).failed is False
    assert actions.list_files(operator, FileQuery(status="failed")).items == []


def test_a_file_without_row_problems_has_no_marked_copy() -> None:
    receipt = refuse(a_system_call(), received(), Invalid.of([Problem("file.x", "No.")]))
    with pytest.raises(NotFound) as refused:
        actions.marked_workbook(a_call(), receipt.id)
    assert refused.value.code == "file.no_marked_workbook"


def test_the_first_problems_come_with_the_receipt_and_all_of_them_page_by_page() -> None:
    problems = [Problem("file.x", f"Number {number}.") for number in range(30)]
    receipt = refuse(a_system_call(), received(), Invalid.of(problems))
    view = actions.get_file(a_call(), receipt.id)
    assert (len(view.problems), view.problem_count) == (20, 30)
    page = actions.list_problems(a_call(), receipt.id, PageQuery(limit=25))
    rest = actions.list_problems(a_call(), receipt.id, PageQuery(limit=25, cursor=page.next))
    assert [problem.detail for problem in (*page.items, *rest.items)] == [problem.detail for problem in problems]
    assert rest.next is None


def test_files_that_arrived_before_an_instant_and_are_still_being_read_are_counted() -> None:
    before = received("bids", name="a.csv")
    received("bids", name="b.csv")
    actions.request_upload(a_call(), asked(kind="bids"))
    assert actions.being_read("bids", ARRIVED) == 0
    assert actions.being_read("bids", ARRIVED + timedelta(seconds=1)) == 2
    refuse(a_system_call(), before, Invalid("file.x", "No."))
    assert actions.being_read("bids", ARRIVED + timedelta(seconds=1)) == 1


def waiting_jobs() -> list[str]:
    found = outbox.unpublished(ARRIVED + timedelta(days=30))
    return [envelope.body["job_id"] for envelope in found if envelope.name == "files.export_requested.v1"]


def test_blank_templates_are_made_ahead_once_for_each_state_of_their_columns() -> None:
    with pytest.raises(Refused) as refused:
        actions.template_link(a_call(), "assets")
    assert refused.value.retry_after == 5
    actions_exporting.prepare_templates(a_system_call(), "v1")
    (job,) = waiting_jobs()
    actions_exporting.prepare_templates(a_system_call(), "v1")
    assert waiting_jobs() == [job, job]
    make_templates(a_system_call(), job, [TEMPLATE, TWO_TABS])
    make_templates(a_system_call(), job, [])
    actions_exporting.prepare_templates(a_system_call(), "v1")
    assert waiting_jobs() == [job, job]
    link = actions.template_link(a_call(), "assets")
    assert link.name == "headroom-assets-template.xlsx"
    content = objects.read_object(objects.BODIES, actions.template_key("assets"))
    with pytest.raises(Invalid, match="no rows"):
        read_file(content, TEMPLATE)


def test_there_is_no_template_of_an_unknown_kind() -> None:
    with pytest.raises(NotFound):
        actions.template_link(a_call(), "recipes")


class _Filters(Value):
    status: str = Field(max_length=5)


def exporter(call: Call, filters: dict[str, Any]) -> tuple[Template, Mapping[str, Any]]:
    wanted = _Filters.model_validate(filters)
    if wanted.status == "none":
        raise Refused("assets.none", "There are no assets.")
    return TEMPLATE, {"Assets": (a_row(ref=f"{call.organisation}-{number}") for number in range(3))}


def requested(**filters: Any) -> str:
    view = actions_exporting.request_export(a_call(), ExportRequest(kind="assets", filters=filters))
    assert view.state == "queued"
    return view.id


def test_a_workbook_asked_for_is_made_for_whoever_asked() -> None:
    job_id = requested(status="live")
    assert waiting_jobs() == [job_id]
    make_export(a_system_call(), job_id, exporter)
    view = actions_exporting.get_job(a_call(), job_id)
    assert (view.state, view.rows) == ("done", 3)
    assert view.link is not None
    assert view.link.name == "headroom-assets-2026-04-01.xlsx"
    job = actions_exporting.store.load_job(job_id)
    content = objects.read_object(objects.BODIES, job.object_key or "")
    assert read_file(content, TEMPLATE).sheets["Assets"].rows[0].values["ref"] == "org_fsp1-0"
    make_export(a_system_call(), job_id, exporter)
    assert actions_exporting.store.load_job(job_id) == job


@pytest.mark.parametrize(("filters", "code"), [({"status": "none"}, "assets.none"), ({"x": 1}, "export.filters")])
def test_an_export_that_cannot_be_made_says_why(filters: dict[str, Any], code: str) -> None:
    job_id = requested(**filters)
    make_export(a_system_call(), job_id, exporter)
    view = actions_exporting.get_job(a_call(), job_id)
    assert (view.state, view.refusal_code, view.link) == ("refused", code, None)


@pytest.mark.parametrize(
    ("call", "kind", "error"),
    [
        (a_call(), "recipes", Invalid),
        (a_call(), "decisions", Forbidden),
        (a_call(roles={"read"}), "bids", Forbidden),
    ],
)
def test_an_export_is_refused_to_whoever_may_not_have_it(call: Call, kind: str, error: Any) -> None:
    with pytest.raises(error):
        actions_exporting.request_export(call, ExportRequest(kind=kind))


def test_a_job_is_seen_by_its_organisation_and_by_those_who_may_ask_for_the_same() -> None:
    job = actions_exporting.request_export(a_call(roles={"bidding"}), ExportRequest(kind="bids"))
    assert actions_exporting.get_job(a_call(roles={"bidding"}), job.id) == job
    with pytest.raises(Forbidden):
        actions_exporting.get_job(a_call(roles={"read"}), job.id)
    for call, job_id in ((a_call("org_fsp2"), job.id), (a_call(), "job_nobody")):
        with pytest.raises(NotFound):
            actions_exporting.get_job(call, job_id)


def test_every_kind_says_who_may_drop_it() -> None:
    assert all(kind.organisations and kind.role for kind in (*KINDS.values(), *EXPORTS.values()))
    assert [kind.kind for kind in KINDS.values() if kind.sealed] == ["bids"]


def test_a_view_never_tells_where_a_file_is_kept() -> None:
    assert not {"object_key", "chunks_key", "problems_key", "marked_workbook"} & set(FileView.model_fields)
