"""Owns endpoints: one decorator that reads a request, makes the call, checks who asks and maps refusals to answers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_origin

from chalice import Blueprint
from chalice.app import Request, Response
from pydantic import BaseModel, ValidationError

from chalicelib.edge import cors, identity, limits
from chalicelib.edge.access import KINDS, PUBLIC, Who, either, fsp, market_operator, member, so
from chalicelib.edge.answers import JSON, Text, answered, failed, refused, validation_problems
from chalicelib.edge.observe import logger
from chalicelib.kernel.call import Call, Idempotency
from chalicelib.kernel.errors import Forbidden, Invalid, NotFound, Problem, Refusal, Refused, TooLarge
from chalicelib.kernel.models import Page, PageQuery
from chalicelib.storage import claims

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
MOST_PATH_BYTES = 500
_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class PreconditionRequired(Refusal):
    """A change must say which version it changes."""

    status = 428
    title = "Version missing"


class UnsupportedMediaType(Refusal):
    """The body is of a kind the endpoint does not read."""

    status = 415
    title = "Unsupported media type"


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
    content_types: tuple[str, ...] = (JSON,)
    produces: tuple[str, ...] = (JSON,)
    invalid_status: int = Invalid.status
    before_authenticator: bool = False

    @property
    def name(self) -> str:
        return self.act.__name__

    @property
    def room(self) -> str:
        return self.act.__module__.split(".")[1]


ENDPOINTS: list[Endpoint] = []


class Routes(Blueprint):
    """A room's endpoints. Paths are written without `/v1`, which `app.py` puts in front."""

    def __init__(self, import_name: str) -> None:
        super().__init__(import_name)
        self._methods: dict[str, list[str]] = {}

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
            self.route(path, methods=[method], content_types=["*/*"], name=view.__name__)(view)
            self._answer_preflights(path, method)
            return act

        return register

    def _answer_preflights(self, path: str, method: str) -> None:
        """Browsers ask each path once what they may send; Chalice's own answer knows of one origin only."""
        if path in self._methods:
            self._methods[path].append(method)
            return
        methods = self._methods[path] = [method]

        def view(**named: str) -> Response:
            return cors.preflight(self.current_request.headers.get("origin"), methods)

        name = "preflight" + re.sub(r"\W+", "_", path)
        self.route(path, methods=["OPTIONS"], content_types=["*/*"], name=name)(view)


def _view(routes: Routes, endpoint: Endpoint) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        return respond(endpoint, routes.current_request, path)

    view.__name__ = f"{endpoint.name}_{endpoint.method.lower()}"
    return view


def respond(endpoint: Endpoint, request: Request, path: Mapping[str, str]) -> Response:
    """The response to a request: refusals become problems, anything else is logged and told as a fault."""
    request_id = str(request.context.get("requestId", "unknown"))
    response = _response(endpoint, request, path, request_id)
    response.headers.update(cors.headers_for(request.headers.get("origin")))
    return response


def _response(endpoint: Endpoint, request: Request, path: Mapping[str, str], request_id: str) -> Response:
    try:
        call = identity.call_from_request(_headers(endpoint, request), request.context, _idempotency(endpoint, request))
        limits.check_pace(call, _source(request))
        endpoint.who.check(call.actor)
        _check_authenticator(endpoint, call)
        view = _acted(endpoint, call, request, path)
    except Invalid as invalid:
        return refused(invalid, request_id, endpoint.invalid_status)
    except Refusal as refusal:
        return refused(refusal, request_id)
    except Exception:
        logger().exception("fault", extra={"request_id": request_id, "endpoint": endpoint.name})
        return failed(request_id)
    status = endpoint.status if view is not None else 204
    return answered(view, status, request_id, _query_of(request).get("fields"))


def _check_authenticator(endpoint: Endpoint, call: Call) -> None:
    if call.actor.needs_authenticator and not endpoint.before_authenticator:
        detail = "Your roles need an authenticator: set one up first (PUT /v1/me/authenticator), then go on."
        raise Forbidden("identity.authenticator_wanted", detail)


def _headers(endpoint: Endpoint, request: Request) -> dict[str, str]:
    """The headers that say who asks: at a public endpoint nobody, so that a token gone stale shuts nobody out."""
    headers = dict(request.headers)
    if endpoint.who.is_public:
        return {name: text for name, text in headers.items() if name.lower() != "authorization"}
    return headers


def _source(request: Request) -> str:
    """The address the gateway saw, which nobody can choose as they can a header."""
    return str((request.context.get("identity") or {}).get("sourceIp", "unknown"))


def _acted(endpoint: Endpoint, call: Call, request: Request, path: Mapping[str, str]) -> Any:
    arguments = _arguments(endpoint, request, path)
    door = limits.door_of(endpoint.name, endpoint.who.is_public, endpoint.method != "GET")
    if door is not None:
        limits.check_door(endpoint.name, door, call, _source(request), arguments, dict(request.headers))
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
    arguments: dict[str, Any] = _path(path)
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


def _path(path: Mapping[str, str]) -> dict[str, Any]:
    """The names in a path; nothing of ours is called by one that is as long as a letter or cannot be read."""
    for name, text in path.items():
        if len(text.encode("utf-8", "replace")) > MOST_PATH_BYTES or _UNREADABLE.search(text):
            raise NotFound("path.not_found", f"There is no such {name.removesuffix('_id').replace('_', ' ')}.")
    return dict(path)


def _body(endpoint: Endpoint, request: Request, problems: list[Problem]) -> Any:
    raw = _raw(request)
    if len(raw) > MOST_BODY_BYTES:
        raise TooLarge("body.too_large", f"The body is over {MOST_BODY_BYTES // 1_000_000} MB; use a file drop.")
    content_type = _content_type(request)
    if raw and content_type not in endpoint.content_types:
        known = " or ".join(endpoint.content_types)
        raise UnsupportedMediaType("body.media_type", f"Send the body as {known}.")
    assert endpoint.body is not None
    try:
        if content_type == "application/x-www-form-urlencoded":
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
    # A form sends what was left empty too, and nothing of ours is called by nothing.
    given: dict[str, Any] = {
        name: text for name, text in _query_of(request).items() if name != "fields" and text.strip()
    }
    if request.query_params is not None:
        given |= {name: request.query_params.getlist(name) for name in _repeatable(model) & given.keys()}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems += validation_problems(error)
    return None


@cache
def _repeatable(model: type[BaseModel]) -> frozenset[str]:
    """The parameters that may be given more than once."""
    fields = model.model_fields.items()
    return frozenset(info.alias or name for name, info in fields if get_origin(info.annotation) is tuple)


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
    return str(request.headers.get("content-type", JSON)).split(";")[0].strip().lower()
