"""Holds answers against the API's own description."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from chalicelib.edge.openapi import describe
from chalicelib.edge.web import ENDPOINTS, Endpoint
from tests.builders.small_market import Answer

KNOWN = sorted(ENDPOINTS, key=lambda endpoint: (endpoint.path, endpoint.method))
CALLERS = ("fsp", "so", "market_operator", None)


def each(endpoints: list[Endpoint]) -> Any:
    return pytest.mark.parametrize("endpoint", endpoints, ids=lambda endpoint: endpoint.name)


def check(endpoint: Endpoint, answer: Answer, slimmed: bool = False) -> None:
    """The answer is one that the description knows: status, type and shape."""
    operation = describe()["paths"][f"/v1{endpoint.path}"][endpoint.method.lower()]
    assert answer.status < 500, answer
    assert str(answer.status) in operation["responses"], answer
    kinds = operation["responses"][str(answer.status)].get("content", {})
    if not kinds:
        assert answer.content == b""
        return
    kind = answer.headers["Content-Type"].split(";")[0]
    assert kind in kinds, answer
    if kind.endswith("json") and not slimmed:
        known = {"$ref": "#/shape", "shape": kinds[kind]["schema"], "components": describe()["components"]}
        errors = [error.message for error in jsonschema_rs.Draft202012Validator(known).iter_errors(answer.json)]
        assert errors == [], answer


def callers_of(endpoint: Endpoint) -> list[str | None]:
    kinds = {kind for kind, _ in endpoint.who.openings}
    return [caller for caller in CALLERS if caller in kinds or (caller is None and endpoint.who.is_public)]


def headers_of(endpoint: Endpoint) -> dict[str, str]:
    return {"If_Match": '"1"'} if endpoint.if_match else {}
