"""Owns the API's description: OpenAPI 3.1 and a readable page, both collected from the endpoints themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from html import escape
from typing import Any, Literal, get_origin

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from chalicelib.edge.access import Who
from chalicelib.edge.answers import JSON, PROBLEM_JSON, Text
from chalicelib.edge.web import ENDPOINTS, PUBLIC, Endpoint, Routes
from chalicelib.kernel.call import Call
from chalicelib.kernel.models import Instant, Value

VERSION = "0.1.0"
_REF = "#/components/schemas/{model}"
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "for machines, such as `bidding.closed`"},
        "detail": {"type": "string", "description": "for people"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {name: {"type": "string"} for name in ("pointer", "code", "detail", "allowed")},
            },
        },
        "request_id": {"type": "string"},
    },
}

_FIELDS = {"type": "string", "maxLength": 2000}
_SLIMMED = "names of fields, separated by commas: the answer, or each item of the page, then holds no others"
_TEXT = {"schema": {"type": "string"}}
_REFUSALS = {
    "400": "Something in the request must be put right: every problem at once.",
    "401": "Nobody is signed in, or the token does not hold.",
    "403": "The caller's organisation or roles do not allow this.",
    "404": "There is no such thing, or it is another organisation's.",
    "409": "The right shape at the wrong moment: the state of the market refuses it.",
    "412": "Somebody changed the thing since the caller read it.",
    "413": "More than the market takes at once.",
    "415": "The body is of a kind that is not read here.",
    "422": "Something in the request must be put right: every problem at once.",
    "428": "If-Match is missing.",
    "429": "Asked too often; Retry-After says when to come back.",
    "500": "A fault of ours; tell us the request id.",
}

routes = Routes(__name__)


class Health(Value):
    """That the API answers, and the instant it goes by."""

    status: Literal["ok"] = "ok"
    version: str
    at: Instant


@routes.get("/health", returns=Health, who=PUBLIC)
def get_health(call: Call) -> Health:
    """Whether the API answers; it touches nothing else."""
    return Health(version=VERSION, at=call.now)


@routes.get("/openapi.json", returns=Text, who=PUBLIC)
def get_openapi(call: Call) -> Text:
    """This description, as OpenAPI 3.1."""
    return Text(json.dumps(describe()), "application/json")


@routes.get("/docs", returns=Text, who=PUBLIC, produces=("text/html",))
def get_docs(call: Call) -> Text:
    """The API's endpoints on one readable page."""
    return Text(_page(describe()), "text/html; charset=utf-8")


@cache
def describe() -> dict[str, Any]:
    """The OpenAPI 3.1 document of every endpoint registered so far, in order of path."""
    endpoints = sorted(ENDPOINTS, key=lambda endpoint: (endpoint.path, endpoint.method))
    schemas, definitions = models_json_schema(_models(endpoints), ref_template=_REF)
    references = dict(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(f"/v1{endpoint.path}", {})[endpoint.method.lower()] = _operation(endpoint, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Headroom",
            "version": VERSION,
            "description": "The open marketplace for local flexibility.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _models(endpoints: Iterable[Endpoint]) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    found: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    for endpoint in endpoints:
        for model in filter(None, (endpoint.body, endpoint.query)):
            found[(model, "validation")] = None
        if _is_model(endpoint.returns):
            found[(endpoint.returns, "serialization")] = None
    return list(found)


def _operation(endpoint: Endpoint, references: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.room],
        "summary": _summary(endpoint),
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, references),
    }
    if endpoint.body is not None:
        reference = references[(endpoint.body, "validation")]
        content = {kind: {"schema": reference} for kind in endpoint.content_types}
        operation["requestBody"] = {"required": True, "content": content}
    if not endpoint.who.is_public:
        operation["security"] = [{"bearer": []}]
        operation["description"] = f"For {_audience(endpoint.who)}."
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    named = re.findall(r"\{(\w+)\}", endpoint.path)
    found = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in named]
    found += _query_parameters(endpoint)
    if _is_model(endpoint.returns) and endpoint.method == "GET":
        found.append({"name": "fields", "in": "query", "required": False, "schema": _FIELDS, "description": _SLIMMED})
    if endpoint.if_match:
        pattern = {"type": "string", "pattern": '^"?[0-9]{1,11}"?$'}
        found.append({"name": "If-Match", "in": "header", "required": True, "schema": pattern})
    if endpoint.replay is not None:
        length = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": length})
    return found


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    schema = endpoint.query.model_json_schema(ref_template=_REF)
    required = set(schema.get("required", ()))
    definitions = schema.get("$defs", {})
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _inlined(shape, definitions)}
        for name, shape in schema.get("properties", {}).items()
    ]


def _inlined(shape: Any, definitions: dict[str, Any]) -> Any:
    """A query's schema without references, since it stands alone."""
    if isinstance(shape, list):
        return [_inlined(part, definitions) for part in shape]
    if not isinstance(shape, dict):
        return shape
    if "$ref" in shape:
        return _inlined(definitions[shape["$ref"].rsplit("/", 1)[-1]], definitions)
    return {name: _inlined(part, definitions) for name, part in shape.items()}


def _responses(endpoint: Endpoint, references: Any) -> dict[str, Any]:
    refusals = {status: _refusal(status) for status in sorted(_refusal_statuses(endpoint))}
    return {_success_status(endpoint): _success(endpoint, references)} | refusals


def _refusal_statuses(endpoint: Endpoint) -> set[str]:
    """Every status an endpoint may refuse with: who asks, how often, in which shape, for what, in which state."""
    statuses = {"404", "409", str(endpoint.invalid_status), "429", "500"}
    if not endpoint.who.is_public or endpoint.method != "GET":
        statuses |= {"401", "403"}
    if endpoint.body is not None:
        statuses |= {"413", "415"}
    if endpoint.if_match:
        statuses |= {"412", "428"}
    elif endpoint.method != "GET":
        statuses |= {"412"}
    return statuses


def _refusal(status: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": _REFUSALS[status],
        "headers": {"X-Request-Id": _TEXT},
        "content": {PROBLEM_JSON: {"schema": {"$ref": _REF.format(model="Problem")}}},
    }
    if status == "429":
        answer["headers"]["Retry-After"] = {"description": "seconds", "schema": {"type": "integer"}}
    return answer


def _success_status(endpoint: Endpoint) -> str:
    return str(endpoint.status if endpoint.returns is not None else 204)


def _success(endpoint: Endpoint, references: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": _summary(endpoint), "headers": {"X-Request-Id": _TEXT}}
    if endpoint.returns is not None:
        answer["content"] = {kind: {"schema": _shape(endpoint, kind, references)} for kind in endpoint.produces}
    if _is_model(endpoint.returns) and "version" in endpoint.returns.model_fields:
        answer["headers"]["ETag"] = {"description": "the version, for If-Match", **_TEXT}
    return answer


def _shape(endpoint: Endpoint, kind: str, references: Any) -> dict[str, Any]:
    if kind == JSON and _is_model(endpoint.returns):
        return dict(references[(endpoint.returns, "serialization")])
    return {"type": "object" if kind.endswith("json") else "string"}


def _is_model(returns: Any) -> bool:
    return isinstance(returns, type) and issubclass(returns, BaseModel) and get_origin(returns) is None


def _summary(endpoint: Endpoint) -> str:
    words = (endpoint.act.__doc__ or "").strip().splitlines()
    return words[0] if words else endpoint.name.replace("_", " ").capitalize() + "."


def _audience(who: Who) -> str:
    names = {"fsp": "flexibility service providers", "so": "system operators", "market_operator": "the market operator"}
    parts = [f"{names[kind]} ({', '.join(sorted(roles)) or 'any role'})" for kind, roles in who.openings]
    return " and ".join(parts)


def _page(document: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><b>{method.upper()}</b></td><td><code>{escape(path)}</code></td><td>{escape(operation['summary'])}"
        f"<br><small>{escape(operation.get('description', 'For anyone.'))}</small></td></tr>"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Headroom API</title>'
        "<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
        "td{padding:.35rem .8rem;border-bottom:1px solid #ddd;vertical-align:top}small{color:#666}</style>"
        "<h1>Headroom API</h1><p>JSON over HTTPS. The whole description: "
        '<a href="/v1/openapi.json">OpenAPI 3.1</a>.</p>'
        f"<table>{''.join(rows)}</table></html>"
    )
