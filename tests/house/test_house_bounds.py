"""Every field of every request has a bound, and a body of 400 kB is answered, whatever it is full of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.edge.openapi import describe
from chalicelib.edge.web import Endpoint
from tests.builders.described import KNOWN, callers_of, check, each, headers_of
from tests.builders.filled import body_of, fields_of, filled, kinds_of, shape_of
from tests.builders.small_market import BODIES, SmallMarket, ask

BOUNDED_BY_FORMAT = {"date", "date-time", "duration", "time", "uuid"}
BOUNDS = {
    "string": {"maxLength", "pattern", "enum", "const"},
    "array": {"maxItems", "enum", "const"},
    "object": {"maxProperties"},
}
WITH_BODY = [endpoint for endpoint in KNOWN if endpoint.body]
SIZE = 400_000
STUFFING = {"array": ["x"] * (SIZE // 5), "object": {f"x{number}": number for number in range(SIZE // 14)}}
STUFFING |= {"string": "x" * SIZE}


def operation(endpoint: Endpoint) -> dict[str, Any]:
    return describe()["paths"][f"/v1{endpoint.path}"][endpoint.method.lower()]


def unbounded(shape: Any, place: str, above: tuple[str, ...] = ()) -> Iterator[str]:
    """The places in a schema where a caller may put as much as they like."""
    if "$ref" in shape:
        if shape["$ref"] not in above:
            yield from unbounded(shape_of(shape), place, (*above, shape["$ref"]))
        return
    for part in (part for word in ("anyOf", "oneOf", "allOf") for part in shape.get(word, ())):
        yield from unbounded(part, place, above)
    kinds = kinds_of(shape)
    if not kinds and not shape.keys() & {"anyOf", "oneOf", "allOf", "enum", "const"}:
        yield f"{place}: anything"
    yield from (f"{place}: {kind}" for kind in kinds if kind in BOUNDS and not _has_bound(kind, shape))
    if "array" in kinds:
        yield from unbounded(shape.get("items", {}), f"{place}[]", above)
    for name, part in shape.get("properties", {}).items():
        yield from unbounded(part, f"{place}.{name}", above)
    if isinstance(shape.get("additionalProperties"), dict):
        yield from unbounded(shape["additionalProperties"], f"{place}{{}}", above)
        if "maxLength" not in shape.get("propertyNames", {}) and "enum" not in shape_of(shape.get("propertyNames", {})):
            yield f"{place}: names"


def _has_bound(kind: str, shape: dict[str, Any]) -> bool:
    if kind == "object" and "properties" in shape and shape.get("additionalProperties", False) is not True:
        return True
    return bool(shape.keys() & BOUNDS[kind]) or shape.get("format") in BOUNDED_BY_FORMAT


@each(KNOWN)
def test_no_field_of_a_request_is_without_bound(endpoint: Endpoint) -> None:
    asked = operation(endpoint)
    shapes = [(part["name"], part["schema"]) for part in asked["parameters"] if part["in"] == "query"]
    shapes += [("body", content["schema"]) for content in asked.get("requestBody", {}).get("content", {}).values()]
    assert [place for name, shape in shapes for place in unbounded(shape, name)] == []


def test_a_field_without_bound_is_found() -> None:
    shapes = (
        {"type": "string"},
        {"type": "array", "items": {"type": "integer"}},
        {"type": "array", "maxItems": 2, "items": {"type": "string"}},
        {"type": "object", "additionalProperties": True},
        {"type": "object", "maxProperties": 2, "additionalProperties": {"type": "integer"}},
        {"anyOf": [{"type": "null"}, {"type": "string"}]},
        {},
    )
    assert [len(list(unbounded(shape, "body"))) for shape in shapes] == [1] * len(shapes)


@each(WITH_BODY)
def test_a_body_that_is_as_full_as_it_may_be_is_no_fault(small_market: SmallMarket, endpoint: Endpoint) -> None:
    """Everything the schema allows, each list and text filled until the body has 400 kB."""
    shape = operation(endpoint)["requestBody"]["content"]["application/json"]["schema"]
    body = filled(shape, SIZE)
    for caller in callers_of(endpoint):
        token = small_market.token(caller) if caller else None
        check(endpoint, ask(endpoint.method, small_market.path(endpoint.path), token, body, **headers_of(endpoint)))


@each(WITH_BODY)
def test_400_kb_in_one_field_are_refused_and_no_fault(small_market: SmallMarket, endpoint: Endpoint) -> None:
    """Of the field's own kind where it has one, so that the bound is met and not the kind."""
    shape = operation(endpoint)["requestBody"]["content"]["application/json"]["schema"]
    sound = BODIES.get(endpoint.name) or body_of(shape)
    caller = callers_of(endpoint)[0]
    token = small_market.token(caller) if caller else None
    for name, part in fields_of(shape).items():
        body = {**sound, name: STUFFING[part]}
        answer = ask(endpoint.method, small_market.path(endpoint.path), token, body, **headers_of(endpoint))
        check(endpoint, answer)
        assert answer.status >= 400, (name, answer)
        assert len(answer.content) < SIZE, name
