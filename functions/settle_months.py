"""Wakes every hour: operators whose day of reporting has come get the run of the month before, once."""

from __future__ import annotations

from chalicelib.edge.entrance import tick
from chalicelib.kernel.call import Call
from chalicelib.registry import actions as registry
from chalicelib.settlement.actions_runs import ask_monthly


def settle_months(call: Call) -> None:
    """One hour's round; a run asked for before is left as it is."""
    for operator in registry.list_organisations("so"):
        ask_monthly(call.as_system(), operator.id)


handler = tick(settle_months)
