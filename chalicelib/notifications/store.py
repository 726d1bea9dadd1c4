"""Owns the rows of mails and of facts waiting for a digest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.models import Page, iso
from chalicelib.notifications.models import Mail, Told
from chalicelib.notifications.returns import Suppressed
from chalicelib.storage.tables import (
    BodyAttribute,
    InstantAttribute,
    Row,
    RowMeta,
    get,
    query,
    query_all,
    query_index,
    query_index_all,
    table_name,
)
from chalicelib.storage.writes import Write, create, put, remove, replace

_DIGEST = "digest"


class _MailRow(Row):
    class Meta(RowMeta):
        table_name = table_name("notifications")

    org = UnicodeAttribute()
    unsent = UnicodeAttribute(null=True)
    at = InstantAttribute()
    body = BodyAttribute(Mail)


class _WaitingRow(Row):
    class Meta(RowMeta):
        table_name = table_name("notifications")

    body = BodyAttribute(Told)


class _ReachedRow(Row):
    class Meta(RowMeta):
        table_name = table_name("notifications")

    at = InstantAttribute()


class _SuppressedRow(Row):
    class Meta(RowMeta):
        table_name = table_name("notifications")

    body = BodyAttribute(Suppressed)


def find_mail(mail_id: str) -> Mail | None:
    row = get(_MailRow, mail_id, "head")
    return row.body if row else None


def list_mails(organisation: str, limit: int, cursor: str | None) -> Page[Mail]:
    page = query_index(_MailRow, "by_organisation", organisation, limit=limit, cursor=cursor, newest_first=True)
    return Page(items=[row.body for row in page.items], next=page.next)


def list_unsent(before: datetime) -> list[Mail]:
    """Mails queued before an instant that nobody sent yet, oldest first."""
    return [row.body for row in query_index_all(_MailRow, "unsent", "1", between=("0", iso(before)))]


def new_mail(mail: Mail) -> Write:
    return create(_mail_row(mail))


def changed_mail(mail: Mail) -> Write:
    return replace(_mail_row(mail))


def reached(organisation: str, route: str, at: datetime) -> Write:
    """Say that the post took a mail to one of an organisation's routes."""
    return put(_ReachedRow(pk=f"reached#{organisation}", sk=route, at=at))


def last_reached(organisation: str) -> dict[str, datetime]:
    """When the post last took a mail to each route; those that never saw one are left out."""
    return {row.sk: row.at for row in query_all(_ReachedRow, f"reached#{organisation}")}


def find_suppressed(organisation: str, person: str) -> Suppressed | None:
    row = get(_SuppressedRow, f"suppressed#{organisation}", person)
    return row.body if row else None


def list_suppressed(organisation: str, limit: int, cursor: str | None) -> Page[Suppressed]:
    page = query(_SuppressedRow, f"suppressed#{organisation}", limit=limit, cursor=cursor)
    return Page(items=[row.body for row in page.items], next=page.next)


def suppress(suppressed: Suppressed) -> Write:
    """Hold back mail to a person's address; the latest return is the one that is told."""
    return put(_SuppressedRow(pk=f"suppressed#{suppressed.organisation}", sk=suppressed.person, body=suppressed))


def unsuppress(suppressed: Suppressed) -> Write:
    return remove(_SuppressedRow, f"suppressed#{suppressed.organisation}", suppressed.person)


def waiting(told: Told) -> Write:
    """A fact kept for the organisation's next digest; telling it again changes nothing."""
    return put(_WaitingRow(pk=_DIGEST, sk=_place(told), body=told))


def list_waiting() -> Iterator[Told]:
    """Every fact waiting for a digest, those of one organisation and letter side by side."""
    return (row.body for row in query_all(_WaitingRow, _DIGEST))


def told_in_digest(told: Told) -> Write:
    return remove(_WaitingRow, _DIGEST, _place(told))


def _mail_row(mail: Mail) -> _MailRow:
    unsent = "1" if mail.state == "queued" else None
    return _MailRow(
        pk=mail.id, sk="head", version=mail.version, org=mail.organisation, unsent=unsent, at=mail.queued_at, body=mail
    )


def _place(told: Told) -> str:
    return f"{told.organisation}#{told.letter}#{told.fact}"
