"""Owns what people and other rooms ask of files: uploads, receipts with their problems, templates, exports and jobs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chalicelib.files import store
from chalicelib.files.actions_receiving import INBOX, lost_drops, mark_failed, owner_of, receive, save, sweep
from chalicelib.files.actions_receiving import replay_file as _replay_file
from chalicelib.files.importing import outcome_from
from chalicelib.files.keeping import Keeping, kept_of
from chalicelib.files.kinds import KINDS, FileKind
from chalicelib.files.lifecycle import OPEN
from chalicelib.files.models import (
    MOST_BYTES,
    ChunkResult,
    Counts,
    FileProblem,
    FileQuery,
    FileRequest,
    FileView,
    LinkView,
    Receipt,
    UploadView,
)
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Forbidden, Invalid, NotFound, Problem, Refused, TooLarge
from chalicelib.kernel.models import Page, PageQuery
from chalicelib.storage import objects

__all__ = [
    "being_read",
    "get_file",
    "get_receipt",
    "get_upload",
    "list_files",
    "list_problems",
    "lost_drops",
    "mark_failed",
    "marked_workbook",
    "owner_of",
    "receive",
    "replay_file",
    "request_upload",
    "sweep",
]

CONTENT_TYPE = "application/octet-stream"
_FIRST_PROBLEMS = 20


def request_upload(call: Call, asked: FileRequest) -> FileView:
    """Open a receipt for a file to come and say where to send it: a link bound to the place, the type and the size."""
    kind = _kind_for(call, asked.kind)
    if asked.size > MOST_BYTES:
        raise TooLarge("file.too_large", f"The file is over {MOST_BYTES // 1_000_000} MB; part it into several.")
    assert call.actor.organisation_kind is not None
    receipt_id = call.new_id("rct")
    receipt = Receipt(
        id=receipt_id,
        organisation=call.organisation,
        organisation_kind=call.actor.organisation_kind,
        kind=kind.kind,
        name=asked.name,
        state="expected",
        at=call.now,
        actor=call.actor.id,
        actor_kind="machine" if call.actor.kind == "machine" else "person",
        object_key=f"{INBOX}/{call.organisation}/{kind.kind}/{receipt_id}/{_plain_name(asked.name)}",
        size=asked.size,
        sha256=asked.sha256,
        reference_attribute=asked.reference_attribute,
    )
    save(call, receipt, "file.expected", result=receipt.id)
    return _upload_view(receipt)


def get_upload(call: Call, receipt_id: str) -> FileView:
    """The receipt again, with a fresh link while the file has not arrived."""
    receipt = _visible(call, receipt_id)
    return _upload_view(receipt) if receipt.state == "expected" else _full_view(call, receipt)


def list_files(call: Call, query: FileQuery) -> Page[FileView]:
    """The organisation's files, newest first; `status=failed` is the market operator's list over all organisations."""
    if query.status == "failed":
        return _list_failed(call, query)
    page = store.list_by_organisation(call.organisation, query.limit, query.cursor)
    receipts = [row.body for row in page.items if _may_see(call, row.body) and _fits(row.body, query)]
    return Page(items=[_view(receipt) for receipt in receipts], next=page.next)


def get_file(call: Call, receipt_id: str) -> FileView:
    """A receipt with its progress and first problems; the market operator sees what failed, without rows."""
    receipt = store.load_receipt(receipt_id)
    is_operator = call.actor.organisation_kind == "market_operator"
    if is_operator and receipt.failed and receipt.organisation != call.organisation:
        return _outside_view(receipt)
    return _full_view(call, _visible(call, receipt_id))


def list_problems(call: Call, receipt_id: str, query: PageQuery) -> Page[FileProblem]:
    """The problems of a file in order of its rows, page by page, also while it is being read."""
    receipt = _visible(call, receipt_id)
    part, start = _place(query.cursor)
    kept, parts = kept_of(call, receipt), _problem_parts(receipt)
    found: list[FileProblem] = []
    while part < len(parts) and len(found) < query.limit:
        problems = _problems_of(kept, parts[part])
        taken = problems[start : start + query.limit - len(found)]
        found += taken
        part, start = (part, start + len(taken)) if start + len(taken) < len(problems) else (part + 1, 0)
    return Page(items=found, next=f"{part}:{start}" if part < len(parts) else None)


def all_problems(call: Call, receipt: Receipt) -> Iterator[FileProblem]:
    """Every problem of a file, in order of its chunks."""
    kept = kept_of(call, receipt)
    return (problem for part in _problem_parts(receipt) for problem in _problems_of(kept, part))


def marked_workbook(call: Call, receipt_id: str) -> LinkView:
    """A short link to the copy of the file with its bad cells marked; `NotFound` when it has no problems."""
    receipt = _visible(call, receipt_id)
    if receipt.marked_workbook is None:
        raise NotFound("file.no_marked_workbook", "This file has no marked-up copy.")
    name = f"{receipt.name.rpartition('.')[0] or receipt.name} - marked.xlsx"
    return kept_of(call, receipt).link_to(receipt.marked_workbook, name)


def replay_file(call: Call, receipt_id: str) -> FileView:
    """Process a failed or refused file again, as of the instant it arrived; for the market operator."""
    return _outside_view(_replay_file(call, receipt_id))


def get_replayed(call: Call, receipt_id: str) -> FileView:
    """The receipt of a file that was sent to be processed again, as the market operator sees it."""
    return _outside_view(store.load_receipt(receipt_id))


def get_receipt(receipt_id: str) -> Receipt:
    """A receipt for other rooms and functions; `NotFound` when there is none."""
    return store.load_receipt(receipt_id)


def being_read(kind: str, before: datetime) -> int:
    """How many files of a kind that arrived before an instant are still being read; strongly consistent."""
    receipts = [store.load_receipt(receipt_id) for receipt_id in store.list_open(kind)]
    return sum(1 for receipt in receipts if receipt.state in OPEN and not receipt.failed and receipt.at < before)


def template_link(call: Call, kind: str) -> LinkView:
    """A short link to the blank workbook of a kind; made ahead by the market, `Refused` in the moment before."""
    if kind not in KINDS:
        raise NotFound("template.not_found", f"There is no template “{kind}”; there are: {', '.join(KINDS)}.")
    key = template_key(kind)
    try:
        objects.head_object(objects.BODIES, key)
    except NotFound as error:
        raise Refused("template.being_made", "The templates are being made; ask again.", retry_after=5) from error
    return link_to(key, f"headroom-{kind}-template.xlsx")


def template_key(kind: str) -> str:
    return f"templates/{kind}.xlsx"


def link_to(key: str, name: str) -> LinkView:
    url = objects.presign_download(objects.BODIES, key, name)
    return LinkView(url=url, name=name, expires_seconds=objects.LINK_SECONDS)


def _kind_for(call: Call, name: str) -> FileKind:
    kind = KINDS.get(name)
    if kind is None:
        allowed = ", ".join(KINDS)
        raise Invalid.of([Problem("file.kind_unknown", f"There is no kind of file “{name}”.", "kind", allowed)])
    if call.actor.organisation_kind not in kind.organisations:
        raise Forbidden("file.kind_not_yours", f"{kind.title} are not dropped by an organisation of your kind.")
    call.check_role(kind.role)
    return kind


def _may_see(call: Call, receipt: Receipt) -> bool:
    kind = KINDS.get(receipt.kind)
    return kind is None or not kind.sealed or kind.role in call.actor.roles


def _visible(call: Call, receipt_id: str) -> Receipt:
    receipt = store.load_receipt(receipt_id)
    call.check_owner(receipt.organisation, "file")
    if not _may_see(call, receipt):
        call.check_role(KINDS[receipt.kind].role)
    return receipt


def _fits(receipt: Receipt, query: FileQuery) -> bool:
    return query.kind in (None, receipt.kind) and query.state in (None, receipt.state)


def _list_failed(call: Call, query: FileQuery) -> Page[FileView]:
    if call.actor.organisation_kind != "market_operator":
        raise Forbidden("identity.kind", "This is for a market operator.")
    page = store.list_failed(query.limit, query.cursor)
    return Page(items=[_outside_view(row.body) for row in page.items if _fits(row.body, query)], next=page.next)


def _view(receipt: Receipt, results: list[ChunkResult] | None = None) -> FileView:
    counts = receipt.counts
    problems = receipt.problem_count
    if receipt.state == "processing":
        results = store.list_results(receipt.id) if results is None else results
        counts = Counts(**{name: sum(getattr(each.counts, name) for each in results) for name in Counts.model_fields})
        problems = sum(each.problems for each in results)
    shared = set(FileView.model_fields) & set(Receipt.model_fields) - {"counts", "problem_count"}
    return FileView(
        **receipt.model_dump(include=shared),
        counts=counts,
        rows_done=counts.rows,
        problem_count=problems,
        has_marked_workbook=receipt.marked_workbook is not None,
    )


def _full_view(call: Call, receipt: Receipt) -> FileView:
    problems: list[FileProblem] = []
    for problem in all_problems(call, receipt):
        problems.append(problem)
        if len(problems) == _FIRST_PROBLEMS:
            break
    return _view(receipt).but(problems=tuple(problems))


def _outside_view(receipt: Receipt) -> FileView:
    """What the market operator sees of another's file: that it is there and how it stands, nothing of its rows."""
    fields = {"id", "version", "organisation", "kind", "name", "state", "at", "size", "rows", "failed", "refusal_code"}
    return FileView(**receipt.model_dump(include=fields), rows_done=0, counts=Counts(), problem_count=0)


def _upload_view(receipt: Receipt) -> FileView:
    metadata = {"receipt": receipt.id}
    if receipt.reference_attribute is not None:
        metadata["reference-attribute"] = receipt.reference_attribute
    made = objects.presign_upload(objects.FILES, receipt.object_key, CONTENT_TYPE, receipt.size or 1, metadata)
    upload = UploadView(url=made.url, fields=made.fields, expires_seconds=made.expires_seconds)
    return _view(receipt).but(upload=upload)


def _place(cursor: str | None) -> tuple[int, int]:
    part, _, start = (cursor or "0:0").partition(":")
    if not (part.isascii() and part.isdigit() and start.isascii() and start.isdigit() and len(cursor or "") < 20):
        detail = "The cursor is not one that a list gave."
        raise Invalid.of([Problem("cursor.unknown", detail, "cursor", "`next` of the page before")])
    return int(part), int(start)


def _problem_parts(receipt: Receipt) -> list[tuple[str, str]]:
    """Where the problems stand: those of the file as a whole, then those of each chunk that has some."""
    whole = [("whole", receipt.problems_key)] if receipt.problems_key else []
    if receipt.chunks is None:
        return whole
    return whole + [("rows", result.outcomes_key) for result in store.list_results(receipt.id) if result.problems]


def _problems_of(kept: Keeping, part: tuple[str, str]) -> list[FileProblem]:
    where, key = part
    data: list[Any] = kept.get_json(key)
    if where == "whole":
        return [FileProblem.model_validate(each) for each in data]
    return [FileProblem.of(problem) for each in data for problem in outcome_from(each).problems]


def _plain_name(name: str) -> str:
    """A file name as part of a key: letters, digits and a few marks; what people see is the receipt's own."""
    return "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in name)[-120:]
