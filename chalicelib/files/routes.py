"""Owns the files room's doors: uploads and receipts, templates, exports and jobs."""

from __future__ import annotations

from chalicelib.edge.web import Page, PageQuery, Routes, market_operator, member
from chalicelib.files import actions, actions_exporting
from chalicelib.files.models import (
    ExportRequest,
    FileProblem,
    FileQuery,
    FileRequest,
    FileView,
    JobView,
    LinkView,
)
from chalicelib.kernel.call import Call

routes = Routes(__name__)


@routes.post("/files", body=FileRequest, returns=FileView, status=201, who=member(), replay=actions.get_upload)
def request_upload(call: Call, body: FileRequest) -> FileView:
    """Announce a file and get its receipt, with a presigned upload to send the bytes to."""
    return actions.request_upload(call, body)


@routes.get("/files", query=FileQuery, returns=Page[FileView], who=member("read"))
def list_files(call: Call, query: FileQuery) -> Page[FileView]:
    """The organisation's files, newest first. The market operator: `status=failed` over all organisations."""
    return actions.list_files(call, query)


@routes.get("/files/{receipt_id}", returns=FileView, who=member("read"))
def get_file(call: Call, receipt_id: str) -> FileView:
    """A receipt: how far its file is, what its rows came to, its first problems."""
    return actions.get_file(call, receipt_id)


@routes.get("/files/{receipt_id}/problems", query=PageQuery, returns=Page[FileProblem], who=member("read"))
def list_file_problems(call: Call, receipt_id: str, query: PageQuery) -> Page[FileProblem]:
    """Every problem of a file: sheet, row, column, code, sentence, and what would pass."""
    return actions.list_problems(call, receipt_id, query)


@routes.get("/files/{receipt_id}/marked-workbook", returns=LinkView, who=member("read"))
def get_marked_workbook(call: Call, receipt_id: str) -> LinkView:
    """A short link to the copy of the file with the bad cells marked and a comment on each."""
    return actions.marked_workbook(call, receipt_id)


@routes.post(
    "/files/{receipt_id}/replay", returns=FileView, status=202, who=market_operator(), replay=actions.get_replayed
)
def replay_file(call: Call, receipt_id: str) -> FileView:
    """Process a failed or refused file again, as of the instant it arrived."""
    return actions.replay_file(call, receipt_id)


@routes.get("/templates/{kind}", returns=LinkView, who=member("read"))
def get_template(call: Call, kind: str) -> LinkView:
    """A short link to the latest blank template of a kind of file."""
    return actions.template_link(call, kind)


@routes.post(
    "/exports", body=ExportRequest, returns=JobView, status=202, who=member("read"), replay=actions_exporting.get_job
)
def request_export(call: Call, body: ExportRequest) -> JobView:
    """Ask for a file (workbook, PDF, CSV, XML), made for the caller now; answer: the job that makes it."""
    return actions_exporting.request_export(call, body)


@routes.get("/jobs/{job_id}", returns=JobView, who=member("read"))
def get_job(call: Call, job_id: str) -> JobView:
    """How a job stands, with a short link to its file once it is done."""
    return actions_exporting.get_job(call, job_id)
