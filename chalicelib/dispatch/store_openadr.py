"""Owns the rows of OpenADR clients: their ven, resources, reports and subscriptions, and what each has fetched."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from chalicelib.dispatch.openadr_models import Report, Resource, Subscription, Ven
from chalicelib.kernel.errors import NotFound, Refused
from chalicelib.storage.tables import (
    BodyAttribute,
    InstantAttribute,
    Row,
    RowMeta,
    get,
    get_many,
    query_all,
    table_name,
)
from chalicelib.storage.writes import Write, create, put, put_if, remove

_NAME_TAKEN = Refused("ven.name_taken", "Another VEN has that name.")
_ONE_VEN = Refused("ven.exists", "This client has a VEN already.")
_RESOURCE_EXISTS = Refused("resource.exists", "There is a resource of that name already.")
_GONE = NotFound("openadr.gone", "It was removed meanwhile.")


class _VenRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(Ven)


class _ResourceRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(Resource)


class _ReportRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    program = UnicodeAttribute()
    removed_at = InstantAttribute(null=True)
    body = BodyAttribute(Report)


class _SubscriptionRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    body = BodyAttribute(Subscription)


class _NameRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    client = UnicodeAttribute()


class _FetchRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    client = UnicodeAttribute()
    at = InstantAttribute()


class _ClientRow(Row):
    class Meta(RowMeta):
        table_name = table_name("dispatch")

    at = InstantAttribute(null=True)


def find_ven(client: str) -> Ven | None:
    """A client's one VEN."""
    row = get(_VenRow, _of(client), "ven")
    return row.body if row else None


def new_ven(ven: Ven) -> list[Write]:
    """A client's VEN under a name that no other in the market has."""
    row = _VenRow(pk=_of(ven.client_id), sk="ven", body=ven)
    return [create(row, _ONE_VEN), _claimed(ven)]


def list_vens(clients: Iterable[str]) -> dict[str, Ven]:
    """The VENs of these clients, by client; those without are left out."""
    return {row.body.client_id: row.body for row in get_many(_VenRow, [(_of(each), "ven") for each in clients])}


def changed_ven(before: Ven, after: Ven) -> list[Write]:
    """A VEN's new state; its name moves where it changed."""
    row = _VenRow(pk=_of(after.client_id), sk="ven", body=after)
    moved = [_freed(before), _claimed(after)] if _name(before) != _name(after) else []
    return [put_if(row, "attribute_exists(pk)", {}, _GONE), *moved]


def removed_ven(ven: Ven) -> list[Write]:
    return [remove(_VenRow, _of(ven.client_id), "ven"), _freed(ven)]


def list_resources(client: str) -> list[Resource]:
    """A client's resources by id."""
    return [row.body for row in query_all(_ResourceRow, _of(client), "resource#")]


def find_resource(client: str, resource_id: str) -> Resource | None:
    row = get(_ResourceRow, _of(client), f"resource#{resource_id}")
    return row.body if row else None


def new_resource(resource: Resource) -> Write:
    return create(_resource_row(resource), _RESOURCE_EXISTS)


def changed_resource(resource: Resource) -> Write:
    return put_if(_resource_row(resource), "attribute_exists(pk)", {}, _GONE)


def removed_resource(resource: Resource) -> Write:
    return remove(_ResourceRow, _of(resource.client_id), f"resource#{resource.id}")


def list_reports(client: str) -> list[tuple[str, Report]]:
    """A client's reports that were not removed, each after its program's id, in the order they came."""
    rows = query_all(_ReportRow, _of(client), "report#")
    return [(row.program, row.body) for row in rows if row.removed_at is None]


def find_report(client: str, report_id: str) -> tuple[str, Report] | None:
    row = get(_ReportRow, _of(client), f"report#{report_id}")
    return (row.program, row.body) if row and row.removed_at is None else None


def new_report(report: Report, program: str) -> Write:
    return create(_report_row(report, program))


def changed_report(report: Report, program: str, removed_at: datetime | None = None) -> Write:
    """A report's new state; a removed one is kept, since answers came by it."""
    return put_if(_report_row(report, program, removed_at), "attribute_exists(pk)", {}, _GONE)


def list_subscriptions(organisation: str, client: str | None = None) -> list[Subscription]:
    """The subscriptions of an organisation's clients, or of one of them."""
    rows = query_all(_SubscriptionRow, f"subscriptions#{organisation}", f"{client}#" if client else "")
    return [row.body for row in rows]


def find_subscription(organisation: str, client: str, subscription_id: str) -> Subscription | None:
    row = get(_SubscriptionRow, f"subscriptions#{organisation}", f"{client}#{subscription_id}")
    return row.body if row else None


def new_subscription(organisation: str, subscription: Subscription) -> Write:
    return create(_subscription_row(organisation, subscription))


def changed_subscription(organisation: str, subscription: Subscription) -> Write:
    return put_if(_subscription_row(organisation, subscription), "attribute_exists(pk)", {}, _GONE)


def removed_subscription(organisation: str, subscription: Subscription) -> Write:
    return remove(_SubscriptionRow, f"subscriptions#{organisation}", f"{subscription.client_id}#{subscription.id}")


def fetched_among(client: str, instruction_ids: Iterable[str]) -> set[str]:
    """Of these instructions those that a client has fetched before."""
    return {row.pk for row in get_many(_FetchRow, [(each, f"fetched#{client}") for each in instruction_ids])}


def fetched(client: str, instruction_id: str, at: datetime) -> Write:
    """That a client first saw an instruction; two looks at once say the same."""
    return put(_FetchRow(pk=instruction_id, sk=f"fetched#{client}", client=client, at=at))


def list_fetches(instruction_id: str) -> list[tuple[str, datetime]]:
    """The clients that have fetched an instruction, and when each first did."""
    return [(row.client, row.at) for row in query_all(_FetchRow, instruction_id, "fetched#")]


def reached(organisation: str, client: str, at: datetime | None) -> Write:
    """That an organisation has this client, and an instruction reached it at an instant."""
    return put(_ClientRow(pk=f"clients#{organisation}", sk=client, at=at))


def last_reached(organisation: str) -> dict[str, datetime | None]:
    """An organisation's clients, and when an instruction last reached each."""
    return {row.sk: row.at for row in query_all(_ClientRow, f"clients#{organisation}")}


def _of(client: str) -> str:
    return f"openadr#{client}"


def _name(ven: Ven) -> str:
    return ven.ven_name.casefold()


def _claimed(ven: Ven) -> Write:
    return create(_NameRow(pk=f"ven-name#{_name(ven)}", sk="-", client=ven.client_id), _NAME_TAKEN)


def _freed(ven: Ven) -> Write:
    return remove(_NameRow, f"ven-name#{_name(ven)}", "-")


def _resource_row(resource: Resource) -> _ResourceRow:
    return _ResourceRow(pk=_of(resource.client_id), sk=f"resource#{resource.id}", body=resource)


def _report_row(report: Report, program: str, removed_at: datetime | None = None) -> _ReportRow:
    sk = f"report#{report.id}"
    return _ReportRow(pk=_of(report.client_id), sk=sk, program=program, removed_at=removed_at, body=report)


def _subscription_row(organisation: str, subscription: Subscription) -> _SubscriptionRow:
    sk = f"{subscription.client_id}#{subscription.id}"
    return _SubscriptionRow(pk=f"subscriptions#{organisation}", sk=sk, body=subscription)
