"""Owns the choice-driven states of the registry as tables of moves."""

from __future__ import annotations

# An application: written by the FSP, ruled on by the SO; rejected ones are edited and submitted again without limit.
APPLICATION_MOVES = {
    ("draft", "edit"): "draft",
    ("draft", "submit"): "submitted",
    ("draft", "withdraw"): "withdrawn",
    ("submitted", "approve"): "approved",
    ("submitted", "reject"): "rejected",
    ("submitted", "withdraw"): "withdrawn",
    ("rejected", "edit"): "draft",
    ("rejected", "submit"): "submitted",
    ("rejected", "withdraw"): "withdrawn",
    ("approved", "suspend"): "suspended",
    ("approved", "withdraw"): "withdrawn",
    ("suspended", "reinstate"): "approved",
    ("suspended", "withdraw"): "withdrawn",
    ("withdrawn", "edit"): "draft",
}
APPLICATION_STATES = ("draft", "submitted", "approved", "rejected", "suspended", "withdrawn")
APPLICATION_ACTIONS = ("edit", "submit", "withdraw", "approve", "reject", "suspend", "reinstate")

# A person: invited until they accept, deactivated by an account person, invited once more to come back.
PERSON_MOVES = {
    ("invited", "invite"): "invited",
    ("invited", "accept"): "active",
    ("invited", "deactivate"): "deactivated",
    ("active", "deactivate"): "deactivated",
    ("deactivated", "invite"): "invited",
}
PERSON_STATES = ("invited", "active", "deactivated")
PERSON_ACTIONS = ("invite", "accept", "deactivate")
