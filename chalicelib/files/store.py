"""Owns the rows of receipts, their chunk results, claims on bytes, and jobs."""

from __future__ import annotations

from collections.abc import Iterator

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.files.lifecycle import OPEN
from chalicelib.files.models import ChunkResult, Counts, Job, Receipt
from chalicelib.kernel.errors import NotFound, Refused
from chalicelib.storage.tables import (
    BodyAttribute,
    InstantAttribute,
    Row,
    RowMeta,
    RowPage,
    get,
    query_all,
    query_index,
    table_name,
)
from chalicelib.storage.writes import Write, create, put, put_if, remove, replace, text

HEAD = "head"
_FAILED = "failed"


class _ReceiptRow(Row):
    class Meta(RowMeta):
        table_name = table_name("receipts")

    org = UnicodeAttribute()
    at = InstantAttribute()
    open = UnicodeAttribute(null=True)
    body = BodyAttribute(Receipt)


class _OpenRow(Row):
    """Stands while a receipt of a kind is being read, so that who must wait for it can read so strongly."""

    class Meta(RowMeta):
        table_name = table_name("receipts")

    since = InstantAttribute()


class _ChunkRow(Row):
    class Meta(RowMeta):
        table_name = table_name("receipts")

    created = NumberAttribute()
    updated = NumberAttribute()
    unchanged = NumberAttribute()
    errors = NumberAttribute()
    problems = NumberAttribute()
    outcomes_key = UnicodeAttribute()


class _PointerRow(Row):
    """Names a receipt: the one that first brought some bytes, or the last one of an organisation and kind."""

    class Meta(RowMeta):
        table_name = table_name("receipts")

    receipt = UnicodeAttribute()


class _JobRow(Row):
    class Meta(RowMeta):
        table_name = table_name("receipts")

    body = BodyAttribute(Job)


def load_receipt(receipt_id: str) -> Receipt:
    """The receipt; `NotFound` when there is none."""
    receipt = find_receipt(receipt_id)
    if receipt is None:
        raise NotFound("file.not_found", "There is no such file.")
    return receipt


def find_receipt(receipt_id: str) -> Receipt | None:
    row = get(_ReceiptRow, receipt_id, HEAD)
    return row.body if row else None


def list_by_organisation(organisation: str, limit: int, cursor: str | None) -> RowPage[_ReceiptRow]:
    return query_index(_ReceiptRow, "by_organisation", organisation, limit=limit, cursor=cursor, newest_first=True)


def list_failed(limit: int, cursor: str | None) -> RowPage[_ReceiptRow]:
    return query_index(_ReceiptRow, "open_receipts", _FAILED, limit=limit, cursor=cursor, newest_first=True)


def create_receipt(receipt: Receipt) -> list[Write]:
    taken = Refused("file.known", "This file has its receipt already.")
    return [create(_receipt_row(receipt), taken), *_open_writes(receipt)]


def save_receipt(receipt: Receipt) -> list[Write]:
    """The writes of a receipt's new version."""
    return [replace(_receipt_row(receipt)), *_open_writes(receipt)]


def list_open(kind: str) -> Iterator[str]:
    """Ids of the receipts of a kind that are still being read."""
    return (str(row.sk) for row in query_all(_OpenRow, _open_place(kind)))


def save_result(receipt_id: str, result: ChunkResult) -> Write:
    """A chunk's result. The same chunk applied again comes to the same, so the last one stands."""
    counts = result.counts
    return put(
        _ChunkRow(
            pk=receipt_id,
            sk=_chunk_place(result.number),
            created=counts.created,
            updated=counts.updated,
            unchanged=counts.unchanged,
            errors=counts.errors,
            problems=result.problems,
            outcomes_key=result.outcomes_key,
        )
    )


def find_result(receipt_id: str, number: int) -> ChunkResult | None:
    row = get(_ChunkRow, receipt_id, _chunk_place(number))
    return _result(row) if row else None


def list_results(receipt_id: str) -> list[ChunkResult]:
    """The results there are, in order of the chunks."""
    return [_result(row) for row in query_all(_ChunkRow, receipt_id, "chunk#")]


def find_bytes_claim(receipt: Receipt) -> str | None:
    """The receipt that claimed these bytes for this organisation and kind."""
    row = get(_PointerRow, _bytes_place(receipt), "claim")
    return str(row.receipt) if row else None


def claim_bytes(receipt: Receipt, instead_of: str | None) -> Write:
    """Claim the receipt's bytes, unclaimed so far or claimed by `instead_of`, whose claim no longer counts."""
    row = _PointerRow(pk=_bytes_place(receipt), sk="claim", receipt=receipt.id)
    lost = Refused("file.claimed", "The same bytes arrived twice at once.")
    if instead_of is None:
        return create(row, lost)
    return put_if(row, "#receipt = :was", {":was": text(instead_of)}, lost)


def find_latest(receipt: Receipt) -> str | None:
    """The receipt last begun for the organisation and kind."""
    row = get(_PointerRow, f"{receipt.organisation}#{receipt.kind}", "latest")
    return str(row.receipt) if row else None


def save_latest(receipt: Receipt) -> Write:
    return put(_PointerRow(pk=f"{receipt.organisation}#{receipt.kind}", sk="latest", receipt=receipt.id))


def load_job(job_id: str) -> Job:
    """The job; `NotFound` when there is none."""
    row = get(_JobRow, job_id, HEAD)
    if row is None or row.body is None:
        raise NotFound("job.not_found", "There is no such job.")
    return row.body


def create_job(job: Job) -> Write:
    return create(_JobRow(pk=job.id, sk=HEAD, body=job), Refused("job.exists", "This work was asked for already."))


def save_job(job: Job) -> Write:
    return replace(_JobRow(pk=job.id, sk=HEAD, version=job.version, body=job))


def _receipt_row(receipt: Receipt) -> _ReceiptRow:
    return _ReceiptRow(
        pk=receipt.id,
        sk=HEAD,
        version=receipt.version,
        org=receipt.organisation,
        at=receipt.at,
        open=_FAILED if receipt.failed else None,
        body=receipt,
    )


def _open_writes(receipt: Receipt) -> list[Write]:
    if receipt.state in OPEN or receipt.state == "expected":
        return [put(_OpenRow(pk=_open_place(receipt.kind), sk=receipt.id, since=receipt.at))]
    return [remove(_OpenRow, _open_place(receipt.kind), receipt.id)]


def _result(row: _ChunkRow) -> ChunkResult:
    counts = Counts(
        created=int(row.created), updated=int(row.updated), unchanged=int(row.unchanged), errors=int(row.errors)
    )
    number = int(row.sk.removeprefix("chunk#"))
    return ChunkResult(number=number, counts=counts, problems=int(row.problems), outcomes_key=row.outcomes_key)


def _chunk_place(number: int) -> str:
    return f"chunk#{number:06d}"


def _bytes_place(receipt: Receipt) -> str:
    return f"{receipt.organisation}#{receipt.sha256}#{receipt.kind}"


def _open_place(kind: str) -> str:
    return f"open#{kind}"
