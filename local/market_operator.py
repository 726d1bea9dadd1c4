"""Owns the market operator's first person on this machine, made once as a deployment's script would."""

from __future__ import annotations

from chalicelib.edge import identity
from chalicelib.registry.actions_bootstrap import bootstrap_market_operator
from local.logins import Logins

WHO = "market operator"
EMAIL = "operator@headroom.example"
PASSWORD = "a long demonstration password"  # nobody but this machine can reach the market it opens


def make_market_operator(logins: Logins) -> None:
    """Make the market operator and its first person, unless they are there, and remember the login."""
    bootstrap_market_operator(identity.start_call(), EMAIL, PASSWORD)
    known = logins.read()
    if not any(login["who"] == WHO for login in known):
        logins.write([*known, {"who": WHO, "email": EMAIL, "password": PASSWORD}])
