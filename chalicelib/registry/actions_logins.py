"""Logins as the registry sees them: one per address, belonging to one person of one organisation."""

from __future__ import annotations

from chalicelib.registry import store
from chalicelib.registry.actions_reads import member_of
from chalicelib.registry.models import Person
from chalicelib.storage import identity as directory
from chalicelib.storage.writes import Write


def new_login(email: str, password: str) -> str | None:
    """The subject of a new login; None when the address has one that belongs to somebody.

    A login that never became anybody's (a registration begun and left) is replaced: nobody proved the address theirs.
    """
    try:
        return directory.create_login(email, password)
    except directory.LoginExists:
        known = directory.find_login(email)
    if known is not None and store.find_subject(known.subject):
        return None
    if known is not None:
        directory.remove_login(known.subject)
    return directory.create_login(email, password)


def login_for_invited(person: Person, password: str) -> tuple[str, Write] | None:
    """The subject and its write for somebody who accepts an invitation; None when the login is another person's.

    A login whose person was deactivated, here or elsewhere, goes over to the new person with a new password.
    """
    subject = new_login(person.email, password)
    if subject is not None:
        return subject, store.create_subject(subject, person.organisation, person.id)
    known = directory.find_login(person.email)
    if known is None or member_of(known.subject) is not None:
        return None
    directory.enable_login(known.subject)
    directory.set_password(known.subject, password)
    directory.remove_authenticator(known.subject)
    return known.subject, store.move_subject(known.subject, person.organisation, person.id)
