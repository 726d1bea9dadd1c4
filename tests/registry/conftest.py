"""A market with a login directory, for the registry's actions."""

from __future__ import annotations

import pytest

from tests.builders.registry import given_pool


@pytest.fixture
def directory(market: None) -> None:
    """The market's tables, and a user pool in memory."""
    given_pool()
