"""What the registry tells: organisations, people, operators, schemes, approvals, and who a token's subject is."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.kernel.errors import NotFound
from chalicelib.registry import rules, store, store_schemes
from chalicelib.registry.models import (
    MARKET_OPERATOR,
    ContractingEntity,
    MachineUser,
    OperatorProfile,
    OperatorSettings,
    Organisation,
    Person,
    Purpose,
    Standing,
)
from chalicelib.registry.schemes import Application, Approval, Scheme, Submission
from chalicelib.storage import settings


def get_organisation(organisation_id: str) -> Organisation:
    """The organisation; `NotFound` when there is none."""
    return store.load_organisation(organisation_id)


def get_organisations(ids: list[str]) -> dict[str, Organisation]:
    """Organisations by id; unknown ids are left out."""
    return store.load_organisations(ids)


def list_organisations(kind: str) -> Iterator[Organisation]:
    """Every organisation of a kind (`fsp`, `so`, `market_operator`); one made a moment ago may be missing."""
    cursor: str | None = None
    while True:
        page = store.list_organisations(kind, None, cursor)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def get_operator(so_id: str) -> OperatorSettings:
    """An SO's settings; `NotFound` when there is no such SO."""
    return store.load_operator(so_id).settings


def get_profile(so_id: str) -> OperatorProfile:
    """An SO's public profile; `NotFound` when there is no such SO."""
    return store.load_operator(so_id).profile


def list_people(organisation_id: str, role: str | None = None) -> list[Person]:
    """The active people of an organisation, or those of them who hold a role."""
    people = (person for person in store.list_people(organisation_id) if person.state == "active")
    return [person for person in people if role is None or role in person.roles]


def list_addresses(organisation_id: str, purpose: Purpose) -> list[str]:
    """The verified addresses of an organisation for a purpose, each once."""
    contacts = store.list_contacts(organisation_id)
    reached = (it for it in contacts if it.purpose == purpose and it.state == "active" and it.verified_at)
    return list(dict.fromkeys(it.email for it in reached))


def get_contracting_entity(organisation_id: str, entity_id: str) -> ContractingEntity:
    return store.load_entity(organisation_id, entity_id)


def list_contracting_entities(organisation_id: str) -> list[ContractingEntity]:
    return store.list_entities(organisation_id)


def support_contact() -> str:
    """Whom to ask: set by the market operator, its name until then."""
    operator = store.find_organisation(MARKET_OPERATOR)
    if operator is None:
        return "the market operator"
    return operator.support_contact or operator.name


def find_scheme_by_ref(so_id: str, ref: str) -> Scheme | None:
    return store_schemes.find_scheme_by_ref(so_id, ref)


def get_scheme(scheme_id: str) -> Scheme:
    """The scheme; `NotFound` when there is none."""
    return store_schemes.load_scheme(scheme_id)


def find_application(application_id: str) -> Application | None:
    """The application as it stands, for rooms that tell of it; None when there is none."""
    try:
        return store_schemes.load_application(application_id)
    except NotFound:
        return None


def approval_of(scheme_id: str, fsp_id: str) -> Approval | None:
    """Where an FSP stands in a scheme (`is_approved` lets its assets by); None where it never applied."""
    application = store_schemes.find_application_of(scheme_id, fsp_id)
    return _approval(application) if application else None


def approvals_of(scheme_id: str) -> dict[str, Approval]:
    """Where each FSP that applied stands in a scheme, by FSP."""
    return {it.fsp: _approval(it) for it in store_schemes.all_applications(scheme_id)}


def submissions_of(scheme_id: str) -> Iterator[tuple[Submission, Application]]:
    """Every submission of a scheme with its application as it stands now, for the workbook of all applications."""
    applications = {it.fsp: it for it in store_schemes.all_applications(scheme_id)}
    for submission in store_schemes.list_submissions(scheme_id):
        yield submission, applications[submission.fsp]


def member_of(subject: str) -> tuple[Person | MachineUser, Organisation] | None:
    """Who a token's subject is now; None for somebody unknown, invited, deactivated or revoked."""
    found = store.find_subject(subject)
    if found is None:
        return None
    organisation_id, member_id = found
    member = _active_member(subject, organisation_id, member_id)
    organisation = store.find_organisation(organisation_id)
    return (member, organisation) if member and organisation else None


def standing_of(subject: str) -> Standing:
    """What the tokens of a member's subject are worth now; ask only of one who is a member."""
    ended_at = store.sessions_ended_at(subject)
    found = member_of(subject)
    if found is None:
        return Standing(ended_at=ended_at)
    member, organisation = found
    if isinstance(member, MachineUser):
        return Standing(ended_at=ended_at, secrets=frozenset(secret.id for secret in member.secrets))
    wanted = rules.wants_authenticator(member, organisation, settings.operator_needs_authenticator())
    return Standing(ended_at=ended_at, authenticator_wanted=wanted)


def _active_member(subject: str, organisation_id: str, member_id: str) -> Person | MachineUser | None:
    if member_id == subject:
        machine = store.find_machine(organisation_id, member_id)
        return machine if machine and machine.state == "active" else None
    person = store.find_person(organisation_id, member_id)
    return person if person and person.state == "active" and person.subject == subject else None


def _approval(it: Application) -> Approval:
    return Approval(
        scheme_id=it.scheme, fsp_id=it.fsp, state=it.state, version=it.version, since=it.since, rulings=it.rulings
    )
