"""Owns logging and metrics: structured, with ids only, never prices, meter ids, addresses or tokens."""

from __future__ import annotations

from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from chalicelib.edge.scrubbing import ScrubbingFormatter
from chalicelib.storage import settings

SERVICE = "headroom"


@cache
def logger() -> Logger:
    return Logger(service=SERVICE, logger_formatter=ScrubbingFormatter())


@cache
def metrics() -> Metrics:
    made = Metrics(namespace=SERVICE, service=SERVICE)
    made.set_default_dimensions(stage=settings.stage())
    return made


def count(name: str, value: float = 1) -> None:
    """Count something in the market's metrics: a line of the log at once, which CloudWatch reads as a metric.

    A new name needs its alarm in `infrastructure/observability.py`, or nobody hears of it.
    """
    metrics().add_metric(name=name, unit=MetricUnit.Count, value=value)
    metrics().flush_metrics()
    metrics().clear_metrics()  # where metrics are turned off, flushing leaves them
