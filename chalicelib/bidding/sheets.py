"""Owns the bid workbook and the history workbook as columns. Pure."""

from __future__ import annotations

from decimal import Decimal

from chalicelib.bidding.models import MOST_SPLITS
from chalicelib.files.columns import (
    CellKind,
    Choice,
    ClockTime,
    Column,
    DecimalNumber,
    Duration,
    LocalDate,
    LocalDateTime,
    Sheet,
    Template,
    Text,
    TextList,
    WholeNumber,
)

BIDS = "Bids"
HISTORY = "Bidding history"
ACTIONS = ("submit", "replace", "withdraw")
DIVISIBILITIES = ("all-or-nothing", "divisible")

_MW = DecimalNumber(places=6)
_HOURS = DecimalNumber(places=4)
_PRICE = DecimalNumber(places=4, minimum=None)
_GROUP = Text(40, r"[A-Za-z0-9_-]+", "letters, digits, - and _")
_REF = Text(40, r"[A-Za-z0-9_.-]+", "letters, digits, -, _ and .")


def _shown(header: str, field: str, told: str, kind: CellKind | None = None) -> Column:
    return Column(header, field, told, kind=kind or Text(), shown_only=True)


_WHICH = (
    Column("Competition Ref", "competition_ref", "The competition's reference.", True, Text(40), "NORTH-2026-1"),
    Column(
        "Operator", "operator", "The system operator; needed where two operators use one reference.", kind=Text(200)
    ),
    Column("Service Period", "period_name", "As the competition names it.", kind=Text(200), example="Summer 2026"),
    Column("Service Window", "window_name", "As the competition names it.", kind=Text(200), example="Evening peak"),
)
_ABOUT = (
    _shown("Competition Name", "competition_name", "What the competition is called."),
    _shown(
        "Bidding Closes",
        "closes",
        "The operator's clock. A file that arrives then or later is refused.",
        LocalDateTime(),
    ),
    _shown("Period Start", "period_start", "First day of the service period.", LocalDate()),
    _shown("Period End", "period_end", "Last day of the service period.", LocalDate()),
    _shown("Days", "days", "Days the window starts on.", TextList()),
    _shown("Start", "start", "The window begins, local clock.", ClockTime()),
    _shown("End", "end", "The window ends, local clock.", ClockTime()),
    _shown("Available Hours", "available_hours", "Hours of the window over the period.", _HOURS),
    _shown("Expected Dispatch Hours", "dispatched_hours", "Hours the operator expects to dispatch.", _HOURS),
    _shown("Capacity Required MW", "capacity_required", "What the operator needs (MVAr for reactive power).", _MW),
    _shown("Capacity Limit MW", "capacity_limit", "Your qualified capacity, or what is required.", _MW),
    _shown("Minimum Bid MW", "minimum_bid_size", "The smallest bid.", _MW),
    _shown("Minimum Run Time", "minimum_run_time", "The shortest run time.", Duration()),
    _shown("Prices Asked", "prices_asked", "The price columns to fill in.", TextList()),
    _shown("Fixed Prices", "fixed_prices", "Prices the operator fixed; leave their columns blank."),
    _shown("Availability Ceiling", "availability_ceiling", "The most per MW/h.", _PRICE),
    _shown("Utilisation Ceiling", "utilisation_ceiling", "The most per MWh.", _PRICE),
    _shown("Effective Price Ceiling", "effective_ceiling", "The most in effective price.", _PRICE),
)
_PRICES = (
    Column("Availability Price", "availability_price", "Per MW/h, where it is asked.", kind=_PRICE, example="5.25"),
    Column("Utilisation Price", "utilisation_price", "Per MWh, where it is asked.", kind=_PRICE, example="180"),
    Column("Service Fee", "service_fee", "Per MW for the service period, where it is asked.", kind=_PRICE),
)
_BID = (
    Column(
        "Ballot Ref",
        "ballot_ref",
        "Your name for the ballot these rows are.",
        kind=_REF,
        example="B1",
    ),
    Column(
        "Action",
        "action",
        "submit (where left blank), replace or withdraw the ballot. Withdrawals need no bids.",
        kind=Choice(ACTIONS),
        example="submit",
    ),
    Column(
        "Asset Refs",
        "asset_refs",
        "The ballot's assets, on any of its rows. Blank: all your qualified assets.",
        kind=TextList(),
        example="BAT-1; BAT-2",
    ),
    Column("Contracting Entity", "contracting_entity", "In whose name you contract, on any row.", kind=Text(200)),
    Column("Split", "split", "1, 2, … for several bids in one window.", kind=WholeNumber(1, MOST_SPLITS), example="1"),
    Column(
        "Capacity MW",
        "capacity_mw",
        "What you offer. Leave blank for no bid in this window.",
        kind=DecimalNumber(6, None, None, Decimal(0)),
        example="1.5",
    ),
    Column(
        "Divisibility",
        "divisibility",
        "all-or-nothing (where left blank), or divisible: a part may be accepted.",
        kind=Choice(DIVISIBILITIES),
        example="divisible",
    ),
    Column("Minimum Acceptance MW", "minimum_acceptance_mw", "The least of a divisible bid.", kind=_MW, example="0.5"),
    Column(
        "Maximum Run Time", "maximum_run_time", "How long you can run at a time.", kind=Duration(), example="2:00:00"
    ),
    *_PRICES,
    Column("Linked Group", "linked_group", "Bids with one name are accepted all or none.", kind=_GROUP),
    Column("Exclusive Group", "exclusive_group", "Of bids with one name at most one is accepted.", kind=_GROUP),
)

TEMPLATE = Template(
    kind="bids",
    title="Bids",
    version="1",
    sheets=(Sheet(BIDS, (*_WHICH, *_ABOUT, *_BID), help="One row per service window and split."),),
    how_to=(
        "Download it filled with the windows that are open to you; fill in Capacity MW and the prices asked.",
        "Rows without capacity, prices or an action are no bids and change nothing.",
        "Rows of one competition with the same Ballot Ref, or with none, are one ballot: taken or refused whole.",
        "Ballots of one competition need different assets. Withdrawals go first, then replacements, then new ballots.",
        "What counts is the instant the file arrives: before bidding closes it is taken, at close or later it is not.",
    ),
)

HISTORY_TEMPLATE = Template(
    kind="bid-history",
    title="Bidding history",
    version="1",
    sheets=(
        Sheet(
            HISTORY,
            (
                _shown("Submitted (UTC)", "submitted_at", "When the ballot arrived.", LocalDateTime()),
                _shown("Operator", "operator", "The system operator."),
                _shown("Competition Ref", "competition_reference", "The competition's reference."),
                _shown("Service Period", "period_name", "The service period."),
                _shown("Service Window", "window_name", "The service window."),
                _shown("Ballot ID", "ballot_id", "The ballot."),
                _shown("Ballot Ref", "ballot_ref", "Your name for it."),
                _shown("Version", "ballot_version", "1, then one more with each replacement.", WholeNumber()),
                _shown("State", "ballot_state", "live, replaced, withdrawn, or void in a withdrawn competition."),
                _shown("Bid ID", "id", "The bid."),
                _shown("Split", "split", "Its number in the window.", WholeNumber()),
                _shown("Assets", "asset_count", "How many assets stood behind the ballot.", WholeNumber()),
                _shown("Capacity MW", "capacity_mw", "What was offered.", _MW),
                _shown("Divisibility", "divisibility", "all-or-nothing, or divisible."),
                _shown("Minimum Acceptance MW", "minimum_acceptance_mw", "The least of a divisible bid.", _MW),
                _shown("Maximum Run Time", "maximum_run_time", "How long it could run at a time.", Duration()),
                _shown("Availability Price", "availability_price", "Per MW/h.", _PRICE),
                _shown("Utilisation Price", "utilisation_price", "Per MWh.", _PRICE),
                _shown("Service Fee", "service_fee", "Per MW for the service period.", _PRICE),
                _shown("Linked Group", "linked_group", "Accepted all or none."),
                _shown("Exclusive Group", "exclusive_group", "At most one accepted."),
            ),
            help="One row per bid of every version of every ballot.",
        ),
    ),
    how_to=("Every bid your organisation ever made, newest ballots first. It is for reading; nothing reads it back.",),
)
