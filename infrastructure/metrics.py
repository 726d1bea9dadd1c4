"""Owns how the stacks name what CloudWatch measures of queues, functions, the API, the post and the market itself."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from chalicelib.storage import settings
from functions.wiring import Function
from infrastructure.stage import Stage

ONE_MINUTE = Duration.minutes(1)
FIVE_MINUTES = Duration.minutes(5)
_Metric = cloudwatch.Metric


def queue_metric(queue: str, name: str, statistic: str, period: Duration = FIVE_MINUTES) -> cloudwatch.Metric:
    where = {"QueueName": settings.queue_name(queue)}
    return _Metric(namespace="AWS/SQS", metric_name=name, dimensions_map=where, statistic=statistic, period=period)


def function_metric(
    function: Function, name: str, period: Duration = FIVE_MINUTES, statistic: str = "Sum"
) -> cloudwatch.Metric:
    where = {"FunctionName": settings.queue_name(function.name)}
    return _Metric(namespace="AWS/Lambda", metric_name=name, dimensions_map=where, statistic=statistic, period=period)


def api_metric(name: str, statistic: str, stage: Stage) -> cloudwatch.Metric:
    where = {"ApiName": f"headroom-{stage.name}"}
    return _Metric(
        namespace="AWS/ApiGateway", metric_name=name, dimensions_map=where, statistic=statistic, period=FIVE_MINUTES
    )


def own_metric(name: str, statistic: str, stage: Stage) -> cloudwatch.Metric:
    where = {"service": "headroom", "stage": stage.name}
    return _Metric(
        namespace="headroom", metric_name=name, dimensions_map=where, statistic=statistic, period=FIVE_MINUTES
    )


def ses_metric(name: str) -> cloudwatch.Metric:
    return _Metric(namespace="AWS/SES", metric_name=name, statistic="Average", period=Duration.hours(1))
