"""Owns the `Call`: who asks, at what instant, and the ids given out while answering. Made only at the edge."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Literal

from chalicelib.kernel.errors import Forbidden, NotFound, Unauthorised

OrganisationKind = Literal["fsp", "so", "market_operator"]
ActorKind = Literal["person", "machine", "system", "anonymous"]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
ROLES = frozenset({"account", "procurement", "bidding", "confirm", "dispatch", "settlement", "read"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `organisation` is None only for the system and for anonymous callers.

    One who `needs_authenticator` may set it up and do nothing else.
    """

    kind: ActorKind
    id: str
    organisation: str | None = None
    organisation_kind: OrganisationKind | None = None
    roles: frozenset[str] = frozenset()
    needs_authenticator: bool = False


ANONYMOUS = Actor("anonymous", "anonymous")
SYSTEM = Actor("system", "system")


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's `Idempotency-Key` with the hash of what it asked; one business act per (caller, key)."""

    key: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Call:
    """The first argument of every action: nothing below the edge reads a clock or draws an id by itself."""

    actor: Actor
    now: datetime
    new_id: Callable[[str], str]
    request_id: str
    idempotency: Idempotency | None = field(default=None)

    @property
    def organisation(self) -> str:
        """The caller's organisation id; raises `Unauthorised` when nobody is signed in."""
        if self.actor.organisation is None:
            raise Unauthorised("identity.none", "Sign in first.")
        return self.actor.organisation

    def check_role(self, *roles: str) -> None:
        """Raise `Forbidden` unless the actor has one of the roles; the system may do everything."""
        if self.actor.kind == "system" or self.actor.roles & set(roles):
            return
        wanted = " or ".join(roles)
        raise Forbidden("identity.role", f"This needs the role {wanted}; an account person can give it to you.")

    def check_owner(self, organisation: str, thing: str) -> None:
        """Raise `NotFound` when the thing is another organisation's: not found, never forbidden."""
        if self.actor.kind != "system" and self.actor.organisation != organisation:
            raise NotFound(f"{thing}.not_found", f"There is no such {thing}.")

    def without_key(self) -> Call:
        """The same call as one step of a larger act, which alone claims the `Idempotency-Key`."""
        return replace(self, idempotency=None)

    def as_system(self) -> Call:
        """The same instant and request, acting for the market itself on behalf of nobody."""
        return replace(self, actor=SYSTEM, idempotency=None)


def derived_id(prefix: str, *parts: str) -> str:
    """An id that is the same for the same parts: for what is made in reaction to a fact, however often it is heard."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:26]
    return f"{prefix}_{digest}"


def ordered_ids(at: datetime, *cause: str) -> Callable[[str], str]:
    """A `new_id` whose ids sort by time and are the same, in the same order, for the same instant and cause."""
    numbers = count()

    def new_id(prefix: str) -> str:
        text = "\x1f".join([*cause, str(next(numbers))])
        digest = hashlib.sha256(text.encode()).digest()
        return timed_id(prefix, at, int.from_bytes(digest[:10], "big"))

    return new_id


def timed_id(prefix: str, at: datetime, low: int) -> str:
    """`prefix_` and 26 characters of Crockford's base 32: 48 bits of milliseconds, then the 80 bits of `low`."""
    number = (int(at.timestamp() * 1000) << 80) | low
    return f"{prefix}_" + "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(26)))
