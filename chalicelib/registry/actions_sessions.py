"""Signing in and out, forgotten passwords, and tokens for machine users."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Refused, Stale, Unauthorised, raise_problems
from chalicelib.registry import rules, store
from chalicelib.registry.actions_codes import is_code
from chalicelib.registry.actions_reads import member_of, standing_of
from chalicelib.registry.events import CodeAsked
from chalicelib.registry.models import CODE_LASTS, Code, LastUse, MachineUser, PasswordReset, Secret
from chalicelib.registry.requests import (
    PasswordConfirmation,
    PasswordResetRequest,
    PasswordResetView,
    SessionRequest,
    SessionView,
)
from chalicelib.storage import identity as directory
from chalicelib.storage import keys
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit


def sign_in(call: Call, body: SessionRequest) -> SessionView:
    """Tokens for an address, password and authenticator's code; `Unauthorised` without saying which failed."""
    tokens = directory.sign_in(body.email.lower(), body.password, body.code)
    return _session(tokens)


def refresh(call: Call, refresh_token: str) -> SessionView:
    """A new access token; `Unauthorised` when the session ended or its person left."""
    return _session(directory.refresh(refresh_token))


def sign_out(call: Call, at: datetime) -> str:
    """End every session of the person: no token issued up to `at` (the clock's time) works any more. Its subject."""
    subject = subject_of(call)
    thing = f"person:{call.actor.id}"
    change = Change(thing=thing, action="person.signed_out", organisation=call.organisation)
    commit(call, [store.end_sessions(subject, at)], changes=[change])
    directory.sign_out(subject)
    return subject


def subject_of(call: Call) -> str:
    """The login's subject of the person who asks; `Refused` for software, which has none."""
    person = store.find_person(call.organisation, call.actor.id) if call.actor.kind == "person" else None
    if person is None or person.subject is None:
        raise Refused("identity.not_a_person", "Only a person has a password, a session and an authenticator.")
    return person.subject


def ask_password_reset(call: Call, body: PasswordResetRequest) -> PasswordResetView:
    """Mail a code to set a new password with, if the address has a login; the answer is the same if it has none."""
    email = body.email.lower()
    raise_problems(rules.email_problems(email))
    before = store.find_reset(email)
    reset = PasswordReset(
        id=call.new_id("rst"),
        email=email,
        subject=_resettable(email),
        code=Code(sent_at=call.now),
        version=before.version + 1 if before else 1,
    )
    writes = store.replace_reset(reset) if before else store.create_reset(reset)
    asked = CodeAsked(purpose="password_reset", thing=reset.id, serial=reset.code.serial)
    try:
        commit(call, writes, [asked])
    except (Stale, Refused):
        # Two requests for one address at once: the other one's mail is on its way.
        return PasswordResetView()
    return PasswordResetView()


def confirm_password_reset(call: Call, body: PasswordConfirmation, at: datetime) -> None:
    """Set a new password with the mailed code; sessions begun up to `at` (the clock's time) end.

    `Invalid` for a wrong, old or worn-out code.
    """
    raise_problems(rules.password_problems(body.password))
    reset = store.find_reset(body.email.lower())
    if reset is None or reset.subject is None or reset.done:
        rules.check_code(Code(sent_at=call.now), call.now, CODE_LASTS, is_right=False)
        return
    is_right = is_code("password_reset", reset.id, reset.code, body.code)
    if not is_right:
        _save(call, reset.but(code=rules.after_wrong_code(reset.code), version=reset.version + 1))
    rules.check_code(reset.code, call.now, CODE_LASTS, is_right)
    # Marked done first: a code sets a password once, and a crash in between costs no more than another code.
    _save(call, reset.but(done=True, version=reset.version + 1), reset.subject)
    directory.set_password(reset.subject, body.password)
    commit(call.without_key(), [store.end_sessions(reset.subject, at)])
    directory.sign_out(reset.subject)


def authenticate_machine(call: Call, client_id: str | None, secret: str | None) -> MachineUser:
    """The machine user a client id and secret belong to, with that one secret alone.

    `Unauthorised` in the same words whichever is wrong.
    """
    found = member_of(client_id) if client_id else None
    machine = found[0] if found else None
    held = _held(machine, secret or "") if isinstance(machine, MachineUser) else None
    if not isinstance(machine, MachineUser) or held is None:
        raise Unauthorised("token.refused", "The client id or the secret is not right.")
    commit(call, [store.note_use(machine.organisation, LastUse(machine=machine.id, at=call.now))])
    holder: MachineUser = machine.but(secrets=(held,))
    return holder


def _session(tokens: directory.Tokens) -> SessionView:
    if member_of(tokens.subject) is None:
        raise directory.not_let_in()
    return SessionView(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_in=tokens.expires_in,
        authenticator_wanted=standing_of(tokens.subject).authenticator_wanted,
    )


def _resettable(email: str) -> str | None:
    """The subject of an address whose person is active here."""
    login = directory.find_login(email)
    return login.subject if login and member_of(login.subject) else None


def _save(call: Call, reset: PasswordReset, subject: str | None = None) -> None:
    found = store.find_subject(subject) if subject else None
    changes = (
        [Change(thing=f"person:{found[1]}", action="person.password_reset", organisation=found[0])] if found else []
    )
    commit(call, [store.save_reset(reset)], changes=changes)


def _held(machine: MachineUser, secret: str) -> Secret | None:
    given = keys.secret_hash(secret)
    return next((live for live in machine.secrets if keys.is_same(given, live.hash)), None)
