"""How people come in: an FSP registers with its first person, an invited person accepts."""

from __future__ import annotations

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem, Refused, raise_problems
from chalicelib.kernel.lifecycle import can_move, move
from chalicelib.registry import rules, store
from chalicelib.registry.actions_codes import is_code, is_invitation
from chalicelib.registry.actions_logins import login_for_invited, new_login
from chalicelib.registry.actions_reads import support_contact
from chalicelib.registry.events import CodeAsked, FspRegistered
from chalicelib.registry.lifecycle import PERSON_MOVES
from chalicelib.registry.models import (
    ALL_ROLES,
    CODE_LASTS,
    INVITATION_LASTS,
    MARKET_OPERATOR,
    Code,
    Company,
    ContractingEntity,
    Organisation,
    Person,
    Registration,
)
from chalicelib.registry.requests import (
    AcceptanceRequest,
    CompanyRequest,
    PersonView,
    RegistrationRequest,
    RegistrationView,
    TermsView,
    person_view,
)
from chalicelib.registry.terms import SERVICE_TERMS, USER_TERMS
from chalicelib.storage import identity as directory
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit


def get_terms(call: Call) -> TermsView:
    """Both terms in their present versions."""
    return TermsView(user_terms=USER_TERMS, service_terms=SERVICE_TERMS)


def register(call: Call, body: RegistrationRequest) -> RegistrationView:
    """Begin an FSP's registration and mail a code to its first person; `Invalid` with all problems at once.

    An address that has a login already is answered alike; its owner's mail says so, and no code will fit.
    """
    email, company = body.email.lower(), tidy_company(body.organisation)
    raise_problems(_registration_problems(body, email, company))
    subject = new_login(email, body.password)
    registration_id = call.new_id("reg")
    registration = Registration(
        id=registration_id,
        name=body.name,
        email=email,
        company=company,
        user_terms=rules.accept(USER_TERMS, call.now, registration_id),
        service_terms=rules.accept(SERVICE_TERMS, call.now, registration_id),
        subject=subject,
        code=Code(sent_at=call.now),
    )
    asked = CodeAsked(purpose="registration", thing=registration.id, serial=1)
    changes = [_registration_change(registration, "registration.started")]
    commit(call, [store.create_registration(registration)], [asked], changes, registration.id)
    return registration_view(registration)


def get_registration(call: Call, registration_id: str) -> RegistrationView:
    return registration_view(store.load_registration(registration_id))


def send_registration_code(call: Call, registration_id: str) -> RegistrationView:
    """Mail a new code, in place of the last."""
    registration = store.load_registration(registration_id)
    if registration.organisation:
        raise Refused("registration.verified", "This registration is complete: sign in.")
    changed = registration.but(code=rules.next_code(registration.code, call.now), version=registration.version + 1)
    asked = CodeAsked(purpose="registration", thing=changed.id, serial=changed.code.serial)
    commit(
        call,
        [store.save_registration(changed)],
        [asked],
        [_registration_change(changed, "registration.code_sent")],
        changed.id,
    )
    return registration_view(changed)


def verify_registration(call: Call, registration_id: str, given: str) -> RegistrationView:
    """Complete a registration with its code: from here on there is an organisation, and its first person can sign in.

    `Invalid` for a wrong, old or worn-out code; `Refused` when the company stands in the market already.
    """
    registration = store.load_registration(registration_id)
    is_right = registration.subject is not None and is_code("registration", registration.id, registration.code, given)
    if not is_right:
        counted = registration.but(code=rules.after_wrong_code(registration.code), version=registration.version + 1)
        commit(call, [store.save_registration(counted)])
    rules.check_code(registration.code, call.now, CODE_LASTS, is_right)
    if registration.organisation:
        return registration_view(registration)
    subject = _own_subject(registration)
    complete = _complete(call, registration, subject)
    directory.mark_verified(subject)
    return registration_view(complete)


def accept_invitation(call: Call, body: AcceptanceRequest) -> PersonView:
    """An invited person takes their login: password and user terms, by the link of the latest invitation.

    `Invalid` for a link that is wrong or older than 24 hours, the same for both; `Refused` when their address belongs
    to another organisation's person.
    """
    person = store.find_person(body.organisation, body.person)
    if person is None or not _is_good_link(person, body.secret, call):
        detail = "This link is not good, or older than 24 hours: ask for the invitation to be sent again."
        raise Invalid.of([Problem("invitation.link", detail, "secret", "the link of the latest invitation")])
    raise_problems([*rules.password_problems(body.password), *rules.user_terms_problems(body.user_terms)])
    found = login_for_invited(person, body.password)
    if found is None:
        detail = "Your address has a login with another organisation: ask to be invited at another address."
        raise Refused("invitation.login_elsewhere", detail)
    subject, subject_write = found
    accepted = person.but(
        name=body.name or person.name,
        state=move(PERSON_MOVES, "person", person.state, "accept"),
        subject=subject,
        invitation=None,
        authenticator_since=None,
        user_terms=rules.accept(USER_TERMS, call.now, person.id),
        version=person.version + 1,
    )
    change = Change(thing=f"person:{person.id}", action="person.accepted", organisation=person.organisation)
    commit(
        call,
        [store.save_person(accepted), subject_write],
        changes=[change],
        result=f"{person.organisation}/{person.id}",
    )
    directory.mark_verified(subject)
    return person_view(accepted)


def accepted_person(call: Call, result: str) -> PersonView:
    """Whom a repeated acceptance made active."""
    organisation_id, _, person_id = result.partition("/")
    return person_view(store.load_person(organisation_id, person_id))


def tidy_company(company: CompanyRequest) -> Company:
    """The company with its numbers and country written as its register writes them."""
    vat = rules.plain_number(company.vat_number) if company.vat_number else None
    number = rules.plain_number(company.company_number)
    country = company.country.upper()
    return Company(name=company.name, company_number=number, country=country, address=company.address, vat_number=vat)


def registration_view(it: Registration) -> RegistrationView:
    state = "verified" if it.organisation else "code_sent"
    return RegistrationView(id=it.id, email=it.email, state=state, organisation=it.organisation)


def _registration_problems(body: RegistrationRequest, email: str, company: Company) -> list[Problem]:
    return [
        *rules.kind_problems(body.kind, support_contact()),
        *rules.email_problems(email),
        *rules.password_problems(body.password),
        *rules.company_problems(company),
        *rules.acceptance_problems(body.user_terms, body.service_terms),
    ]


def _own_subject(registration: Registration) -> str:
    """The registration's login; `Refused` when a later registration of the same address took its place."""
    login = directory.find_login(registration.email)
    if login is None or login.subject != registration.subject:
        detail = "This address was registered once more since: use the code of the latest e-mail."
        raise Refused("registration.superseded", detail)
    return login.subject


def _complete(call: Call, registration: Registration, subject: str) -> Registration:
    organisation_id, person_id = call.new_id("org"), call.new_id("per")
    organisation = _organisation(call, registration, organisation_id, person_id)
    person = _first_person(call, registration, organisation_id, person_id, subject)
    entity = _first_entity(call, registration, organisation_id)
    complete: Registration = registration.but(organisation=organisation_id, version=registration.version + 1)
    writes = [
        store.save_registration(complete),
        store.claim_company(registration.company, registration.company.company_number, organisation_id),
        store.create_organisation(organisation),
        store.create_person(person),
        store.create_subject(subject, organisation_id, person_id),
        store.create_entity(entity),
    ]
    change = Change(
        thing=f"organisation:{organisation_id}",
        action="organisation.registered",
        organisation=organisation_id,
        after=organisation.model_dump(mode="json", exclude_none=True),
    )
    commit(call, writes, [FspRegistered(organisation=organisation_id, person=person_id)], [change], complete.id)
    return complete


def _organisation(call: Call, it: Registration, organisation_id: str, person_id: str) -> Organisation:
    return Organisation(
        id=organisation_id,
        kind="fsp",
        name=it.company.name,
        company=it.company,
        service_terms=it.service_terms.but(person=person_id),
        created_at=call.now,
    )


def _first_person(call: Call, it: Registration, organisation_id: str, person_id: str, subject: str) -> Person:
    return Person(
        id=person_id,
        organisation=organisation_id,
        name=it.name,
        email=it.email,
        roles=ALL_ROLES,
        state="active",
        subject=subject,
        user_terms=it.user_terms.but(person=person_id),
        created_at=call.now,
    )


def _first_entity(call: Call, it: Registration, organisation_id: str) -> ContractingEntity:
    return ContractingEntity(
        id=call.new_id("ent"),
        organisation=organisation_id,
        name=it.company.name,
        company_number=it.company.company_number,
        country=it.company.country,
        vat_number=it.company.vat_number,
    )


def _is_good_link(person: Person, secret: str, call: Call) -> bool:
    return (
        can_move(PERSON_MOVES, person.state, "accept")
        and person.invitation is not None
        and is_invitation(person, secret)
        and call.now < person.invitation.lasts_until(INVITATION_LASTS)
    )


def _registration_change(it: Registration, action: str) -> Change:
    return Change(thing=f"registration:{it.id}", action=action, organisation=MARKET_OPERATOR)
