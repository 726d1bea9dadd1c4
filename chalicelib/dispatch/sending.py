"""Sends a webhook: resolves its name once, refuses private addresses, and connects to the very address it looked at.

Looking up and connecting are one, so that a name which changes its address in between (DNS rebinding) gains nothing.
Redirects are answers like any other and are not followed.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from chalicelib.dispatch.webhooks import may_receive, url_problems

SECONDS = 10
_MOST_ANSWER = 1024


class NotSent(Exception):
    """Nothing came back; the message says why, for the delivery log."""


def send_webhook(url: str, headers: Mapping[str, str], body: str, networks: tuple[str, ...] = ()) -> int:
    """Post a body; the status that came back. `NotSent` for a private address, a timeout, or a broken connection."""
    if url_problems(url, networks):
        raise NotSent("the address may not receive webhooks")
    parts = urlsplit(url)
    connection = _connection(parts, _address(parts, networks))
    try:
        connection.request("POST", _path(parts), body.encode(), dict(headers))
        answer = connection.getresponse()
        answer.read(_MOST_ANSWER)
        return int(answer.status)
    except (OSError, HTTPException) as error:
        raise NotSent(f"{type(error).__name__}") from error
    finally:
        connection.close()


def _address(parts: SplitResult, networks: tuple[str, ...]) -> tuple[str, int]:
    """The address and port to connect to; every address the name has must be one that may receive."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotSent("the name does not resolve") from error
    addresses = [str(each[4][0]) for each in found]
    if not addresses or not all(may_receive(ip_address(each.split("%")[0]), networks) for each in addresses):
        raise NotSent("the name leads to a private address")
    return addresses[0], port


def _connection(parts: SplitResult, pinned: tuple[str, int]) -> HTTPConnection:
    """A connection whose socket is to the pinned address, while name and certificate stay those of the receiver."""
    assert parts.hostname is not None
    secure = parts.scheme == "https"
    made = (
        HTTPSConnection(parts.hostname, pinned[1], timeout=SECONDS, context=_context())
        if secure
        else HTTPConnection(parts.hostname, pinned[1], timeout=SECONDS)
    )
    try:
        plain = socket.create_connection(pinned, timeout=SECONDS)
        made.sock = _context().wrap_socket(plain, server_hostname=parts.hostname) if secure else plain
    except OSError as error:
        raise NotSent(f"{type(error).__name__}") from error
    return made


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
