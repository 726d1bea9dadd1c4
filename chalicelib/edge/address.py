"""Owns the API's own address, as the caller of a request reached it."""

from __future__ import annotations

from chalice.app import Request

_AT_HOME = ("127.", "localhost", "[::1]")


def own_address(request: Request) -> str:
    """Scheme, host and stage in front of `/v1`, without a slash at the end.

    The gateway says the scheme; where none stood in front it is https, but for an address of this very machine.
    """
    host = request.headers.get("host", "localhost")
    scheme = request.headers.get("x-forwarded-proto") or ("http" if host.startswith(_AT_HOME) else "https")
    prefix, found, _ = str(request.context.get("path", "")).partition("/v1/")
    return f"{scheme}://{host}{prefix if found else ''}"
