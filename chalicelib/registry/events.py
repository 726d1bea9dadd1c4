"""Owns the registry's market events: facts about organisations, people and applications, by id alone."""

from __future__ import annotations

from pydantic import BaseModel

from chalicelib.kernel.events import Event
from chalicelib.registry.models import CodePurpose


class CodeAsked(Event):
    """An address is to be sent a code: `registry.actions.find_code_letter` gives the mail's words."""

    purpose: CodePurpose
    thing: str
    serial: int
    organisation: str | None = None


class FspRegistered(Event):
    organisation: str
    person: str


class OperatorCreated(Event):
    so: str


class OrganisationVerified(Event):
    organisation: str


class PersonInvited(Event):
    """A person was invited, or once more; `find_code_letter("invitation", …)` has the link."""

    organisation: str
    person: str
    serial: int


class PersonDeactivated(Event):
    organisation: str
    person: str


class AuthenticatorChanged(Event):
    """A person's authenticator was turned on or off; `version` is the person's after it."""

    organisation: str
    person: str
    is_on: bool
    version: int


class _OfApplication(BaseModel):
    application_id: str
    scheme_id: str
    so: str
    fsp: str


class ApplicationSubmitted(_OfApplication, Event):
    submission: int


class ApplicationApproved(_OfApplication, Event):
    pass


class ApplicationRejected(_OfApplication, Event):
    pass


class ApplicationWithdrawn(_OfApplication, Event):
    pass


class ApplicationSuspended(_OfApplication, Event):
    pass


class ApplicationReinstated(_OfApplication, Event):
    pass
