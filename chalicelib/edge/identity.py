"""Owns who is asking and when: verifies tokens, makes the `Call`; the only source of clocks and ids."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Protocol
from urllib.parse import unquote
from urllib.request import urlopen

import jwt
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from chalicelib.edge.clock import market_clock
from chalicelib.kernel.call import ANONYMOUS, SYSTEM, Actor, ActorKind, Call, Idempotency, OrganisationKind
from chalicelib.kernel.errors import Unauthorised
from chalicelib.storage import identity as directory
from chalicelib.storage import keys, settings

MEMBER_SECONDS = 30
JWKS_SECONDS = 3600
JWKS_PAUSE_SECONDS = 30
TOKEN_SECONDS = 3600
_LEEWAY_SECONDS = 5
_AUDIENCE = "headroom"
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Member(Protocol):
    """A person or machine user, as the registry tells of one."""

    @property
    def id(self) -> str: ...
    @property
    def roles(self) -> frozenset[str]: ...


class Home(Protocol):
    """The organisation somebody belongs to."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> OrganisationKind: ...


class Standing(Protocol):
    """What a subject's tokens are worth, as the registry tells."""

    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def secrets(self) -> frozenset[str] | None: ...
    @property
    def authenticator_wanted(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that holds says: whose it is, since when, and of a machine user by which secret."""

    subject: str
    kind: ActorKind
    issued_at: int
    secret: str | None = None


Members = Callable[[str], "tuple[Member, Home] | None"]
Standings = Callable[[str], Standing]
Jwks = Callable[[], dict[str, Any]]


Known = tuple[Actor, "Standing | None"]


class _Memory:
    """Members lately looked up, each for `MEMBER_SECONDS`: a deactivated one does not wait for an hour's token."""

    def __init__(self) -> None:
        self.members: Members | None = None
        self.standings: Standings | None = None
        self._kept: dict[str, tuple[float, Known]] = {}

    def find(self, subject: str, kind: ActorKind) -> Known | None:
        kept = self._kept.get(subject)
        if kept and kept[0] > time.monotonic():
            return kept[1]
        known = self._read(subject, kind)
        self._kept.pop(subject, None)
        if known is not None:
            self._make_room()
            self._kept[subject] = (time.monotonic() + MEMBER_SECONDS, known)
        return known

    def forget(self, subject: str | None = None) -> None:
        if subject is None:
            self._kept.clear()
        else:
            self._kept.pop(subject, None)

    def _read(self, subject: str, kind: ActorKind) -> Known | None:
        if self.members is None:
            raise RuntimeError("app.py must say who knows the members: use_members(registry.actions.member_of)")
        found = self.members(subject)
        if found is None:
            return None
        member, home = found
        standing = self.standings(subject) if self.standings else None
        barred = standing is not None and standing.authenticator_wanted
        return Actor(kind, member.id, home.id, home.kind, frozenset(member.roles), barred), standing

    def _make_room(self) -> None:
        if len(self._kept) >= 10_000:
            self._kept.clear()


class _PoolKeys:
    """The user pool's public keys; a key id nobody knows makes it ask again, but never more often than the pause."""

    def __init__(self, fetch: Jwks) -> None:
        self.fetch = fetch
        self._keys: dict[str, PyJWK] = {}
        self._asked: float | None = None
        self._lock = threading.Lock()

    def find(self, key_id: str) -> PyJWK | None:
        if self._age() > JWKS_SECONDS or (key_id not in self._keys and self._age() > JWKS_PAUSE_SECONDS):
            self._refresh()
        return self._keys.get(key_id)

    def _age(self) -> float:
        return float("inf") if self._asked is None else time.monotonic() - self._asked

    def _refresh(self) -> None:
        with self._lock:
            if self._age() <= JWKS_PAUSE_SECONDS:
                return
            found = {key["kid"]: PyJWK(key, algorithm="RS256") for key in self.fetch()["keys"] if key["kty"] == "RSA"}
            self._keys, self._asked = found, time.monotonic()


def fetch_jwks() -> dict[str, Any]:
    """The user pool's public key set, from where the pool serves it."""
    with urlopen(directory.jwks_address(), timeout=3) as answer:  # nosec B310  (an address of ours, never a caller's)
        found: dict[str, Any] = json.load(answer)
    return found


_memory = _Memory()
_pool_keys = _PoolKeys(fetch_jwks)


def use_members(members: Members, standings: Standings | None = None) -> None:
    """Say how a token's subject becomes a member and organisation, and what its tokens are worth.

    `app.py` does, since the registry lies above us.
    """
    _memory.members, _memory.standings = members, standings
    _memory.forget()


def use_jwks(fetch: Jwks) -> None:
    """Say where the user pool's key set comes from, and forget the keys known so far."""
    global _pool_keys
    _pool_keys = _PoolKeys(fetch)


def forget_member(subject: str | None = None) -> None:
    """Look a subject up anew at its next request (everybody without one): after roles changed or somebody left."""
    _memory.forget(subject)


def call_from_request(headers: Mapping[str, str], context: Mapping[str, Any], idempotency: Idempotency | None) -> Call:
    """The call of an HTTP request: who from the bearer token, when from the gateway's request time.

    Nobody at all is `ANONYMOUS`; `Unauthorised` when a token was sent that does not hold.
    """
    now = _request_time(context)
    token = bearer_token(headers)
    actor = _actor(token) if token is not None else ANONYMOUS
    return Call(actor, now, _drawn_ids(now), str(context.get("requestId", "unknown")), idempotency)


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """The token of an `Authorization: Bearer` header, None without one."""
    scheme, _, token = _authorization(headers).partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def basic_credentials(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """The client id and secret of an `Authorization: Basic` header (RFC 6749, 2.3.1), None without one."""
    scheme, _, given = _authorization(headers).partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(given.strip(), validate=True).decode().partition(":")
    except ValueError as error:
        raise Unauthorised("identity.scheme", "The Authorization header could not be read.") from error
    return unquote(name), unquote(secret)


def _authorization(headers: Mapping[str, str]) -> str:
    return next((text.strip() for name, text in headers.items() if name.lower() == "authorization"), "")


def reaction_call(at: datetime, cause_id: str, request_id: str | None = None) -> Call:
    """The call of a function that reacts to a fact: the fact's instant, and ids drawn from its cause.

    `cause_id` names the function and the fact; hearing the fact again makes the same ids in the same order.
    """
    return Call(SYSTEM, at, _derived_ids(at, cause_id), request_id or cause_id)


def tick_call(at: datetime) -> Call:
    """The call of a schedule: its own time, never the clock's."""
    return Call(SYSTEM, at, _drawn_ids(at), f"tick-{at:%Y%m%dT%H%M%SZ}")


def asked_call(request_id: str) -> Call:
    """The call of a function that another one asks: at its own clock's time, whatever the asker says of the hour."""
    now = market_clock()
    return Call(SYSTEM, now, _drawn_ids(now), request_id)


def start_call() -> Call:
    """The call of somebody at the machine itself (first start, a script): the system's, at the clock's time."""
    now = datetime.now(UTC)
    return Call(SYSTEM, now, _drawn_ids(now), f"start-{now:%Y%m%dT%H%M%SZ}")


def token_time() -> datetime:
    """The instant tokens go by: the real clock's, wherever the market's own may stand."""
    return datetime.now(UTC)


def let_second_pass() -> None:
    """Wait for the next second. Tokens tell their instant in whole seconds: one issued after this is told apart."""
    time.sleep(1 - time.time() % 1)


def machine_token(machine_id: str, secret_id: str | None = None) -> str:
    """An access token of our own for a machine user, good for `TOKEN_SECONDS` by the real clock and as long as the
    secret that it was given for.
    """
    now = datetime.now(UTC)
    claims = {
        "iss": keys.own_issuer(),
        "aud": _AUDIENCE,
        "sub": machine_id,
        "token_use": "machine",  # nosec B105  (a claim's name and value)
        "iat": now,
        "exp": now + timedelta(seconds=TOKEN_SECONDS),
        "jti": _encode(secrets.randbits(80), 16),
    }
    if secret_id is not None:
        claims["secret_id"] = secret_id
    pair = keys.signing_key()
    return jwt.encode(claims, pair.private_pem, algorithm="ES256", headers={"kid": pair.id})


def _actor(token: str) -> Actor:
    claims = _verified(token)
    known = _memory.find(claims.subject, claims.kind)
    if known is None:
        raise Unauthorised("identity.unknown", "This login is not, or no longer, a member of an organisation here.")
    actor, standing = known
    if standing is not None and not _is_good(claims, standing):
        raise Unauthorised("identity.ended", "The session was ended, or the secret revoked: sign in again.")
    return actor


def _is_good(claims: Claims, standing: Standing) -> bool:
    """Issued in a later second than the sessions were ended in, and for a secret that is live."""
    if standing.ended_at is not None and claims.issued_at <= int(standing.ended_at.timestamp()):
        return False
    return claims.secret is None or standing.secrets is None or claims.secret in standing.secrets


def _verified(token: str) -> Claims:
    """What a token says, if it holds."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        if issuer == keys.own_issuer():
            return _machine_claims(token)
        if issuer == directory.pool_issuer():
            return _person_claims(token)
    except jwt.ExpiredSignatureError as error:
        raise Unauthorised("identity.expired", "The access token has expired: refresh it or sign in again.") from error
    except PyJWTError as error:
        raise _does_not_hold() from error
    raise _does_not_hold()


def _person_claims(token: str) -> Claims:
    key = _pool_keys.find(str(jwt.get_unverified_header(token).get("kid")))
    if key is None:
        raise _does_not_hold()
    # Cognito's access tokens carry `client_id` in place of an audience.
    claims = jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        issuer=directory.pool_issuer(),
        leeway=_LEEWAY_SECONDS,
        options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
    )
    if claims.get("token_use") != "access" or claims.get("client_id") != settings.user_pool_client_id():
        raise _does_not_hold()
    return Claims(str(claims["sub"]), "person", int(claims["iat"]))


def _machine_claims(token: str) -> Claims:
    claims = jwt.decode(
        token,
        keys.signing_key().public_pem,
        algorithms=["ES256"],
        issuer=keys.own_issuer(),
        audience=_AUDIENCE,
        leeway=_LEEWAY_SECONDS,
        options={"require": ["exp", "iat", "iss", "sub", "aud"]},
    )
    if claims.get("token_use") != "machine":
        raise _does_not_hold()
    return Claims(str(claims["sub"]), "machine", int(claims["iat"]), claims.get("secret_id"))


def _does_not_hold() -> Unauthorised:
    return Unauthorised("identity.token", "The access token does not hold: sign in again.")


def _request_time(context: Mapping[str, Any]) -> datetime:
    """The gateway's request time; the clock where no gateway stood in front."""
    epoch = context.get("requestTimeEpoch")
    if epoch is None:
        return datetime.now(UTC)
    return datetime.fromtimestamp(int(epoch) / 1000, UTC)


def _drawn_ids(now: datetime) -> Callable[[str], str]:
    """Ids nobody can foresee that sort by time, also among those of one call."""
    drawn = [secrets.randbits(79)]

    def new_id(prefix: str) -> str:
        drawn[0] += 1 + secrets.randbits(32)
        return _id(prefix, now, drawn[0])

    return new_id


def _derived_ids(at: datetime, cause_id: str) -> Callable[[str], str]:
    numbers = count()

    def new_id(prefix: str) -> str:
        digest = hashlib.sha256(f"{cause_id}\x1f{next(numbers)}".encode()).digest()
        return _id(prefix, at, int.from_bytes(digest[:10], "big"))

    return new_id


def _id(prefix: str, at: datetime, low: int) -> str:
    """`prefix_` and 26 characters: 48 bits of milliseconds, then 80 bits, in Crockford's base 32."""
    milliseconds = int(at.timestamp() * 1000)
    return f"{prefix}_{_encode((milliseconds << 80) | low, 26)}"


def _encode(number: int, length: int) -> str:
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(length)))
