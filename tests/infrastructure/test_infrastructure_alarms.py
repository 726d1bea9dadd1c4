"""Claims about being told: every alarm and the budget reach a person, and what an alarm watches is what it says."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from typing import Any

import pytest

from functions.wiring import FUNCTIONS, Queue, Stream
from tests.infrastructure.conftest import Templates

NAME = "headroom-prod-"
BY_NAME = {function.name: function for function in FUNCTIONS}
TO_ENCRYPT = {"kms:GenerateDataKey*", "kms:Decrypt"}
"""What SNS asks of the topic's key in the name of whoever publishes."""


def test_every_alarm_reaches_a_person(prod: Templates) -> None:
    """Alarm, topic, its policy, its key's policy and its subscription: each link by what the one before names."""
    alarms = prod.all("AWS::CloudWatch::Alarm")
    assert len(alarms) > len(FUNCTIONS)
    for alarm in alarms:
        [action] = alarm["AlarmActions"]
        allowed = _allowed(prod, action["Ref"], "cloudwatch.amazonaws.com")
        account, source = allowed["StringEquals"]["aws:SourceAccount"], _text(allowed["ArnLike"]["aws:SourceArn"])
        assert account == {"Ref": "AWS::AccountId"}
        assert fnmatch(f"arn:aws:cloudwatch:REGION:ACCOUNT:alarm:{alarm['AlarmName']}", source)
        assert _subscribers(prod, action["Ref"]) == {"operations@headroom.example"}


def test_the_budget_reaches_a_person(prod: Templates) -> None:
    [budget] = prod.all("AWS::Budgets::Budget")
    for notification in budget["NotificationsWithSubscribers"]:
        [subscriber] = notification["Subscribers"]
        topic = _exported(prod, subscriber["Address"]["Fn::ImportValue"])
        assert "StringEquals" in _allowed(prod, topic, "budgets.amazonaws.com")
        assert _subscribers(prod, topic) == {"operations@headroom.example"}


def test_nobody_else_may_speak_through_the_topic_of_alarms(prod: Templates) -> None:
    topic = prod.all("AWS::CloudWatch::Alarm")[0]["AlarmActions"][0]["Ref"]
    speakers = [statement["Principal"] for statement in _policy(prod, topic) if statement["Effect"] == "Allow"]
    services = [{"Service": f"{name}.amazonaws.com"} for name in ("budgets", "cloudwatch")]
    assert sorted(speakers, key=str) == services


def test_bounces_reach_a_person(prod: Templates) -> None:
    [destination] = prod.all("AWS::SES::ConfigurationSetEventDestination")
    topic = destination["EventDestination"]["SnsDestination"]["TopicARN"]["Ref"]
    allowed = _allowed(prod, topic, "ses.amazonaws.com")["StringEquals"]
    assert allowed["AWS:SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert "configuration-set" in json.dumps(allowed["AWS:SourceArn"])
    assert _subscribers(prod, topic) == {"operations@headroom.example"}


@pytest.mark.parametrize("name", [function.name for function in FUNCTIONS if isinstance(function.trigger, Stream)])
def test_a_stream_that_is_read_late_wakes_somebody(prod: Templates, name: str) -> None:
    alarm = _alarm(prod, f"{name}-behind")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "IteratorAge", "Maximum")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": NAME + name}]
    assert (alarm["Threshold"], alarm["Period"], alarm["EvaluationPeriods"]) == (120_000, 60, 2)


@pytest.mark.parametrize("name", ["fan-out-dispatch", "notify", "send-mail"])
def test_what_tells_of_an_instruction_is_late_after_two_minutes(prod: Templates, name: str) -> None:
    alarm = _alarm(prod, f"{name}-age")
    assert (alarm["Threshold"], alarm["Period"], alarm["EvaluationPeriods"]) == (120, 60, 2)


def test_a_message_that_is_put_off_on_purpose_is_not_old(prod: Templates) -> None:
    from chalicelib.dispatch.webhooks import BACK_OFF

    assert isinstance(BY_NAME["deliver-dispatch"].trigger, Queue)
    assert _alarm(prod, "deliver-dispatch-age")["Threshold"] >= max(BACK_OFF) + 900


@pytest.mark.parametrize(
    ("name", "statistic", "most"),
    [
        ("tick_late_seconds", "Minimum", 120),
        ("webhook_late_seconds", "Maximum", 120),
        ("mails_refused", "Sum", 0),
        ("audit_unsealed", "Minimum", 0),
    ],
)
def test_what_the_functions_count_is_watched_by_stage(prod: Templates, name: str, statistic: str, most: float) -> None:
    alarm = _alarm(prod, name.replace("_", "-"))
    assert (alarm["Namespace"], alarm["MetricName"]) == ("headroom", name)
    assert (alarm["Statistic"], alarm["Threshold"]) == (statistic, most)
    assert {d["Name"]: d["Value"] for d in alarm["Dimensions"]} == {"service": "headroom", "stage": "prod"}


def _alarm(templates: Templates, name: str) -> dict[str, Any]:
    [found] = [alarm for alarm in templates.all("AWS::CloudWatch::Alarm") if alarm["AlarmName"] == NAME + name]
    return found


def _allowed(templates: Templates, topic: str, service: str) -> dict[str, Any]:
    """The conditions under which a service may publish to a topic; its key, where it has one, must let it too."""
    [statement] = [
        statement
        for statement in _policy(templates, topic)
        if statement["Effect"] == "Allow" and statement["Principal"] == {"Service": service}
    ]
    assert (statement["Action"], statement["Resource"]) == ("sns:Publish", {"Ref": topic})
    key = _resource(templates, topic)["Properties"].get("KmsMasterKeyId")
    if key is not None:
        assert _may_encrypt(templates, key["Fn::GetAtt"][0], service)
    conditions: dict[str, Any] = statement["Condition"]
    return conditions


def _policy(templates: Templates, topic: str) -> list[dict[str, Any]]:
    """The topic's statements: SNS keeps one policy for a topic, and this is it."""
    [policy] = [policy for policy in templates.all("AWS::SNS::TopicPolicy") if {"Ref": topic} in policy["Topics"]]
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return statements


def _may_encrypt(templates: Templates, key: str, service: str) -> bool:
    statements = _resource(templates, key)["Properties"]["KeyPolicy"]["Statement"]
    mine = [each for each in statements if each["Principal"] == {"Service": service} and each["Effect"] == "Allow"]
    return any(set(each["Action"]) >= TO_ENCRYPT and each["Resource"] == "*" for each in mine)


def _subscribers(templates: Templates, topic: str) -> set[str]:
    """Which people hear a topic."""
    mailed = [each for each in templates.all("AWS::SNS::Subscription") if each["Protocol"] == "email"]
    return {each["Endpoint"] for each in mailed if each["TopicArn"] == {"Ref": topic}}


def _resource(templates: Templates, name: str) -> dict[str, Any]:
    [found] = [stack["Resources"][name] for stack in templates.by_stack.values() if name in stack["Resources"]]
    return dict(found)


def _exported(templates: Templates, name: str) -> str:
    [output] = [
        output
        for stack in templates.by_stack.values()
        for output in stack.get("Outputs", {}).values()
        if output.get("Export", {}).get("Name") == name
    ]
    return str(output["Value"]["Ref"])


def _text(value: Any) -> str:
    known = {"AWS::Region": "REGION", "AWS::AccountId": "ACCOUNT", "AWS::Partition": "aws"}
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_text, parts))
        case {"Ref": str(name)}:
            return known[name]
    assert isinstance(value, str), json.dumps(value)
    return value
