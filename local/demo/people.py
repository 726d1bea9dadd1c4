"""Owns joining a market: an operator set up by the market operator, providers that register themselves, an approval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.client import Market, Session

PASSWORD = "a long demonstration password"


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation's person who is signed in."""

    organisation: str
    name: str
    email: str
    session: Session


def set_up_operator(
    market: Market, market_operator: Session, name: str, emails: list[str], settings: dict[str, Any] | None = None
) -> list[Member]:
    """The market operator creates an SO; each of its first people accepts the invitation that came by mail."""
    people = [{"name": _person(email), "email": email} for email in emails]
    body = {"name": name, "people": people, **({"settings": settings} if settings else {})}
    operator = market_operator.post("/operators", body, key=f"operator/{emails[0]}")
    return [accept_invitation(market, operator["id"], name, email) for email in emails]


def accept_invitation(market: Market, organisation: str, name: str, email: str) -> Member:
    """Open the link of an invitation and choose a password."""
    link = parse_qs(urlsplit(market.link_for(email)).fragment)
    secrets = {field: link[field][0] for field in ("organisation", "person", "secret")}
    terms = market.public().get("/terms")["user_terms"]["terms_version"]
    market.public().post("/invitations", {**secrets, "password": PASSWORD, "user_terms": terms})
    return Member(organisation, name, email, market.sign_in(email, PASSWORD))


def register_provider(market: Market, name: str, company_number: str, email: str) -> Member:
    """A provider registers itself: login, company, both acceptances, then the code that came by mail."""
    public = market.public()
    terms = public.get("/terms")
    company = {
        "name": f"{name} Limited",
        "company_number": company_number,
        "country": "GB",
        "address": "1 Market Street, Norwich NR2 1AA",
    }
    registration = public.post(
        "/registrations",
        {
            "name": _person(email),
            "email": email,
            "password": PASSWORD,
            "organisation": company,
            "user_terms": terms["user_terms"]["terms_version"],
            "service_terms": terms["service_terms"]["terms_version"],
        },
    )
    code = {"code": market.code_for(email)}
    verified = public.post(f"/registrations/{registration['id']}/verification", code)
    return Member(verified["organisation"], name, email, market.sign_in(email, PASSWORD))


def open_scheme(operator: Member, ref: str) -> dict[str, Any]:
    """The operator opens a company qualification with the standard form."""
    body = {"ref": ref, "name": f"{operator.name} framework", "description": "Open to every provider."}
    found: dict[str, Any] = operator.session.post("/schemes", body, key=f"scheme/{operator.organisation}/{ref}")
    return found


def apply_to(provider: Member, scheme_id: str) -> str:
    """The provider fills the standard form and submits it; the application's id."""
    session = provider.session
    entity = session.post(
        "/contracting-entities",
        {"name": f"{provider.name} Limited", "company_number": "01234567", "country": "GB"},
        key=f"entity/{provider.organisation}",
    )
    body = {"contracting_entity": entity["id"]}
    application = session.post(
        f"/schemes/{scheme_id}/applications", body, key=f"apply/{provider.organisation}/{scheme_id}"
    )
    session.patch(f"/applications/{application['id']}", {"answers": _ANSWERS}, application["version"])
    session.post(f"/applications/{application['id']}/submission", key=f"submit/{application['id']}")
    return str(application["id"])


def approve(operator: Member, application_id: str) -> None:
    operator.session.post(
        f"/applications/{application_id}/decision", {"action": "approve"}, key=f"approve/{application_id}"
    )


def _person(email: str) -> str:
    return email.split(".")[0].title()


_ANSWERS = {
    "organisation_profile": {
        "legal_form": "Private limited company",
        "registered_on": "2019-05-01",
        "size": "Small",
        "contact_name": "Ann Example",
        "contact_email": "ann@example.org",
    },
    "organisation_status": {
        "insolvent": False,
        "convictions": False,
        "unpaid_tax": False,
        "terminated": False,
        "conflict": False,
    },
    "auditing_insurance_legal": {
        "accounts_audited": True,
        "accounts_year_end": "2025-12-31",
        "turnover": "1200000",
        "employers_liability": "10000000",
        "public_liability": "5000000",
        "insurance_until": "2027-12-31",
        "health_and_safety": True,
        "data_protection": True,
    },
    "declaration": {
        "answers_true": True,
        "will_update": True,
        "authorised": True,
        "signed_by": "Ann Example",
        "position": "Director",
        "signed_on": "2026-01-05",
    },
}
