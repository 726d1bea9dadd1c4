"""Codes and one-time links: made from the deployment's key when mailed and when checked, kept nowhere in between."""

from __future__ import annotations

from urllib.parse import urlencode

from chalicelib.kernel.errors import NotFound
from chalicelib.registry import store
from chalicelib.registry.models import (
    CODE_LASTS,
    INVITATION_LASTS,
    Code,
    CodeLetter,
    CodePurpose,
    ContactRoute,
    PasswordReset,
    Person,
    Registration,
)
from chalicelib.storage import keys, settings

STRANGER = "colleague"
"""Whom a mail greets at an address that nobody proved theirs: what a stranger typed is not sent there."""


def find_code_letter(
    purpose: CodePurpose, thing: str, serial: int, organisation: str | None = None
) -> CodeLetter | None:
    """What the mail for a `CodeAsked` or `PersonInvited` says; None when it was overtaken or has nobody to reach."""
    try:
        return _LETTERS[purpose](thing, serial, organisation or "")
    except NotFound:
        return None


def is_code(purpose: CodePurpose, thing: str, code: Code, given: str) -> bool:
    """Whether a person typed the code that was mailed, without regard to case, spaces or hyphens."""
    typed = given.replace(" ", "").replace("-", "").upper()
    return keys.is_same(typed, _code(purpose, thing, code.serial))


def is_invitation(person: Person, given: str) -> bool:
    """Whether a link's secret is that of the person's latest invitation."""
    return person.invitation is not None and keys.is_same(given, _secret(person, person.invitation.serial))


def _code(purpose: CodePurpose, thing: str, serial: int) -> str:
    return keys.code_for(purpose, thing, str(serial))


def _secret(person: Person, serial: int) -> str:
    return keys.secret_for("invitation", person.organisation, person.id, str(serial))


def _registration_letter(thing: str, serial: int, _: str) -> CodeLetter | None:
    registration = store.load_registration(thing)
    if registration.code.serial != serial or registration.organisation:
        return None
    return _registration_words(registration)


def _registration_words(it: Registration) -> CodeLetter:
    return CodeLetter(
        purpose="registration",
        email=it.email,
        name=STRANGER,
        code=None if it.subject is None else _code("registration", it.id, it.code.serial),
        known=it.subject is None,
        valid_until=it.code.lasts_until(CODE_LASTS),
    )


def _contact_letter(thing: str, serial: int, organisation: str) -> CodeLetter | None:
    contact = store.load_contact(organisation, thing)
    if contact.code.serial != serial or contact.verified_at or contact.state == "removed":
        return None
    return _contact_words(contact)


def _contact_words(it: ContactRoute) -> CodeLetter:
    return CodeLetter(
        purpose="contact_route",
        email=it.email,
        name=STRANGER,
        code=_code("contact_route", it.id, it.code.serial),
        valid_until=it.code.lasts_until(CODE_LASTS),
    )


def _reset_letter(thing: str, serial: int, _: str) -> CodeLetter | None:
    reset = store.find_reset_by_id(thing)
    if reset is None or reset.subject is None or reset.done or reset.code.serial != serial:
        return None
    return _reset_words(reset, reset.subject)


def _reset_words(it: PasswordReset, subject: str) -> CodeLetter:
    organisation_id, person_id = store.find_subject(subject) or ("", "")
    return CodeLetter(
        purpose="password_reset",
        email=it.email,
        name=store.load_person(organisation_id, person_id).name,
        code=_code("password_reset", it.id, it.code.serial),
        valid_until=it.code.lasts_until(CODE_LASTS),
    )


def _invitation_letter(thing: str, serial: int, organisation: str) -> CodeLetter | None:
    person = store.load_person(organisation, thing)
    if person.state != "invited" or person.invitation is None or person.invitation.serial != serial:
        return None
    return _invitation_words(person, person.invitation)


def _invitation_words(it: Person, invitation: Code) -> CodeLetter:
    # After the `#`, so that the secret never reaches a server's log.
    words = {"organisation": it.organisation, "person": it.id, "secret": _secret(it, invitation.serial)}
    return CodeLetter(
        purpose="invitation",
        email=it.email,
        name=STRANGER,
        organisation_name=_vouched_name(it.organisation),
        link=f"{settings.web_origin()}/invitation#{urlencode(words)}",
        valid_until=invitation.lasts_until(INVITATION_LASTS),
    )


def _vouched_name(organisation_id: str) -> str | None:
    """The name of an organisation that the market operator has checked; None until then."""
    organisation = store.load_organisation(organisation_id)
    return organisation.name if organisation.verified else None


_LETTERS = {
    "registration": _registration_letter,
    "contact_route": _contact_letter,
    "password_reset": _reset_letter,
    "invitation": _invitation_letter,
}
