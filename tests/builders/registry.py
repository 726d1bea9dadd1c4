"""Builds the registry's things: a valid one unless a test says otherwise, stored through the registry's own actions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from chalicelib.kernel.call import ROLES, Call
from chalicelib.registry import (
    actions_applications,
    actions_bootstrap,
    actions_joining,
    actions_operators,
    actions_people,
    actions_schemes,
)
from chalicelib.registry.actions_codes import find_code_letter
from chalicelib.registry.models import Code, Company, Organisation, Person
from chalicelib.registry.requests import (
    AcceptanceRequest,
    CompanyRequest,
    FirstPerson,
    InvitationRequest,
    OperatorRequest,
    RegistrationRequest,
)
from chalicelib.registry.scheme_requests import ApplicationChange, ApplicationRequest, DecisionRequest, SchemeRequest
from chalicelib.registry.standard_form import STANDARD_FORM
from chalicelib.registry.terms import SERVICE_TERMS, USER_TERMS
from chalicelib.storage import identity as directory
from tests.builders.calls import a_call, a_system_call

PASSWORD = "correct horse battery"
NOON = "2026-04-01T09:00:00Z"


@dataclass(frozen=True)
class Joined:
    """Somebody who came in: their organisation, person and address, and a call of theirs."""

    organisation: str
    person: str
    email: str
    call: Call


def given_pool() -> None:
    """A user pool in memory, named in the environment as a deployment names it."""
    pool_id, client_id = directory.create_pool("headroom-test")
    os.environ["HEADROOM_USER_POOL_ID"] = pool_id
    os.environ["HEADROOM_USER_POOL_CLIENT_ID"] = client_id


def a_company(**changes: Any) -> Company:
    company = Company(
        name="Flex Ltd",
        company_number="01234567",
        country="GB",
        address="1 High Street, Leeds, LS1 1AA",
        vat_number="GB 980 7806 84",
    )
    return company.but(**changes)


def an_asked_company(**changes: Any) -> CompanyRequest:
    """The same company, as a request names it."""
    return CompanyRequest.model_validate(a_company(**changes).model_dump())


def a_registration_request(**changes: Any) -> RegistrationRequest:
    request = RegistrationRequest(
        name="Ann Abel",
        email="ann@flex.example",
        password=PASSWORD,
        organisation=an_asked_company(),
        user_terms=USER_TERMS.terms_version,
        service_terms=SERVICE_TERMS.terms_version,
    )
    return request.but(**changes)


def a_person(**changes: Any) -> Person:
    person = Person(
        id="per_1",
        organisation="org_1",
        name="Ann Abel",
        email="ann@flex.example",
        roles=ROLES,
        state="active",
        subject="sub_1",
        created_at=NOON,
    )
    return person.but(**changes)


def an_organisation(**changes: Any) -> Organisation:
    organisation = Organisation(id="org_1", kind="fsp", name="Flex Ltd", company=a_company(), created_at=NOON)
    return organisation.but(**changes)


def a_code(**changes: Any) -> Code:
    return Code(sent_at=NOON).but(**changes)


def code_of_registration(registration_id: str, serial: int = 1) -> str:
    """The code that was mailed for a registration."""
    letter = find_code_letter("registration", registration_id, serial)
    assert letter is not None
    assert letter.code is not None
    return letter.code


def a_registered_fsp(number: int = 1, **changes: Any) -> Joined:
    """An FSP that went all the way through registration; needs `given_pool()`. Each number is another company."""
    email = f"person{number}@fsp{number}.example"
    company = an_asked_company(name=f"Flex {number} Ltd", company_number=f"{number:08d}", vat_number=None)
    call = a_call(organisation=None, kind=None, roles=frozenset())
    request = a_registration_request(**{"email": email, "organisation": company} | changes)
    registration = actions_joining.register(call, request)
    done = actions_joining.verify_registration(call, registration.id, code_of_registration(registration.id))
    assert done.organisation is not None
    person = actions_people.list_people(a_call(organisation=done.organisation)).items[0]
    theirs = a_call(organisation=done.organisation, actor=person.id)
    return Joined(done.organisation, person.id, request.email, theirs)


def a_market_operator() -> Joined:
    """The market operator with its first person; needs `given_pool()`."""
    made = actions_bootstrap.bootstrap_market_operator(a_system_call(), "mo@market.example", PASSWORD)
    call = a_call(organisation=made.id, kind="market_operator")
    person = actions_people.list_people(call).items[0]
    return Joined(made.id, person.id, person.email, a_call(made.id, "market_operator", actor=person.id))


def a_system_operator(number: int = 1, **changes: Any) -> Joined:
    """An SO with one invited person, set up by the market operator; needs no pool."""
    operator = a_call(organisation="org_market_operator", kind="market_operator", actor="per_mo")
    email = f"person{number}@so{number}.example"
    people = (FirstPerson(name="Sam Soames", email=email),)
    request = OperatorRequest(name=f"Network {number}", people=people).but(**changes)
    so_id = actions_operators.create_operator(operator, request).id
    person = actions_people.list_people(a_call(so_id, "so")).items[0]
    return Joined(so_id, person.id, email, a_call(so_id, "so", actor=person.id))


def an_invited_person(joined: Joined, email: str = "bo@flex.example", roles: frozenset[str] = frozenset()) -> str:
    """The id of a person invited by somebody's organisation."""
    return actions_people.invite(joined.call, InvitationRequest(name="Bo Bell", email=email, roles=roles)).id


def an_acceptance(organisation: str, person: str, serial: int = 1, **changes: Any) -> AcceptanceRequest:
    """What the link of an invitation leads to."""
    letter = find_code_letter("invitation", person, serial, organisation)
    assert letter is not None
    assert letter.link is not None
    secret = letter.link.rpartition("secret=")[2]
    request = AcceptanceRequest(
        organisation=organisation,
        person=person,
        secret=secret,
        password=PASSWORD,
        user_terms=USER_TERMS.terms_version,
    )
    return request.but(**changes)


def accepted(joined: Joined, person: str) -> None:
    """An invited person who took their login; needs `given_pool()`."""
    actions_joining.accept_invitation(joined.call, an_acceptance(joined.organisation, person))


def full_answers() -> dict[str, dict[str, Any]]:
    """Answers to every required question of the standard form."""
    samples = {"text": "Yes, as asked", "number": "1000000", "date": "2026-03-31", "yes_no": True}
    return {
        section.id: {
            question.id: question.choices[0] if question.kind == "choice" else samples[question.kind]
            for question in section.questions
            if question.required
        }
        for section in STANDARD_FORM.sections
    }


def a_scheme(so: Joined, ref: str = "DPS-1", **changes: Any) -> str:
    """The id of an open scheme with the standard form."""
    return actions_schemes.create_scheme(so.call, SchemeRequest(ref=ref, name="Flexibility DPS").but(**changes)).id


def a_submitted_application(fsp: Joined, scheme_id: str) -> str:
    """The id of an application with every answer given, submitted."""
    begun = actions_applications.begin_application(fsp.call, scheme_id, ApplicationRequest())
    change = ApplicationChange(answers=full_answers())
    actions_applications.change_application(fsp.call, begun.id, change, begun.version)
    return actions_applications.submit_application(fsp.call, begun.id).id


def an_approved_application(so: Joined, fsp: Joined, scheme_id: str) -> str:
    application_id = a_submitted_application(fsp, scheme_id)
    actions_applications.decide_application(so.call, application_id, DecisionRequest(action="approve"))
    return application_id
