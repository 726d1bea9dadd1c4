"""Owns the bill's alarm."""

from __future__ import annotations

from aws_cdk import aws_budgets as budgets
from constructs import Construct

from infrastructure.stacks import MarketStack, told
from infrastructure.stage import Stage

_TOLD_AT = ((80, "ACTUAL"), (100, "FORECASTED"))
"""Per cent of the month's budget: spent, and foreseen."""


class Budget(MarketStack):
    """What a month may cost before somebody is told."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, stage, "Budget", "budget alarm")
        property_ = budgets.CfnBudget
        alarms = told(stage, "Observability", "AlarmsArn")
        subscriber = property_.SubscriberProperty(subscription_type="SNS", address=alarms)
        budgets.CfnBudget(
            self,
            "Month",
            budget=property_.BudgetDataProperty(
                budget_name=f"headroom-{stage.name}",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=property_.SpendProperty(amount=stage.monthly_budget, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:headroom${stage.name}"]},
            ),
            notifications_with_subscribers=[
                property_.NotificationWithSubscribersProperty(
                    notification=property_.NotificationProperty(
                        comparison_operator="GREATER_THAN", notification_type=kind, threshold=share
                    ),
                    subscribers=[subscriber],
                )
                for share, kind in _TOLD_AT
            ],
        )
