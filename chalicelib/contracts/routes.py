"""Endpoints of contracts: obligations and what stands behind them."""

from __future__ import annotations

from chalicelib.contracts import actions
from chalicelib.contracts.models import AssetsQuery, ObligatedAsset, ObligationQuery, ObligationView
from chalicelib.edge.web import Page, Routes, either, fsp, so
from chalicelib.kernel.call import Call

routes = Routes(__name__)
_EITHER_SIDE = either(fsp("read"), so("read"))


@routes.get("/obligations", query=ObligationQuery, returns=Page[ObligationView], who=_EITHER_SIDE)
def list_obligations(call: Call, query: ObligationQuery) -> Page[ObligationView]:
    """Obligations the caller is party to, by period start."""
    return actions.list_obligations(call, query)


@routes.get("/obligations/{obligation_id}", returns=ObligationView, who=_EITHER_SIDE)
def get_obligation(call: Call, obligation_id: str) -> ObligationView:
    """One obligation."""
    return actions.get_obligation(call, obligation_id)


@routes.get("/obligations/{obligation_id}/assets", query=AssetsQuery, returns=Page[ObligatedAsset], who=_EITHER_SIDE)
def list_obligated_assets(call: Call, obligation_id: str, query: AssetsQuery) -> Page[ObligatedAsset]:
    """The assets behind one obligation."""
    return actions.list_assets(call, obligation_id, query)


@routes.post(
    "/obligations/{obligation_id}/contract",
    returns=ObligationView,
    who=so("procurement"),
    replay=actions.get_obligation,
)
def contract_obligation(call: Call, obligation_id: str) -> ObligationView:
    """Say that the contract is signed."""
    return actions.contract_obligation(call, obligation_id)
