"""A market with a login directory, for the registry's actions and for its clients."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import moto.cognitoidp
import pytest
from chalice.test import Client

import app
from chalicelib.edge import identity
from chalicelib.registry import actions
from tests.builders.registry import given_pool

_KEYS = Path(moto.cognitoidp.__file__).parent / "resources" / "jwks-public.json.gz"


@pytest.fixture
def directory(market: None) -> None:
    """The market's tables, and a user pool in memory."""
    given_pool()


@pytest.fixture
def client(directory: None) -> Iterator[Client]:
    identity.use_members(actions.member_of, actions.standing_of)
    identity.use_jwks(lambda: json.loads(gzip.decompress(_KEYS.read_bytes())))
    with Client(app.app) as opened:
        yield opened
    identity.use_jwks(identity.fetch_jwks)
