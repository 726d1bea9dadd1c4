"""Owns the bids file as columns: what the operator is given to decide on, and reads back with its decisions."""

from __future__ import annotations

import re
from typing import Any

from chalicelib.decisions.models import REASONS
from chalicelib.files.columns import (
    CellKind,
    Choice,
    Column,
    DecimalNumber,
    Duration,
    Sheet,
    Template,
    Text,
    WholeNumber,
)

BIDS = "Bids"
_MW = DecimalNumber(places=6)
_PRICE = DecimalNumber(places=6, minimum=None)
_ACCEPTED = r"(?P<accepted>accept(ed)?|yes)(\s+(?P<mw>[0-9]{1,9}(\.[0-9]{1,6})?)\s*(MW|MVAr)?)?"
_REJECTED = rf"(?P<rejected>reject(ed)?|no)(\s*:\s*(?P<reason>{'|'.join(REASONS)}))?"
SPOKEN = rf"(?i:{_ACCEPTED}|{_REJECTED}|undecided)"


def _shown(header: str, field: str, help_text: str, kind: CellKind | None = None) -> Column:
    return Column(header, field, help_text, kind=kind or Text(), shown_only=True)


_WHICH = (
    Column(
        "Bid ID", "bid_id", "The bid that is decided. Leave as it is.", True, Text(80), "bid_01k…-001-0001", width=40
    ),
    Column(
        "Competition ID", "competition_id", "Its competition. Leave as it is.", True, Text(80), "cmp_01k…", width=34
    ),
)
_ABOUT = (
    _shown("Ballot ID", "ballot_id", "The ballot the bid belongs to."),
    _shown("Competition Ref", "competition_reference", "The competition's reference."),
    _shown("Competition Name", "name", "The competition's name."),
    _shown("Scheme", "dps_record_reference", "The scheme it needs, if any."),
    _shown("Service Period", "service_period_name", "The service period."),
    _shown("Service Window", "service_window_name", "The service window."),
    _shown("FSP", "fsp_name", "Who bids."),
    _shown("Offered MW", "offered_mw", "What was bid.", _MW),
    _shown("Available MW", "capacity_mw", "What can be accepted: less than offered where assets dropped out.", _MW),
    _shown("Divisibility", "divisibility", "all-or-nothing, or divisible."),
    _shown("Minimum Acceptance MW", "minimum_acceptance_mw", "The least of a divisible bid that may be accepted.", _MW),
    _shown("Linked Group", "linked_group", "Bids of a ballot with the same group are accepted or rejected together."),
    _shown("Exclusive Group", "exclusive_group", "Of bids of a ballot with the same group at most one is accepted."),
    _shown("Maximum Run Time", "maximum_run_time", "How long it can run.", Duration()),
    _shown("Availability Price", "availability_price", "Per MW/h.", _PRICE),
    _shown("Utilisation Price", "utilisation_price", "Per MWh.", _PRICE),
    _shown("Service Fee", "service_fee", "Per MW for the service period.", _PRICE),
    _shown("Expected Cost", "expected_cost", "MW x (H_av x availability + H_ut x utilisation) + fee x MW.", _PRICE),
    _shown("Effective Price", "effective_price", "Expected cost per MW/h, or per MWh without availability.", _PRICE),
    _shown("Flags", "flags", "What to be aware of."),
    _shown(
        "Proposal", "proposal", "The decision proposed last without what-if options. Decision takes it as it stands."
    ),
    _shown("Proposal in Words", "proposal_text", "Why a bid is proposed to be rejected, with its figures."),
)
_DECISION = (
    Column(
        "Decision",
        "decision",
        "Leave blank to decide later. What stands in Proposal can be copied here.",
        kind=Text(
            60,
            pattern=SPOKEN,
            pattern_help="accepted, rejected, undecided, or what stands in Proposal",
            suggestions=("accepted", "rejected", "undecided"),
        ),
        example="accepted",
    ),
    Column("Accepted MW", "accepted_mw", "Blank accepts the whole bid.", kind=_MW, example="1.5"),
    Column(
        "Reason",
        "reason",
        "Required for a rejection: " + " ".join(f"{code}: {text}" for code, text in REASONS.items()),
        kind=Choice(tuple(REASONS)),
        example="OUT_OF_MERIT",
    ),
    Column("Comment", "comment", "Shown to the provider. Required with OTHER.", kind=Text(1000)),
)

RESULTS = "Results"
WINDOWS = "Windows"
_OUTCOME = (
    _shown("Decision", "decision", "accepted or rejected."),
    _shown("Accepted MW", "accepted_mw", "What was bought.", _MW),
    _shown("Reason", "reason", "Why it was not accepted."),
    _shown("Reason in Words", "reason_text", "The same in words."),
    _shown("Comment", "comment", "What the operator added."),
)
_AGGREGATE = (
    _shown("Competition Ref", "competition_reference", "The competition's reference."),
    _shown("Service Period", "service_period_name", "The service period."),
    _shown("Service Window", "service_window_name", "The service window."),
    _shown("Required MW", "capacity_required_mw", "What was needed.", _MW),
    _shown("Offered MW", "offered_mw", "What was bid.", _MW),
    _shown("Accepted MW", "accepted_mw", "What was bought.", _MW),
    _shown("Bids", "bids", "How many bids.", WholeNumber()),
    _shown("Bidders", "bidders", "How many providers bid.", WholeNumber()),
    _shown("Lowest Accepted", "lowest_accepted_price", "Effective price.", _PRICE),
    _shown("Highest Accepted", "highest_accepted_price", "Effective price.", _PRICE),
    _shown("Per", "price_unit", "What the effective price is per."),
)
_HIDDEN_IN_RESULTS = {"proposal", "proposal_text"}

RESULTS_TEMPLATE = Template(
    kind="results",
    title="Competition results",
    version="1",
    sheets=(
        Sheet(
            RESULTS,
            (*_WHICH, *(column for column in _ABOUT if column.field not in _HIDDEN_IN_RESULTS), *_OUTCOME),
            help="One row per bid: an operator sees all, a provider its own.",
        ),
        Sheet(WINDOWS, _AGGREGATE, help="One row per service window, those without bids too."),
    ),
    how_to=("Results of confirmed competitions. It is for reading; nothing reads it back.",),
)

TEMPLATE = Template(
    kind="decisions",
    title="Decisions on bids",
    version="1",
    sheets=(Sheet(BIDS, (*_WHICH, *_ABOUT, *_DECISION), unique=("bid_id",)),),
    how_to=(
        "Download the bids of closed competitions, fill Decision, Accepted MW, Reason and Comment, upload the file.",
        "Upload it as often as you like until the results are confirmed; rows already final are errors.",
        "Deciding is not confirming: results become final when a person with the confirm role confirms them.",
    ),
)


def spoken(text: str) -> dict[str, Any]:
    """What a cell of Decision says, by field: the decision, and the MW or reason that stand with it.

    "accept 1.5 MW" and "reject: OUT_OF_MERIT" are what Proposal holds. ValueError for text that `SPOKEN` does not fit.
    """
    found = re.fullmatch(SPOKEN, text)
    if found is None:
        raise ValueError(f"{text!r} is no decision")
    said = found.groupdict()
    if said["accepted"]:
        return {"decision": "accepted"} | ({"accepted_mw": said["mw"]} if said["mw"] else {})
    if said["rejected"]:
        return {"decision": "rejected"} | ({"reason": said["reason"].upper()} if said["reason"] else {})
    return {"decision": "undecided"}
