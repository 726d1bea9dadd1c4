"""Owns standing in for API Gateway: an HTTP request becomes the event Lambda gets, the app answers in process."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from chalice import Chalice
from chalice.config import Config
from chalice.local import CustomLocalChalice, LocalChalice, LocalGateway, LocalGatewayException

from local.clock import Clock

StartResponse = Callable[..., Any]
MOST_SECONDS = 29


class Gateway(LocalGateway):
    """Chalice's local gateway with what it leaves out: request time, id and source, decoded path parameters."""

    def __init__(self, app: Chalice, clock: Clock) -> None:
        # Chalice keeps the request on the app object, and its own local server makes that one per thread like this.
        if not isinstance(app, LocalChalice):
            CustomLocalChalice.__bases__ = (LocalChalice, app.__class__)
            app.__class__ = CustomLocalChalice
        super().__init__(app, Config.create(lambda_timeout=MOST_SECONDS))
        self._clock = clock

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a WSGI request."""
        method, path = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        try:
            answer = self.handle_request(method, path, _headers(environ), _body(environ))
        except (LocalGatewayException, UnicodeEncodeError):  # the latter from Chalice's words about an odd header
            answer = _no_such_route(method, path)
        if answer["statusCode"] == HTTPStatus.METHOD_NOT_ALLOWED:  # API Gateway knows paths and methods together
            answer = _no_such_route(method, path)
        content = _content(answer)
        headers = [*_pairs(answer), ("Content-Length", str(len(content)))]
        status = int(answer["statusCode"])
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [content]

    def _generate_lambda_event(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Any:
        event: dict[str, Any] = super()._generate_lambda_event(method, path, headers, body)
        event["pathParameters"] = {name: unquote(text) for name, text in event["pathParameters"].items()}
        context = event["requestContext"]
        context["requestId"] = str(uuid.uuid4())
        context["requestTimeEpoch"] = int(self._clock.now().timestamp() * 1000)
        context["identity"] = {"sourceIp": event["headers"]["x-forwarded-for"]}
        return event


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    headers = {_cased(name[5:]): text for name, text in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[_cased(name)] = environ[name]
    return headers | {"X-Forwarded-For": environ["REMOTE_ADDR"]}


def _cased(name: str) -> str:
    return "-".join(word.capitalize() for word in name.split("_"))


def _body(environ: dict[str, Any]) -> bytes | None:
    content: bytes = environ["wsgi.input"].read()
    return content or None


def _content(answer: dict[str, Any]) -> bytes:
    body = answer.get("body") or ""
    if answer.get("isBase64Encoded"):
        return base64.b64decode(body)
    return body if isinstance(body, bytes) else str(body).encode()


def _pairs(answer: dict[str, Any]) -> list[tuple[str, str]]:
    single = [(name, str(text)) for name, text in answer.get("headers", {}).items() if name.lower() != "content-length"]
    many = [(name, str(text)) for name, texts in answer.get("multiValueHeaders", {}).items() for text in texts]
    return single + many


def _no_such_route(method: str, path: str) -> dict[str, Any]:
    """API Gateway's own answer where no route matches, worded by the deployment's gateway responses."""
    body = {
        "type": "https://headroom.example/problems/route.not_found",
        "title": "Not found",
        "status": 404,
        "code": "route.not_found",
        "detail": f"There is no {method} {path.partition('?')[0]} here.",
        "errors": [],
        "request_id": str(uuid.uuid4()),
    }
    headers = {"Content-Type": "application/problem+json"}
    return {"statusCode": 404, "headers": headers, "multiValueHeaders": {}, "body": json.dumps(body)}
