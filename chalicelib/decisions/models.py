"""Owns what a decision is: the asking, the one kept, the sheet that counts them, and results as they are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from chalicelib.kernel.models import Instant, PageQuery, Value
from chalicelib.kernel.quantities import Megawatts, Money, Number, SignedPrice

Verdict = Literal["accepted", "rejected"]
Wish = Literal["accepted", "rejected", "undecided"]
SheetState = Literal["open", "confirmed"]
Reason = Literal[
    "ABOVE_CEILING_AVAILABILITY",
    "ABOVE_CEILING_UTILISATION",
    "ABOVE_CEILING_EFFECTIVE",
    "OUT_OF_MERIT",
    "NOT_REQUIRED",
    "BUDGET_EXHAUSTED",
    "BELOW_MINIMUM",
    "LINKED_REJECTED",
    "EXCLUSIVE_ALTERNATIVE",
    "NOT_QUALIFIED",
    "TECHNICAL",
    "OTHER",
]
REASONS: dict[str, str] = {
    "ABOVE_CEILING_AVAILABILITY": "The availability price is above the ceiling.",
    "ABOVE_CEILING_UTILISATION": "The utilisation price is above the ceiling.",
    "ABOVE_CEILING_EFFECTIVE": "The effective price is above the ceiling.",
    "OUT_OF_MERIT": "Cheaper bids covered the requirement.",
    "NOT_REQUIRED": "The capacity was not required.",
    "BUDGET_EXHAUSTED": "The budget was spent on cheaper bids.",
    "BELOW_MINIMUM": "What is left of the bid is below the minimum size.",
    "LINKED_REJECTED": "A bid it is linked with was rejected.",
    "EXCLUSIVE_ALTERNATIVE": "Another bid of its exclusive group was accepted.",
    "NOT_QUALIFIED": "Its assets are no longer qualified.",
    "TECHNICAL": "A technical reason.",
    "OTHER": "Another reason, given in the comment.",
}
AT_ONCE = 90


class DecisionRequest(Value):
    """What is asked for one bid. `accepted_mw` may be left out to accept the whole; a rejection needs its `reason`."""

    bid_id: str = Field(min_length=1, max_length=80)
    decision: Wish
    accepted_mw: Megawatts | None = None
    reason: Reason | None = None
    comment: str | None = Field(default=None, max_length=1000)


class DecisionsRequest(Value):
    """Many decisions at once: all are taken, or none and every problem is named."""

    decisions: list[DecisionRequest] = Field(min_length=1, max_length=5000)


class Origin(Value):
    """Where decisions come from: a file, or a proposal of the competition; neither where they came by the API."""

    receipt: str | None = None
    proposal: int | None = None


BY_HAND = Origin()


class Decision(Value):
    """A decision on a bid as it is kept. Changeable until the competition's results are confirmed.

    `receipt` is the file that said it, `proposal` the number of the proposal it was taken from.
    """

    bid_id: str
    competition_id: str
    verdict: Verdict
    accepted_mw: Megawatts
    reason: Reason | None = None
    comment: str | None = None
    decided_by: str
    decided_at: Instant
    receipt: str | None = None
    proposal: int | None = None
    version: int = 1


class DecisionSheet(Value):
    """One per competition: guards its decisions, counts what is undecided, and turns once from open to confirmed.

    Version 0 is a sheet that was never written.
    """

    competition_id: str
    so: str
    state: SheetState = "open"
    bids: int
    decided: int = 0
    deciders: tuple[str, ...] = ()
    confirmed_by: str | None = None
    confirmed_at: Instant | None = None
    digest: str | None = None
    results_key: str | None = None
    version: int = 0

    @property
    def undecided(self) -> int:
        return self.bids - self.decided


class DecidedBidView(Value):
    """A bid with its decision, as the SO reads it after close (and its own FSP once results are confirmed)."""

    bid_id: str
    ballot_id: str
    competition_id: str
    competition_reference: str
    fsp: str
    fsp_name: str
    window_id: str
    service_period_name: str
    service_window_name: str
    split: int
    offered_mw: Megawatts
    capacity_mw: Megawatts
    divisibility: str
    minimum_acceptance_mw: Megawatts | None
    linked_group: str | None
    exclusive_group: str | None
    maximum_run_time: timedelta
    availability_price: SignedPrice | None
    utilisation_price: SignedPrice | None
    service_fee: SignedPrice | None
    expected_cost: Money
    effective_price: Number | None
    flags: tuple[str, ...]
    decision: Wish
    accepted_mw: Megawatts | None = None
    reason: Reason | None = None
    reason_text: str | None = None
    comment: str | None = None


class OverviewProposal(Value):
    """The latest proposal without what-if options, as an overview tells of it. `finding` says how good it is known to
    be."""

    number: int
    asked_at: Instant
    cost: Money
    shortfall_mw: Megawatts
    accepted_bids: int
    finding: str
    message: str


class OverviewView(Value):
    """Where deciding stands in one closed competition. No bids is a result too, and says so.

    `proposal` is None until one was made.
    """

    competition_id: str
    competition_reference: str
    name: str
    round_ref: str | None
    closed_at: Instant
    state: SheetState
    bidders: int
    bids: int
    undecided: int
    accepted: int
    rejected: int
    capacity_required_mw: Megawatts
    accepted_mw: Megawatts
    proposal: OverviewProposal | None
    message: str
    version: int


class OverviewQuery(PageQuery):
    """`round_ref` narrows to one round; `state` to open or confirmed."""

    round_ref: str | None = Field(default=None, max_length=80)
    state: SheetState | None = None


class ConfirmationView(Value):
    """A confirmation: what became final, when and by whom."""

    competition_id: str
    confirmed_at: Instant
    confirmed_by: str
    bids: int
    digest: str


class WindowResult(Value):
    """What the public may know of one window: requirement, what was offered and accepted, prices as a range."""

    window_id: str
    service_period_name: str
    service_window_name: str
    capacity_required_mw: Megawatts
    offered_mw: Megawatts
    accepted_mw: Megawatts
    bids: int
    bidders: int
    lowest_accepted_price: Number | None
    highest_accepted_price: Number | None
    price_unit: Literal["MW/h", "MWh"]


class ResultsView(Value):
    """Confirmed results: aggregates per window, and the bids the caller may see (an SO all, an FSP its own)."""

    competition_id: str
    competition_reference: str
    confirmed_at: Instant
    windows: list[WindowResult]
    bids: list[DecidedBidView]
    message: str


class AcceptedBid(Value):
    """An accepted bid with what will be paid for it: what an obligation is drawn up from."""

    bid_id: str
    ballot_id: str
    competition_id: str
    fsp: str
    window_id: str
    accepted_mw: Megawatts
    maximum_run_time: timedelta
    availability_price: SignedPrice | None
    utilisation_price: SignedPrice | None
    service_fee: SignedPrice | None
    asset_ids: tuple[str, ...]
    contracting_entity: str | None


class OwnOutcome(Value):
    """What confirmed results say to one FSP."""

    bids: int
    accepted: int
    accepted_mw: Megawatts
    reasons: tuple[str, ...]


class ConfirmedResults(Value):
    """What leaves the seal when results are confirmed: accepted bids, and by FSP how its bids fared."""

    accepted: tuple[AcceptedBid, ...]
    outcomes: dict[str, OwnOutcome]


class RoundOverviewView(Value):
    """Where deciding stands in every closed competition of a round."""

    round_ref: str
    undecided: int
    competitions: list[OverviewView]


class RoundConfirmation(Value):
    """What confirming a round came to for one of its competitions."""

    competition_id: str
    reference: str
    outcome: Literal["confirmed", "open", "refused"]
    code: str | None = None
    refusal: str | None = None


class RoundConfirmationView(Value):
    """A round after its confirmation: each competition is final, or says why not."""

    round_ref: str
    competitions: list[RoundConfirmation]
