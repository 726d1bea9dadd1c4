"""Sends a webhook: resolves its name once, refuses private addresses, and connects to the very address it looked at.

Looking up and connecting are one, so that a name which changes its address in between (DNS rebinding) gains nothing.
Redirects are answers like any other and are not followed. However slowly a receiver answers, at `SECONDS` it is over.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, urlsplit

from chalicelib.dispatch.webhooks import may_receive, port_of, url_problems

SECONDS = 10
STEP_SECONDS = 4  # to resolve, and to connect: so that neither can take all of it
_MOST_ANSWER = 1024
_KEPT_IN_PATHS = "/%:@!$&'()*+,;=~?-._"


class NotSent(Exception):
    """Nothing came back; the message says why, for the delivery log."""


class NoAnswer(NotSent):
    """Nothing came back in time."""

    def __init__(self) -> None:
        super().__init__(f"no answer in {SECONDS} seconds")


def send_webhook(url: str, headers: Mapping[str, str], body: str, networks: tuple[str, ...] = ()) -> int:
    """Post a body; the status that came back. `NotSent` for a private address or a broken connection, `NoAnswer` for
    a receiver that takes too long over any part of it."""
    if url_problems(url, networks):
        raise NotSent("the address may not receive webhooks")
    parts = urlsplit(url)
    with _CutOff() as cut_off:
        try:
            return _sent(parts, _address(parts, networks), headers, body, cut_off)
        except (OSError, HTTPException, ValueError) as error:
            if cut_off.is_over or isinstance(error, TimeoutError):
                raise NoAnswer from error
            raise NotSent(type(error).__name__) from error


class _CutOff:
    """Ends the connection when the time is up, so that every step in hand fails: a timeout of a socket is for each
    step alone, and a receiver may take any number of steps."""

    def __init__(self) -> None:
        self._timer = threading.Timer(SECONDS, self._end)
        self._timer.daemon = True
        self._socket: socket.socket | None = None
        self.is_over = False

    def __enter__(self) -> _CutOff:
        self._timer.start()
        return self

    def __exit__(self, *about: object) -> None:
        self._timer.cancel()

    def holds(self, connected: socket.socket) -> None:
        self._socket = connected

    def _end(self) -> None:
        self.is_over = True
        if self._socket is not None:
            try:
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # past TLS, which would first say goodbye
            except OSError:
                return  # it had ended by itself


def _sent(parts: SplitResult, address: tuple[str, int], headers: Mapping[str, str], body: str, cut_off: _CutOff) -> int:
    assert parts.hostname is not None
    made = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = made(parts.hostname, address[1], timeout=SECONDS)
    try:
        connection.sock = _connected(parts, address, cut_off)
        connection.request("POST", _path(parts), body.encode(), dict(headers))
        answer = connection.getresponse()
        answer.read(_MOST_ANSWER)
        if cut_off.is_over:
            raise NoAnswer
        return int(answer.status)
    finally:
        connection.close()


def _connected(parts: SplitResult, address: tuple[str, int], cut_off: _CutOff) -> socket.socket:
    """A socket to the pinned address, while name and certificate stay those of the receiver."""
    plain = socket.create_connection(address, timeout=STEP_SECONDS)
    plain.settimeout(SECONDS)
    if parts.scheme != "https":
        cut_off.holds(plain)
        return plain
    secure = _context().wrap_socket(plain, server_hostname=parts.hostname, do_handshake_on_connect=False)
    cut_off.holds(secure)
    secure.do_handshake()
    return secure


def _address(parts: SplitResult, networks: tuple[str, ...]) -> tuple[str, int]:
    """The address and port to connect to; every address the name has must be one that may receive."""
    port = port_of(parts)
    addresses = _resolved(str(parts.hostname), port)
    if not addresses or not all(may_receive(ip_address(each.split("%")[0]), networks) for each in addresses):
        raise NotSent("the name leads to a private address")
    return addresses[0], port


def _resolved(host: str, port: int) -> list[str]:
    """Every address of a name. Nothing bounds a look-up but not waiting for it any longer."""
    found: list[str] = []
    failed: list[Exception] = []

    def look_up() -> None:
        try:
            found.extend(str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            failed.append(error)

    thread = threading.Thread(target=look_up, name="resolving", daemon=True)
    thread.start()
    thread.join(STEP_SECONDS)
    if thread.is_alive():
        raise NoAnswer
    if failed:
        raise NotSent("the name does not resolve") from failed[0]
    return found


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _path(parts: SplitResult) -> str:
    """The path and query in the letters that may stand in a request; what is encoded already stays."""
    asked = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(asked, safe=_KEPT_IN_PATHS)
