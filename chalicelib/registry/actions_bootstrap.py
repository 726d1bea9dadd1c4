"""The first start: the one market operator and its first person."""

from __future__ import annotations

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Refused, raise_problems
from chalicelib.registry import rules, store
from chalicelib.registry.actions_logins import new_login
from chalicelib.registry.models import ALL_ROLES, MARKET_OPERATOR, Organisation, Person
from chalicelib.registry.terms import USER_TERMS
from chalicelib.storage import identity as directory
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit


def bootstrap_market_operator(
    call: Call, email: str, password: str, name: str = "Market operator", organisation_name: str = "Headroom"
) -> Organisation:
    """The market operator, made with its first person if there is none yet; nothing is changed if there is.

    For the machine itself alone (local start, a deployment's script), never for a route. `Invalid` with all problems.
    """
    address = email.strip().lower()
    present = store.find_organisation(MARKET_OPERATOR)
    if present is not None:
        return present
    raise_problems([*rules.email_problems(address), *rules.password_problems(password)])
    subject = new_login(address, password)
    if subject is None:
        raise Refused("registration.known", f"{address} belongs to another organisation.")
    made = Organisation(
        id=MARKET_OPERATOR,
        kind="market_operator",
        name=organisation_name,
        verified=True,
        verified_at=call.now,
        support_contact=address,
        created_at=call.now,
    )
    _commit_first(call, made, subject, name, address)
    directory.mark_verified(subject)
    return made


def _commit_first(call: Call, made: Organisation, subject: str, name: str, email: str) -> None:
    person_id = call.new_id("per")
    person = Person(
        id=person_id,
        organisation=made.id,
        name=name,
        email=email,
        roles=ALL_ROLES,
        state="active",
        subject=subject,
        user_terms=rules.accept(USER_TERMS, call.now, person_id),
        created_at=call.now,
    )
    writes = [
        store.create_organisation(made),
        store.create_person(person),
        store.create_subject(subject, made.id, person.id),
    ]
    change = Change(thing=f"organisation:{made.id}", action="organisation.created", organisation=made.id)
    commit(call, writes, changes=[change])
