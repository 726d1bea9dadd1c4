"""Owns an FSP's part in a competition: which assets count, the group's capacity, and whether it has entered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from chalicelib.kernel.quantities import ZERO
from chalicelib.qualification.models import Answer, Choice, Entry, EntryState, Need, Override, Sheet, Standing
from chalicelib.qualification.rules import is_eligible, is_worth_keeping, remaining_capacity
from chalicelib.qualification.sentences import failing, loss_sentence, override_sentence


def sheet_of(
    fsp: str, need: Need, answers: Iterable[Answer], overrides: Mapping[str, Override], entry: Entry, counted_at: int
) -> Sheet:
    """One FSP in one competition, from its answers, the overrides by asset id, and its entry."""
    assessed = [answer for answer in answers if is_worth_keeping(answer, overrides.get(answer.asset_id))]
    eligible = [answer for answer in assessed if is_eligible(answer, overrides.get(answer.asset_id))]
    eligible_mw = sum((answer.capacity_mw for answer in eligible), ZERO)
    capacities = _capacities(eligible, overrides)
    state = entry_state(entry.choice, len(eligible), eligible_mw, need)
    return Sheet(
        competition_id=need.competition_id,
        so=need.so,
        fsp=fsp,
        counted_at=counted_at,
        smallest_minimum_mw=need.smallest_minimum_mw,
        entry_required=need.entry_required,
        choice=entry.choice,
        state=state,
        entered=counts_as_entered(state, need),
        assessed=len(assessed),
        eligible=len(eligible),
        eligible_mw=eligible_mw,
        held=len(capacities),
        held_mw=sum(capacities.values(), ZERO),
        capacities=capacities,
    )


def entry_state(choice: Choice, eligible: int, eligible_mw: Decimal, need: Need) -> EntryState:
    """The stored choice, or `not applicable` while the eligible assets together cannot serve any window."""
    if eligible == 0 or eligible_mw < need.smallest_minimum_mw:
        return "not applicable"
    return choice


def counts_as_entered(state: EntryState, need: Need) -> bool:
    """Where entry is required only `entered` takes part, else all but `withdrawn`; never who is not applicable."""
    if state == "not applicable":
        return False
    return state == "entered" if need.entry_required else state != "withdrawn"


def standing(answer: Answer, override: Override | None, entered: bool, closed: bool) -> Standing:
    """What an asset is in a competition: eligible or not until qualification closes, then qualified or not."""
    eligible = is_eligible(answer, override)
    if not closed:
        return "eligible" if eligible else "not eligible"
    counts = eligible and entered and remaining_capacity(answer, override) is not None
    return "qualified" if counts else "not qualified"


def why_not(answer: Answer, override: Override | None, state: EntryState, entered: bool, closed: bool) -> list[str]:
    """Sentences on what stands between an asset and taking part, and on what it lost; empty where nothing does."""
    if override is not None and override.is_active:
        reasons = [override_sentence(override)]
    else:
        reasons = [line.detail for line in failing(answer)]
    reasons += [loss_sentence(loss, answer) for loss in answer.losses]
    if closed and not entered:
        reasons.append(_not_entered(state))
    return reasons


def _not_entered(state: EntryState) -> str:
    return {
        "withdrawn": "its FSP withdrew from the competition",
        "undecided": "its FSP did not enter, and this competition requires entry",
    }.get(state, "the eligible assets of its FSP together were below the smallest minimum of all windows")


def _capacities(eligible: Iterable[Answer], overrides: Mapping[str, Override]) -> dict[str, Decimal]:
    left = {answer.asset_id: remaining_capacity(answer, overrides.get(answer.asset_id)) for answer in eligible}
    return {asset_id: capacity for asset_id, capacity in sorted(left.items()) if capacity is not None}
