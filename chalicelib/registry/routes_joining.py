"""Endpoints of joining: registration, invitations, sessions, password resets, tokens for machine users."""

from __future__ import annotations

from chalicelib.edge import identity
from chalicelib.edge.web import PUBLIC, Routes, member
from chalicelib.kernel.call import Call
from chalicelib.registry import actions_joining, actions_sessions
from chalicelib.registry.models import MachineUser
from chalicelib.registry.requests import (
    AcceptanceRequest,
    CodeRequest,
    PasswordConfirmation,
    PasswordResetRequest,
    PasswordResetView,
    PersonView,
    RefreshRequest,
    RegistrationRequest,
    RegistrationView,
    SessionRequest,
    SessionView,
    TermsView,
    TokenRequest,
    TokenView,
)

routes = Routes(__name__)
FORM = "application/x-www-form-urlencoded"


@routes.get("/terms", returns=TermsView, who=PUBLIC)
def get_terms(call: Call) -> TermsView:
    """Both terms in their present versions."""
    return actions_joining.get_terms(call)


@routes.post(
    "/registrations",
    body=RegistrationRequest,
    returns=RegistrationView,
    status=201,
    who=PUBLIC,
    replay=actions_joining.get_registration,
)
def register(call: Call, body: RegistrationRequest) -> RegistrationView:
    """Begin an FSP's registration; a code goes to the person's address."""
    return actions_joining.register(call, body)


@routes.post(
    "/registrations/{registration_id}/code",
    returns=RegistrationView,
    who=PUBLIC,
    replay=actions_joining.get_registration,
)
def send_registration_code(call: Call, registration_id: str) -> RegistrationView:
    """Mail a new code in place of the last."""
    return actions_joining.send_registration_code(call, registration_id)


@routes.post(
    "/registrations/{registration_id}/verification",
    body=CodeRequest,
    returns=RegistrationView,
    who=PUBLIC,
    replay=actions_joining.get_registration,
)
def verify_registration(call: Call, registration_id: str, body: CodeRequest) -> RegistrationView:
    """Complete a registration with the mailed code."""
    return actions_joining.verify_registration(call, registration_id, body.code)


@routes.post(
    "/invitations",
    body=AcceptanceRequest,
    returns=PersonView,
    status=201,
    who=PUBLIC,
    replay=actions_joining.accepted_person,
)
def accept_invitation(call: Call, body: AcceptanceRequest) -> PersonView:
    """Take the login an invitation leads to."""
    return actions_joining.accept_invitation(call, body)


@routes.post("/sessions", body=SessionRequest, returns=SessionView, status=201, who=PUBLIC)
def sign_in(call: Call, body: SessionRequest) -> SessionView:
    """Sign in with address and password, and the authenticator's code where one is set up."""
    return actions_sessions.sign_in(call, body)


@routes.post("/sessions/refresh", body=RefreshRequest, returns=SessionView, status=201, who=PUBLIC)
def refresh_session(call: Call, body: RefreshRequest) -> SessionView:
    """A new access token for a refresh token."""
    return actions_sessions.refresh(call, body.refresh_token)


@routes.delete("/sessions", who=member("read"), status=204, before_authenticator=True)
def sign_out(call: Call) -> None:
    """End every session of the person: tokens stop at once here, within half a minute everywhere."""
    subject = actions_sessions.sign_out(call, identity.token_time())
    identity.forget_member(subject)
    identity.let_second_pass()


@routes.post("/password-resets", body=PasswordResetRequest, returns=PasswordResetView, status=202, who=PUBLIC)
def ask_password_reset(call: Call, body: PasswordResetRequest) -> PasswordResetView:
    """Mail a code to set a new password with; the answer is the same for every address."""
    return actions_sessions.ask_password_reset(call, body)


@routes.post("/password-resets/confirmation", body=PasswordConfirmation, who=PUBLIC, status=204)
def confirm_password_reset(call: Call, body: PasswordConfirmation) -> None:
    """Set a new password with the mailed code."""
    actions_sessions.confirm_password_reset(call, body, identity.token_time())
    identity.forget_member()
    identity.let_second_pass()


@routes.post("/token", body=TokenRequest, returns=TokenView, who=PUBLIC, content_types=(FORM, "application/json"))
def issue_token(call: Call, body: TokenRequest) -> TokenView:
    """A one-hour token for a machine user: OAuth 2.0 client credentials, as a form or JSON."""
    client_id, secret = identity.basic_credentials(routes.current_request.headers) or (
        body.client_id,
        body.client_secret,
    )
    machine = actions_sessions.authenticate_machine(call, client_id, secret)
    return TokenView(access_token=machine_token(machine), expires_in=identity.TOKEN_SECONDS)


def machine_token(machine: MachineUser) -> str:
    """A token for the machine user, as good as the secret it came with."""
    return identity.machine_token(machine.id, machine.secrets[0].id)
