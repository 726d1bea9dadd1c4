"""Owns the firewall before the API: the pace of one address, and Amazon's rules against known attacks."""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infrastructure.stacks import MarketStack, told
from infrastructure.stage import API_STAGE, Stage


class Firewall(MarketStack):
    """Stands before the stage that the API stack made."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, stage, "Firewall", "firewall of the API")
        acl = waf.CfnWebACL(
            self,
            "Rules",
            name=f"headroom-{stage.name}-api",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_watched("api"),
            rules=[_pace(stage.requests_per_source), *_managed()],
        )
        api = told(stage, "Api", "RestApi")
        gateway = f"arn:{Aws.PARTITION}:apigateway:{Aws.REGION}::/restapis/{api}/stages/{API_STAGE}"
        waf.CfnWebACLAssociation(self, "Before", resource_arn=gateway, web_acl_arn=acl.attr_arn)


def _pace(most: int) -> waf.CfnWebACL.RuleProperty:
    """So many requests in five minutes from one address, then none until it is quieter."""
    by_address = waf.CfnWebACL.RateBasedStatementProperty(limit=most, aggregate_key_type="IP")
    return waf.CfnWebACL.RuleProperty(
        name="pace",
        priority=0,
        action=waf.CfnWebACL.RuleActionProperty(block={}),
        statement=waf.CfnWebACL.StatementProperty(rate_based_statement=by_address),
        visibility_config=_watched("pace"),
    )


def _managed() -> list[waf.CfnWebACL.RuleProperty]:
    """What Amazon keeps up to date. A body over 8 kB is counted, not blocked: bulk requests are longer, by rights."""
    counted = waf.CfnWebACL.RuleActionOverrideProperty(
        name="SizeRestrictions_BODY", action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
    )
    sets: list[tuple[str, list[Any]]] = [
        ("AWSManagedRulesCommonRuleSet", [counted]),
        ("AWSManagedRulesKnownBadInputsRuleSet", []),
        ("AWSManagedRulesAmazonIpReputationList", []),
    ]
    return [
        waf.CfnWebACL.RuleProperty(
            name=name,
            priority=number,
            override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
            statement=waf.CfnWebACL.StatementProperty(
                managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                    vendor_name="AWS", name=name, rule_action_overrides=overrides
                )
            ),
            visibility_config=_watched(name),
        )
        for number, (name, overrides) in enumerate(sets, 1)
    ]


def _watched(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
