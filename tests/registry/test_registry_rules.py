"""What the registry demands of companies, addresses, passwords, roles, codes and files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.errors import Invalid, Problem, Refused
from chalicelib.registry import rules
from chalicelib.registry.models import CODE_LASTS, MOST_ATTEMPTS, OperatorSettings
from chalicelib.registry.schemes import MOST_FILE_BYTES
from chalicelib.registry.terms import SERVICE_TERMS, USER_TERMS
from tests.builders.registry import a_code, a_company, a_person, an_organisation

NOON = datetime(2026, 4, 1, 9, tzinfo=UTC)


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


@pytest.mark.parametrize("email", ["a@b.co", "ann.o'neil+flex@sub.example.org", "x_1@a-b.example"])
def test_an_address_that_mail_can_reach_is_taken(email: str) -> None:
    assert rules.email_problems(email) == []


@pytest.mark.parametrize(
    "email", ["", "ann", "ann@", "@b.co", "a b@c.de", "a@b", "a@-b.co", "a@b..co", "a@b.co,c@d.ef"]
)
def test_an_address_that_mail_cannot_reach_is_refused(email: str) -> None:
    assert codes(rules.email_problems(email)) == ["email.invalid"]


def test_an_address_of_more_than_254_characters_is_refused() -> None:
    assert codes(rules.email_problems("a@" + "b" * 60 + ".".join(["", *["c" * 60] * 4, "org"]))) == ["email.invalid"]


@given(st.text(max_size=300))
def test_an_address_that_is_taken_never_names_two_people(text: str) -> None:
    if not rules.email_problems(text):
        assert text.count("@") == 1
        assert not set(text) & set(" ,;<>\r\n\t")


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("a" * 11, ["password.short"]),
        ("a" * 12, []),
        ("a" * 256, []),
        ("a" * 257, ["password.long"]),
    ],
)
def test_a_password_has_12_to_256_characters(password: str, expected: list[str]) -> None:
    assert codes(rules.password_problems(password)) == expected


@pytest.mark.parametrize("number", ["01234567", "SC123456", "oc 123456", "R0000001"])
def test_a_company_number_of_the_united_kingdom_is_taken(number: str) -> None:
    assert rules.company_number_problems("GB", number, "n") == []


@pytest.mark.parametrize("number", ["", "1234567", "123456789", "ABC12345"])
def test_another_shape_of_company_number_is_refused_in_the_united_kingdom(number: str) -> None:
    assert codes(rules.company_number_problems("GB", number, "n")) == ["company_number.invalid"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [("HRB 12345 B", []), (" ", ["company_number.invalid"]), ("9" * 41, ["company_number.invalid"])],
)
def test_abroad_a_company_number_has_1_to_40_characters(number: str, expected: list[str]) -> None:
    assert codes(rules.company_number_problems("DE", number, "n")) == expected


# 980780684 (an old-style number) and 434031494 are published examples whose check digits hold.
@pytest.mark.parametrize(
    "number", [None, "GB980780684", "980 7806 84", "GB434031494", "GD001", "HA599", "980780684001"]
)
def test_a_vat_number_with_right_check_digits_is_taken(number: str | None) -> None:
    assert rules.vat_problems("GB", number, "vat") == []


@pytest.mark.parametrize("number", ["GB980780685", "12345", "GB98078068X", ""])
def test_a_vat_number_with_wrong_check_digits_is_refused(number: str) -> None:
    assert codes(rules.vat_problems("GB", number, "vat")) == ["vat_number.invalid"]


@pytest.mark.parametrize(("number", "expected"), [("DE136695976", []), ("DE!", ["vat_number.invalid"])])
def test_abroad_only_the_shape_of_a_vat_number_is_checked(number: str, expected: list[str]) -> None:
    assert codes(rules.vat_problems("DE", number, "vat")) == expected


@given(st.integers(min_value=0, max_value=9_999_999))
def test_of_all_check_digits_of_a_vat_number_only_the_two_of_hmrc_pass(body: int) -> None:
    passing = [check for check in range(97) if not rules.vat_problems("GB", f"{body:07d}{check:02d}", "vat")]
    weighted = sum(int(digit) * weight for digit, weight in zip(f"{body:07d}", range(8, 1, -1), strict=True))
    assert passing == sorted({-weighted % 97, (42 - weighted) % 97})


def test_every_problem_of_a_company_is_told_at_once() -> None:
    company = a_company(name=" ", address="x" * 501, country="gb", company_number="", vat_number="!")
    assert codes(rules.company_problems(company)) == [
        "text.missing",
        "text.long",
        "country.invalid",
        "company_number.invalid",
        "vat_number.invalid",
    ]
    assert rules.company_problems(a_company()) == []


def test_who_registers_as_a_system_operator_is_told_whom_to_ask() -> None:
    [problem] = rules.kind_problems("so", "help@market.example")
    assert problem.code == "registration.operator"
    assert "help@market.example" in problem.detail
    assert rules.kind_problems("fsp", "help@market.example") == []


def test_both_terms_are_accepted_apart_and_in_their_present_version() -> None:
    user, service = USER_TERMS.terms_version, SERVICE_TERMS.terms_version
    assert rules.acceptance_problems(user, service) == []
    assert [problem.field for problem in rules.acceptance_problems(None, service)] == ["user_terms"]
    assert [problem.field for problem in rules.acceptance_problems(user, "2001-01")] == ["service_terms"]
    assert len(rules.acceptance_problems(None, None)) == 2


def test_an_acceptance_records_version_instant_and_person() -> None:
    accepted = rules.accept(SERVICE_TERMS, NOON, "per_1")
    assert (accepted.terms, accepted.terms_version, accepted.at, accepted.person) == (
        "service",
        SERVICE_TERMS.terms_version,
        NOON,
        "per_1",
    )


def test_a_right_code_passes_until_it_is_an_hour_old() -> None:
    rules.check_code(a_code(), NOON + CODE_LASTS - timedelta(seconds=1), CODE_LASTS, is_right=True)
    with pytest.raises(Invalid):
        rules.check_code(a_code(), NOON + CODE_LASTS, CODE_LASTS, is_right=True)


def test_a_wrong_code_and_a_right_one_after_five_wrong_ones_are_refused_alike() -> None:
    with pytest.raises(Invalid) as wrong:
        rules.check_code(a_code(), NOON, CODE_LASTS, is_right=False)
    with pytest.raises(Invalid) as worn_out:
        rules.check_code(a_code(attempts=MOST_ATTEMPTS), NOON, CODE_LASTS, is_right=True)
    assert wrong.value.problems == worn_out.value.problems


def test_wrong_codes_are_counted_up_to_the_limit() -> None:
    assert rules.after_wrong_code(a_code(attempts=3)).attempts == 4
    assert rules.after_wrong_code(a_code(attempts=MOST_ATTEMPTS)).attempts == MOST_ATTEMPTS


def test_a_new_code_has_the_next_serial_and_no_attempts() -> None:
    assert rules.next_code(None, NOON).serial == 1
    assert rules.next_code(a_code(serial=3, attempts=5), NOON) == a_code(serial=4)


def test_the_last_account_person_stays() -> None:
    ann = a_person(id="per_1")
    bo = a_person(id="per_2", roles={"read"})
    gone = a_person(id="per_3", state="deactivated")
    with pytest.raises(Refused) as refusal:
        rules.check_account_stays([ann, bo, gone], "per_1")
    assert refusal.value.code == "person.last_account"
    rules.check_account_stays([ann, bo, a_person(id="per_4")], "per_1")


def test_an_address_is_invited_once_unless_its_person_left() -> None:
    with pytest.raises(Invalid):
        rules.check_seat([a_person(state="invited")], "ann@flex.example", None)
    rules.check_seat([a_person(state="deactivated")], "ann@flex.example", None)


def test_a_seat_limit_holds_where_there_is_one() -> None:
    with pytest.raises(Refused) as refusal:
        rules.check_seat([a_person()], "bo@flex.example", 1)
    assert refusal.value.code == "person.seats"
    rules.check_seat([a_person()], "bo@flex.example", 2)


def test_a_third_live_secret_is_refused() -> None:
    rules.check_room_for_secret(1)
    with pytest.raises(Refused):
        rules.check_room_for_secret(2)


def test_every_problem_of_an_operators_settings_is_told_at_once() -> None:
    assert rules.settings_problems(OperatorSettings()) == []
    wrong = OperatorSettings(time_zone="Europe/Camelot", holiday_region="atlantis", currency="pounds")
    assert codes(rules.settings_problems(wrong)) == ["settings.time_zone", "settings.holidays", "settings.currency"]


def test_a_verified_organisation_keeps_its_first_instant() -> None:
    first = rules.verified(an_organisation(), NOON, "per_mo")
    assert (first.verified, first.verified_at, first.verified_by, first.version) == (True, NOON, "per_mo", 2)
    assert rules.verified(first, NOON + timedelta(days=1), "per_so") == first


def test_an_fsp_that_becomes_another_company_is_to_be_verified_anew() -> None:
    verified = rules.verified(an_organisation(), NOON, "per_mo")
    moved = rules.with_company(verified, a_company(address="2 Low Road"))
    assert moved.verified
    another = rules.with_company(verified, a_company(company_number="07654321"))
    assert not another.verified
    assert another.verified_at is None
    assert rules.is_other_company(None, a_company())


def test_a_system_operator_stays_verified_whatever_its_company() -> None:
    operator = an_organisation(kind="so", company=None, verified=True)
    assert rules.with_company(operator, a_company()).verified
    assert rules.with_company(an_organisation(), None).company is None


@pytest.mark.parametrize(
    ("name", "content_type", "size", "expected"),
    [
        ("a.pdf", "application/pdf", 1, []),
        ("a.JPG", "image/jpeg", MOST_FILE_BYTES, []),
        ("a.exe", "application/pdf", 1, ["file.type"]),
        ("a.pdf", "text/html", 1, ["file.type"]),
        ("a.pdf", "application/pdf", MOST_FILE_BYTES + 1, ["file.size"]),
        ("a", "text/plain", 0, ["file.type", "file.size"]),
    ],
)
def test_a_file_answer_is_of_a_known_type_and_at_most_25_mb(
    name: str, content_type: str, size: int, expected: list[str]
) -> None:
    assert codes(rules.file_problems(name, content_type, size)) == expected


@pytest.mark.parametrize("action", ["reject", "suspend", "reinstate"])
@pytest.mark.parametrize("reason", [None, "", "  "])
def test_all_rulings_but_approval_need_a_reason(action: str, reason: str | None) -> None:
    assert codes(rules.reason_problems(action, reason)) == ["decision.reason"]
    assert rules.reason_problems(action, "Insurance ran out") == []
    assert rules.reason_problems("approve", reason) == []


def test_the_terms_of_users_are_accepted_in_their_present_version() -> None:
    assert rules.user_terms_problems(USER_TERMS.terms_version) == []
    assert [problem.field for problem in rules.user_terms_problems("2001-01")] == ["user_terms"]
    assert [problem.field for problem in rules.user_terms_problems(None)] == ["user_terms"]


@pytest.mark.parametrize(
    ("roles", "kind", "required", "of_operator", "since", "wanted"),
    [
        ({"account"}, "fsp", True, False, None, True),
        ({"read", "confirm"}, "so", True, False, None, True),
        ({"bidding", "settlement"}, "fsp", True, True, None, False),
        ({"account"}, "fsp", True, True, "2026-04-01T09:00:00Z", False),
        ({"account"}, "fsp", False, True, None, False),
        ({"account"}, "market_operator", False, True, None, True),
        ({"account"}, "market_operator", False, False, None, False),
        ({"account"}, "market_operator", True, False, None, True),
    ],
)
def test_an_authenticator_is_wanted_of_powerful_people_where_it_is_required(
    roles: set[str], kind: str, required: bool, of_operator: bool, since: str | None, wanted: bool
) -> None:
    person = a_person(roles=frozenset(roles), authenticator_since=since)
    organisation = an_organisation(kind=kind, authenticator_required=required)
    assert rules.wants_authenticator(person, organisation, of_operator) is wanted
