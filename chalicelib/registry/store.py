"""Owns the registry's rows: one table, values as JSON under the organisation or scheme they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.errors import NotFound, Refused, Stale
from chalicelib.kernel.models import Page
from chalicelib.registry.models import (
    Company,
    ContactRoute,
    ContractingEntity,
    LastUse,
    MachineUser,
    Operator,
    Organisation,
    PasswordReset,
    Person,
    Registration,
)
from chalicelib.storage.tables import (
    BodyAttribute,
    InstantAttribute,
    Row,
    RowMeta,
    get,
    get_many,
    query_all,
    query_index,
    table_name,
)
from chalicelib.storage.writes import Write, check, create, number, put, replace

T = TypeVar("T")
HEAD = "head"
_PROFILE = "profile"


class RegistryMeta(RowMeta):
    table_name = table_name("registry")


class _OrganisationRow(Row):
    class Meta(RegistryMeta):
        pass

    org_kind = UnicodeAttribute(null=True)
    body = BodyAttribute(Organisation)


class _OperatorRow(Row):
    class Meta(RegistryMeta):
        pass

    body = BodyAttribute(Operator)


class _PersonRow(Row):
    class Meta(RegistryMeta):
        pass

    body = BodyAttribute(Person)


class _MachineRow(Row):
    class Meta(RegistryMeta):
        pass

    body = BodyAttribute(MachineUser)


class _LastUseRow(Row):
    class Meta(RegistryMeta):
        pass

    body = BodyAttribute(LastUse)


class _ContactRow(Row):
    class Meta(RegistryMeta):
        pass

    body = BodyAttribute(ContactRoute)


class _EntityRow(Row):
    class Meta(RegistryMeta):
        pass

    body = BodyAttribute(ContractingEntity)


class _RegistrationRow(Row):
    class Meta(RegistryMeta):
        pass

    body = BodyAttribute(Registration)


class _ResetRow(Row):
    class Meta(RegistryMeta):
        pass

    body = BodyAttribute(PasswordReset)


class PointerRow(Row):
    """Leads from something unique (a subject, a company, a reference) to the thing that holds it."""

    class Meta(RegistryMeta):
        pass

    target = UnicodeAttribute()
    within = UnicodeAttribute(null=True)


class _EndedRow(Row):
    class Meta(RegistryMeta):
        pass

    at = InstantAttribute()


# Organisations and operators


def find_organisation(organisation_id: str) -> Organisation | None:
    row = get(_OrganisationRow, organisation_id, _PROFILE)
    return row.body if row else None


def load_organisation(organisation_id: str) -> Organisation:
    return found(find_organisation(organisation_id), "organisation")


def load_organisations(ids: Iterable[str]) -> dict[str, Organisation]:
    rows = get_many(_OrganisationRow, [(organisation_id, _PROFILE) for organisation_id in ids])
    return {row.body.id: row.body for row in rows}


def list_organisations(kind: str, limit: int | None, cursor: str | None) -> Page[Organisation]:
    page = query_index(_OrganisationRow, "organisations_by_kind", kind, limit=limit, cursor=cursor)
    return Page(items=[row.body for row in page.items], next=page.next)


def create_organisation(organisation: Organisation, taken: Refused | None = None) -> Write:
    return create(_organisation_row(organisation), taken)


def save_organisation(organisation: Organisation) -> Write:
    return replace(_organisation_row(organisation))


def _organisation_row(it: Organisation) -> _OrganisationRow:
    return _OrganisationRow(pk=it.id, sk=_PROFILE, version=it.version, org_kind=it.kind, body=it)


def load_operator(so_id: str) -> Operator:
    row = get(_OperatorRow, so_id, "operator")
    return found(row.body if row else None, "operator")


def load_operators(ids: Iterable[str]) -> dict[str, Operator]:
    rows = get_many(_OperatorRow, [(so_id, "operator") for so_id in ids])
    return {row.body.organisation: row.body for row in rows}


def create_operator(operator: Operator) -> Write:
    return create(_operator_row(operator))


def save_operator(operator: Operator) -> Write:
    return replace(_operator_row(operator))


def _operator_row(it: Operator) -> _OperatorRow:
    return _OperatorRow(pk=it.organisation, sk="operator", version=it.version, body=it)


def claim_company(company: Company, company_number: str, organisation_id: str) -> Write:
    """A company stands in the market once: its number within its country is claimed for good."""
    detail = (
        f"{company.name} is registered already: ask one of its account people to invite you, "
        "or the market operator if nobody there knows of it."
    )
    taken = Refused("registration.company_known", detail)
    return create(PointerRow(pk=f"company#{company.country}#{company_number}", sk="-", target=organisation_id), taken)


# People, machine users and the subjects of their tokens


def find_person(organisation_id: str, person_id: str) -> Person | None:
    row = get(_PersonRow, organisation_id, f"person#{person_id}")
    return row.body if row else None


def load_person(organisation_id: str, person_id: str) -> Person:
    return found(find_person(organisation_id, person_id), "person")


def list_people(organisation_id: str) -> list[Person]:
    return [row.body for row in query_all(_PersonRow, organisation_id, "person#")]


def create_person(person: Person) -> Write:
    return create(_person_row(person))


def save_person(person: Person) -> Write:
    return replace(_person_row(person))


def _person_row(it: Person) -> _PersonRow:
    return _PersonRow(pk=it.organisation, sk=f"person#{it.id}", version=it.version, body=it)


def hold_account(people: Iterable[Person], leaving: str) -> Write:
    """Another account person must still be one when this commits: two leaving at once cannot both succeed."""
    staying = next(it for it in people if it.id != leaving and it.state == "active" and "account" in it.roles)
    key = f"person#{staying.id}"
    stale = Stale("stale", "The people changed meanwhile. Read them again and repeat the change.")
    return check(_PersonRow, staying.organisation, key, "#version = :was", {":was": number(staying.version)}, stale)


def find_subject(subject: str) -> tuple[str, str] | None:
    """The organisation and member a token's subject stands for."""
    row = get(PointerRow, f"sub#{subject}", "-")
    return (str(row.within), str(row.target)) if row else None


def create_subject(subject: str, organisation_id: str, member_id: str) -> Write:
    return create(PointerRow(pk=f"sub#{subject}", sk="-", target=member_id, within=organisation_id))


def move_subject(subject: str, organisation_id: str, member_id: str) -> Write:
    """A login whose person left goes over to the person who was invited anew."""
    return put(PointerRow(pk=f"sub#{subject}", sk="-", target=member_id, within=organisation_id))


def end_sessions(subject: str, at: datetime) -> Write:
    """No token of a subject issued up to an instant is worth anything from here on."""
    return put(_EndedRow(pk=f"sub#{subject}", sk="ended", at=at))


def sessions_ended_at(subject: str) -> datetime | None:
    row = get(_EndedRow, f"sub#{subject}", "ended")
    return row.at if row else None


def find_machine(organisation_id: str, machine_id: str) -> MachineUser | None:
    row = get(_MachineRow, organisation_id, f"client#{machine_id}")
    return row.body if row else None


def load_machine(organisation_id: str, machine_id: str) -> MachineUser:
    return found(find_machine(organisation_id, machine_id), "machine_user")


def list_machines(organisation_id: str) -> list[MachineUser]:
    return [row.body for row in query_all(_MachineRow, organisation_id, "client#")]


def create_machine(machine: MachineUser) -> Write:
    return create(_machine_row(machine))


def save_machine(machine: MachineUser) -> Write:
    return replace(_machine_row(machine))


def _machine_row(it: MachineUser) -> _MachineRow:
    return _MachineRow(pk=it.organisation, sk=f"client#{it.id}", version=it.version, body=it)


def last_uses(organisation_id: str) -> dict[str, LastUse]:
    return {row.body.machine: row.body for row in query_all(_LastUseRow, organisation_id, "used#")}


def note_use(organisation_id: str, use: LastUse) -> Write:
    return put(_LastUseRow(pk=organisation_id, sk=f"used#{use.machine}", body=use))


# Contact routes and contracting entities


def load_contact(organisation_id: str, contact_id: str) -> ContactRoute:
    row = get(_ContactRow, organisation_id, f"contact#{contact_id}")
    return found(row.body if row else None, "contact_route")


def list_contacts(organisation_id: str) -> list[ContactRoute]:
    return [row.body for row in query_all(_ContactRow, organisation_id, "contact#")]


def create_contact(contact: ContactRoute) -> Write:
    return create(_contact_row(contact))


def save_contact(contact: ContactRoute) -> Write:
    return replace(_contact_row(contact))


def _contact_row(it: ContactRoute) -> _ContactRow:
    return _ContactRow(pk=it.organisation, sk=f"contact#{it.id}", version=it.version, body=it)


def load_entity(organisation_id: str, entity_id: str) -> ContractingEntity:
    row = get(_EntityRow, organisation_id, f"entity#{entity_id}")
    return found(row.body if row else None, "contracting_entity")


def list_entities(organisation_id: str) -> list[ContractingEntity]:
    return [row.body for row in query_all(_EntityRow, organisation_id, "entity#")]


def create_entity(entity: ContractingEntity) -> Write:
    return create(_entity_row(entity))


def save_entity(entity: ContractingEntity) -> Write:
    return replace(_entity_row(entity))


def _entity_row(it: ContractingEntity) -> _EntityRow:
    return _EntityRow(pk=it.organisation, sk=f"entity#{it.id}", version=it.version, body=it)


# Registrations and password resets


def load_registration(registration_id: str) -> Registration:
    row = get(_RegistrationRow, registration_id, HEAD)
    return found(row.body if row else None, "registration")


def create_registration(registration: Registration) -> Write:
    return create(_registration_row(registration))


def save_registration(registration: Registration) -> Write:
    return replace(_registration_row(registration))


def _registration_row(it: Registration) -> _RegistrationRow:
    return _RegistrationRow(pk=it.id, sk=HEAD, version=it.version, body=it)


def find_reset(email: str) -> PasswordReset | None:
    row = get(_ResetRow, _reset_key(email), "-")
    return row.body if row else None


def find_reset_by_id(reset_id: str) -> PasswordReset | None:
    pointer = get(PointerRow, reset_id, HEAD)
    row = get(_ResetRow, pointer.target, "-") if pointer else None
    return row.body if row and row.body.id == reset_id else None


def create_reset(reset: PasswordReset) -> list[Write]:
    return [create(_reset_row(reset)), _reset_pointer(reset)]


def save_reset(reset: PasswordReset) -> Write:
    return replace(_reset_row(reset))


def replace_reset(reset: PasswordReset) -> list[Write]:
    """A new reset in place of the one that was open for the address."""
    return [replace(_reset_row(reset)), _reset_pointer(reset)]


def _reset_pointer(it: PasswordReset) -> Write:
    return create(PointerRow(pk=it.id, sk=HEAD, target=_reset_key(it.email)))


def _reset_row(it: PasswordReset) -> _ResetRow:
    return _ResetRow(pk=_reset_key(it.email), sk="-", version=it.version, body=it)


def _reset_key(email: str) -> str:
    return f"reset#{hashlib.sha256(email.encode()).hexdigest()}"


def found(value: T | None, thing: str) -> T:
    """The value; `NotFound` where there is none."""
    if value is None:
        raise not_found(thing)
    return value


def not_found(thing: str) -> NotFound:
    return NotFound(f"{thing}.not_found", f"There is no such {thing.replace('_', ' ')}.")
