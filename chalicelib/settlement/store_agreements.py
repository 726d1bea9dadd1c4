"""Owns the rows of self-billing agreements and of the account that guards an operator's invoices to a provider."""

from __future__ import annotations

from chalicelib.kernel.errors import Stale
from chalicelib.kernel.models import Page, iso
from chalicelib.settlement.models_invoices import Agreement, BillingAccount
from chalicelib.settlement.store_listing import ListedRow
from chalicelib.storage.tables import BodyAttribute, Row, RowMeta, get, query_index, table_name
from chalicelib.storage.writes import Write, create, replace

MOVED = Stale("account.changed", "The agreements or invoices of this provider changed meanwhile. Try it again.")


class _AgreementRow(ListedRow):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(Agreement)


class _AccountRow(Row):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(BillingAccount)


def find_agreement(agreement_id: str) -> Agreement | None:
    row = get(_AgreementRow, agreement_id, "agreement")
    return row.body if row else None


def save_agreement(agreement: Agreement) -> Write:
    """Write an agreement, new at version 1."""
    row = _AgreementRow(
        pk=agreement.id,
        sk="agreement",
        version=agreement.version,
        so=agreement.so,
        fsp=agreement.fsp,
        sort=f"agreement#{agreement.starts}#{iso(agreement.recorded_at)}#{agreement.id}",
        body=agreement,
    )
    return create(row) if agreement.version == 1 else replace(row)


def list_agreements(side: str, organisation: str, limit: int, cursor: str | None) -> Page[Agreement]:
    """Agreements of one side ("so" or "fsp"), the latest start first; a moment behind what was written."""
    page = query_index(
        _AgreementRow,
        f"by_{side}",
        organisation,
        prefix="agreement#",
        limit=limit,
        cursor=cursor,
        newest_first=True,
    )
    return Page(items=[row.body for row in page.items], next=page.next)


def load_account(so: str, fsp: str) -> BillingAccount:
    """The account of an operator and a provider, strongly consistent; version 0 where nothing was written yet."""
    row = get(_AccountRow, f"billing#{so}", fsp)
    return row.body if row else BillingAccount(so=so, fsp=fsp)


def save_account(account: BillingAccount) -> Write:
    """Write an account's next version; the one before must be stored."""
    after = account.but(version=account.version + 1)
    row = _AccountRow(pk=f"billing#{after.so}", sk=after.fsp, version=after.version, body=after)
    return create(row, MOVED) if after.version == 1 else replace(row, MOVED)
