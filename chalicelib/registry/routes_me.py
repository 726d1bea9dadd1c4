"""Endpoints of the person who is signed in: their profile, preferences and authenticator."""

from __future__ import annotations

from chalicelib.edge import identity
from chalicelib.edge.web import Routes, member
from chalicelib.kernel.call import Call
from chalicelib.registry import actions_people
from chalicelib.registry.models import Preferences
from chalicelib.registry.requests import AuthenticatorRemoval, AuthenticatorView, CodeRequest, MeChange, MeView

routes = Routes(__name__)


@routes.get("/me", returns=MeView, who=member("read"), before_authenticator=True)
def get_me(call: Call) -> MeView:
    """Who is signed in, in which organisation, with which roles."""
    return actions_people.get_me(call)


@routes.patch("/me", body=MeChange, returns=MeView, who=member("read"), if_match=True)
def change_me(call: Call, body: MeChange, if_match: int) -> MeView:
    """Change my name."""
    return actions_people.change_me(call, body, if_match)


@routes.get("/me/preferences", returns=Preferences, who=member("read"))
def get_preferences(call: Call) -> Preferences:
    """What I chose for myself."""
    return actions_people.get_preferences(call)


@routes.patch("/me/preferences", body=Preferences, returns=Preferences, who=member("read"))
def change_preferences(call: Call, body: Preferences) -> Preferences:
    """Choose mails, language and page length."""
    return actions_people.change_preferences(call, body)


@routes.put("/me/authenticator", returns=AuthenticatorView, who=member("read"), before_authenticator=True)
def begin_authenticator(call: Call) -> AuthenticatorView:
    """A new secret for an authenticator app; it counts once confirmed."""
    token = identity.bearer_token(routes.current_request.headers)
    return actions_people.begin_authenticator(call, str(token))


@routes.put(
    "/me/authenticator/verification",
    body=CodeRequest,
    status=204,
    who=member("read"),
    before_authenticator=True,
)
def confirm_authenticator(call: Call, body: CodeRequest) -> None:
    """Confirm the authenticator: from now on signing in asks for its code."""
    token = identity.bearer_token(routes.current_request.headers)
    actions_people.confirm_authenticator(call, str(token), body.code)
    identity.forget_member()


@routes.delete("/me/authenticator", body=AuthenticatorRemoval, status=204, who=member("read"))
def remove_authenticator(call: Call, body: AuthenticatorRemoval) -> None:
    """Sign in with the password alone again; takes the password and the authenticator's present code."""
    actions_people.remove_authenticator(call, body)
    identity.forget_member()
