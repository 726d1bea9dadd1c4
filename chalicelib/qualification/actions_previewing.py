"""Tells an operator what would qualify if its competition were published now: counts, MW, and what fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice

from chalicelib.competitions import actions as competitions
from chalicelib.kernel.call import Call
from chalicelib.kernel.quantities import ZERO
from chalicelib.qualification.actions_facts import would_be_answers
from chalicelib.qualification.models import RULES, Answer
from chalicelib.qualification.rules import is_eligible
from chalicelib.qualification.views import RuleCount, WouldQualifyView

MOST_ASSESSED = 5_000
"""Assets a preview looks at; the qualified assets file of a draft holds all of them."""


def preview_qualification(call: Call, competition_id: str) -> WouldQualifyView:
    """Assets near the competition as they are today, by rule; nothing is stored and no FSP is named."""
    competition = competitions.own_competition(call, competition_id)
    found = list(islice(would_be_answers(competition), MOST_ASSESSED + 1))
    return _view(competition_id, found[:MOST_ASSESSED], all_assessed=len(found) <= MOST_ASSESSED)


def _view(competition_id: str, answers: Iterable[Answer], all_assessed: bool) -> WouldQualifyView:
    assessed = list(answers)
    eligible = [answer for answer in assessed if is_eligible(answer, None)]
    failed = Counter(rule for answer in assessed for bit, rule in enumerate(RULES) if not answer.passed >> bit & 1)
    return WouldQualifyView(
        competition_id=competition_id,
        assessed=len(assessed),
        all_assessed=all_assessed,
        eligible=len(eligible),
        eligible_mw=sum((answer.capacity_mw for answer in eligible), ZERO),
        fsps=len({answer.fsp for answer in eligible}),
        failed=tuple(RuleCount(rule=rule, assets=failed[rule]) for rule in RULES if failed[rule]),
    )
