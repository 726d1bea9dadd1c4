"""A small market for the tests of the whole API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from moto.cognitoidp.exceptions import NotAuthorizedError
from moto.cognitoidp.models import CognitoIdpUserPool

from chalicelib.storage import keys
from chalicelib.storage.clients import forget_clients
from tests.builders.small_market import SmallMarket
from tests.tables import create_state


@pytest.fixture(scope="module")
def small_market() -> Iterator[SmallMarket]:
    """One small market in memory for all tests of a file."""
    with mock_aws(), pytest.MonkeyPatch.context() as patched:
        patched.setattr(CognitoIdpUserPool, "create_tokens_from_refresh_token", refused_when_unknown())
        forget_clients()
        create_state()
        yield SmallMarket()
    forget_clients()
    keys.forget_keys()


def refused_when_unknown() -> Any:
    """Cognito refuses a refresh token it does not know; moto, which stands in for it here, fails with a KeyError."""
    tokens_of = CognitoIdpUserPool.create_tokens_from_refresh_token

    def tokens(pool: CognitoIdpUserPool, refresh_token: str) -> Any:
        if refresh_token not in pool.refresh_tokens:
            raise NotAuthorizedError("Invalid Refresh Token")
        return tokens_of(pool, refresh_token)

    return tokens
