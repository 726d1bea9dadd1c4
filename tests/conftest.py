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
os.environ.setdefault("HEADROOM_USER_POOL_ID", "eu-west-2_testing")
os.environ.setdefault("HEADROOM_USER_POOL_CLIENT_ID", "testing")

# The settings above are read when these are imported.
from chalicelib.files.sealed import may_open_files  # noqa: E402
from tests.embedded import account, calm, cloud, embedded, patient, running_market, stopped_market  # noqa: E402, F401
from tests.lighter_moto import lighten  # noqa: E402
from tests.tables import fill_state, ready_clients  # noqa: E402

may_open_files()
lighten()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests begin first: none is left to the end (under xdist by `--no-loadscope-reorder`)."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def market() -> Iterator[None]:
    """Every table, bucket, queue and the bus, empty, in memory."""
    from moto import mock_aws

    from chalicelib.storage.queues import forget_queues
    from chalicelib.storage.sealing import forget_data_keys

    with mock_aws():
        ready_clients()
        forget_queues()
        forget_data_keys()
        fill_state()
        yield
