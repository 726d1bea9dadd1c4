"""Owns the AWS clients: one per service and process, thread-safe, made on first use."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.storage import settings

# Requests are built by this package alone and covered by its tests; validating each again costs a third of a call.
_CONFIG = Config(
    parameter_validation=False,
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=3,
    read_timeout=20,
    max_pool_connections=50,
)
_S3_CONFIG = _CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "path"}))


_making = threading.Lock()


def client(service: str) -> Any:
    """The client of an AWS service ("dynamodb", "s3", "sqs", "events", …) at the deployment's region and address."""
    # Clients may be shared between threads; making one may not be done by two at once.
    with _making:
        return _made(service)


@cache
def _made(service: str) -> Any:
    config = _S3_CONFIG if service == "s3" else _CONFIG
    return boto3.client(service, region_name=settings.region(), endpoint_url=settings.endpoint_url(), config=config)


def forget_clients() -> None:
    """Drop every client, so that the next use reads addresses and credentials anew."""
    _made.cache_clear()
    boto3.setup_default_session()
