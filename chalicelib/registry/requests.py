"""Owns what the registry is asked and what it tells: bodies, queries and views of its routes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.kernel.models import Instant, PageQuery, Value
from chalicelib.kernel.names import CompanyName, PersonName
from chalicelib.registry.models import (
    ALL_ROLES,
    MachineState,
    OperatorProfile,
    OperatorSettings,
    Organisation,
    Person,
    PersonState,
    Preferences,
    Purpose,
    Roles,
)
from chalicelib.registry.terms import Terms

EMAIL = Field(min_length=3, max_length=254, examples=["ann@example.org"])
PASSWORD = Field(max_length=1000, description="12 characters or more")
CODE = Field(min_length=1, max_length=60, description="the code of the latest e-mail")
REASON = Field(default=None, max_length=2000)
RolesGiven = Annotated[Roles, Field(max_length=len(ALL_ROLES))]


class CompanyRequest(Value):
    """A company as its register knows it. `country` is ISO 3166-1 alpha-2."""

    name: CompanyName
    company_number: str = Field(max_length=60)
    country: str = Field(max_length=60)
    address: str = Field(max_length=500)
    vat_number: str | None = Field(default=None, max_length=60)


class RegistrationRequest(Value):
    """A person's login, their company and the two acceptances, each by the version accepted."""

    kind: str = Field(default="fsp", max_length=40)
    name: PersonName
    email: str = EMAIL
    password: str = PASSWORD
    organisation: CompanyRequest
    user_terms: str | None = Field(
        default=None, max_length=40, description="version of the user terms that the person accepts"
    )
    service_terms: str | None = Field(
        default=None, max_length=40, description="version of the service terms the company accepts"
    )


class RegistrationView(Value):
    """A registration under way. It reads the same whether or not the address had a login already."""

    id: str
    email: str
    state: Literal["code_sent", "verified"]
    organisation: str | None = None


class CodeRequest(Value):
    code: str = CODE


class TermsView(Value):
    user_terms: Terms
    service_terms: Terms


class SessionRequest(Value):
    email: str = EMAIL
    password: str = PASSWORD
    code: str | None = Field(
        default=None, max_length=10, description="the authenticator's six figures, if one is set up"
    )


class RefreshRequest(Value):
    refresh_token: str = Field(min_length=1, max_length=10_000)


class SessionView(Value):
    access_token: str
    refresh_token: str | None = None
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    authenticator_wanted: bool = Field(default=False, description="the session is good for setting one up, no more")


class PasswordResetRequest(Value):
    email: str = EMAIL


class PasswordResetView(Value):
    """Always the same, so that nobody learns which addresses have a login."""

    state: Literal["code_sent"] = "code_sent"


class PasswordConfirmation(Value):
    email: str = EMAIL
    code: str = CODE
    password: str = PASSWORD


class TokenRequest(BaseModel):
    """OAuth 2.0 client credentials (RFC 6749, 4.4); id and secret may come as `Authorization: Basic` instead."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    grant_type: Literal["client_credentials"]
    client_id: str | None = Field(default=None, max_length=100)
    client_secret: str | None = Field(default=None, max_length=500)
    scope: str | None = Field(default=None, max_length=1000)


class TokenView(Value):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int


class MeView(Value):
    """Who is signed in, in which organisation, with which roles."""

    id: str
    kind: Literal["person", "machine"]
    name: str
    email: str | None = None
    roles: Roles
    organisation: Organisation
    preferences: Preferences | None = None
    authenticator: bool = False
    version: int


class MeChange(Value):
    name: PersonName


class AuthenticatorView(Value):
    """The secret to enter in an authenticator app, also as the address its QR code holds."""

    secret: str
    otpauth: str


class AuthenticatorRemoval(Value):
    """The password, and what the authenticator shows now."""

    password: str = PASSWORD
    code: str = Field(min_length=1, max_length=10, description="the authenticator's six figures")


class OrganisationChange(Value):
    """Fields left out stay as they are. `support_contact` is the market operator's alone.

    Where `authenticator_required`, people with `account` or `confirm` can do nothing before they set one up.
    """

    name: CompanyName | None = None
    company: CompanyRequest | None = None
    support_contact: str | None = Field(default=None, max_length=254)
    authenticator_required: bool | None = None


class InvitationRequest(Value):
    name: PersonName
    email: str = EMAIL
    roles: RolesGiven = frozenset({"read"})


class PersonView(Value):
    id: str
    name: str
    email: str
    roles: Roles
    state: PersonState
    invited_at: Instant | None = None
    authenticator: bool = False
    version: int


class PersonChange(Value):
    """New roles, or `deactivated`; fields left out stay as they are."""

    roles: RolesGiven | None = None
    state: Literal["deactivated"] | None = None


class AcceptanceRequest(Value):
    """What an invited person sends from the link: its secret, their password, and the user terms they accept."""

    organisation: str = Field(max_length=60)
    person: str = Field(max_length=60)
    secret: str = Field(min_length=1, max_length=200)
    name: PersonName | None = None
    password: str = PASSWORD
    user_terms: str | None = Field(default=None, max_length=40)


class ContactRouteRequest(Value):
    purpose: Purpose
    email: str = EMAIL


class ContactRouteView(Value):
    id: str
    purpose: Purpose
    email: str
    verified_at: Instant | None = None
    version: int


class MachineUserRequest(Value):
    name: PersonName = Field(description="what it does, such as `meter data upload`")
    roles: RolesGiven = frozenset({"read"})


class MachineUserChange(Value):
    name: PersonName | None = None
    roles: RolesGiven | None = None
    state: Literal["revoked"] | None = None


class SecretView(Value):
    id: str
    created_at: Instant


class MachineUserView(Value):
    id: str
    name: str
    roles: Roles
    state: MachineState
    secrets: tuple[SecretView, ...]
    last_used_at: Instant | None = None
    version: int


class SecretShown(Value):
    """A secret, shown this once. `client_secret` is null when an Idempotency-Key asks for it again."""

    id: str
    client_id: str
    client_secret: str | None


class ContractingEntityRequest(Value):
    name: CompanyName
    company_number: str = Field(min_length=1, max_length=60)
    country: str = Field(default="GB", max_length=2)
    vat_number: str | None = Field(default=None, max_length=20)


class FirstPerson(Value):
    name: PersonName
    email: str = EMAIL


class OperatorRequest(Value):
    """A new SO with its first people, all of whom get every role."""

    name: CompanyName
    company: CompanyRequest | None = None
    settings: OperatorSettings = OperatorSettings()
    profile: OperatorProfile = OperatorProfile()
    people: tuple[FirstPerson, ...] = Field(min_length=1, max_length=20)


class OperatorView(Value):
    """An SO as it and the market operator see it."""

    id: str
    name: str
    verified: bool
    settings: OperatorSettings
    profile: OperatorProfile
    version: int


class OperatorChange(Value):
    """New settings or profile as a whole; what is left out stays."""

    settings: OperatorSettings | None = None
    profile: OperatorProfile | None = None


class PublicOperator(Value):
    """An SO as anybody sees it."""

    id: str
    name: str
    time_zone: str
    currency: str
    profile: OperatorProfile


class OrganisationQuery(PageQuery):
    kind: Literal["fsp", "so", "market_operator"] | None = None


class VerificationRequest(Value):
    reason: str | None = REASON


class AuditQuery(PageQuery):
    """One thing's records, or a day's (today's where neither is given)."""

    thing: str | None = Field(default=None, max_length=200, examples=["asset:ast_01"])
    day: date | None = None
    organisation: str | None = Field(default=None, max_length=60, description="for the market operator")


class AuditView(Value):
    """One change: who, when, what, before and after."""

    id: str
    at: Instant
    thing: str
    action: str
    organisation: str
    actor_kind: str
    actor: str
    actor_organisation: str | None
    request_id: str
    reason: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


def person_view(person: Person) -> PersonView:
    return PersonView(
        id=person.id,
        name=person.name,
        email=person.email,
        roles=person.roles,
        state=person.state,
        invited_at=person.invitation.sent_at if person.invitation else None,
        authenticator=person.authenticator_since is not None,
        version=person.version,
    )
