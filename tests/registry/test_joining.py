"""How people come in: registration by code, invitations by link, sign-in and forgotten passwords."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.kernel.errors import Invalid, NotFound, Refused, Unauthorised
from chalicelib.registry import (
    actions,
    actions_joining,
    actions_operators,
    actions_organisations,
    actions_people,
    actions_sessions,
    store,
)
from chalicelib.registry.actions_codes import STRANGER
from chalicelib.registry.events import CodeAsked, FspRegistered
from chalicelib.registry.models import MOST_ATTEMPTS
from chalicelib.registry.requests import (
    ContactRouteRequest,
    InvitationRequest,
    PasswordConfirmation,
    PasswordResetRequest,
    PersonChange,
    RefreshRequest,
    SessionRequest,
)
from chalicelib.storage import identity as logins
from chalicelib.storage.outbox import unpublished
from tests.builders.calls import a_call
from tests.builders.registry import (
    PASSWORD,
    a_market_operator,
    a_registered_fsp,
    a_registration_request,
    accepted,
    an_acceptance,
    an_asked_company,
    an_invited_person,
    code_of_registration,
)

LATER = datetime(2030, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("directory")


def anonymous(now: str = "2026-04-01T09:00:00Z"):
    return a_call(organisation=None, kind=None, roles=frozenset(), now=now, actor="anonymous")


def session(email: str, password: str = PASSWORD):
    return actions_sessions.sign_in(anonymous(), SessionRequest(email=email, password=password))


def test_an_fsp_registers_verifies_its_address_and_signs_in() -> None:
    begun = actions_joining.register(anonymous(), a_registration_request())
    assert (begun.state, begun.organisation) == ("code_sent", None)
    with pytest.raises(Unauthorised):
        session("ann@flex.example")
    done = actions_joining.verify_registration(anonymous(), begun.id, code_of_registration(begun.id))
    assert done.state == "verified"
    assert session("ANN@flex.example").expires_in == 3600
    organisation = actions.get_organisation(done.organisation)
    assert (organisation.kind, organisation.name, organisation.verified) == ("fsp", "Flex Ltd", False)
    assert organisation.company.vat_number == "GB980780684"


def test_the_first_person_has_every_role_and_both_acceptances_are_on_record() -> None:
    fsp = a_registered_fsp()
    [person] = actions.list_people(fsp.organisation)
    assert sorted(person.roles) == ["account", "bidding", "confirm", "dispatch", "procurement", "read", "settlement"]
    assert person.user_terms.person == person.id
    service = actions.get_organisation(fsp.organisation).service_terms
    assert (service.terms, service.person) == ("service", person.id)
    assert service.at == person.user_terms.at


def test_every_problem_of_a_registration_is_told_at_once_and_nothing_is_kept() -> None:
    a_market_operator()
    request = a_registration_request(
        kind="so",
        email="nobody",
        password="short",
        organisation=an_asked_company(company_number="1"),
        user_terms=None,
        service_terms="2001-01",
    )
    with pytest.raises(Invalid) as refusal:
        actions_joining.register(anonymous(), request)
    assert [problem.code for problem in refusal.value.problems] == [
        "registration.operator",
        "email.invalid",
        "password.short",
        "company_number.invalid",
        "terms.not_accepted",
        "terms.not_accepted",
    ]
    assert "mo@market.example" in refusal.value.problems[0].detail
    assert logins.find_login("nobody") is None


def test_a_mail_to_an_address_that_nobody_proved_theirs_holds_no_word_of_a_strangers() -> None:
    """Else anybody could have the market mail a text of their choice to any address."""
    words = "Call 0800 123 456 now"
    request = a_registration_request(name=words, organisation=an_asked_company(name=words, company_number="09999999"))
    begun = actions_joining.register(anonymous(), request)
    fsp = a_registered_fsp(organisation=an_asked_company(name=words, company_number="09999998"))
    invited = actions_people.invite(fsp.call, InvitationRequest(name=words, email="bo@else.example")).id
    route = ContactRouteRequest(purpose="dispatch", email="cy@else.example")
    contact = actions_organisations.add_contact_route(fsp.call, route).id
    letters = [
        actions.find_code_letter("registration", begun.id, 1),
        actions.find_code_letter("invitation", invited, 1, fsp.organisation),
        actions.find_code_letter("contact_route", contact, 1, fsp.organisation),
    ]
    assert None not in letters
    assert [letter for letter in letters if letter and words in letter.model_dump_json()] == []


def test_an_invitation_names_an_organisation_that_was_verified() -> None:
    fsp, operator = a_registered_fsp(), a_market_operator()
    person = an_invited_person(fsp)
    actions_operators.verify_organisation(operator.call, fsp.organisation, "seen")
    letter = actions.find_code_letter("invitation", person, 1, fsp.organisation)
    assert letter is not None
    assert (letter.organisation_name, letter.name) == ("Flex 1 Ltd", STRANGER)


def test_registering_tells_the_mailer_by_id_alone() -> None:
    begun = actions_joining.register(anonymous(), a_registration_request())
    [asked] = [one.event() for one in unpublished(LATER)]
    assert asked == CodeAsked(purpose="registration", thing=begun.id, serial=1)
    letter = actions.find_code_letter("registration", begun.id, 1)
    assert (letter.email, letter.name, letter.known) == ("ann@flex.example", STRANGER, False)


def test_a_completed_registration_is_a_market_event() -> None:
    fsp = a_registered_fsp()
    events = [one.event() for one in unpublished(LATER)]
    assert FspRegistered(organisation=fsp.organisation, person=fsp.person) in events


def test_registering_a_known_address_is_answered_alike_and_changes_nothing() -> None:
    fsp = a_registered_fsp()
    request = a_registration_request(email=fsp.email, password="another password")
    begun = actions_joining.register(anonymous(), request)
    assert begun.state == "code_sent"
    letter = actions.find_code_letter("registration", begun.id, 1)
    assert (letter.known, letter.code) == (True, None)
    with pytest.raises(Invalid) as refusal:
        actions_joining.verify_registration(anonymous(), begun.id, "ABCDEFGH")
    assert refusal.value.problems[0].code == "code.wrong"
    assert session(fsp.email)


def test_a_code_is_taken_as_people_type_it() -> None:
    begun = actions_joining.register(anonymous(), a_registration_request())
    code = code_of_registration(begun.id)
    typed = f" {code[:4].lower()}-{code[4:]} "
    assert actions_joining.verify_registration(anonymous(), begun.id, typed).organisation


def test_the_right_code_after_five_wrong_ones_is_refused_until_a_new_one_is_sent() -> None:
    begun = actions_joining.register(anonymous(), a_registration_request())
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(Invalid):
            actions_joining.verify_registration(anonymous(), begun.id, "WRONGONE")
    with pytest.raises(Invalid):
        actions_joining.verify_registration(anonymous(), begun.id, code_of_registration(begun.id))
    actions_joining.send_registration_code(anonymous(), begun.id)
    with pytest.raises(AssertionError):
        code_of_registration(begun.id, 1)
    assert actions_joining.verify_registration(anonymous(), begun.id, code_of_registration(begun.id, 2)).organisation


def test_a_code_is_refused_once_it_is_an_hour_old() -> None:
    begun = actions_joining.register(anonymous(), a_registration_request())
    with pytest.raises(Invalid):
        actions_joining.verify_registration(anonymous("2026-04-01T10:00:00Z"), begun.id, code_of_registration(begun.id))


def test_verifying_twice_with_the_right_code_makes_one_organisation() -> None:
    begun = actions_joining.register(anonymous(), a_registration_request())
    code = code_of_registration(begun.id)
    once = actions_joining.verify_registration(anonymous(), begun.id, code)
    assert actions_joining.verify_registration(anonymous(), begun.id, code) == once
    with pytest.raises(Refused):
        actions_joining.send_registration_code(anonymous(), begun.id)
    assert actions.find_code_letter("registration", begun.id, 1) is None


def test_whoever_registers_an_address_later_takes_it_from_a_registration_never_verified() -> None:
    first = actions_joining.register(anonymous(), a_registration_request(password="the password of one"))
    second = actions_joining.register(anonymous(), a_registration_request(password="the password of two"))
    with pytest.raises(Refused) as refusal:
        actions_joining.verify_registration(anonymous(), first.id, code_of_registration(first.id))
    assert refusal.value.code == "registration.superseded"
    actions_joining.verify_registration(anonymous(), second.id, code_of_registration(second.id))
    assert session("ann@flex.example", "the password of two")
    with pytest.raises(Unauthorised):
        session("ann@flex.example", "the password of one")


def test_a_company_stands_in_the_market_once() -> None:
    first = actions_joining.register(anonymous(), a_registration_request())
    actions_joining.verify_registration(anonymous(), first.id, code_of_registration(first.id))
    again = actions_joining.register(
        anonymous(),
        a_registration_request(email="bo@flex.example", organisation=an_asked_company(company_number="01 234 567")),
    )
    with pytest.raises(Refused) as refusal:
        actions_joining.verify_registration(anonymous(), again.id, code_of_registration(again.id))
    assert refusal.value.code == "registration.company_known"


def test_an_unknown_registration_is_not_found() -> None:
    with pytest.raises(NotFound):
        actions_joining.verify_registration(anonymous(), "reg_none", "ABCDEFGH")
    assert actions.find_code_letter("registration", "reg_none", 1) is None


def test_an_invited_person_accepts_by_the_link_and_reads_until_given_more() -> None:
    fsp = a_registered_fsp()
    person = an_invited_person(fsp)
    view = actions_joining.accept_invitation(anonymous(), an_acceptance(fsp.organisation, person))
    assert (view.state, sorted(view.roles)) == ("active", ["read"])
    assert session("bo@flex.example")
    assert actions.find_code_letter("invitation", person, 1, fsp.organisation) is None


def test_a_link_works_once() -> None:
    fsp = a_registered_fsp()
    person = an_invited_person(fsp)
    acceptance = an_acceptance(fsp.organisation, person)
    actions_joining.accept_invitation(anonymous(), acceptance)
    with pytest.raises(Invalid) as refusal:
        actions_joining.accept_invitation(anonymous(), acceptance.but(password="somebody else's idea"))
    assert refusal.value.problems[0].code == "invitation.link"
    assert session("bo@flex.example")


@pytest.mark.parametrize("changes", [{"secret": "guess"}, {"person": "per_none"}, {"organisation": "org_none"}])
def test_a_wrong_link_is_refused_alike_whatever_is_wrong(changes: dict[str, str]) -> None:
    fsp = a_registered_fsp()
    acceptance = an_acceptance(fsp.organisation, an_invited_person(fsp)).but(**changes)
    with pytest.raises(Invalid) as refusal:
        actions_joining.accept_invitation(anonymous(), acceptance)
    assert refusal.value.problems[0].code == "invitation.link"


def test_a_link_is_good_for_24_hours_and_can_be_sent_again() -> None:
    fsp = a_registered_fsp()
    person = an_invited_person(fsp)
    late = "2026-04-02T09:00:00Z"
    acceptance = an_acceptance(fsp.organisation, person)
    with pytest.raises(Invalid):
        actions_joining.accept_invitation(anonymous(late), acceptance)
    actions_people.invite_again(a_call(fsp.organisation, now=late), person)
    with pytest.raises(Invalid):
        actions_joining.accept_invitation(anonymous(late), acceptance)
    again = an_acceptance(fsp.organisation, person, serial=2)
    assert actions_joining.accept_invitation(anonymous(late), again).state == "active"


def test_an_invited_person_must_accept_the_user_terms_with_a_long_password() -> None:
    fsp = a_registered_fsp()
    acceptance = an_acceptance(fsp.organisation, an_invited_person(fsp), password="short", user_terms=None)
    with pytest.raises(Invalid) as refusal:
        actions_joining.accept_invitation(anonymous(), acceptance)
    assert [problem.code for problem in refusal.value.problems] == ["password.short", "terms.not_accepted"]


def test_a_login_belongs_to_one_organisation_until_its_person_leaves_it() -> None:
    first, second = a_registered_fsp(1), a_registered_fsp(2)
    person = an_invited_person(first, "bo@flex.example")
    accepted(first, person)
    elsewhere = an_invited_person(second, "bo@flex.example")
    acceptance = an_acceptance(second.organisation, elsewhere, password="a password of the second")
    with pytest.raises(Refused) as refusal:
        actions_joining.accept_invitation(anonymous(), acceptance)
    assert refusal.value.code == "invitation.login_elsewhere"
    version = actions_people.get_person(first.call, person).version
    actions_people.change_person(first.call, person, PersonChange(state="deactivated"), version)
    actions_joining.accept_invitation(anonymous(), acceptance)
    assert session("bo@flex.example", "a password of the second")
    subject = store.load_person(second.organisation, elsewhere).subject
    assert actions.member_of(subject)[1].id == second.organisation


def test_signing_in_is_refused_in_the_same_words_whatever_is_wrong() -> None:
    fsp = a_registered_fsp()
    refusals = set()
    for email, password in [(fsp.email, "wrong password!"), ("nobody@flex.example", PASSWORD)]:
        with pytest.raises(Unauthorised) as refusal:
            session(email, password)
        refusals.add(str(refusal.value))
    begun = actions_joining.register(anonymous(), a_registration_request())
    with pytest.raises(Unauthorised) as unverified:
        session(begun.email)
    refusals.add(str(unverified.value))
    assert len(refusals) == 1


def test_a_session_is_refreshed_until_its_person_leaves() -> None:
    fsp = a_registered_fsp()
    person = an_invited_person(fsp)
    accepted(fsp, person)
    held = session("bo@flex.example").refresh_token
    refreshed = actions_sessions.refresh(anonymous(), RefreshRequest(refresh_token=held).refresh_token)
    assert refreshed.access_token
    version = actions_people.get_person(fsp.call, person).version
    actions_people.change_person(fsp.call, person, PersonChange(state="deactivated"), version)
    with pytest.raises(Unauthorised):
        actions_sessions.refresh(anonymous(), held)
    with pytest.raises(Unauthorised):
        session("bo@flex.example")


def test_a_forgotten_password_is_set_anew_by_code_once() -> None:
    fsp = a_registered_fsp()
    actions_sessions.ask_password_reset(anonymous(), PasswordResetRequest(email=fsp.email))
    letter = reset_letter(fsp.email)
    confirmation = PasswordConfirmation(email=fsp.email, code=letter.code, password="quite another one")
    actions_sessions.confirm_password_reset(anonymous(), confirmation, LATER)
    assert session(fsp.email, "quite another one")
    with pytest.raises(Unauthorised):
        session(fsp.email)
    with pytest.raises(Invalid):
        actions_sessions.confirm_password_reset(anonymous(), confirmation.but(password="a third password"), LATER)
    assert session(fsp.email, "quite another one")


def test_asking_for_a_reset_is_answered_alike_for_an_unknown_address_and_mails_nobody() -> None:
    fsp = a_registered_fsp()
    known = actions_sessions.ask_password_reset(anonymous(), PasswordResetRequest(email=fsp.email))
    unknown = actions_sessions.ask_password_reset(anonymous(), PasswordResetRequest(email="nobody@flex.example"))
    assert known == unknown
    assert reset_letter("nobody@flex.example") is None
    for email in (fsp.email, "nobody@flex.example", "never@asked.example"):
        wrong = PasswordConfirmation(email=email, code="WRONGONE", password=PASSWORD)
        with pytest.raises(Invalid) as refusal:
            actions_sessions.confirm_password_reset(anonymous(), wrong, LATER)
        assert refusal.value.problems[0].code == "code.wrong"


def test_a_newer_reset_takes_the_place_of_an_older_one() -> None:
    fsp = a_registered_fsp()
    actions_sessions.ask_password_reset(anonymous(), PasswordResetRequest(email=fsp.email))
    first = reset_letter(fsp.email)
    actions_sessions.ask_password_reset(anonymous(), PasswordResetRequest(email=fsp.email))
    second = reset_letter(fsp.email)
    assert first.code != second.code
    old = PasswordConfirmation(email=fsp.email, code=first.code, password="quite another one")
    with pytest.raises(Invalid):
        actions_sessions.confirm_password_reset(anonymous(), old, LATER)


def test_the_right_reset_code_after_five_wrong_ones_is_refused() -> None:
    fsp = a_registered_fsp()
    actions_sessions.ask_password_reset(anonymous(), PasswordResetRequest(email=fsp.email))
    right = PasswordConfirmation(email=fsp.email, code=reset_letter(fsp.email).code, password="quite another one")
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(Invalid):
            actions_sessions.confirm_password_reset(anonymous(), right.but(code="WRONGONE"), LATER)
    with pytest.raises(Invalid):
        actions_sessions.confirm_password_reset(anonymous(), right, LATER)


def test_the_market_operator_is_made_once() -> None:
    first = a_market_operator()
    again = a_market_operator()
    assert first.organisation == again.organisation == actions.MARKET_OPERATOR
    assert first.person == again.person
    assert session("mo@market.example")


def reset_letter(email: str):
    reset = store.find_reset(email)
    return actions.find_code_letter("password_reset", reset.id, 1) if reset else None
