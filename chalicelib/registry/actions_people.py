"""People of an organisation: who I am, who else is here, invitations, roles, leaving."""

from __future__ import annotations

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Refused, raise_problems
from chalicelib.kernel.lifecycle import move
from chalicelib.kernel.models import Page
from chalicelib.registry import rules, store
from chalicelib.registry.actions_sessions import subject_of
from chalicelib.registry.events import AuthenticatorChanged, PersonDeactivated, PersonInvited
from chalicelib.registry.lifecycle import PERSON_MOVES
from chalicelib.registry.models import Person, Preferences, Roles
from chalicelib.registry.requests import (
    AuthenticatorRemoval,
    AuthenticatorView,
    InvitationRequest,
    MeChange,
    MeView,
    PersonChange,
    PersonView,
    person_view,
)
from chalicelib.storage import identity as directory
from chalicelib.storage import settings
from chalicelib.storage.audit import Change, differences
from chalicelib.storage.commit import commit


def get_me(call: Call) -> MeView:
    """Who is signed in: a person or a machine user."""
    organisation = store.load_organisation(call.organisation)
    if call.actor.kind == "machine":
        machine = store.load_machine(call.organisation, call.actor.id)
        return MeView(
            id=machine.id,
            kind="machine",
            name=machine.name,
            roles=machine.roles,
            organisation=organisation,
            version=machine.version,
        )
    person = store.load_person(call.organisation, call.actor.id)
    return MeView(
        id=person.id,
        kind="person",
        name=person.name,
        email=person.email,
        roles=person.roles,
        organisation=organisation,
        preferences=person.preferences,
        authenticator=person.authenticator_since is not None,
        version=person.version,
    )


def change_me(call: Call, body: MeChange, if_match: int) -> MeView:
    before = _myself(call)
    _save(call, before, before.but(name=body.name, version=if_match + 1), "person.changed")
    return get_me(call)


def get_preferences(call: Call) -> Preferences:
    return _myself(call).preferences


def change_preferences(call: Call, body: Preferences) -> Preferences:
    before = _myself(call)
    _save(call, before, before.but(preferences=body, version=before.version + 1), "person.preferences_changed")
    return body


def begin_authenticator(call: Call, access_token: str) -> AuthenticatorView:
    """A secret for an authenticator app; it counts once confirmed."""
    person = _myself(call)
    if person.authenticator_since is not None:
        detail = "You have an authenticator: remove it with its code before you set up another."
        raise Refused("authenticator.present", detail)
    secret = directory.begin_authenticator(access_token)
    otpauth = f"otpauth://totp/Headroom:{person.email}?secret={secret}&issuer=Headroom"
    return AuthenticatorView(secret=secret, otpauth=otpauth)


def confirm_authenticator(call: Call, access_token: str, code: str) -> None:
    """From here on signing in asks for the authenticator's code; `Invalid` for a wrong one."""
    before = _myself(call)
    if before.authenticator_since is not None:
        raise Refused("authenticator.present", "Your authenticator is confirmed already.")
    directory.confirm_authenticator(access_token, code)
    after = before.but(authenticator_since=call.now, version=before.version + 1)
    _turn(call, after, "person.authenticator_added")


def remove_authenticator(call: Call, body: AuthenticatorRemoval) -> None:
    """Sign in with the password alone again; `Unauthorised` unless password and present code are right.

    A token alone does not do, since whoever found one could else take the second factor away.
    """
    before = _myself(call)
    subject = subject_of(call)
    if directory.sign_in(before.email, body.password, body.code).subject != subject:
        raise directory.not_let_in()
    directory.remove_authenticator(subject)
    after = before.but(authenticator_since=None, version=before.version + 1)
    _turn(call, after, "person.authenticator_removed")


def _turn(call: Call, after: Person, action: str) -> None:
    """An authenticator on or off: its owner is told by mail, so that another's hand does not stay hidden."""
    is_on = after.authenticator_since is not None
    told = AuthenticatorChanged(organisation=after.organisation, person=after.id, is_on=is_on, version=after.version)
    commit(call, [store.save_person(after)], [told], [_change(after, action)])


def list_people(call: Call) -> Page[PersonView]:
    """Everybody of the caller's organisation, also those invited and those who left."""
    return Page(items=[person_view(person) for person in store.list_people(call.organisation)])


def get_person(call: Call, person_id: str) -> PersonView:
    return person_view(store.load_person(call.organisation, person_id))


def invite(call: Call, body: InvitationRequest) -> PersonView:
    """Invite a person by a link that is good for 24 hours; they have `read` until given more."""
    email = body.email.lower()
    raise_problems(rules.email_problems(email))
    rules.check_seat(store.list_people(call.organisation), email, settings.most_seats())
    person = invited_person(call, call.organisation, body.name, email, body.roles | {"read"})
    invited = PersonInvited(organisation=person.organisation, person=person.id, serial=1)
    commit(call, [store.create_person(person)], [invited], [_change(person, "person.invited")], person.id)
    return person_view(person)


def invited_person(call: Call, organisation_id: str, name: str, email: str, roles: Roles) -> Person:
    return Person(
        id=call.new_id("per"),
        organisation=organisation_id,
        name=name,
        email=email,
        roles=roles,
        state="invited",
        invitation=rules.next_code(None, call.now),
        created_at=call.now,
    )


def invite_again(call: Call, person_id: str) -> PersonView:
    """A new link in place of the last, for somebody invited or who had left."""
    before = store.load_person(call.organisation, person_id)
    state = move(PERSON_MOVES, "person", before.state, "invite")
    serial = rules.next_code(before.invitation, call.now)
    after = before.but(state=state, invitation=serial, version=before.version + 1)
    invited = PersonInvited(organisation=after.organisation, person=after.id, serial=after.invitation.serial)
    commit(call, [store.save_person(after)], [invited], [_change(after, "person.invited")], after.id)
    return person_view(after)


def change_person(call: Call, person_id: str, body: PersonChange, if_match: int) -> PersonView:
    """Give a person other roles, or deactivate them; `Refused` where nobody with `account` would be left."""
    before = store.load_person(call.organisation, person_id)
    after = _changed(before, body, if_match)
    guards = []
    if "account" in before.roles and before.state == "active" and not _is_account(after):
        people = store.list_people(call.organisation)
        rules.check_account_stays(people, person_id)
        guards = [store.hold_account(people, person_id)]
    left = [PersonDeactivated(organisation=after.organisation, person=after.id)] if body.state else []
    old, new = differences(before, after)
    change = _change(after, "person.deactivated" if body.state else "person.changed", old, new)
    commit(call, [store.save_person(after), *guards], left, [change])
    if body.state and after.subject:
        directory.disable_login(after.subject)
    return person_view(after)


def _changed(before: Person, body: PersonChange, if_match: int) -> Person:
    if body.state is None and before.state == "deactivated":
        raise Refused("person.deactivated", "This person has left: invite them again first.")
    state = move(PERSON_MOVES, "person", before.state, "deactivate") if body.state else before.state
    roles = before.roles if body.roles is None else body.roles | {"read"}
    changed: Person = before.but(state=state, roles=roles, version=if_match + 1)
    return changed


def _is_account(person: Person) -> bool:
    return person.state == "active" and "account" in person.roles


def _myself(call: Call) -> Person:
    if call.actor.kind != "person":
        raise Refused("identity.not_a_person", "Only a person has preferences and an authenticator.")
    return store.load_person(call.organisation, call.actor.id)


def _save(call: Call, before: Person, after: Person, action: str) -> None:
    old, new = differences(before, after)
    commit(call, [store.save_person(after)], changes=[_change(after, action, old, new)])


def _change(person: Person, action: str, before: dict | None = None, after: dict | None = None) -> Change:
    thing = f"person:{person.id}"
    return Change(thing=thing, action=action, organisation=person.organisation, before=before, after=after)
