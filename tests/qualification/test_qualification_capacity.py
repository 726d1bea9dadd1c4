"""Claims about an FSP's part in a competition: what counts together, entry, standing, and the reasons told."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.quantities import ZERO
from chalicelib.qualification import capacity
from chalicelib.qualification.models import Company, Location
from chalicelib.qualification.rules import need_of, with_losses
from tests.builders.qualification import (
    APPROVED,
    INSIDE,
    a_competition,
    a_need,
    a_window,
    an_answer,
    an_asset,
    an_entry,
    an_override,
)


def sheet(answers, need=None, overrides=None, choice="undecided"):
    by_asset = {override.asset_id: override for override in overrides or []}
    return capacity.sheet_of("org_fsp1", need or a_need(), answers, by_asset, an_entry(choice), 7)


def test_qualified_capacity_is_the_sum_over_qualified_assets() -> None:
    large, archived = an_answer(id="ast_2", demand_turn_down_mw="2"), an_answer(id="ast_3", status="Archived")
    made = sheet([an_answer(id="ast_1"), large, archived])
    assert (made.assessed, made.eligible, made.eligible_mw, made.lost) == (3, 2, Decimal("2.0072"), 0)
    assert made.qualified == {"ast_1": Decimal("0.0072"), "ast_2": Decimal(2)}
    assert made.qualified_mw == Decimal("2.0072")


def test_an_operators_hand_counts_in_both_directions() -> None:
    answers = [an_answer(id="ast_1"), an_answer(id="ast_2", status="Mothballed")]
    made = sheet(answers, overrides=[an_override("disqualify", "ast_1"), an_override("qualify", "ast_2")])
    assert list(made.capacities) == ["ast_2"]


def test_what_was_lost_since_the_close_is_counted_apart() -> None:
    archived = with_losses(an_answer(id="ast_1"), an_asset(status="Archived", version=2), a_need(), APPROVED)
    made = sheet([archived, an_answer(id="ast_2")])
    assert (made.eligible, made.lost, list(made.capacities)) == (2, 1, ["ast_2"])


def test_who_is_not_entered_has_nothing_qualified() -> None:
    made = sheet([an_answer()], choice="withdrawn")
    assert (made.state, made.entered, made.qualified, made.qualified_mw) == ("withdrawn", False, {}, ZERO)
    assert made.qualified_count == 0


def test_a_sheet_is_current_until_something_it_was_computed_from_changes() -> None:
    made = sheet([an_answer()])
    assert made.is_current(a_need(version=9), 7)
    assert not made.is_current(a_need(), 8)
    assert not made.is_current(a_need(entry_required=True), 7)
    assert not made.is_current(a_need(smallest_minimum_mw="1"), 7)


@pytest.mark.parametrize(
    ("choice", "required", "entered"),
    [
        ("undecided", False, True),
        ("entered", False, True),
        ("withdrawn", False, False),
        ("undecided", True, False),
        ("entered", True, True),
        ("withdrawn", True, False),
    ],
)
def test_all_but_withdrawn_count_as_entered_unless_entry_is_required(choice, required, entered) -> None:
    made = sheet([an_answer()], a_need(entry_required=required), choice=choice)
    assert (made.state, made.entered) == (choice, entered)


@pytest.mark.parametrize("choice", ["undecided", "entered", "withdrawn"])
def test_entry_is_not_applicable_without_an_eligible_asset_whatever_was_chosen(choice) -> None:
    made = sheet([an_answer(location=Location())], choice=choice)
    assert (made.choice, made.state, made.entered) == (choice, "not applicable", False)


@pytest.mark.parametrize(("minimum", "state"), [("0.0073", "not applicable"), ("0.0072", "entered"), ("0", "entered")])
def test_entry_is_not_applicable_below_the_smallest_minimum_and_comes_back_with_capacity(minimum, state) -> None:
    assert sheet([an_answer()], a_need(smallest_minimum_mw=minimum), choice="entered").state == state


def test_the_smallest_minimum_is_that_of_all_windows() -> None:
    windows = (a_window(minimum_aggregate_asset_size="2"), a_window(id="win_2", minimum_aggregate_asset_size="0.5"))
    assert need_of(a_competition(windows=windows)).smallest_minimum_mw == Decimal("0.5")


def test_a_need_names_the_zone_of_each_area_and_of_the_competitions_own_list() -> None:
    zones = ({"zone_id": "zon_1", "area_ref": "NORTH", "area_version": 3}, {"zone_id": "zon_2"})
    assert need_of(a_competition(zones=zones)).zones == {"zon_1": "NORTH", "zon_2": "own list"}


@pytest.mark.parametrize(
    ("effect", "entered", "closed", "standing"),
    [
        (None, True, False, "eligible"),
        (None, False, False, "eligible"),
        ("disqualify", True, False, "not eligible"),
        (None, True, True, "qualified"),
        (None, False, True, "not qualified"),
        ("disqualify", True, True, "not qualified"),
        ("qualify", True, True, "qualified"),
    ],
)
def test_an_asset_is_eligible_until_the_close_and_qualified_after_it(effect, entered, closed, standing) -> None:
    override = an_override(effect) if effect else None
    assert capacity.standing(an_answer(), override, entered, closed) == standing


def test_an_asset_lost_since_the_close_is_not_qualified_and_says_why() -> None:
    answer = with_losses(an_answer(), an_asset(status="Archived", version=2), a_need(), APPROVED)
    assert capacity.standing(answer, None, True, True) == "not qualified"
    assert capacity.why_not(answer, None, "undecided", True, True) == ["archived since qualification closed"]


def test_the_reasons_are_the_failing_rules_unless_an_operator_gave_one() -> None:
    answer = an_answer(status="Mothballed")
    assert capacity.why_not(answer, None, "undecided", True, False) == [
        "status Mothballed; needs Operational or In Development"
    ]
    told = capacity.why_not(answer, an_override("disqualify"), "undecided", True, False)
    assert told == ["disqualified by the operator: seen on a visit"]
    lifted = an_override("disqualify", lifted_at="2026-04-02T00:00:00Z")
    assert capacity.why_not(an_answer(), lifted, "undecided", True, False) == []


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("withdrawn", "withdrew"),
        ("undecided", "requires entry"),
        ("not applicable", "below the smallest minimum"),
    ],
)
def test_after_the_close_an_fsp_that_is_not_in_is_told_why(state, reason) -> None:
    (told,) = capacity.why_not(an_answer(), None, state, False, True)
    assert reason in told


sizes = st.decimals(min_value=0, max_value=1000, places=6)
effects = st.sampled_from([None, "qualify", "disqualify"])
portfolios = st.lists(st.tuples(sizes, sizes, st.booleans(), effects), max_size=12)


@given(portfolios, st.randoms(use_true_random=False))
def test_the_capacity_of_a_group_is_the_exact_sum_in_any_order(portfolio, shuffle) -> None:
    need, answers, overrides, expected = a_need(), [], [], ZERO
    for number, (at_close, now, archived, effect) in enumerate(portfolio):
        before = an_asset(id=f"ast_{number}", demand_turn_down_mw=at_close)
        head = an_asset(id=f"ast_{number}", demand_turn_down_mw=now, status="Archived" if archived else "Operational")
        answers.append(with_losses(an_answer(id=before.id, demand_turn_down_mw=at_close), head, need, Company()))
        overrides += [an_override(effect, before.id)] if effect else []
        eligible = effect == "qualify" or (effect is None and at_close > 0)
        expected += min(at_close, now) if eligible and not archived else ZERO
    shuffled = list(answers)
    shuffle.shuffle(shuffled)
    made = sheet(answers, overrides=overrides, choice="entered")
    assert made == sheet(shuffled, overrides=overrides, choice="entered")
    assert sum(made.capacities.values(), ZERO) == expected
    assert made.qualified_mw <= made.eligible_mw
    assert len(made.capacities) + made.lost == made.eligible
    assert made.qualified_count == len(made.qualified)


def test_a_location_alone_never_changes_capacity() -> None:
    assert {an_answer(location=where).capacity_mw for where in (INSIDE, Location())} == {Decimal("0.0072")}


@pytest.mark.parametrize(("before", "wanted"), list(product(["undecided", "entered", "withdrawn"], repeat=2)))
def test_any_choice_may_follow_any_other(before, wanted) -> None:
    from chalicelib.qualification.lifecycle import choose

    assert choose(before, wanted) == wanted
