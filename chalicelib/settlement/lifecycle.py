"""Owns the states of reports, lines, disputes, invoices and self-billing agreements.

Settlement never changes an instruction's state.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from chalicelib.kernel.call import OrganisationKind
from chalicelib.kernel.lifecycle import Moves
from chalicelib.kernel.periods import add_working_days
from chalicelib.settlement.models import Line, LineState

REPORT_MOVES: Moves = {
    ("draft", "publish"): "published",
    ("draft", "supersede"): "superseded",
    ("published", "supersede"): "superseded",
}

LINE_MOVES: Moves = {
    ("open", "dispute"): "disputed",
    ("open", "agree"): "agreed",
    ("disputed", "agree"): "agreed",
    ("disputed", "wait"): "open",
    ("agreed", "invoice"): "invoiced",
    ("invoiced", "pay"): "paid",
    ("invoiced", "credit"): "agreed",
    ("paid", "credit"): "agreed",
}

DISPUTE_MOVES: Moves = {
    ("raised", "answer"): "answered",
    ("raised", "agree"): "agreed",
    ("raised", "withdraw"): "agreed",
    ("answered", "agree"): "agreed",
    ("answered", "withdraw"): "agreed",
    ("answered", "escalate"): "escalated",
    ("escalated", "answer"): "answered",
    ("escalated", "agree"): "agreed",
    ("escalated", "withdraw"): "agreed",
}

INVOICE_MOVES: Moves = {
    ("issued", "pay"): "paid",
    ("issued", "credit"): "credited",
    ("paid", "credit"): "credited",
}

AGREEMENT_MOVES: Moves = {
    ("proposed", "accept"): "agreed",
    ("proposed", "refuse"): "refused",
    ("proposed", "withdraw"): "withdrawn",
    ("agreed", "end"): "ended",
}


DISPUTE_ACTS: dict[str, OrganisationKind] = {"answer": "so", "agree": "fsp", "escalate": "fsp", "withdraw": "fsp"}
"""Which side may do what with a dispute: the operator answers, and settles a line anew by a run; the provider, whose
claim it is, agrees to the line as it then stands, takes the claim back, or carries it further."""


def disputable_until(published: date, working_days: int, holidays: Collection[date]) -> date:
    """The last local day on which a line of a report may be disputed; the day of publishing does not count."""
    return add_working_days(published, working_days, holidays)


def line_state(line: Line, until: date | None, today: date) -> LineState:
    """A line's state as it is today: an open one that nobody disputed up to the day `until` is agreed.

    `until` is None before its report is published. A line without an amount is never agreed by silence: it waits for
    what it lacks.
    """
    if line.state != "open" or until is None or line.amount is None:
        return line.state
    return "agreed" if today > until else "open"


def may_become(stored: LineState, after: LineState) -> bool:
    """Whether a line stored in one state may be written in another; one stored as open may be agreed by its date."""
    before = {stored, "agreed"} if stored == "open" else {stored}
    return any(state in before and moved == after for (state, _), moved in LINE_MOVES.items())
