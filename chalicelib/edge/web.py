"""Owns endpoints: one decorator that reads a request, makes the call, checks who asks and maps refusals to answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalice import Blueprint
from chalice.app import CORSConfig, Request, Response
from pydantic import BaseModel, ValidationError

from chalicelib.edge import identity
from chalicelib.edge.access import KINDS, PUBLIC, Who, either, fsp, market_operator, member, so
from chalicelib.edge.answers import Text, answered, failed, refused, validation_problems
from chalicelib.edge.observe import logger
from chalicelib.kernel.call import Call, Idempotency
from chalicelib.kernel.errors import Invalid, Problem, Refusal, Refused, TooLarge
from chalicelib.kernel.models import Page, PageQuery
from chalicelib.storage import claims, settings

__all__ = [
    "KINDS",
    "PUBLIC",
    "Endpoint",
    "Page",
    "PageQuery",
    "Routes",
    "Text",
    "either",
    "fsp",
    "market_operator",
    "member",
    "so",
]

MOST_BODY_BYTES = 6_000_000
MOST_KEY = 200


class PreconditionRequired(Refusal):
    """A change must say which version it changes."""

    status = 428
    title = "Version missing"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """All there is to know of an endpoint; OpenAPI and the house tests read it."""

    method: str
    path: str
    act: Callable[..., Any]
    who: Who
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    returns: Any = None
    status: int = 200
    if_match: bool = False
    replay: Callable[..., Any] | None = None
    content_types: tuple[str, ...] = ("application/json",)

    @property
    def name(self) -> str:
        return self.act.__name__

    @property
    def room(self) -> str:
        return self.act.__module__.split(".")[1]


ENDPOINTS: list[Endpoint] = []


class Routes(Blueprint):
    """A room's endpoints. Paths are written without `/v1`, which `app.py` puts in front."""

    def get(self, path: str, **how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self._endpoint("GET", path, **how)

    def post(self, path: str, **how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self._endpoint("POST", path, **how)

    def put(self, path: str, **how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self._endpoint("PUT", path, **how)

    def patch(self, path: str, **how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self._endpoint("PATCH", path, **how)

    def delete(self, path: str, **how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self._endpoint("DELETE", path, **how)

    def _endpoint(self, method: str, path: str, **how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def register(act: Callable[..., Any]) -> Callable[..., Any]:
            endpoint = Endpoint(method, path, act, **how)
            ENDPOINTS.append(endpoint)
            view = _view(self, endpoint)
            types = list(endpoint.content_types)
            self.route(path, methods=[method], cors=_cors(), content_types=types, name=view.__name__)(view)
            return act

        return register


def _view(routes: Routes, endpoint: Endpoint) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        return respond(endpoint, routes.current_request, path)

    view.__name__ = f"{endpoint.name}_{endpoint.method.lower()}"
    return view


def respond(endpoint: Endpoint, request: Request, path: Mapping[str, str]) -> Response:
    """The response to a request: refusals become problems, anything else is logged and told as a fault."""
    request_id = str(request.context.get("requestId", "unknown"))
    try:
        call = identity.call_from_request(dict(request.headers), request.context, _idempotency(endpoint, request))
        endpoint.who.check(call.actor)
        view = _acted(endpoint, call, request, path)
    except Refusal as refusal:
        return refused(refusal, request_id)
    except Exception:
        logger().exception("fault", extra={"request_id": request_id, "endpoint": endpoint.name})
        return failed(request_id)
    status = endpoint.status if view is not None else 204
    return answered(view, status, request_id, _query_of(request).get("fields"))


def _acted(endpoint: Endpoint, call: Call, request: Request, path: Mapping[str, str]) -> Any:
    arguments = _arguments(endpoint, request, path)
    if endpoint.replay is None or call.idempotency is None:
        return endpoint.act(call, **arguments)
    made = claims.find_result(call)
    if made is not None:
        return endpoint.replay(call, made)
    try:
        return endpoint.act(call, **arguments)
    except Refused as refusal:
        made = claims.find_result(call) if refusal.code == claims.RACED else None
        if made is None:
            raise
        return endpoint.replay(call, made)


def _arguments(endpoint: Endpoint, request: Request, path: Mapping[str, str]) -> dict[str, Any]:
    arguments: dict[str, Any] = dict(path)
    problems: list[Problem] = []
    if endpoint.query is not None:
        arguments["query"] = _query(endpoint.query, request, problems)
    if endpoint.body is not None:
        arguments["body"] = _body(endpoint, request, problems)
    if problems:
        raise Invalid.of(problems, "request.invalid")
    if endpoint.if_match:
        arguments["if_match"] = _version(request)
    return arguments


def _body(endpoint: Endpoint, request: Request, problems: list[Problem]) -> Any:
    raw = _raw(request)
    if len(raw) > MOST_BODY_BYTES:
        raise TooLarge("body.too_large", f"The body is over {MOST_BODY_BYTES // 1_000_000} MB; use a file drop.")
    assert endpoint.body is not None
    try:
        if _content_type(request) == "application/x-www-form-urlencoded":
            return endpoint.body.model_validate(_form(raw))
        return endpoint.body.model_validate_json(raw or b"{}")
    except ValidationError as error:
        problems += validation_problems(error)
    return None


def _raw(request: Request) -> bytes:
    body = request.raw_body
    return body.encode() if isinstance(body, str) else body


def _query_of(request: Request) -> dict[str, str]:
    return dict(request.query_params or {})


def _query(model: type[BaseModel], request: Request, problems: list[Problem]) -> Any:
    given = {name: text for name, text in _query_of(request).items() if name != "fields"}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems += validation_problems(error)
    return None


def _form(raw: bytes) -> dict[str, str]:
    from urllib.parse import parse_qsl

    try:
        return dict(parse_qsl(raw.decode(), strict_parsing=bool(raw)))
    except ValueError as error:
        raise Invalid.of([Problem("form.invalid", "The form could not be read.")]) from error


def _version(request: Request) -> int:
    given = request.headers.get("if-match")
    if given is None:
        raise PreconditionRequired("version.required", "Say which version you change: If-Match with the ETag you read.")
    bare = given.removeprefix("W/").strip('"')
    if not (bare.isascii() and bare.isdigit() and len(bare) < 12):
        problem = Problem("version.invalid", "If-Match is not an ETag of ours.", "If-Match", 'the ETag, such as "3"')
        raise Invalid.of([problem])
    return int(bare)


def _idempotency(endpoint: Endpoint, request: Request) -> Idempotency | None:
    key = request.headers.get("idempotency-key")
    if endpoint.method != "POST" or endpoint.replay is None or key is None:
        return None
    if not 0 < len(key) <= MOST_KEY:
        allowed = f"1 to {MOST_KEY} characters"
        sentence = "The Idempotency-Key is too long."
        raise Invalid.of([Problem("idempotency.length", sentence, "Idempotency-Key", allowed)])
    asked = b"\x1f".join([endpoint.name.encode(), str(request.uri_params).encode(), _raw(request)])
    return Idempotency(key, hashlib.sha256(asked).hexdigest())


def _content_type(request: Request) -> str:
    return str(request.headers.get("content-type", "")).split(";")[0].strip().lower()


def _cors() -> CORSConfig:
    return CORSConfig(
        allow_origin=settings.allowed_origins()[0],
        allow_headers=["Authorization", "Content-Type", "If-Match", "Idempotency-Key"],
        expose_headers=["ETag", "Retry-After", "X-Request-Id", "Location"],
        max_age=600,
    )
