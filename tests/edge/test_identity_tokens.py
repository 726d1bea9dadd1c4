"""Who a token makes its bearer: only what the pool or we signed, for us, as an access token, and still in date."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm

from chalicelib.edge import identity
from chalicelib.kernel.errors import Unauthorised
from chalicelib.storage import keys, settings
from chalicelib.storage.identity import pool_issuer

POOL_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CONTEXT = {"requestTimeEpoch": 1_775_034_000_000, "requestId": "req_1"}


@dataclass(frozen=True)
class Somebody:
    id: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Somewhere:
    id: str
    kind: str


MEMBERS = {
    "sub_ann": (Somebody("per_ann", frozenset({"read"})), Somewhere("org_1", "fsp")),
    "mac_1": (Somebody("mac_1", frozenset({"bidding"})), Somewhere("org_1", "fsp")),
}


def jwks() -> dict[str, Any]:
    public = json.loads(RSAAlgorithm.to_jwk(POOL_KEY.public_key()))
    return {"keys": [public | {"kid": "pool-1", "alg": "RS256", "use": "sig"}]}


@pytest.fixture(autouse=True)
def _known(market: None) -> Iterator[None]:
    identity.use_members(MEMBERS.get)
    identity.use_jwks(jwks)
    yield
    from chalicelib.registry.actions import member_of

    identity.use_members(member_of)


def claims(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    good = {
        "iss": pool_issuer(),
        "sub": "sub_ann",
        "client_id": settings.user_pool_client_id(),
        "token_use": "access",
        "iat": now,
        "exp": now + timedelta(hours=1),
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def pool_token(key: Any = POOL_KEY, algorithm: str = "RS256", kid: str = "pool-1", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers={"kid": kid})


def own_token(**changes: Any) -> str:
    now = datetime.now(UTC)
    good = {"iss": keys.own_issuer(), "aud": "headroom", "sub": "mac_1", "token_use": "machine"}
    body = good | {"iat": now, "exp": now + timedelta(hours=1)} | changes
    wanted = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(wanted, keys.signing_key().private_pem, algorithm="ES256")


def actor_of(token: str):
    return identity.call_from_request({"Authorization": f"Bearer {token}"}, CONTEXT, None).actor


def test_a_persons_access_token_makes_them_a_member_with_their_roles() -> None:
    actor = actor_of(pool_token())
    assert (actor.kind, actor.id, actor.organisation, actor.organisation_kind) == ("person", "per_ann", "org_1", "fsp")
    assert actor.roles == {"read"}


def test_a_machine_users_token_makes_it_a_member_with_its_roles() -> None:
    actor = actor_of(identity.machine_token("mac_1"))
    assert (actor.kind, actor.id, actor.roles) == ("machine", "mac_1", frozenset({"bidding"}))


def test_a_machine_users_token_lives_one_hour() -> None:
    token = jwt.decode(identity.machine_token("mac_1"), options={"verify_signature": False})
    assert token["exp"] - token["iat"] == 3600


def test_without_a_token_nobody_is_asking() -> None:
    for headers in ({}, {"authorization": "Basic YTpi"}):
        assert identity.call_from_request(headers, CONTEXT, None).actor.kind == "anonymous"


PAST = datetime.now(UTC) - timedelta(minutes=10)
HOSTILE = {
    "another pool": {"iss": "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_another"},
    "no issuer": {"iss": None},
    "another client": {"client_id": "another"},
    "no client": {"client_id": None},
    "an id token": {"token_use": "id", "aud": "testing"},
    "a refresh token": {"token_use": "refresh"},
    "no use": {"token_use": None},
    "no expiry": {"exp": None},
    "no subject": {"sub": None},
    "not yet": {"iat": datetime.now(UTC) + timedelta(hours=2), "nbf": datetime.now(UTC) + timedelta(hours=2)},
    "a person posing as a machine": {"iss": "headroom-test", "aud": "headroom", "token_use": "machine", "sub": "mac_1"},
}


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE)
def test_a_token_of_the_pool_that_is_not_an_access_token_for_us_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthorised) as refusal:
        actor_of(pool_token(**changes))
    assert refusal.value.code == "identity.token"


def test_an_expired_token_is_refused_as_expired() -> None:
    for token in (pool_token(exp=PAST), own_token(exp=PAST)):
        with pytest.raises(Unauthorised) as refusal:
            actor_of(token)
        assert refusal.value.code == "identity.expired"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": None},
        {"token_use": "access"},
        {"exp": None},
        {"sub": None},
        {"iss": "headroom-prod"},
    ],
)
def test_a_token_of_ours_with_other_claims_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthorised):
        actor_of(own_token(**changes))


def test_a_token_signed_by_another_key_is_refused() -> None:
    with pytest.raises(Unauthorised):
        actor_of(pool_token(OTHER_KEY))
    forged = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    body = {"iss": keys.own_issuer(), "aud": "headroom", "sub": "mac_1", "token_use": "machine", "iat": now}
    with pytest.raises(Unauthorised):
        actor_of(jwt.encode(body | {"exp": now + timedelta(hours=1)}, forged, algorithm="ES256"))


def test_an_unsigned_token_is_refused() -> None:
    unsigned = jwt.encode(claims(), None, algorithm="none", headers={"kid": "pool-1"})
    with pytest.raises(Unauthorised):
        actor_of(unsigned)


def test_a_public_key_is_not_taken_for_a_shared_secret() -> None:
    """The old trick: HS256 with the public key as its secret."""
    public = POOL_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    _, body, _ = pool_token().split(".")
    head = unpadded(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "pool-1"}).encode())
    signature = hmac.new(public, f"{head}.{body}".encode(), hashlib.sha256).digest()
    with pytest.raises(Unauthorised):
        actor_of(f"{head}.{body}.{unpadded(signature)}")


def test_a_changed_payload_is_refused() -> None:
    head, body, signature = pool_token().split(".")
    payload = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    changed = unpadded(json.dumps(payload | {"sub": "mac_1"}).encode())
    with pytest.raises(Unauthorised):
        actor_of(f"{head}.{changed}.{signature}")


@pytest.mark.parametrize("rubbish", ["x", "a.b.c", "..", "eyJhbGciOiJSUzI1NiJ9.e30.", "é" * 5, ""])
def test_rubbish_is_refused(rubbish: str) -> None:
    with pytest.raises(Unauthorised):
        actor_of(rubbish)


def test_a_member_who_left_is_refused_whatever_the_token_says() -> None:
    with pytest.raises(Unauthorised) as refusal:
        actor_of(pool_token(sub="sub_gone"))
    assert refusal.value.code == "identity.unknown"


def test_a_member_is_remembered_for_a_while_and_forgotten_on_demand() -> None:
    asked: list[str] = []

    def members(subject: str):
        asked.append(subject)
        return MEMBERS.get(subject)

    identity.use_members(members)
    token = pool_token()
    actor_of(token)
    actor_of(token)
    assert asked == ["sub_ann"]
    identity.forget_member("sub_ann")
    actor_of(token)
    identity.forget_member()
    actor_of(token)
    assert asked == ["sub_ann"] * 3


def test_a_remembered_member_is_looked_up_anew_after_30_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(identity.time, "monotonic", lambda: clock[0])
    here = dict(MEMBERS)
    identity.use_members(here.get)
    identity.use_jwks(jwks)
    token = pool_token()
    actor_of(token)
    del here["sub_ann"]
    clock[0] += 29
    assert actor_of(token).id == "per_ann"
    clock[0] += 2
    with pytest.raises(Unauthorised):
        actor_of(token)


def test_unknown_key_ids_do_not_make_us_ask_the_pool_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, fetched = [1000.0], []
    monkeypatch.setattr(identity.time, "monotonic", lambda: clock[0])

    def counted() -> dict[str, Any]:
        fetched.append(clock[0])
        return jwks()

    identity.use_jwks(counted)
    for number in range(50):
        with pytest.raises(Unauthorised):
            actor_of(pool_token(kid=f"made-up-{number}"))
    assert len(fetched) == 1
    assert actor_of(pool_token()).id == "per_ann"
    clock[0] += 31
    with pytest.raises(Unauthorised):
        actor_of(pool_token(kid="made-up"))
    assert len(fetched) == 2


def test_a_key_the_pool_has_since_is_found_after_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(identity.time, "monotonic", lambda: clock[0])
    known = {"keys": []}
    identity.use_jwks(lambda: known)
    with pytest.raises(Unauthorised):
        actor_of(pool_token())
    known["keys"] = jwks()["keys"]
    clock[0] += 31
    assert actor_of(pool_token()).id == "per_ann"


def test_nobody_is_let_in_before_the_members_are_known() -> None:
    identity.use_members(None)
    with pytest.raises(RuntimeError, match="use_members"):
        actor_of(pool_token())


def test_basic_credentials_are_read_as_oauth_writes_them() -> None:
    given = base64.b64encode(b"mac_1:a%2Fb%2Bc").decode()
    assert identity.basic_credentials({"AUTHORIZATION": f"Basic {given}"}) == ("mac_1", "a/b+c")
    assert identity.basic_credentials({}) is None
    assert identity.basic_credentials({"Authorization": "Bearer x"}) is None
    with pytest.raises(Unauthorised):
        identity.basic_credentials({"Authorization": "Basic !!"})


def unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
