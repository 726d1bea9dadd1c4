"""Owns the rows of invoices: heads, numbers without gaps, and what one asking for invoices brought."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.errors import Stale
from chalicelib.kernel.models import Page, iso
from chalicelib.settlement.models_invoices import InvoiceRun, Numbered, Numbering
from chalicelib.settlement.models_runs import Invoice, InvoiceLine
from chalicelib.settlement.store_listing import ListedRow
from chalicelib.storage.objects import get_json, put_json
from chalicelib.storage.tables import (
    BodyAttribute,
    Row,
    RowMeta,
    encode_cursor,
    get,
    get_many,
    query_all,
    query_index,
    sort_keys,
    table_name,
)
from chalicelib.storage.writes import Write, create, number, replace, text, update_if

_LINES = "invoice-lines"
_READ_AT_ONCE = 100
RACED = Stale("invoice.raced", "Somebody else draws up invoices right now. Try it again.")
_CHANGED = Stale("invoice.changed", "Somebody changed this invoice meanwhile. Read it again and repeat it.")


class _InvoiceRow(ListedRow):
    """A head; `body` is without lines, which are kept by content under `lines_key`."""

    class Meta(RowMeta):
        table_name = table_name("settlement")

    lines_key = UnicodeAttribute()
    body = BodyAttribute(Invoice)


class _NumberingRow(Row):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(Numbering)


class _NumberedRow(Row):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(Numbered)


class _PrefixRow(Row):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    target = UnicodeAttribute()


class _RunRow(Row):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(InvoiceRun)


class _DrawnRow(Row):
    """A document that a run issued; its key says it all."""

    class Meta(RowMeta):
        table_name = table_name("settlement")


def keep_lines(lines: Sequence[InvoiceLine]) -> str:
    """Keep an invoice's lines by content; the same lines give the same key."""
    return put_json([line.model_dump(mode="json", exclude_none=True) for line in lines], _LINES)


def new_invoice(invoice: Invoice, lines_key: str) -> list[Write]:
    """A new invoice and the claim of its number."""
    numbered = Numbered(invoice_id=invoice.id, issued_on=invoice.issued_on, months=invoice.months)
    claim = _NumberedRow(pk=f"invoices#{invoice.so}", sk=_serial(invoice.serial), body=numbered)
    return [create(claim, RACED), create(_row(invoice, lines_key))]


def save_state(invoice: Invoice) -> Write:
    """An invoice's next version: its state and payment change, its lines and all else it says never do."""
    values = {":body": text(_body(invoice)), ":after": number(invoice.version), ":was": number(invoice.version - 1)}
    update = "SET #body = :body, #version = :after"
    return update_if(_InvoiceRow, invoice.id, "invoice", update, "#version = :was", values, _CHANGED)


def find_invoice(invoice_id: str) -> tuple[Invoice, str] | None:
    """An invoice without its lines, and the key they are kept under; strongly consistent."""
    row = get(_InvoiceRow, invoice_id, "invoice")
    return (row.body, row.lines_key) if row else None


def load_lines(lines_key: str) -> tuple[InvoiceLine, ...]:
    return tuple(InvoiceLine.model_validate(line) for line in get_json(lines_key))


def load_invoices(invoice_ids: Iterable[str]) -> dict[str, Invoice]:
    """Invoices by id without their lines, strongly consistent; unknown ids are left out."""
    rows = get_many(_InvoiceRow, [(each, "invoice") for each in invoice_ids])
    return {row.pk: row.body for row in rows}


def list_invoices(
    side: str, organisation: str, limit: int, cursor: str | None, fits: Callable[[Invoice], bool]
) -> Page[Invoice]:
    """Invoices of one side ("so" or "fsp") that fit, without their lines, newest first; a moment behind the writes.

    Read many at a time, however few of them fit; the cursor is the last one shown.
    """
    found: list[_InvoiceRow] = []
    while True:
        page = query_index(
            _InvoiceRow,
            f"by_{side}",
            organisation,
            prefix="invoice#",
            limit=max(limit, _READ_AT_ONCE),
            cursor=cursor,
            newest_first=True,
        )
        found += [row for row in page.items if fits(row.body)]
        cursor = page.next
        if len(found) > limit:
            return Page(items=[row.body for row in found[:limit]], next=_cursor_after(side, found[limit - 1]))
        if cursor is None or len(found) == limit:
            return Page(items=[row.body for row in found], next=cursor)


def _cursor_after(side: str, row: _InvoiceRow) -> str:
    key = {side: getattr(row, side), "sort": row.sort, "pk": row.pk, "sk": row.sk}
    return encode_cursor({name: {"S": value} for name, value in key.items()})


def list_numbered(so: str) -> Iterator[Numbered]:
    """Every number an operator drew, in order, strongly consistent."""
    return (row.body for row in query_all(_NumberedRow, f"invoices#{so}", "n#"))


def find_numbered(so: str, serial: int) -> Numbered | None:
    row = get(_NumberedRow, f"invoices#{so}", _serial(serial))
    return row.body if row else None


def find_numbering(so: str) -> Numbering | None:
    """An operator's numbering, strongly consistent; None before its first invoice."""
    row = get(_NumberingRow, f"invoices#{so}", "counter")
    return row.body if row else None


def is_prefix_free(prefix: str) -> bool:
    return get(_PrefixRow, f"invoice-prefix#{prefix}", "-") is None


def next_numbering(after: Numbering) -> list[Write]:
    """An operator's numbering once its next serial is drawn; the first claims its prefix for good."""
    row = _NumberingRow(pk=f"invoices#{after.so}", sk="counter", version=after.version, body=after)
    if after.version > 1:
        return [replace(row, RACED)]
    claim = _PrefixRow(pk=f"invoice-prefix#{after.prefix}", sk="-", target=after.so)
    return [create(claim, RACED), create(row, RACED)]


def find_run(run_id: str) -> InvoiceRun | None:
    row = get(_RunRow, run_id, "head")
    return row.body if row else None


def save_run(run: InvoiceRun) -> Write:
    """Write what came of an asking, new at version 1."""
    row = _RunRow(pk=run.id, sk="head", version=run.version, body=run)
    return create(row) if run.version == 1 else replace(row)


def drawn(run_id: str, invoice: Invoice) -> Write:
    """The mark that a run issued a document."""
    return create(_DrawnRow(pk=run_id, sk=f"drawn#{invoice.serial:09d}#{invoice.id}"))


def list_drawn(run_id: str) -> list[str]:
    """The ids of the documents a run issued, in order of their numbers; strongly consistent."""
    return [key.rpartition("#")[2] for key in sort_keys(_DrawnRow, run_id, "drawn#")]


def _row(invoice: Invoice, lines_key: str) -> _InvoiceRow:
    return _InvoiceRow(
        pk=invoice.id,
        sk="invoice",
        version=invoice.version,
        so=invoice.so,
        fsp=invoice.fsp,
        sort=f"invoice#{iso(invoice.issued_at)}#{invoice.number}",
        lines_key=lines_key,
        body=invoice.but(lines=()),
    )


def _body(invoice: Invoice) -> str:
    return invoice.but(lines=()).model_dump_json(exclude_none=True)  # type: ignore[no-any-return]


def _serial(serial: int) -> str:
    return f"n#{serial:09d}"
