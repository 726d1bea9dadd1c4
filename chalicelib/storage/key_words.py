"""Owns the words between a function that needs keys and the one that keeps them: small, versioned, never stored.

An ask goes through one door:

| door | who | gets |
|---|---|---|
| own | an FSP's own people with the role `bidding` | the key of its ballots, of each competition named |
| opened | the competition's operator or the market itself | the keys of all its ballots, once opened on record |
| proposals | the same, at the same time | the key of what is proposed about them |
| count | the same, from close on | how many bids there are, and no key |
| file | the owner's people with the file's role; the market itself while the file is read or made | the file's key |

`now` is the asker's instant; the keeper judges by its own clock too, and by the earlier of both.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field, SecretStr, field_serializer, model_validator

from chalicelib.kernel.call import Actor, ActorKind, Call, OrganisationKind
from chalicelib.kernel.errors import Forbidden, NotFound, Refusal, Refused, Stale, Unauthorised
from chalicelib.kernel.models import Instant, Value
from chalicelib.storage.sealing_cipher import OwnerKey, Scope

KEEPER = "keep-keys"
MOST_AT_ONCE = 100
Door = Literal["own", "opened", "proposals", "count", "file"]
_REFUSALS: dict[str, type[Refusal]] = {
    each.__name__: each for each in (Forbidden, NotFound, Refused, Stale, Unauthorised)
}


class _Word(Value):
    """What is wrong with one is told without it: faults are logged."""

    model_config = ConfigDict(hide_input_in_errors=True)


class Asker(_Word):
    """Who asks, as the asking function knows it."""

    kind: ActorKind
    id: str
    organisation: str | None = None
    organisation_kind: OrganisationKind | None = None
    roles: frozenset[str] = frozenset()

    @model_validator(mode="after")
    def _market_has_no_organisation(self) -> Asker:
        if self.organisation is not None and self.kind in ("system", "anonymous"):
            raise ValueError("the market itself, or nobody, acts for no organisation")
        return self

    @property
    def actor(self) -> Actor:
        return Actor(self.kind, self.id, self.organisation, self.organisation_kind, self.roles)


class Asked(_Word):
    """An ask. `ids` are competitions, or one file; `owner` whose key it is, where the door is for one owner's."""

    version: Literal[1] = 1
    door: Door
    ids: tuple[str, ...] = Field(min_length=1, max_length=MOST_AT_ONCE)
    owner: str | None = None
    make: bool = Field(default=False, description="make the data key where there is none yet: to seal with")
    asker: Asker
    now: Instant
    request_id: str

    def judged_at(self, clock: datetime) -> datetime:
        """The instant to judge by: an asker's clock that runs ahead opens nothing."""
        return min(self.now, clock)


class KeyTold(_Word):
    """An owner's key on its way. It shows itself only where it is written as JSON, for the one who asked."""

    id: str
    owner: str
    secret: SecretStr

    @classmethod
    def of(cls, scope: Scope, key: OwnerKey) -> KeyTold:
        return cls(id=scope.id, owner=key.owner, secret=SecretStr(base64.b64encode(key.secret).decode()))

    def key(self, scope: Scope) -> OwnerKey:
        return OwnerKey(scope, self.owner, base64.b64decode(self.secret.get_secret_value()))

    @field_serializer("secret", when_used="json")
    def _reveal(self, secret: SecretStr) -> str:
        return secret.get_secret_value()


class RefusalTold(_Word):
    """A refusal as it passes from function to function: the same to the user as if it had been raised where it came."""

    kind: str
    code: str
    detail: str
    retry_after: int | None = None

    @classmethod
    def of(cls, refusal: Refusal) -> RefusalTold:
        return cls(
            kind=type(refusal).__name__, code=refusal.code, detail=refusal.detail, retry_after=refusal.retry_after
        )

    def refusal(self) -> Refusal:
        return _REFUSALS[self.kind](self.code, self.detail, retry_after=self.retry_after)


class Answered(_Word):
    """An answer: keys, or a number, or why not."""

    version: Literal[1] = 1
    keys: tuple[KeyTold, ...] = ()
    number: int | None = None
    refusal: RefusalTold | None = None


def ask_of(call: Call, door: Door, ids: tuple[str, ...], owner: str | None = None, make: bool = False) -> Asked:
    """An ask in a call's name."""
    actor = call.actor
    asker = Asker(
        kind=actor.kind,
        id=actor.id,
        organisation=actor.organisation,
        organisation_kind=actor.organisation_kind,
        roles=actor.roles,
    )
    return Asked(door=door, ids=ids, owner=owner, make=make, asker=asker, now=call.now, request_id=call.request_id)
