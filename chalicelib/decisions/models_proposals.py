"""Owns what a proposal is: the asking with its what-if options, the head that is kept, and the telling."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chalicelib.decisions.models import Reason, Verdict
from chalicelib.decisions.selection_models import Candidate, NotTaken, Selection, SelectionRequest
from chalicelib.kernel.models import Id, Instant, PageQuery, Value
from chalicelib.kernel.quantities import Megawatts, Money, Number, Price, SignedPrice

ProposalState = Literal["asked", "made", "failed"]
MOST_NAMED = 5_000


class CeilingChange(Value):
    """Ceilings put in place of the published ones; what is left out stays."""

    availability: SignedPrice | None = None
    utilisation: SignedPrice | None = None
    effective: SignedPrice | None = None


class WindowChange(Value):
    """What if a window needed something else, or had other ceilings? What is left out stays."""

    window_id: str = Field(min_length=1, max_length=80)
    capacity_required_mw: Megawatts | None = None
    ceilings: CeilingChange = CeilingChange()


class ProposalRequest(Value):
    """What if? Without an option it is the plain proposal: the competition as published, every bid as it stands.

    `ceilings` are for every window but those that `windows` gives others. `budget` stands in place of the competition's
    maximum budget. `maximum_share` is the part of a window's requirement that one provider may have, from above 0 to 1.
    `shortfall_price` is what a MW that stays uncovered is taken to cost, per MW/h where availability is bid, else per
    MWh. `left_out` bids are not looked at; `forced_in` ones are bought whole, with those they are linked with.
    """

    windows: list[WindowChange] = Field(default_factory=list, max_length=1_000)
    ceilings: CeilingChange = CeilingChange()
    budget: Money | None = Field(default=None, ge=0)
    maximum_share: Number | None = Field(default=None, gt=0, le=1)
    shortfall_price: Price | None = None
    left_out: list[Id] = Field(default_factory=list, max_length=MOST_NAMED)
    forced_in: list[Id] = Field(default_factory=list, max_length=MOST_NAMED)
    note: str | None = Field(default=None, max_length=1000)

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the note is said."""
        return self.but(note=None) == ProposalRequest()


class Proposal(Value):
    """A proposal as it is kept: what was asked, how it stands, and where its record (input and result) is.

    The record is a sealed body, since every bid's prices are in it; the row holds no figure.
    """

    competition_id: str
    so: str
    number: int
    state: ProposalState = "asked"
    options: ProposalRequest
    asked_by: str
    asked_at: Instant
    failure: str | None = None
    record_key: str | None = None
    version: int = 1

    @property
    def name(self) -> str:
        """What an `Idempotency-Key` is answered with."""
        return f"{self.competition_id}#{self.number}"


class Forced(Value):
    """Bids that are bought whatever they cost, and what windows require before they are."""

    bids: tuple[Candidate, ...]
    required: dict[str, Megawatts]


class Weighed(Value):
    """What a selection is asked, the bids it is told not to choose and why, and what to know when reading its cost.

    With `forced` bids the request is for what is left to buy beside them.
    """

    request: SelectionRequest
    forced: Forced | None = None
    set_aside: tuple[NotTaken, ...] = ()
    notes: tuple[str, ...] = ()


class ProposalInput(Value):
    """All that a proposal was made from: enough to make it again.

    `plain` is the same without what-if options, to compare with; None where there are none.
    """

    competition_id: str
    competition_reference: str
    number: int
    asked_at: Instant
    options: ProposalRequest
    weighed: Weighed
    plain: Weighed | None = None


class ProposalResult(Value):
    """What a proposal came to."""

    selection: Selection
    plain: Selection | None = None


class ProposalRecord(Value):
    """A proposal as an auditor is given it: made again from `input`, it comes to `result`."""

    input: ProposalInput
    result: ProposalResult


class ProposalFigures(Value):
    """What a proposal comes to, in money of the operator's currency and MW.

    `finding` is "proven" or "best found, gap x %". `total` adds what stays uncovered at its price; the merit order's
    and the plain proposal's `difference` is how much more (or less) than this one they cost, shortfalls included.
    """

    cost: Money
    total: Money
    lower_bound: Money | None
    gap_percent: Number | None
    finding: str
    shortfall_mw: Megawatts
    over_procured_mw: Megawatts
    bids: int
    accepted_bids: int
    merit_order_cost: Money
    merit_order_shortfall_mw: Megawatts
    merit_order_difference: Money
    plain_cost: Money | None = None
    plain_shortfall_mw: Megawatts | None = None
    plain_difference: Money | None = None
    message: str


class ProposedWindow(Value):
    """One window of a proposal. `over_procured_by` is the bid, taken whole, that buys more than is required."""

    window_id: str
    service_period_name: str
    service_window_name: str
    required_mw: Megawatts
    accepted_mw: Megawatts
    shortfall_mw: Megawatts
    shortfall_cost: Money | None
    over_procured_mw: Megawatts
    over_procured_by: str | None
    bids: int
    accepted_bids: int
    cost: Money
    marginal_price: Number | None
    marginal_bid: str | None
    price_unit: Literal["MW/h", "MWh"]
    merit_order_mw: Megawatts
    message: str


class ProposedBid(Value):
    """What is proposed for one bid: MW to accept, or a rejection with its code, its figures and a sentence."""

    bid_id: str
    window_id: str
    fsp: str
    proposal: Verdict
    accepted_mw: Megawatts
    merit_order_mw: Megawatts
    expected_cost: Money
    effective_price: Number | None
    reason: Reason | None = None
    numbers: dict[str, str] = Field(default_factory=dict)
    text: str


class ProposalQuery(PageQuery):
    """Proposals, newest first; each is opened to be told, so that fewer come at once."""

    limit: int = Field(default=20, ge=1, le=100, description="items per page")


class ProposedBidsQuery(PageQuery):
    """The bids of a proposal."""

    limit: int = Field(default=500, ge=1, le=500, description="bids per page")


class ProposalLine(Value):
    """A proposal in a list. Without `figures` it waits to be made, or failed as `failure` says."""

    competition_id: str
    number: int
    state: ProposalState
    is_plain: bool
    note: str | None
    asked_by: str
    asked_at: Instant
    failure: str | None
    figures: ProposalFigures | None


class ProposalView(ProposalLine):
    """A proposal whole. `stale` says what changed since it was made; bids can then not be decided from it.

    `bids` are a page of all, by window and cheapest first; `next` is the cursor of the page after. `notes` say what to
    know when reading its figures. `input_digest`, `solver` and its version say what it was made from and with.
    """

    competition_reference: str
    options: ProposalRequest
    stale: str | None
    notes: tuple[str, ...]
    windows: tuple[ProposedWindow, ...]
    bids: tuple[ProposedBid, ...]
    next: str | None
    input_digest: str | None
    method: str | None
    solver: str | None
    solver_version: str | None


class DecidingRequest(Value):
    """Take a proposal's decisions over: for bids that are undecided, or (`replace`) for every bid."""

    replace: bool = False
