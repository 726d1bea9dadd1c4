"""Owns the values of the registry: organisations, people, machine users, contact routes, registrations."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal, get_args

from pydantic import Field, PlainSerializer

from chalicelib.kernel.call import OrganisationKind
from chalicelib.kernel.models import Instant, Value

MARKET_OPERATOR = "org_market_operator"
CODE_LASTS = timedelta(hours=1)
INVITATION_LASTS = timedelta(hours=24)
MOST_ATTEMPTS = 5

Role = Literal["account", "procurement", "bidding", "confirm", "dispatch", "settlement", "read"]
Roles = Annotated[
    frozenset[Role],
    PlainSerializer(lambda roles: sorted(roles), return_type=list[str]),
    Field(description="they add up"),
]
Purpose = Literal["commercial", "dispatch", "settlement", "technical"]
PersonState = Literal["invited", "active", "deactivated"]
ContactState = Literal["active", "removed"]
MachineState = Literal["active", "revoked"]
DateOrder = Literal["dmy", "mdy", "ymd"]
CodePurpose = Literal["registration", "contact_route", "password_reset", "invitation"]
ALL_ROLES: frozenset[Role] = frozenset(get_args(Role))


class Acceptance(Value):
    """Terms accepted: which, in which version, when, and by whom on whose behalf."""

    terms: Literal["user", "service"]
    terms_version: str
    at: Instant
    person: str | None = None


class Company(Value):
    """A company as its register knows it. `country` is ISO 3166-1 alpha-2."""

    name: str
    company_number: str
    country: str
    address: str
    vat_number: str | None = None


class Organisation(Value):
    """An organisation. `name` is what others see; the company stands behind it."""

    id: str
    kind: OrganisationKind
    name: str
    company: Company | None = None
    verified: bool = False
    verified_at: Instant | None = None
    verified_by: str | None = None
    service_terms: Acceptance | None = None
    support_contact: str | None = None
    authenticator_required: bool = False
    created_at: Instant
    version: int = 1


class Code(Value):
    """A code or link that was sent: which, when, how often a wrong one came back. Its text is stored nowhere."""

    serial: int = 1
    sent_at: Instant
    attempts: int = 0

    def lasts_until(self, duration: timedelta) -> datetime:
        return self.sent_at + duration


class Preferences(Value):
    """What a person chose for themselves. `muted_letters` are those they unsubscribed from."""

    muted_letters: tuple[Annotated[str, Field(max_length=60)], ...] = Field(default=(), max_length=100)
    language: str = Field(default="en-GB", max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")
    rows_per_page: int = Field(default=100, ge=10, le=500)


class Person(Value):
    """A person of one organisation. `subject` is their login's, once they accepted."""

    id: str
    organisation: str
    name: str
    email: str
    roles: Roles
    state: PersonState
    subject: str | None = None
    user_terms: Acceptance | None = None
    invitation: Code | None = None
    preferences: Preferences = Preferences()
    authenticator_since: Instant | None = None
    created_at: Instant
    version: int = 1


class Standing(Value):
    """What a subject's tokens are worth: none issued up to `ended_at`, of a machine user only those of live `secrets`,
    and nothing but to set one up where an authenticator is wanted.
    """

    ended_at: Instant | None = None
    secrets: frozenset[str] | None = None
    authenticator_wanted: bool = False


class Secret(Value):
    """A live secret of a machine user: only its hash is kept."""

    id: str
    hash: str
    created_at: Instant


class MachineUser(Value):
    """Software of an organisation, with at most two live secrets so that one can be changed without a pause."""

    id: str
    organisation: str
    name: str
    roles: Roles
    state: MachineState = "active"
    secrets: tuple[Secret, ...] = ()
    created_at: Instant
    version: int = 1


class LastUse(Value):
    """When a machine user last asked for a token."""

    machine: str
    at: Instant


class ContactRoute(Value):
    """An address an organisation is reached at for one purpose; it counts once verified."""

    id: str
    organisation: str
    purpose: Purpose
    email: str
    state: ContactState = "active"
    verified_at: Instant | None = None
    code: Code
    version: int = 1


class Registration(Value):
    """A company and its first person on their way in. `subject` is None where the address had a login already."""

    id: str
    name: str
    email: str
    company: Company
    user_terms: Acceptance
    service_terms: Acceptance
    subject: str | None = None
    code: Code
    organisation: str | None = None
    version: int = 1


class PasswordReset(Value):
    """The one open reset of an address; a new one takes its place. `subject` is None for an unknown address."""

    id: str
    email: str
    subject: str | None = None
    code: Code
    done: bool = False
    version: int = 1


class ContractingEntity(Value):
    """A company in whose name an FSP applies and contracts; one FSP may hold several."""

    id: str
    organisation: str
    name: str
    company_number: str
    country: str
    vat_number: str | None = None
    version: int = 1


class PublicationPolicy(Value):
    """What an operator lets the public see of confirmed results."""

    provider_names: bool = True
    rejected_bids: bool = True


class OperatorSettings(Value):
    """How an SO works: read by every room that turns its files and clock times into the market's."""

    time_zone: str = Field(default="Europe/London", max_length=60)
    currency: str = Field(default="GBP", max_length=10)
    holiday_region: str = Field(default="england-and-wales", max_length=60)
    date_order: DateOrder = "dmy"
    two_person_rule: bool = False
    allow_negative_prices: bool = False
    contract_at_confirmation: bool = True
    default_market_rules: str | None = Field(default=None, max_length=100)
    publication_policy: PublicationPolicy = PublicationPolicy()


class Link(Value):
    """A document of an SO's profile: a title and where it is."""

    title: str = Field(min_length=1, max_length=200)
    url: str = Field(max_length=2000, pattern=r"^https?://\S+$")


class QuestionAndAnswer(Value):
    """A question people ask, and the SO's answer."""

    question: str = Field(min_length=1, max_length=500)
    answer: str = Field(min_length=1, max_length=4000)


class OperatorProfile(Value):
    """What the public reads about an SO. `operating_area` refers to a stored outline, `logo` to a stored picture."""

    buys: str = Field(default="", max_length=10_000)
    rules: str = Field(default="", max_length=10_000)
    timelines: str = Field(default="", max_length=10_000)
    contact: str = Field(default="", max_length=500)
    documents: tuple[Link, ...] = Field(default=(), max_length=100)
    questions: tuple[QuestionAndAnswer, ...] = Field(default=(), max_length=100)
    brand_colour: str = Field(default="#0b5394", pattern=r"^#[0-9a-fA-F]{6}$")
    logo: str | None = Field(default=None, max_length=2000)
    operating_area: str | None = Field(default=None, max_length=500)


class Operator(Value):
    """An SO's settings and public profile, kept beside its organisation."""

    organisation: str
    settings: OperatorSettings = OperatorSettings()
    profile: OperatorProfile = OperatorProfile()
    version: int = 1


class CodeLetter(Value):
    """All a mail with a code or link needs. `known` says the address had a login already, so there is no code in it."""

    purpose: CodePurpose
    email: str
    name: str
    organisation_name: str | None = None
    code: str | None = None
    link: str | None = None
    known: bool = False
    valid_until: Instant
