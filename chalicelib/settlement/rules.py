"""Owns market rules: which of them may stand together, which version holds on a day, and the presets by name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from chalicelib.kernel.errors import NotFound, Problem
from chalicelib.settlement.methods import PRESETS as BASELINES
from chalicelib.settlement.methods import Nominated, WeeklyTemplate
from chalicelib.settlement.models import (
    FloorLinear,
    GraceSlope,
    LinearCap,
    MarketRules,
    Penalty,
    ScheduleAccuracy,
    Step,
    Threshold,
)

_NEED_INSTRUCTED = ("penalty", "grace_slope", "step", "schedule_accuracy")


def rule_problems(rules: MarketRules) -> list[Problem]:
    """Every reason why rules cannot stand as they are."""
    return [*_volume_problems(rules), *_schedule_problems(rules), *_step_problems(rules)]


def next_version_problems(rules: MarketRules, before: MarketRules | None, today: date) -> list[Problem]:
    """Rules are never edited in place: a new version starts after the one before, and not in the past."""
    if before is not None and rules.effective_from <= before.effective_from:
        detail = f"Version {before.version} of {rules.name} holds from {before.effective_from}; the next starts later."
        return [Problem("rules.not_later", detail, "effective_from", f"after {before.effective_from}")]
    if before is not None and rules.effective_from < today:
        detail = "Rules that replace others start today or later: what was agreed for days past stands."
        return [Problem("rules.past", detail, "effective_from", f"{today} or later")]
    return []


def rules_on(versions: Iterable[MarketRules], day: date) -> MarketRules:
    """The version that holds on a local day; `NotFound` before the first one."""
    holding = [rules for rules in versions if rules.effective_from <= day]
    if not holding:
        raise NotFound("rules.not_found", f"No market rules held on {day}.")
    return max(holding, key=lambda rules: (rules.effective_from, rules.version))


def _volume_problems(rules: MarketRules) -> list[Problem]:
    kind = rules.performance.kind
    if rules.paid_volume == "instructed" or kind not in _NEED_INSTRUCTED:
        return []
    detail = f"The performance factor {kind} is judged on what was instructed, so delivered MWh cannot be paid with it."
    return [Problem("rules.pair", detail, "paid_volume", "instructed, or linear_cap or floor_linear with delivered")]


def _schedule_problems(rules: MarketRules) -> list[Problem]:
    if rules.performance.kind != "schedule_accuracy" or isinstance(rules.baseline, Nominated | WeeklyTemplate):
        return []
    detail = "Schedule accuracy compares the provider's own schedule with its meter, so the baseline is that schedule."
    return [Problem("rules.schedule", detail, "baseline", "nominated or weekly_template")]


def _step_problems(rules: MarketRules) -> list[Problem]:
    if not isinstance(rules.performance, Step):
        return []
    rising = sorted(rules.performance.thresholds, key=lambda threshold: threshold.ratio)
    sound = all(low.ratio < high.ratio and low.factor <= high.factor for low, high in pairwise(rising))
    if sound:
        return []
    detail = "Each threshold stands once, and delivering more never pays less."
    return [Problem("rules.steps", detail, "performance", "factors that rise with their ratios")]


_FIRST_DAY = date(2024, 4, 1)


def _preset(name: str, **fields: Any) -> MarketRules:
    return MarketRules(name=name, effective_from=_FIRST_DAY, **fields)


PRESETS: dict[str, MarketRules] = {
    rules.name: rules
    for rules in (
        _preset("standard agreement", performance=FloorLinear(floor=Decimal("0.5"))),
        _preset("linear", performance=LinearCap()),
        _preset("floor 75 %", performance=FloorLinear(floor=Decimal("0.75"))),
        _preset("floor 80 %", performance=FloorLinear(floor=Decimal("0.8"))),
        _preset("grace and slope", performance=GraceSlope(), baseline=BASELINES["5 working / 2 non-working"]),
        _preset(
            "steps",
            performance=Step(
                thresholds=(
                    Threshold(ratio=Decimal("0.9"), factor=Decimal(1)),
                    Threshold(ratio=Decimal("0.6"), factor=Decimal("0.5")),
                )
            ),
        ),
        _preset("one-sided penalty", performance=Penalty(price=Decimal(11)), baseline=Nominated()),
        _preset("schedule accuracy", performance=ScheduleAccuracy(), baseline=Nominated()),
        _preset(
            "delivered energy by meter",
            paid_volume="delivered",
            level="meter",
            baseline=BASELINES["10-of-10 with 2 h same-day ratio clamped 0.8–1.2"],
        ),
    )
}

DEFAULT_RULES = "standard agreement"


def standing_rules(versions: Iterable[MarketRules], name: str | None, day: date) -> MarketRules:
    """The rules of a name that an operator had set by a local day; before its first, those that ship, at version 0.

    Without a name, or where none of it ships, they are the standard agreement's.
    """
    wanted = name or DEFAULT_RULES
    held = [rules for rules in versions if rules.name == wanted and rules.effective_from <= day]
    return rules_on(held, day) if held else PRESETS.get(wanted, PRESETS[DEFAULT_RULES]).but(version=0)  # type: ignore[no-any-return]
