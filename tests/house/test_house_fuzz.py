"""Whatever is sent, by any caller, the answer is one of those described: no fault, no unknown status, type or shape."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core import NOT_SET
from schemathesis.generation import GenerationMode

from chalicelib.edge.openapi import describe
from chalicelib.edge.web import Endpoint
from tests.builders.described import CALLERS, KNOWN, callers_of, check, each
from tests.builders.small_market import SmallMarket, ask

EXAMPLES = 15
PLACES = ("draft", "qualifying", "bidding", "competition_1")

schema = schemathesis.openapi.from_dict(describe())
OPERATIONS = {operation.ok().definition.raw["operationId"]: operation.ok() for operation in schema.get_all_operations()}


@pytest.mark.slow
@each(KNOWN)
def test_whatever_the_description_allows_or_forbids_is_answered_as_described(
    small_market: SmallMarket, endpoint: Endpoint
) -> None:
    """Requests made by schemathesis, well-formed and broken ones, from every caller who may and one who may not."""
    operation = OPERATIONS[endpoint.name]
    good, bad = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)
    callers = st.sampled_from([*callers_of(endpoint) * 3, *CALLERS])

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(good, good, bad), caller=callers, real=st.sampled_from([*PLACES, None]))
    def hold(case: Any, caller: str | None, real: str | None) -> None:
        token = small_market.token(caller) if caller else None
        headers = {str(name).replace("-", "_"): str(text) for name, text in (case.headers or {}).items()}
        body = None if case.body is NOT_SET else case.body
        query = {str(name): text for name, text in (case.query or {}).items()}
        answer = ask(
            endpoint.method, f"{placed(small_market, endpoint, case, real)}?{asked(query)}", token, body, **headers
        )
        check(endpoint, answer, slimmed="fields" in query)

    hold()


def placed(market: SmallMarket, endpoint: Endpoint, case: Any, real: str | None) -> str:
    """The path: of things that exist, at one of the market's competitions, or as schemathesis made it."""
    if real is not None:
        return market.path(endpoint.path, competition_id=getattr(market, real).id)
    named = {name: quote(str(text), safe="") or "-" for name, text in (case.path_parameters or {}).items()}
    return endpoint.path.format(**named)


def asked(query: dict[str, Any]) -> str:
    return urlencode(query, doseq=True, errors="replace")
