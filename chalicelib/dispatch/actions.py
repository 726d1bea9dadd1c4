"""Dispatch's door for other rooms: instructions, availability and the rules that held."""

from __future__ import annotations

from chalicelib.dispatch.actions_availability import availability_of
from chalicelib.dispatch.actions_reads import (
    availability_in,
    conflicts_of_asset,
    instructions_in,
    instructions_of,
    load_instructions,
)
from chalicelib.dispatch.actions_rules import rules_of
from chalicelib.dispatch.lifecycle import caught_up

__all__ = [
    "availability_in",
    "availability_of",
    "caught_up",
    "conflicts_of_asset",
    "instructions_in",
    "instructions_of",
    "load_instructions",
    "rules_of",
]
