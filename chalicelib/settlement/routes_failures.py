"""Endpoint of service failures: flags that both sides see."""

from __future__ import annotations

from chalicelib.edge.web import Page, Routes, either, fsp, so
from chalicelib.kernel.call import Call
from chalicelib.settlement import actions_failures
from chalicelib.settlement.failures import FailureQuery, ServiceFailure

routes = Routes(__name__)


@routes.get("/service-failures", query=FailureQuery, returns=Page[ServiceFailure], who=either(fsp("read"), so("read")))
def list_service_failures(call: Call, query: FailureQuery) -> Page[ServiceFailure]:
    """Obligations of which more was unavailable, or less delivered, in a month than their market rules bear."""
    return actions_failures.list_failures(call, query)
