"""Owns the registry's decisions: what companies, addresses, passwords and roles must be, and who may leave."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from chalicelib.kernel.errors import Invalid, Problem, Refused
from chalicelib.kernel.holidays import regions
from chalicelib.registry.models import (
    MOST_ATTEMPTS,
    Acceptance,
    Code,
    Company,
    OperatorSettings,
    Organisation,
    Person,
)
from chalicelib.registry.schemes import MOST_FILE_BYTES
from chalicelib.registry.terms import SERVICE_TERMS, USER_TERMS, Terms

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
MOST_SECRETS = 2
POWERFUL_ROLES = frozenset({"account", "confirm"})
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_UK_COMPANY = re.compile(r"(?:\d{8}|[A-Z]{2}\d{6}|[A-Z]\d{7})")
_UK_VAT = re.compile(r"(?:\d{9}|\d{12}|GD\d{3}|HA\d{3})")
_VAT = re.compile(r"[A-Z0-9+*]{2,13}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_UK_VAT_WEIGHTS = (8, 7, 6, 5, 4, 3, 2)
_FILE_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
}


def email_problems(email: str, field: str = "email") -> list[Problem]:
    """An address must be one mail can reach."""
    if len(email) <= 254 and _EMAIL.fullmatch(email):
        return []
    return [Problem("email.invalid", f"{email!r} is not an e-mail address.", field, "name@example.org")]


def password_problems(password: str) -> list[Problem]:
    """A password has at least 12 characters; what they are is the person's own affair (NIST SP 800-63B)."""
    allowed = f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
    if len(password) < SHORTEST_PASSWORD:
        detail = f"The password has {len(password)} characters."
        return [Problem("password.short", detail, "password", allowed)]
    if len(password) > LONGEST_PASSWORD:
        return [Problem("password.long", "The password is too long.", "password", allowed)]
    return []


def company_problems(company: Company, field: str = "organisation") -> list[Problem]:
    """Basic checks of a company: name, country, address, and numbers of the shape its register gives."""
    problems = [
        *_blank(company.name, f"{field}/name", "The registered name"),
        *_blank(company.address, f"{field}/address", "The address"),
    ]
    if not _COUNTRY.fullmatch(company.country):
        detail = f"{company.country!r} is not a country code."
        problems.append(Problem("country.invalid", detail, f"{field}/country", "two capital letters, such as GB"))
    problems += company_number_problems(company.country, company.company_number, f"{field}/company_number")
    return problems + vat_problems(company.country, company.vat_number, f"{field}/vat_number")


def company_number_problems(country: str, number: str, field: str) -> list[Problem]:
    """A company number: of Companies House's shape in the United Kingdom, at most 40 characters elsewhere."""
    if country == "GB" and not _UK_COMPANY.fullmatch(plain_number(number)):
        detail = f"{number!r} is not a company number of the United Kingdom."
        return [Problem("company_number.invalid", detail, field, "8 digits, or two letters and 6 digits (SC123456)")]
    if not 1 <= len(plain_number(number)) <= 40:
        return [
            Problem("company_number.invalid", "The company number is missing or too long.", field, "1 to 40 characters")
        ]
    return []


def vat_problems(country: str, number: str | None, field: str) -> list[Problem]:
    """A VAT number, where there is one: check digits in the United Kingdom, its shape elsewhere."""
    if number is None:
        return []
    bare = plain_number(number).removeprefix(country)
    if country == "GB":
        good = bool(_UK_VAT.fullmatch(bare)) and (not bare[:9].isdigit() or _uk_vat_checks(bare[:9]))
        allowed = "GB and 9 or 12 digits with right check digits"
    else:
        good, allowed = bool(_VAT.fullmatch(bare)), "2 to 13 letters and digits"
    detail = f"{number!r} is not a VAT number."
    return [] if good else [Problem("vat_number.invalid", detail, field, allowed)]


def plain_number(number: str) -> str:
    """A register's number without spaces, hyphens or case."""
    return re.sub(r"[\s.-]", "", number).upper()


def _uk_vat_checks(digits: str) -> bool:
    """HMRC's check: the weighted sum and the two check digits, modulo 97, leave 0, or 42 since 2009."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, _UK_VAT_WEIGHTS, strict=False)) + int(digits[7:])
    return total % 97 in (0, 42)


def kind_problems(kind: str, support: str) -> list[Problem]:
    """Only FSPs register themselves; an SO is told whom to ask."""
    if kind == "fsp":
        return []
    detail = f"Only FSPs register here. A system operator is set up by the market operator: ask {support}."
    return [Problem("registration.operator", detail, "kind", "fsp")]


def acceptance_problems(user_terms: str | None, service_terms: str | None) -> list[Problem]:
    """Both terms are accepted apart, each in its present version."""
    return [
        *_not_accepted(USER_TERMS, user_terms, "user_terms"),
        *_not_accepted(SERVICE_TERMS, service_terms, "service_terms"),
    ]


def user_terms_problems(user_terms: str | None) -> list[Problem]:
    return _not_accepted(USER_TERMS, user_terms, "user_terms")


def accept(terms: Terms, at: datetime, person: str) -> Acceptance:
    return Acceptance(terms=terms.name, terms_version=terms.terms_version, at=at, person=person)


def check_code(code: Code, now: datetime, duration: timedelta, is_right: bool) -> None:
    """A code holds for a while and a few attempts; `Invalid` says the same of a wrong, old and worn-out one."""
    if is_right and code.attempts < MOST_ATTEMPTS and now < code.lasts_until(duration):
        return
    detail = "That code is wrong, too old, or was tried too often: ask for a new one."
    raise Invalid.of([Problem("code.wrong", detail, "code", "the code of the latest e-mail")])


def after_wrong_code(code: Code) -> Code:
    """A wrong code counts; counting stops where no further attempt is taken."""
    changed: Code = code.but(attempts=min(code.attempts + 1, MOST_ATTEMPTS))
    return changed


def next_code(code: Code | None, now: datetime) -> Code:
    """A new code in place of the last."""
    return Code(serial=code.serial + 1 if code else 1, sent_at=now)


def check_account_stays(people: Iterable[Person], leaving: str) -> None:
    """The last active `account` person cannot go or give the role up: `Refused` if `leaving` is that person."""
    staying = (person for person in people if person.id != leaving)
    if not any(person.state == "active" and "account" in person.roles for person in staying):
        detail = "This is the last account person: give somebody else the role account first."
        raise Refused("person.last_account", detail)


def wants_authenticator(person: Person, organisation: Organisation, required_of_operator: bool) -> bool:
    """Whether a person must set up an authenticator before anything else.

    It is required of people with a powerful role where their organisation says so, and of the market operator's where
    the deployment does.
    """
    is_operator = organisation.kind == "market_operator" and required_of_operator
    is_required = organisation.authenticator_required or is_operator
    return is_required and bool(POWERFUL_ROLES & person.roles) and person.authenticator_since is None


def check_seat(people: Iterable[Person], email: str, most: int | None) -> None:
    """An address is invited once per organisation, and a seat limit, where there is one, holds."""
    present = [person for person in people if person.state != "deactivated"]
    if any(person.email == email for person in present):
        problem = Problem("person.known", f"{email} was invited before.", "email", "another address, or invite again")
        raise Invalid.of([problem])
    if most is not None and len(present) >= most:
        raise Refused("person.seats", f"Your organisation has all of its {most} seats taken.")


def check_room_for_secret(count: int) -> None:
    """Two live secrets overlap while software is switched over; a third must wait until one is revoked."""
    if count >= MOST_SECRETS:
        raise Refused("machine_user.secrets", "Two secrets are live already: revoke one before drawing another.")


def settings_problems(settings: OperatorSettings) -> list[Problem]:
    """An operator's settings must be ones the market can compute with."""
    problems = []
    if settings.time_zone not in available_timezones():
        detail = f"{settings.time_zone!r} is not a time zone."
        problems.append(Problem("settings.time_zone", detail, "settings/time_zone", "an IANA zone: Europe/London"))
    if settings.holiday_region not in regions():
        detail = f"There is no holiday calendar for {settings.holiday_region!r}."
        problems.append(Problem("settings.holidays", detail, "settings/holiday_region", ", ".join(regions())))
    if not _CURRENCY.fullmatch(settings.currency):
        detail = f"{settings.currency!r} is not a currency code."
        problems.append(Problem("settings.currency", detail, "settings/currency", "three capital letters: GBP"))
    return problems


def verified(organisation: Organisation, at: datetime, by: str) -> Organisation:
    """The organisation, verified; one that is already keeps its first instant."""
    if organisation.verified:
        return organisation
    changes = {"verified": True, "verified_at": at, "verified_by": by, "version": organisation.version + 1}
    changed: Organisation = organisation.but(**changes)
    return changed


def is_other_company(before: Company | None, after: Company) -> bool:
    """Whether the company stands under another number of a register."""
    return before is None or (before.country, before.company_number) != (after.country, after.company_number)


def with_company(organisation: Organisation, company: Company | None) -> Organisation:
    """The organisation with its company's data; an FSP that becomes another company is to be verified anew."""
    changes: dict[str, object] = {"company": company}
    if organisation.kind == "fsp" and company is not None and is_other_company(organisation.company, company):
        changes |= {"verified": False, "verified_at": None, "verified_by": None}
    changed: Organisation = organisation.but(**changes)
    return changed


def file_problems(name: str, content_type: str, size: int) -> list[Problem]:
    """A file answer is a PDF, DOCX, XLSX, ZIP, PNG or JPEG of at most 25 MB, and its type is that of its name."""
    problems = []
    ending = name.rpartition(".")[2].lower()
    if ending not in _FILE_TYPES:
        allowed = ", ".join(sorted(_FILE_TYPES))
        problems.append(Problem("file.type", f"{name!r} is of a type that is not taken.", "name", allowed))
    elif content_type != _FILE_TYPES[ending]:
        problems.append(Problem("file.type", f"{name!r} is not {content_type}.", "content_type", _FILE_TYPES[ending]))
    if not 1 <= size <= MOST_FILE_BYTES:
        problems.append(Problem("file.size", f"The file has {size} bytes.", "size", f"1 to {MOST_FILE_BYTES} bytes"))
    return problems


def reason_problems(action: str, reason: str | None) -> list[Problem]:
    """Rejecting, suspending and reinstating need a reason that the FSP is told."""
    if action == "approve" or (reason and reason.strip()):
        return []
    return [Problem("decision.reason", f"Say why you {action} it: the FSP is told.", "reason", "a sentence")]


def _blank(text: str, field: str, what: str) -> list[Problem]:
    if not text.strip():
        return [Problem("text.missing", f"{what} is missing.", field, "1 to 500 characters")]
    if len(text) > 500:
        return [Problem("text.long", f"{what} is too long.", field, "1 to 500 characters")]
    return []


def _not_accepted(terms: Terms, given: str | None, field: str) -> list[Problem]:
    if given == terms.terms_version:
        return []
    whose = "person" if terms.name == "user" else "company"
    detail = f"The {terms.name} terms must be accepted for the {whose}, in their present version."
    return [Problem("terms.not_accepted", detail, field, terms.terms_version)]
