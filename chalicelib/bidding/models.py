"""Owns what a ballot is: its bids, the asking, the receipt and what its own organisation reads."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from chalicelib.competitions.models import PriceName
from chalicelib.kernel.models import Id, Instant, PageQuery, Value
from chalicelib.kernel.quantities import Megawatts, Money, Number, SignedPrice

PRICES: tuple[PriceName, ...] = ("availability_price", "utilisation_price", "service_fee")
PRICE_UNITS = {"availability_price": "MW/h", "utilisation_price": "MWh", "service_fee": "MW"}

Divisibility = Literal["all-or-nothing", "divisible"]
BallotState = Literal["live", "withdrawn", "replaced", "void"]

MOST_BIDS = 3_000
MOST_ASSETS = 100_000
MOST_SPLITS = 100

Group = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]
BallotRef = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")]
Token = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_:.-]+$")]
RunTime = Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=366))]


class BidRequest(Value):
    """One row of a ballot as asked for. Exactly the prices of the competition's type; fixed ones may be left out.

    `minimum_acceptance_mw` is for divisible bids: any amount from it up to `capacity_mw` may be accepted. All bids of
    a ballot with one `linked_group` are accepted or none; of one `exclusive_group` at most one.
    """

    window_id: str = Field(min_length=1, max_length=80)
    split: int = Field(default=1, ge=1, le=MOST_SPLITS)
    capacity_mw: Megawatts
    divisibility: Divisibility = "all-or-nothing"
    minimum_acceptance_mw: Megawatts | None = None
    maximum_run_time: RunTime
    availability_price: SignedPrice | None = None
    utilisation_price: SignedPrice | None = None
    service_fee: SignedPrice | None = None
    linked_group: Group | None = None
    exclusive_group: Group | None = None


class Bid(BidRequest):
    """A bid that was taken: its id says ballot, version and row; fixed prices and defaults are filled in."""

    id: str


class BallotRequest(Value):
    """A ballot as asked for. No `asset_ids`: all qualified assets. The same `client_token` twice is one ballot."""

    client_token: Token | None = None
    ref: BallotRef | None = None
    asset_ids: list[Id] | None = Field(default=None, min_length=1, max_length=MOST_ASSETS)
    contracting_entity: str | None = Field(default=None, max_length=200)
    bids: list[BidRequest] = Field(min_length=1, max_length=MOST_BIDS)


class ReplacementRequest(Value):
    """A new version of a live ballot: the whole of it, and what is left out is offered no more."""

    client_token: Token | None = None
    asset_ids: list[Id] | None = Field(default=None, min_length=1, max_length=MOST_ASSETS)
    contracting_entity: str | None = Field(default=None, max_length=200)
    bids: list[BidRequest] = Field(min_length=1, max_length=MOST_BIDS)


class ModelRequest(Value):
    """A draft to be reckoned: nothing of it is stored."""

    competition_id: Id
    bids: list[BidRequest] = Field(min_length=1, max_length=MOST_BIDS)


class Overlap(Value):
    """A flag for the FSP: assets of this ballot are also behind something else at the same time.

    `asset_ids` and `window_ids` (of this competition) name the first of them, at most 20 each.
    """

    kind: Literal["obligation", "ballot"]
    asset_count: int
    asset_ids: tuple[str, ...]
    window_count: int
    window_ids: tuple[str, ...]
    competition_id: str
    obligation_id: str | None = None
    ballot_id: str | None = None


class BallotVersion(Value):
    """One version of a ballot as it is kept: sealed, never changed, its bids packed."""

    ballot_id: str
    version: int
    ref: str
    fsp: str
    competition_id: str
    contracting_entity: str | None = None
    submitted_at: Instant
    submitted_by: str
    asset_ids: tuple[str, ...]
    bids: tuple[Bid, ...]


class BallotHead(Value):
    """Where a ballot stands: its newest version and whether it is live. Ids and instants only, nothing offered."""

    ballot_id: str
    competition_id: str
    fsp: str
    version: int
    state: Literal["live", "withdrawn"]
    changed_at: Instant


class ReceiptLine(Value):
    """A bid as the receipt names it."""

    bid_id: str
    window_id: str
    split: int


class BallotReceipt(Value):
    """What an FSP is given for a ballot: its id, version and instant, each bid, and the overlaps to be aware of."""

    ballot_id: str
    ref: str
    version: int
    competition_id: str
    submitted_at: Instant
    asset_count: int
    bids: tuple[ReceiptLine, ...]
    overlaps: tuple[Overlap, ...] = ()


class BallotLine(Value):
    """A ballot in a list: where its newest version stands, without its bids."""

    id: str
    ref: str
    version: int
    state: BallotState
    competition_id: str
    submitted_at: Instant
    asset_count: int
    bid_count: int


class BallotView(Value):
    """A ballot as its own organisation reads it. `void` when the competition was withdrawn."""

    id: str
    ref: str
    version: int
    state: BallotState
    competition_id: str
    competition_reference: str
    so: str
    contracting_entity: str | None
    submitted_at: Instant
    asset_ids: tuple[str, ...]
    bids: tuple[Bid, ...]
    overlaps: tuple[Overlap, ...]


class WithdrawalView(Value):
    """A ballot after its withdrawal."""

    ballot_id: str
    version: int
    state: Literal["withdrawn"]
    competition_id: str
    withdrawn_at: Instant


class BidHistoryView(Bid):
    """One bid of any version of any ballot the organisation ever submitted."""

    ballot_id: str
    ballot_ref: str
    ballot_version: int
    ballot_state: BallotState
    competition_id: str
    competition_reference: str
    so: str
    submitted_at: Instant
    asset_count: int


class BidFigures(Value):
    """What a bid is expected to be: `expected_cost` to the SO is the revenue the FSP may expect, in money.

    `effective_price` is per MW/h where availability is bid, else per MWh; None where the window's expected hours do not
    allow one.
    """

    window_id: str
    split: int
    available_hours: Number
    dispatched_hours: Number | None
    expected_cost: Money
    effective_price: Number | None
    effective_price_unit: Literal["MW/h", "MWh"]
    above_ceiling: tuple[str, ...]


class DraftProblem(Value):
    """Something that would refuse the draft, where (`bids/0/capacity_mw`), and what would pass."""

    code: str
    detail: str
    field: str | None = None
    allowed: str | None = None


class ModelView(Value):
    """A draft ballot reckoned: its bids, the sum with exclusive bids counted once (the best), and what would refuse it.

    Bids that lack a price or name no window of the competition are left out of the figures.
    """

    competition_id: str
    bids: tuple[BidFigures, ...]
    expected_revenue: Money
    problems: tuple[DraftProblem, ...] = ()


class OpportunityView(Value):
    """An open window the FSP may bid in, with what it may offer and what is asked."""

    competition_id: str
    competition_reference: str
    competition_name: str
    round_ref: str | None
    so: str
    time_zone: str
    closes: Instant
    window_id: str
    service_period_name: str
    service_period_start: date
    service_period_end: date
    service_window_name: str
    service_days: tuple[str, ...]
    start: str
    end: str
    available_hours: Number
    dispatched_hours: Number | None
    capacity_required: Megawatts
    qualified_capacity: Megawatts
    capacity_limit: Megawatts
    minimum_bid_size: Megawatts
    minimum_run_time: timedelta | None
    prices_asked: tuple[PriceName, ...]
    fixed_prices: dict[str, SignedPrice]
    ceilings: dict[str, SignedPrice]


class OpportunityQuery(PageQuery):
    """Which open windows: of one round of an operator, of one operator, or of one competition; else all."""

    round_ref: str | None = Field(default=None, max_length=80)
    so: str | None = Field(default=None, max_length=80)
    competition_id: str | None = Field(default=None, max_length=80)


class HistoryQuery(PageQuery):
    """Which part of the history: one competition's, one round's, one operator's; else all of it."""

    round_ref: str | None = Field(default=None, max_length=80)
    so: str | None = Field(default=None, max_length=80)
    competition_id: str | None = Field(default=None, max_length=80)


class BidForDeciding(Bid):
    """A sealed bid opened after close, for the SO's assessment.

    `capacity_mw` is what can still be bought: below `offered_mw` when assets dropped out since (`flags` then holds
    `cut`, or `not_qualified` when nothing is left). `expected_cost` and `effective_price` go by `capacity_mw`.
    """

    ballot_id: str
    ballot_version: int
    fsp: str
    competition_id: str
    submitted_at: Instant
    offered_mw: Megawatts
    expected_cost: Money
    effective_price: Number | None
    flags: tuple[str, ...] = ()


class OpenedBallot(Value):
    """A live ballot opened after close; `asset_ids` are those of its assets that are still qualified."""

    ballot_id: str
    version: int
    ref: str
    fsp: str
    competition_id: str
    contracting_entity: str | None
    submitted_at: Instant
    asset_ids: tuple[str, ...]
    bids: tuple[BidForDeciding, ...]


def bid_id(ballot_id: str, version: int, row: int) -> str:
    """The id of the bid in row 1, 2, … of a ballot's version: sorts by ballot, version and row."""
    return f"bid_{ballot_id.partition('_')[2]}-{version:03d}-{row:04d}"


def place_of_bid(identifier: str) -> tuple[str, int, int]:
    """Ballot id, version and row of a bid id; ValueError when it is not one."""
    tail, version, row = identifier.removeprefix("bid_").rsplit("-", 2)
    if not identifier.startswith("bid_") or not tail:
        raise ValueError(f"{identifier!r} is not a bid id")
    return f"bal_{tail}", int(version), int(row)


def total(values: list[Decimal]) -> Decimal:
    """The sum of megawatts, 0 for none."""
    return sum(values, Decimal(0))
