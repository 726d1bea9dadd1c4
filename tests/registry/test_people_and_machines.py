"""Self-service of an organisation: roles, leaving, machine users and contact routes; another's are not found."""

from __future__ import annotations

import pytest

from chalicelib.kernel.call import Actor
from chalicelib.kernel.errors import Invalid, NotFound, Refused, Stale, Unauthorised
from chalicelib.registry import actions, actions_organisations, actions_people, actions_sessions, store
from chalicelib.registry.models import Preferences
from chalicelib.registry.requests import (
    AuthenticatorRemoval,
    CodeRequest,
    ContactRouteRequest,
    ContractingEntityRequest,
    InvitationRequest,
    MachineUserChange,
    MachineUserRequest,
    MeChange,
    OrganisationChange,
    PersonChange,
)
from chalicelib.storage.audit import trail_of
from chalicelib.storage.commit import commit
from tests.builders.calls import a_call
from tests.builders.registry import (
    Joined,
    a_registered_fsp,
    a_system_operator,
    accepted,
    an_asked_company,
    an_invited_person,
)

pytestmark = pytest.mark.usefixtures("directory")


def change(joined: Joined, person: str, **changes):
    version = actions_people.get_person(joined.call, person).version
    return actions_people.change_person(joined.call, person, PersonChange(**changes), version)


def test_an_account_person_gives_roles_that_add_up() -> None:
    fsp = a_registered_fsp()
    person = an_invited_person(fsp, roles=frozenset({"bidding"}))
    accepted(fsp, person)
    assert sorted(change(fsp, person, roles={"dispatch", "settlement"}).roles) == ["dispatch", "read", "settlement"]
    assert [one.id for one in actions.list_people(fsp.organisation, "dispatch")] == sorted([fsp.person, person])
    assert [one.id for one in actions.list_people(fsp.organisation, "bidding")] == [fsp.person]


@pytest.mark.parametrize("changes", [{"roles": {"read"}}, {"state": "deactivated"}])
def test_the_last_account_person_can_neither_leave_nor_give_the_role_up(changes) -> None:
    fsp = a_registered_fsp()
    an_invited_person(fsp, roles=frozenset({"account"}))
    with pytest.raises(Refused) as refusal:
        change(fsp, fsp.person, **changes)
    assert refusal.value.code == "person.last_account"


def test_an_account_person_may_leave_once_another_has_the_role() -> None:
    fsp = a_registered_fsp()
    other = an_invited_person(fsp, roles=frozenset({"account"}))
    accepted(fsp, other)
    assert change(fsp, fsp.person, state="deactivated").state == "deactivated"


def test_two_account_persons_removing_each_other_at_once_leave_one() -> None:
    fsp = a_registered_fsp()
    other = an_invited_person(fsp, roles=frozenset({"account"}))
    accepted(fsp, other)
    people = store.list_people(fsp.organisation)
    guard_of_the_slower = store.hold_account(people, other)
    change(fsp, fsp.person, state="deactivated")
    with pytest.raises(Stale):
        commit(fsp.call, [guard_of_the_slower])


def test_a_deactivated_person_is_nobody_at_once() -> None:
    fsp = a_registered_fsp()
    person = an_invited_person(fsp)
    accepted(fsp, person)
    subject = store.load_person(fsp.organisation, person).subject
    assert actions.member_of(subject)[0].id == person
    change(fsp, person, state="deactivated")
    assert actions.member_of(subject) is None
    assert actions.member_of("sub_none") is None
    with pytest.raises(Refused):
        change(fsp, person, roles={"account"})


def test_a_change_of_what_somebody_else_changed_is_stale() -> None:
    fsp = a_registered_fsp()
    person = an_invited_person(fsp)
    change(fsp, person, roles={"bidding"})
    with pytest.raises(Stale):
        actions_people.change_person(fsp.call, person, PersonChange(roles={"account"}), 1)


def test_an_address_is_invited_once_and_must_be_one() -> None:
    fsp = a_registered_fsp()
    an_invited_person(fsp)
    with pytest.raises(Invalid):
        an_invited_person(fsp, "BO@flex.example")
    with pytest.raises(Invalid):
        an_invited_person(fsp, "bo at flex")


def test_a_seat_limit_is_kept_where_the_deployment_sets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADROOM_MOST_SEATS", "2")
    fsp = a_registered_fsp()
    an_invited_person(fsp)
    with pytest.raises(Refused) as refusal:
        an_invited_person(fsp, "cy@flex.example")
    assert refusal.value.code == "person.seats"


def test_people_change_their_name_and_preferences() -> None:
    fsp = a_registered_fsp()
    me = actions_people.get_me(fsp.call)
    assert (me.kind, me.organisation.id) == ("person", fsp.organisation)
    assert actions_people.change_me(fsp.call, MeChange(name="Ann B. Abel"), me.version).name == "Ann B. Abel"
    chosen = Preferences(muted_letters=("bidding_opened",), rows_per_page=50)
    actions_people.change_preferences(fsp.call, chosen)
    assert actions_people.get_preferences(fsp.call) == chosen


def test_every_change_of_a_person_is_on_record_with_before_and_after() -> None:
    fsp = a_registered_fsp()
    person = an_invited_person(fsp)
    change(fsp, person, roles={"bidding"})
    [changed, invited] = trail_of(f"person:{person}").items
    assert (invited.action, changed.action) == ("person.invited", "person.changed")
    assert (changed.before["roles"], changed.after["roles"]) == (["read"], ["bidding", "read"])
    assert changed.actor == fsp.person


def test_machine_users_change_over_with_two_live_secrets() -> None:
    fsp = a_registered_fsp()
    machine = actions_organisations.add_machine_user(fsp.call, MachineUserRequest(name="meters", roles={"settlement"}))
    first = actions_organisations.draw_secret(fsp.call, machine.id)
    second = actions_organisations.draw_secret(fsp.call, machine.id)
    for shown in (first, second):
        assert actions_sessions.authenticate_machine(fsp.call, machine.id, shown.client_secret).id == machine.id
    with pytest.raises(Refused):
        actions_organisations.draw_secret(fsp.call, machine.id)
    view = actions_organisations.revoke_secret(fsp.call, machine.id, first.id)
    assert [one.id for one in view.secrets] == [second.id]
    with pytest.raises(Unauthorised):
        actions_sessions.authenticate_machine(fsp.call, machine.id, first.client_secret)
    assert actions_sessions.authenticate_machine(fsp.call, machine.id, second.client_secret)


def test_a_secret_is_shown_once_and_only_its_hash_is_kept() -> None:
    fsp = a_registered_fsp()
    machine = actions_organisations.add_machine_user(fsp.call, MachineUserRequest(name="meters"))
    shown = actions_organisations.draw_secret(fsp.call, machine.id)
    again = actions_organisations.shown_secret(fsp.call, f"{machine.id}/{shown.id}")
    assert (again.id, again.client_secret) == (shown.id, None)
    kept = store.load_machine(fsp.organisation, machine.id).model_dump_json()
    records = "".join(record.model_dump_json() for record in trail_of(f"machine_user:{machine.id}").items)
    assert shown.client_secret not in kept + records
    assert store.load_machine(fsp.organisation, machine.id).secrets[0].hash not in records


def test_the_last_use_of_a_machine_user_is_shown() -> None:
    fsp = a_registered_fsp()
    machine = actions_organisations.add_machine_user(fsp.call, MachineUserRequest(name="meters"))
    assert machine.last_used_at is None
    secret = actions_organisations.draw_secret(fsp.call, machine.id).client_secret
    later = a_call(fsp.organisation, now="2026-04-02T09:00:00Z")
    actions_sessions.authenticate_machine(later, machine.id, secret)
    assert actions_organisations.get_machine_user(fsp.call, machine.id).last_used_at == later.now
    assert actions_organisations.list_machine_users(fsp.call).items[0].last_used_at == later.now


@pytest.mark.parametrize(("client_id", "secret"), [(None, None), ("mac_none", "x"), ("", "")])
def test_an_unknown_client_gets_no_token(client_id: str | None, secret: str | None) -> None:
    with pytest.raises(Unauthorised):
        actions_sessions.authenticate_machine(a_call(), client_id, secret)


def test_a_persons_subject_is_no_client_id() -> None:
    fsp = a_registered_fsp()
    subject = store.load_person(fsp.organisation, fsp.person).subject
    with pytest.raises(Unauthorised):
        actions_sessions.authenticate_machine(a_call(), subject, "x")


def test_a_revoked_machine_user_is_nobody_at_once_and_for_good() -> None:
    fsp = a_registered_fsp()
    machine = actions_organisations.add_machine_user(fsp.call, MachineUserRequest(name="meters"))
    secret = actions_organisations.draw_secret(fsp.call, machine.id).client_secret
    version = actions_organisations.get_machine_user(fsp.call, machine.id).version
    gone = MachineUserChange(state="revoked")
    assert actions_organisations.change_machine_user(fsp.call, machine.id, gone, version).secrets == ()
    assert actions.member_of(machine.id) is None
    with pytest.raises(Unauthorised):
        actions_sessions.authenticate_machine(fsp.call, machine.id, secret)
    with pytest.raises(Refused):
        actions_organisations.draw_secret(fsp.call, machine.id)


def test_a_machine_user_is_told_who_it_is_and_has_no_password_of_its_own() -> None:
    fsp = a_registered_fsp()
    machine = actions_organisations.add_machine_user(fsp.call, MachineUserRequest(name="meters"))
    software = Actor("machine", machine.id, fsp.organisation, "fsp", frozenset({"read"}))
    call = type(fsp.call)(software, fsp.call.now, fsp.call.new_id, "req")
    assert (actions_people.get_me(call).kind, actions_people.get_me(call).name) == ("machine", "meters")
    removal = AuthenticatorRemoval(password="x", code="123456")
    for act in (
        lambda: actions_people.get_preferences(call),
        lambda: actions_sessions.sign_out(call, call.now),
        lambda: actions_people.remove_authenticator(call, removal),
    ):
        with pytest.raises(Refused):
            act()


def test_a_contact_route_counts_once_its_code_came_back() -> None:
    fsp = a_registered_fsp()
    request = ContactRouteRequest(purpose="dispatch", email="Control@flex.example")
    route = actions_organisations.add_contact_route(fsp.call, request)
    assert actions.list_addresses(fsp.organisation, "dispatch") == []
    letter = actions.find_code_letter("contact_route", route.id, 1, fsp.organisation)
    with pytest.raises(Invalid):
        actions_organisations.verify_contact_route(fsp.call, route.id, CodeRequest(code="WRONGONE").code)
    verified = actions_organisations.verify_contact_route(fsp.call, route.id, letter.code)
    assert verified.verified_at == fsp.call.now
    assert actions_organisations.verify_contact_route(fsp.call, route.id, letter.code) == verified
    assert actions.list_addresses(fsp.organisation, "dispatch") == ["control@flex.example"]
    assert actions.list_addresses(fsp.organisation, "settlement") == []
    assert actions.find_code_letter("contact_route", route.id, 1, fsp.organisation) is None


def test_a_contact_routes_code_can_be_sent_again_until_it_is_verified() -> None:
    fsp = a_registered_fsp()
    request = ContactRouteRequest(purpose="technical", email="it@flex.example")
    route = actions_organisations.add_contact_route(fsp.call, request)
    actions_organisations.send_contact_code(fsp.call, route.id)
    assert actions.find_code_letter("contact_route", route.id, 1, fsp.organisation) is None
    letter = actions.find_code_letter("contact_route", route.id, 2, fsp.organisation)
    actions_organisations.verify_contact_route(fsp.call, route.id, letter.code)
    with pytest.raises(Refused):
        actions_organisations.send_contact_code(fsp.call, route.id)


def test_a_removed_contact_route_is_used_no_more() -> None:
    fsp = a_registered_fsp()
    request = ContactRouteRequest(purpose="technical", email="it@flex.example")
    route = actions_organisations.add_contact_route(fsp.call, request)
    letter = actions.find_code_letter("contact_route", route.id, 1, fsp.organisation)
    actions_organisations.verify_contact_route(fsp.call, route.id, letter.code)
    actions_organisations.remove_contact_route(fsp.call, route.id)
    assert actions.list_addresses(fsp.organisation, "technical") == []
    assert actions_organisations.list_contact_routes(fsp.call).items == []
    with pytest.raises(NotFound):
        actions_organisations.remove_contact_route(fsp.call, route.id)


def test_an_fsp_holds_several_contracting_entities() -> None:
    fsp = a_registered_fsp()
    [first] = actions_organisations.list_entities(fsp.call).items
    assert first.name == "Flex 1 Ltd"
    request = ContractingEntityRequest(name="Flex North Ltd", company_number="sc123456", country="gb")
    second = actions_organisations.add_entity(fsp.call, request)
    assert (second.company_number, second.country) == ("SC123456", "GB")
    renamed = request.but(name="Flex Scotland Ltd")
    assert actions_organisations.change_entity(fsp.call, second.id, renamed, 1).name == "Flex Scotland Ltd"
    with pytest.raises(Invalid):
        actions_organisations.add_entity(fsp.call, request.but(company_number="nonsense"))


def test_an_organisation_keeps_its_own_company_data() -> None:
    fsp = a_registered_fsp()
    moved = an_asked_company(name="Flex 1 Ltd", company_number="00000001", address="2 Low Road", vat_number=None)
    changed = actions_organisations.change_organisation(fsp.call, OrganisationChange(company=moved), 1)
    assert changed.company.address == "2 Low Road"
    with pytest.raises(Stale):
        actions_organisations.change_organisation(fsp.call, OrganisationChange(name="Flex"), 1)
    with pytest.raises(Invalid):
        actions_organisations.change_organisation(fsp.call, OrganisationChange(support_contact="x@y.example"), 2)
    wrong = OrganisationChange(company=moved.but(company_number="1"))
    with pytest.raises(Invalid):
        actions_organisations.change_organisation(fsp.call, wrong, 2)


def test_an_organisation_cannot_take_anothers_company_number() -> None:
    fsp, _ = a_registered_fsp(1), a_registered_fsp(2)
    theirs = an_asked_company(name="Flex 2 Ltd", company_number="00000002")
    with pytest.raises(Refused) as refusal:
        actions_organisations.change_organisation(fsp.call, OrganisationChange(company=theirs), 1)
    assert refusal.value.code == "registration.company_known"


def test_another_organisations_people_machines_routes_and_companies_are_not_found() -> None:
    fsp, other = a_registered_fsp(1), a_system_operator()
    machine = actions_organisations.add_machine_user(fsp.call, MachineUserRequest(name="meters"))
    request = ContactRouteRequest(purpose="technical", email="it@flex.example")
    route = actions_organisations.add_contact_route(fsp.call, request)
    [entity] = actions_organisations.list_entities(fsp.call).items
    attempts = [
        lambda call: actions_people.get_person(call, fsp.person),
        lambda call: actions_people.change_person(call, fsp.person, PersonChange(roles=set()), 1),
        lambda call: actions_people.invite_again(call, fsp.person),
        lambda call: actions_organisations.get_machine_user(call, machine.id),
        lambda call: actions_organisations.draw_secret(call, machine.id),
        lambda call: actions_organisations.revoke_secret(call, machine.id, "sec_1"),
        lambda call: actions_organisations.get_contact_route(call, route.id),
        lambda call: actions_organisations.remove_contact_route(call, route.id),
        lambda call: actions_organisations.verify_contact_route(call, route.id, "ABCDEFGH"),
        lambda call: actions_organisations.get_entity(call, entity.id),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt(other.call)


def test_an_unknown_secret_cannot_be_revoked() -> None:
    fsp = a_registered_fsp()
    machine = actions_organisations.add_machine_user(fsp.call, MachineUserRequest(name="meters"))
    with pytest.raises(NotFound):
        actions_organisations.revoke_secret(fsp.call, machine.id, "sec_none")


def test_an_invited_person_can_be_deactivated_and_invited_once_more() -> None:
    fsp = a_registered_fsp()
    person = an_invited_person(fsp)
    assert change(fsp, person, state="deactivated").state == "deactivated"
    assert actions_people.invite_again(fsp.call, person).state == "invited"
    accepted_letter = actions.find_code_letter("invitation", person, 2, fsp.organisation)
    assert accepted_letter.valid_until.isoformat() == "2026-04-02T09:00:00+00:00"
    with pytest.raises(Refused):
        actions_people.invite_again(fsp.call, fsp.person)


def test_roles_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="roles"):
        InvitationRequest(name="Bo", email="bo@flex.example", roles={"king"})
