"""Wakes every hour: operators whose day of reporting has come get the run of the month before, once.

Providers are told when meter data of that month is due, and when it is missing.
"""

from __future__ import annotations

from chalicelib.edge.entrance import tick
from chalicelib.kernel.call import Call
from chalicelib.registry import actions as registry
from chalicelib.settlement.actions_deadlines import tell_of_meter_data
from chalicelib.settlement.actions_runs import ask_monthly


def settle_months(call: Call) -> None:
    """One hour's round; a run asked for before, or a notice given before, is left as it is."""
    for operator in registry.list_organisations("so"):
        ask_monthly(call.as_system(), operator.id)
        tell_of_meter_data(call.as_system(), operator.id)


handler = tick(settle_months)
