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
    """One hour's round; a run asked for before, or a notice given before, is left as it is.

    What fails for one operator holds up no other; it is raised at the end, and the round is given again.
    """
    failures: list[Exception] = []
    for operator in registry.list_organisations("so"):
        try:
            ask_monthly(call.as_system(), operator.id)
            tell_of_meter_data(call.as_system(), operator.id)
        except Exception as error:
            failures.append(error)
    if failures:
        raise ExceptionGroup("some operators' months could not be looked after", failures)


handler = tick(settle_months)
