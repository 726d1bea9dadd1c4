"""Owns what goes back over HTTP: JSON with an ETag, plain text, and problems as RFC 9457 has them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalice.app import Response
from pydantic import BaseModel, ValidationError

from chalicelib.kernel.errors import Problem, Refusal

PROBLEM_JSON = "application/problem+json"
JSON = "application/json"
MOST_PROBLEMS = 500
Headers = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Text:
    """An answer that is not JSON: a calendar, a CSV, GeoJSON as text."""

    body: str
    content_type: str
    file_name: str | None = None


def answered(view: Any, status: int, request_id: str, fields: str | None = None) -> Response:
    """The response for what an endpoint returned: a model, a `Text`, or None for 204."""
    headers: Headers = {"X-Request-Id": request_id, "Cache-Control": "no-store"}
    if view is None:
        return Response(body="", status_code=204, headers=headers)
    if isinstance(view, Text):
        return Response(body=view.body, status_code=status, headers=headers | _text_headers(view))
    headers["Content-Type"] = JSON
    version = getattr(view, "version", None)
    if version is not None:
        headers["ETag"] = f'"{version}"'
    return Response(body=_json(view, fields), status_code=status, headers=headers)


def refused(refusal: Refusal, request_id: str, status: int | None = None) -> Response:
    """The problem+json response of a refusal, with every field problem; `status` where a standard wants another."""
    status = status or refusal.status
    body = {
        "type": f"https://headroom.example/problems/{refusal.code}",
        "title": refusal.title,
        "status": status,
        "code": refusal.code,
        "detail": refusal.detail,
        "errors": [_error(problem) for problem in _told(refusal.problems)],
        "request_id": request_id,
    }
    headers: Headers = {"Content-Type": PROBLEM_JSON, "X-Request-Id": request_id, "Cache-Control": "no-store"}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body=json.dumps(body), status_code=status, headers=headers)


def failed(request_id: str) -> Response:
    """The response to a fault of ours: nothing of it is told but the request id."""
    fault = _Fault("fault", "Something went wrong on our side. Tell us the request id.")
    return refused(fault, request_id)


class _Fault(Refusal):
    status = 500
    title = "Fault"


def validation_problems(error: ValidationError, prefix: str = "") -> list[Problem]:
    """Every problem of a pydantic validation, in people's words."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [_problem(each, prefix) for each in found]


def _told(problems: Sequence[Problem]) -> list[Problem]:
    """All problems, but of very many the first and how many more: an answer has room for so much."""
    if len(problems) <= MOST_PROBLEMS:
        return list(problems)
    more = Problem("problems.more", f"There are {len(problems) - MOST_PROBLEMS} more problems.")
    return [*problems[:MOST_PROBLEMS], more]


def _problem(found: Mapping[str, Any], prefix: str) -> Problem:
    field = "/".join([prefix, *(str(part) for part in found["loc"])]).strip("/")
    kind = str(found["type"])
    return Problem(_CODES.get(kind, f"field.{kind}"), _sentence(kind, field, str(found["msg"])), field or None)


_CODES = {"missing": "field.missing", "extra_forbidden": "field.unknown", "json_invalid": "json.invalid"}


def _sentence(kind: str, field: str, message: str) -> str:
    name = field.rsplit("/", 1)[-1] or "the body"
    if kind == "missing":
        return f"{name} is required."
    if kind == "extra_forbidden":
        return f"{name} is not a field we know here."
    return f"{name}: {message.removeprefix('Value error, ')}."


def _error(problem: Problem) -> dict[str, Any]:
    found = problem.as_dict()
    field = found.pop("field", None)
    return ({"pointer": f"/{field}"} if field else {}) | found


def _text_headers(view: Text) -> Headers:
    headers: Headers = {"Content-Type": view.content_type}
    if view.file_name:
        headers["Content-Disposition"] = f'attachment; filename="{view.file_name}"'
    return headers


def _json(view: BaseModel, fields: str | None) -> str:
    if not fields:
        return view.model_dump_json()
    return json.dumps(_slimmed(view.model_dump(mode="json"), fields.split(",")))


def _slimmed(view: Any, fields: Sequence[str]) -> Any:
    """`fields=` on a page or list slims its items, on a thing the thing."""
    if isinstance(view, list):
        return [_slimmed(item, fields) for item in view]
    if set(view) == {"items", "next"}:
        return {"items": [_slimmed(item, fields) for item in view["items"]], "next": view["next"]}
    return {name: value for name, value in view.items() if name in fields}
