"""Owns which web pages may call the API from a browser: those of the configured origins, each answered by its name."""

from __future__ import annotations

from collections.abc import Iterable

from chalice.app import Response

from chalicelib.storage import settings

_MAY_SEND = ("Authorization", "Content-Type", "If-Match", "Idempotency-Key")
_MAY_READ = ("ETag", "Retry-After", "X-Request-Id", "Location", "WWW-Authenticate", "Content-Disposition")
_REMEMBERED_SECONDS = 600


def headers_for(origin: str | None) -> dict[str, str]:
    """The headers of an answer to a page of `origin`; an origin that is not configured is told nothing of its own.

    There are no cookies here, so credentials are never allowed: a page needs a token to act.
    """
    if origin is None or origin not in settings.allowed_origins():
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": ", ".join(_MAY_READ),
    }


def preflight(origin: str | None, methods: Iterable[str]) -> Response:
    """The answer to a browser that asks before it sends."""
    headers = headers_for(origin)
    if "Access-Control-Allow-Origin" in headers:
        headers |= {
            "Access-Control-Allow-Methods": ", ".join(sorted({*methods, "OPTIONS"})),
            "Access-Control-Allow-Headers": ", ".join(_MAY_SEND),
            "Access-Control-Max-Age": str(_REMEMBERED_SECONDS),
        }
    return Response(body="", status_code=204, headers=dict(headers))
