"""Owns logging and metrics: structured, with ids only, never prices, meter ids, addresses or tokens."""

from __future__ import annotations

from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from chalicelib.edge.scrubbing import ScrubbingFormatter

SERVICE = "headroom"


@cache
def logger() -> Logger:
    return Logger(service=SERVICE, logger_formatter=ScrubbingFormatter())


@cache
def metrics() -> Metrics:
    return Metrics(namespace=SERVICE, service=SERVICE)


def count(name: str, value: float = 1) -> None:
    """Count something in the market's metrics; flushed by the entrance."""
    metrics().add_metric(name=name, unit=MetricUnit.Count, value=value)
