"""Owns why a bid was not taken: one code, the figures it hangs on, and a sentence that names what stood against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from chalicelib.bidding.pricing import rounded, shown_money, shown_price
from chalicelib.decisions.models import REASONS, Reason
from chalicelib.decisions.selection import Amounts
from chalicelib.decisions.selection_counting import is_empty, merit
from chalicelib.decisions.selection_merit import Basket
from chalicelib.decisions.selection_models import Candidate, NotTaken, SelectionRequest
from chalicelib.decisions.selection_problem import Cap, Problem
from chalicelib.kernel.quantities import WATTS_PER_MW, ZERO, megawatts, plain

Numbers = dict[str, str]


def reasons_out_of_hand(request: SelectionRequest) -> Iterator[NotTaken]:
    """The reasons of bids that no selection could hold, whatever the others are."""
    needed = {each.window_id for each in request.requirements if each.mw > 0}
    alone = {bid.bid_id: code for bid in request.candidates if (code := _own_fault(bid, needed))}
    cause: dict[str, str] = {}
    for bid in sorted(request.candidates, key=lambda each: each.bid_id):
        if bid.bid_id in alone and bid.linked_group is not None:
            cause.setdefault(bid.linked_group, bid.bid_id)
    for bid in request.candidates:
        if bid.bid_id in alone:
            yield _told(bid, alone[bid.bid_id], REASONS[alone[bid.bid_id]])
        elif bid.linked_group in cause:
            other = cause[bid.linked_group]
            text = f"It is linked with bid {other}, which cannot be accepted: {REASONS[alone[other]]}"
            yield _told(bid, "LINKED_REJECTED", text, linked_bid=other)


def _own_fault(bid: Candidate, needed: set[str]) -> Reason | None:
    if bid.barred is not None:
        return bid.barred
    if bid.window_id not in needed:
        return "NOT_REQUIRED"
    if is_empty(bid):
        return "NOT_QUALIFIED" if bid.mw <= 0 else "BELOW_MINIMUM"
    return None


class Reasoning:
    """Why each bid of a problem that could be taken was not, or not wholly, judged beside the selection made."""

    def __init__(self, problem: Problem, amounts: Amounts, marginal: Mapping[int, int]) -> None:
        """`marginal` is the row with the highest effective price accepted, by window."""
        self.problem, self.amounts, self.marginal = problem, amounts, marginal
        self._basket = Basket(problem, amounts)
        taken = [bid for bid, watts in zip(problem.bids, amounts, strict=True) if watts]
        self._accepted = {bid.exclusive_group: bid.bid_id for bid in taken}
        self._caps: dict[int, list[Cap]] = defaultdict(list)
        for cap in problem.caps:
            for number in cap.rows:
                self._caps[number].append(cap)
        self._rivals: dict[int, list[int]] = defaultdict(list)
        for choice in problem.choices:
            for group in choice.groups:
                for number in group:
                    self._rivals[number] += [n for other in choice.groups if other != group for n in other]

    def reasons(self) -> Iterator[NotTaken]:
        for number, row in enumerate(self.problem.rows):
            if self.amounts[number] < row.most:
                yield self._reason(number)

    def _reason(self, number: int) -> NotTaken:
        covered = self._basket.short[self.problem.rows[number].window] <= 0
        if self.amounts[number]:
            return self._rest(number, covered)
        if covered and self._is_dearer(number):
            return self._tell(number, "OUT_OF_MERIT", "Cheaper bids covered the requirement.")
        return self._blocked(number) or self._linked(number) or self._lumpy(number, covered)

    def _rest(self, number: int, covered: bool) -> NotTaken:
        taken = plain(megawatts(self.amounts[number]))
        if not covered and (blocked := self._by_cap(number, 1)):
            return blocked
        text = f"{taken} MW of it covered the requirement; the rest was not required."
        return self._tell(number, "NOT_REQUIRED", text, accepted_mw=taken)

    def _blocked(self, number: int) -> NotTaken | None:
        """A constraint that the bid would break beside the bids that were taken."""
        bid = self.problem.bids[number]
        other = self._accepted.get(bid.exclusive_group)
        if bid.exclusive_group is not None and other is not None:
            text = f"Bid {other} of its exclusive group was accepted."
            return self._tell(number, "EXCLUSIVE_ALTERNATIVE", text, accepted_bid=other)
        return self._by_choice(number) or self._by_cap(number, self.problem.rows[number].least)

    def _by_choice(self, number: int) -> NotTaken | None:
        for other in self._rivals[number]:
            if self.amounts[other]:
                sold = self.problem.bids[other].bid_id
                text = f"Assets of it are sold at the same time in bid {sold}, which was accepted."
                return self._tell(number, "OTHER", text, accepted_bid=sold)
        return None

    def _by_cap(self, number: int, watts: int) -> NotTaken | None:
        for cap in self._caps[number]:
            used = sum(w * self.amounts[n] for n, w in zip(cap.rows, cap.weights, strict=True))
            if used + cap.weights[cap.rows.index(number)] * watts > cap.limit:
                return self._over(number, cap, used)
        return None

    def _over(self, number: int, cap: Cap, used: int) -> NotTaken:
        if cap.why == "budget":
            spent, limit = self._money(used), self._money(cap.limit)
            text = f"{spent} of the budget of {limit} is spent on other bids; this one does not fit into the rest."
            return self._tell(number, "BUDGET_EXHAUSTED", text, spent=spent, budget=limit)
        unit = self.problem.unit if cap.why == "share" else WATTS_PER_MW
        taken, limit = (plain(rounded(Fraction(value, unit), 6)) for value in (used, cap.limit))
        if cap.why == "share":
            text = f"One FSP may have at most {limit} MW of this window; other bids of it have {taken} MW."
        else:
            text = f"The assets of its ballot deliver at most {limit} MW at a time; other bids of it have {taken} MW."
        return self._tell(number, "OTHER", text, limit_mw=limit, accepted_mw=taken)

    def _linked(self, number: int) -> NotTaken | None:
        """A linked bid goes with its group: the sentence names another bid of it that stands against the group."""
        unit = self._basket.unit(number)
        if len(unit) == 1:
            return None
        others = [other for other in unit if other != number]
        against = next((n for n in others if self._blocked(n)), None)
        if against is None:
            against = next((n for n in others if self._is_dearer(n)), others[0])
        name = self.problem.bids[against].bid_id
        text = f"It is linked with bid {name}; taking all of the group would cost more than the bids that were taken."
        return self._tell(number, "LINKED_REJECTED", text, linked_bid=name, group_cost=self._cost_of(unit))

    def _lumpy(self, number: int, covered: bool) -> NotTaken:
        """What is left: the bid is not dear, but it comes in a lump that the cheapest selection has no room for."""
        least, cost = plain(megawatts(self.problem.rows[number].least)), self._cost_of((number,))
        price = self.problem.needs[self.problem.rows[number].window].price
        if not covered and price is not None:
            shown = plain(shown_price(Fraction(price * self.problem.unit, self.problem.money)) or ZERO)
            text = f"It costs more than the shortfall it would end, which is priced at {shown} a MW."
            return self._tell(number, "OUT_OF_MERIT", text, shortfall_price=shown, least_mw=least, least_cost=cost)
        whole = self.problem.rows[number].least == self.problem.rows[number].most
        lump = f"It can only be taken whole, {least} MW" if whole else f"At least {least} MW of it must be taken"
        text = f"{lump}; the bids that were taken cover the requirement at less cost than any with it."
        return self._tell(number, "OUT_OF_MERIT", text, least_mw=least, least_cost=cost)

    def _is_dearer(self, number: int) -> bool:
        last = self.marginal.get(self.problem.rows[number].window)
        return last is not None and merit(self.problem.bids[number]) > merit(self.problem.bids[last])

    def _cost_of(self, unit: Sequence[int]) -> str:
        return self._money(sum(self.problem.rows[n].spend * self.problem.rows[n].least for n in unit))

    def _money(self, amount: int) -> str:
        return plain(shown_money(Fraction(amount, self.problem.money)))

    def _tell(self, number: int, code: Reason, text: str, **numbers: str) -> NotTaken:
        last = self.marginal.get(self.problem.rows[number].window)
        if last is not None:
            price = self.problem.bids[last].effective_price
            if price is not None:
                numbers["marginal_price"] = plain(shown_price(price) or ZERO)
            numbers["marginal_bid"] = self.problem.bids[last].bid_id
        return _told(self.problem.bids[number], code, text, **numbers)


def _told(bid: Candidate, code: Reason, text: str, **numbers: str) -> NotTaken:
    """A reason with the bid's own figures beside those it hangs on."""
    own = {"offered_mw": plain(bid.mw)}
    if bid.effective_price is not None:
        own["effective_price"] = plain(shown_price(bid.effective_price) or ZERO)
    return NotTaken(bid_id=bid.bid_id, code=code, numbers=own | numbers, text=text)
