"""What a proposed selection says: what is bought, what it costs, how sure that is, and why a bid was not taken."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from chalicelib.decisions.selection_models import NotTaken, Selection, SelectionRequest, windows_together
from chalicelib.decisions.selection_solving import select
from tests.builders.selection import SUBMITTED, a_bid, a_request


def taken(selection: Selection) -> dict[str, str]:
    return {bid_id: f"{mw:f}" for bid_id, mw in selection.mw.items()}


def why(selection: Selection, bid_id: str) -> NotTaken:
    return next(each for each in selection.not_taken if each.bid_id == bid_id)


def test_no_bids_reads_as_clearly_as_many() -> None:
    selection = select(a_request(mw="5"))
    assert selection.mw == {}
    assert selection.windows[0].message == "No bids: 5 MW required, nothing bought."
    assert selection.windows[0].shortfall_mw == 5
    assert selection.proven


def test_one_bid_is_bought_and_the_shortfall_said() -> None:
    selection = select(a_request(a_bid("a", "3", 10), mw="5"))
    assert taken(selection) == {"a": "3"}
    assert selection.windows[0].message == (
        "1 of 1 bid taken: 3 MW for 5 MW required, 2 MW short. Every bid was taken."
    )


def test_one_bid_not_taken_says_why_nothing_was_bought() -> None:
    selection = select(a_request(a_bid("a", "3", 10, barred="ABOVE_CEILING_EFFECTIVE"), mw="5"))
    assert selection.mw == {}
    assert selection.windows[0].message == (
        "1 bid, none taken: 5 MW required, nothing bought. The effective price is above the ceiling."
    )


def test_a_window_that_needs_nothing_buys_nothing() -> None:
    selection = select(a_request(a_bid("a", "3", 10), mw="0"))
    assert selection.mw == {}
    assert why(selection, "a").code == "NOT_REQUIRED"


def test_two_small_bids_beat_a_cheaper_one_that_comes_whole() -> None:
    selection = select(a_request(a_bid("a", "3", 10), a_bid("b", "4", 12), a_bid("c", "2", 14), mw="5"))
    assert taken(selection) == {"a": "3", "c": "2"}
    assert selection.cost == 58
    assert selection.merit_order.mw == {"a": 3, "b": 4}
    assert selection.merit_order.difference == 20
    told = why(selection, "b")
    assert told.code == "OUT_OF_MERIT"
    assert told.numbers == {
        "offered_mw": "4",
        "effective_price": "12",
        "marginal_price": "14",
        "marginal_bid": "c",
        "least_mw": "4",
        "least_cost": "48",
    }
    assert "can only be taken whole, 4 MW" in told.text


def test_what_a_whole_bid_buys_beyond_the_requirement_is_named() -> None:
    window = select(a_request(a_bid("a", "3", 10), a_bid("b", "4", 12), mw="5")).windows[0]
    assert (window.over_procured_mw, window.over_procured_by) == (2, "b")
    assert window.message.endswith("2 MW more than needed, since bid b cannot be cut.")
    assert (window.marginal_price, window.marginal_bid) == (12, "b")


def test_a_divisible_bid_is_cut_to_what_is_needed() -> None:
    selection = select(a_request(a_bid("a", "3", 10), a_bid("b", "4", 12, minimum_mw="1"), mw="5"))
    assert taken(selection) == {"a": "3", "b": "2"}
    assert why(selection, "b").code == "NOT_REQUIRED"
    assert selection.merit_order.difference == 0


def test_no_less_than_its_minimum_is_taken_of_a_divisible_bid() -> None:
    selection = select(a_request(a_bid("a", "3", 10), a_bid("b", "4", 12, minimum_mw="3"), mw="5"))
    assert taken(selection) == {"a": "3", "b": "3"}
    assert selection.windows[0].over_procured_by == "b"


def test_linked_bids_are_taken_together_or_not_at_all() -> None:
    linked = [a_bid("a", "5", 10, linked_group="g"), a_bid("b", "5", 50, window_id="w2", linked_group="g")]
    alone = [a_bid("c", "5", 20), a_bid("d", "5", 30, window_id="w2")]
    selection = select(a_request(*linked, *alone, mw={"w1": "5", "w2": "5"}))
    assert set(selection.mw) == {"c", "d"}
    assert why(selection, "a").code == "LINKED_REJECTED"
    assert why(selection, "a").numbers["linked_bid"] == "b"
    assert why(selection, "b").code == "OUT_OF_MERIT"


def test_a_bid_linked_with_one_that_cannot_be_accepted_is_out() -> None:
    bids = [a_bid("a", "5", 10, linked_group="g"), a_bid("b", "1", 1, linked_group="g", barred="BELOW_MINIMUM")]
    selection = select(a_request(*bids))
    assert selection.mw == {}
    assert why(selection, "a").code == "LINKED_REJECTED"
    assert "bid b" in why(selection, "a").text


def test_of_an_exclusive_group_at_most_one_is_taken() -> None:
    bids = [a_bid("a", "3", 10, exclusive_group="g"), a_bid("b", "2", 10, exclusive_group="g"), a_bid("c", "2", 40)]
    selection = select(a_request(*bids, mw="5"))
    assert set(selection.mw) == {"a", "c"}
    assert why(selection, "b").code == "EXCLUSIVE_ALTERNATIVE"
    assert why(selection, "b").numbers["accepted_bid"] == "a"


def test_an_asset_is_sold_once_at_one_time() -> None:
    bids = [a_bid("a", "5", 10, asset_ids=("x", "y")), a_bid("b", "5", 10, window_id="w2", asset_ids=("y",))]
    others = [a_bid("c", "5", 40), a_bid("d", "5", 30, window_id="w2")]
    apart = select(a_request(*bids, *others, mw={"w1": "5", "w2": "5"}))
    assert set(apart.mw) == {"a", "b"}
    together = select(a_request(*bids, *others, mw={"w1": "5", "w2": "5"}, together=(("w1", "w2"),)))
    assert set(together.mw) == {"a", "d"}
    assert why(together, "b").code == "OTHER"
    assert why(together, "b").numbers["accepted_bid"] == "a"


def test_bids_of_one_ballot_share_its_assets_up_to_what_they_deliver() -> None:
    splits = [a_bid(name, "2", 10, ballot_id="bal", asset_ids=("x",)) for name in ("a", "b")]
    later = a_bid("c", "3", 10, ballot_id="bal", asset_ids=("x",), window_id="w2")
    request = a_request(*splits, later, mw={"w1": "4", "w2": "3"}, ballot_mw={"bal": "4"})
    assert set(select(request).mw) == {"a", "b", "c"}
    at_once = select(request.but(together=(("w1", "w2"),)))
    assert set(at_once.mw) == {"a", "b"}
    assert why(at_once, "c").numbers["limit_mw"] == "4"


def test_the_budget_buys_most_and_says_what_it_left_out() -> None:
    bids = [a_bid("a", "3", 10), a_bid("b", "2", 20), a_bid("c", "2", 30)]
    selection = select(a_request(*bids, mw="7", budget="75"))
    assert set(selection.mw) == {"a", "b"}
    told = why(selection, "c")
    assert (told.code, told.numbers["spent"], told.numbers["budget"]) == ("BUDGET_EXHAUSTED", "70", "75")


def test_one_fsp_has_no_more_than_its_share() -> None:
    bids = [a_bid("a", "3", 10, fsp="org"), a_bid("b", "2", 11, fsp="org"), a_bid("c", "2", 30)]
    selection = select(a_request(*bids, mw="5", maximum_share=Fraction(3, 5)))
    assert set(selection.mw) == {"a", "c"}
    assert why(selection, "b").numbers == {
        "offered_mw": "2",
        "effective_price": "11",
        "limit_mw": "3",
        "accepted_mw": "3",
        "marginal_price": "30",
        "marginal_bid": "c",
    }


def test_a_bid_that_costs_more_than_the_shortfall_is_not_bought() -> None:
    selection = select(a_request(a_bid("a", "3", 10), a_bid("b", "2", 30), mw="5", shortfall_price=Fraction(25)))
    assert set(selection.mw) == {"a"}
    assert (selection.cost, selection.total) == (30, 80)
    assert selection.windows[0].shortfall_cost == 50
    assert why(selection, "b").numbers["shortfall_price"] == "25"


def test_without_a_price_the_shortfall_is_least_whatever_it_costs() -> None:
    selection = select(a_request(a_bid("a", "3", 10), a_bid("b", "2", 9000), mw="5"))
    assert set(selection.mw) == {"a", "b"}


def test_ties_go_to_lower_price_then_smaller_then_earlier_then_the_bid_id() -> None:
    def chosen(*bids: object) -> set[str]:
        return set(select(a_request(*bids, mw="2")).mw)  # type: ignore[arg-type]

    assert chosen(a_bid("dear", "2", 12), a_bid("cheap", "2.4", 10)) == {"cheap"}
    assert chosen(a_bid("large", "4", 0), a_bid("small", "2", 0)) == {"small"}
    assert chosen(a_bid("late", "2", 10, minute=5), a_bid("soon", "2", 10, minute=1)) == {"soon"}
    assert chosen(a_bid("b", "2", 10), a_bid("a", "2", 10)) == {"a"}


def test_where_no_hours_are_expected_the_effective_price_decides() -> None:
    bids = [a_bid(n, "2", 0, effective_price=Fraction(p)) for n, p in (("dear", 90), ("cheap", 70))]
    selection = select(a_request(*bids, mw="2"))
    assert (set(selection.mw), selection.cost) == ({"cheap"}, 0)


def test_money_is_not_made_by_buying_what_nobody_needs() -> None:
    bids = [a_bid("a", "2", -5), a_bid("b", "2", -4), a_bid("c", "2", -3)]
    assert set(select(a_request(*bids, mw="2")).mw) == {"a"}


def test_a_bid_counts_by_its_impact() -> None:
    bids = [a_bid("near", "2", 10), a_bid("far", "4", 6, impact=Fraction(1, 2))]
    selection = select(a_request(*bids, mw="2"))
    assert set(selection.mw) == {"near"}
    both = select(a_request(*bids, mw="4"))
    assert both.windows[0].accepted_mw == 4


def test_a_selection_can_be_kept_and_read_again() -> None:
    request = a_request(a_bid("a", "3", Fraction(10, 3)), a_bid("b", "4", 12), mw="5")
    selection = select(request)
    assert Selection.model_validate_json(selection.model_dump_json()) == selection
    read = SelectionRequest.model_validate_json(request.model_dump_json())
    assert select(read) == selection
    assert selection.digest == request.digest
    assert request.but(budget=Decimal(9)).digest != request.digest


def test_windows_are_together_only_while_both_are_on() -> None:
    hours = [SUBMITTED.replace(hour=hour) for hour in range(9, 15)]
    spans = {
        "a": [(hours[0], hours[2])],
        "b": [(hours[1], hours[3])],
        "c": [(hours[2], hours[4])],
        "d": [(hours[4], hours[5])],
    }
    assert windows_together(spans) == (("a", "b"), ("b", "c"))
