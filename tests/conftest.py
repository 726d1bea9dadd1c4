"""Fixtures every test may ask for: a market's tables and buckets in memory, empty for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Machines differ and are shared: how long an example takes says nothing about what it claims.
settings.register_profile("headroom", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("headroom")

os.environ.setdefault("HEADROOM_STAGE", "test")
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-2")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "headroom")
os.environ.setdefault("HEADROOM_RATE_LIMITS", "off")  # their own tests turn them on
os.environ.setdefault("HEADROOM_OPERATOR_AUTHENTICATOR", "off")  # likewise
os.environ.setdefault("HEADROOM_USER_POOL_ID", "eu-west-2_testing")
os.environ.setdefault("HEADROOM_USER_POOL_CLIENT_ID", "testing")

# The settings above are read when these are imported.
from chalicelib.files.sealed import may_open_files  # noqa: E402
from tests.builders.keeper import KEEPER, Keeper  # noqa: E402
from tests.embedded import (  # noqa: E402
    account,  # noqa: F401
    calm,  # noqa: F401
    calm_files,  # noqa: F401
    cloud,  # noqa: F401
    embedded,  # noqa: F401
    patient,  # noqa: F401
    running_market,  # noqa: F401
    stopped_market,  # noqa: F401
)
from tests.lighter_moto import lighten  # noqa: E402
from tests.tables import fill_state, ready_clients  # noqa: E402

may_open_files()
KEEPER.answer_here()
lighten()
WITH_A_MARKET = {"market", "small_market", "cloud", "running_market", "stopped_market", "calm"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests begin first, those of real data before all: none is left to the end.

    Under xdist by `--no-loadscope-reorder`.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    longest = {item.path for item in items if item.get_closest_marker("real_data")} & slow
    items.sort(key=lambda item: (item.path not in longest, item.path not in slow))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Branches are counted where rules are tested by themselves: whoever asks for a market runs at full speed."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    measuring = plugin.cov_controller if plugin else None
    at_full_speed = item.get_closest_marker("slow") or WITH_A_MARKET & set(getattr(item, "fixturenames", ()))
    if measuring is None or not measuring.started or not at_full_speed:
        return (yield)
    measuring.pause()
    try:
        return (yield)
    finally:
        measuring.resume()


@pytest.fixture
def keeper(market: None) -> Keeper:
    """The function that keeps keys, as this process runs it: how often it was asked, and its clock to be set."""
    return KEEPER


@pytest.fixture
def market() -> Iterator[None]:
    """Every table, bucket, queue and the bus, empty, in memory."""
    from moto import mock_aws

    from chalicelib.storage.queues import forget_queues
    from chalicelib.storage.sealing import forget_keys_held

    with mock_aws():
        ready_clients()
        forget_queues()
        forget_keys_held()
        KEEPER.forget()
        fill_state()
        yield
