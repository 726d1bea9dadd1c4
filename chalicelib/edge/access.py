"""Owns who may use an endpoint: the kinds of organisation and the roles it is open to."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.kernel.call import Actor
from chalicelib.kernel.errors import Forbidden, Unauthorised


@dataclass(frozen=True, slots=True)
class Who:
    """Openings (organisation kind, roles), any of which suffices; none at all means the endpoint is public."""

    openings: tuple[tuple[str, frozenset[str]], ...] = ()

    @property
    def is_public(self) -> bool:
        return not self.openings

    def check(self, actor: Actor) -> None:
        """`Unauthorised` for nobody, `Forbidden` for the wrong kind of organisation or a missing role."""
        if self.is_public:
            return
        if actor.organisation is None:
            raise Unauthorised("identity.none", "Sign in first.")
        kinds = [roles for kind, roles in self.openings if kind == actor.organisation_kind]
        if not kinds:
            wanted = " or ".join(sorted({kind for kind, _ in self.openings}))
            raise Forbidden("identity.kind", f"This is for a {wanted.replace('_', ' ')}.")
        if not any(_suffices(roles, actor.roles) for roles in kinds):
            wanted = " or ".join(sorted({role for roles in kinds for role in roles}))
            raise Forbidden("identity.role", f"This needs the role {wanted}; an account person can give it to you.")


PUBLIC = Who()
KINDS = ("fsp", "so", "market_operator")


def fsp(*roles: str) -> Who:
    return Who((("fsp", frozenset(roles)),))


def so(*roles: str) -> Who:
    return Who((("so", frozenset(roles)),))


def market_operator(*roles: str) -> Who:
    return Who((("market_operator", frozenset(roles)),))


def member(*roles: str) -> Who:
    """Anybody signed in with one of the roles, whatever their organisation."""
    return Who(tuple((kind, frozenset(roles)) for kind in KINDS))


def either(*doors: Who) -> Who:
    return Who(tuple(opening for door in doors for opening in door.openings))


def _suffices(wanted: frozenset[str], held: frozenset[str]) -> bool:
    """Any role lets its holder read."""
    return not wanted or bool(wanted & held) or ("read" in wanted and bool(held))
