"""Cognito as the embedded AWS has it: sign-in, refresh, the authenticator, and its tokens taken by the edge."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from chalicelib.edge import identity
from chalicelib.kernel.errors import Invalid, Unauthorised
from chalicelib.storage import identity as directory
from chalicelib.storage import keys
from local.cloud.launch import RunningCloud

pytestmark = pytest.mark.flow
EMAIL, PASSWORD = "ann@flex.example", "correct horse battery"


@dataclass(frozen=True)
class Somebody:
    id: str
    roles: frozenset[str]
    kind: str = "fsp"


@pytest.fixture
def subject(embedded: str) -> Iterator[str]:
    identity.use_jwks(identity.fetch_jwks)
    identity.use_members(lambda found: (Somebody(found, frozenset({"read"})), Somebody("org_1", frozenset())))
    yield directory.create_login(EMAIL, PASSWORD)
    from chalicelib.registry.actions import member_of

    identity.use_members(member_of)


def test_the_pools_own_access_token_is_taken_and_its_id_token_is_not(subject: str) -> None:
    tokens = directory.sign_in(EMAIL, PASSWORD)
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    assert identity.call_from_request(headers, {}, None).actor.id == subject == tokens.subject
    refreshed = directory.refresh(str(tokens.refresh_token))
    assert refreshed.subject == subject
    with pytest.raises(Unauthorised):
        identity.call_from_request({"Authorization": f"Bearer {tokens.refresh_token}"}, {}, None)


def test_an_address_has_one_login(subject: str) -> None:
    with pytest.raises(directory.LoginExists):
        directory.create_login(EMAIL, PASSWORD)
    assert directory.find_login(EMAIL) == directory.Login(subject, True)
    assert directory.find_login("nobody@flex.example") is None


def test_a_password_of_eleven_characters_is_refused_by_the_pool_too(subject: str) -> None:
    with pytest.raises(Invalid):
        directory.create_login("bo@flex.example", "a" * 11)
    with pytest.raises(Invalid):
        directory.set_password(subject, "a" * 11)


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "wrong password"), ("nobody@flex.example", PASSWORD)])
def test_signing_in_is_refused_in_the_same_words(subject: str, email: str, password: str) -> None:
    with pytest.raises(Unauthorised) as refusal:
        directory.sign_in(email, password)
    assert refusal.value.code == "session.refused"


def test_a_disabled_login_signs_in_no_more_until_enabled(subject: str) -> None:
    directory.disable_login(subject)
    with pytest.raises(Unauthorised):
        directory.sign_in(EMAIL, PASSWORD)
    directory.enable_login(subject)
    assert directory.sign_in(EMAIL, PASSWORD).subject == subject


def test_a_made_up_refresh_token_is_refused(subject: str) -> None:
    with pytest.raises(Unauthorised) as refusal:
        directory.refresh("made-up")
    assert refusal.value.code == "session.ended"


def test_an_authenticator_once_confirmed_is_asked_for_at_each_sign_in(
    cloud: RunningCloud, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Calls that carry an access token are unsigned, and the emulator takes those to its first account.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "000000000000")
    pool_id, client_id = directory.create_pool(f"authenticators-{account}")
    monkeypatch.setenv("HEADROOM_USER_POOL_ID", pool_id)
    monkeypatch.setenv("HEADROOM_USER_POOL_CLIENT_ID", client_id)
    subject = directory.create_login(EMAIL, PASSWORD)
    access_token = directory.sign_in(EMAIL, PASSWORD).access_token
    secret = directory.begin_authenticator(access_token)
    with pytest.raises(Invalid):
        directory.confirm_authenticator(access_token, "000000" if figures(secret) != "000000" else "111111")
    directory.confirm_authenticator(access_token, figures(secret))
    with pytest.raises(directory.CodeWanted):
        directory.sign_in(EMAIL, PASSWORD)
    with pytest.raises(Unauthorised):
        directory.sign_in(EMAIL, PASSWORD, "000000" if figures(secret) != "000000" else "111111")
    assert directory.sign_in(EMAIL, PASSWORD, figures(secret)).subject == subject
    directory.remove_authenticator(subject)
    assert directory.sign_in(EMAIL, PASSWORD).subject == subject


def test_keys_are_made_once_and_read_ever_after(embedded: str) -> None:
    first, code = keys.signing_key(), keys.code_for("registration", "reg_1", "1")
    keys.forget_keys()
    assert keys.signing_key() == first
    assert keys.code_for("registration", "reg_1", "1") == code
    assert keys.code_for("registration", "reg_1", "2") != code


def figures(secret: str) -> str:
    """What an authenticator app shows now (RFC 6238)."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"
