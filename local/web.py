"""Owns the local market's web server: the API under `/v1`, the mailbox, the clock and a page to start from."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import waitress

from chalicelib.storage import settings
from local import logins, mailbox, pages, quiet
from local.clock import Backwards, Clock
from local.cloud.process import SECRET
from local.schedules import wake_schedules

HOST = "127.0.0.1"
THREADS = 12
MOST_BYTES = 10_000_000  # as API Gateway
MOST_WAIT_SECONDS = 600
StartResponse = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]
Answer = tuple[int, str, bytes]


class Site:
    """The WSGI application."""

    def __init__(
        self,
        api: Wsgi,
        clock: Clock,
        work: quiet.Work,
        account: str,
        kept_logins: logins.Logins,
        wake: Callable[[], None] = wake_schedules,
    ) -> None:
        """`api` answers what is under `/v1`; `wake` follows each move of the clock."""
        self._api, self._clock, self._work, self._wake = api, clock, work, wake
        self._account, self._logins = account, kept_logins
        self._pages: dict[tuple[str, str], Callable[[dict[str, Any]], Answer]] = {
            ("GET", "/"): self._landing,
            ("GET", "/mailbox"): self._mailbox,
            ("GET", "/mailbox.json"): self._mailbox_json,
            ("GET", "/local/clock"): self._tell_clock,
            ("POST", "/local/clock"): self._move_clock,
            ("GET", "/local/health"): self._health,
            ("GET", "/local/inbox"): self._tell_inbox,
            ("POST", "/local/quiet"): self._wait_until_quiet,
        }

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path.startswith("/v1"):
            return self._api(environ, start_response)
        status, content_type, content = self._answer(method, path, environ)
        headers = [("Content-Type", content_type), ("Content-Length", str(len(content))), ("Cache-Control", "no-store")]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [content]

    def _answer(self, method: str, path: str, environ: dict[str, Any]) -> Answer:
        page = self._pages.get((method, path.rstrip("/") or "/"))
        if page is not None:
            return page(environ)
        if method == "GET" and path.startswith("/mailbox/"):
            return self._mail(path.removeprefix("/mailbox/"))
        return _html(pages.page("Not found", '<p><a href="/">Start page</a></p>'), 404)

    def _landing(self, environ: dict[str, Any]) -> Answer:
        return _html(pages.landing(self._logins.read(), _text(self._clock.now())))

    def _mailbox(self, environ: dict[str, Any]) -> Answer:
        return _html(mailbox.as_page(self._mails()))

    def _mailbox_json(self, environ: dict[str, Any]) -> Answer:
        to = parse_qs(environ["QUERY_STRING"]).get("to", [None])[0]
        return 200, "application/json", mailbox.as_json(self._mails(), to)

    def _mail(self, mail_id: str) -> Answer:
        found = [mail for mail in self._mails() if mail.id == mail_id]
        return _html(mailbox.mail_page(found[0])) if found else _html(pages.page("No such mail", ""), 404)

    def _mails(self) -> list[mailbox.Mail]:
        return mailbox.mails(self._account, self._clock)

    def _tell_clock(self, environ: dict[str, Any]) -> Answer:
        return _json({"now": _text(self._clock.now())})

    def _move_clock(self, environ: dict[str, Any]) -> Answer:
        """Set the market's time and wake every schedule at it."""
        try:
            wanted = datetime.fromisoformat(_asked(environ)["now"])
            now = self._clock.move_to(wanted.astimezone(UTC) if wanted.tzinfo else wanted.replace(tzinfo=UTC))
        except (KeyError, TypeError, ValueError) as error:
            told = str(error) if isinstance(error, Backwards) else 'send {"now": "2026-04-01T09:00:00Z"}'
            return _json({"detail": told}, 409 if isinstance(error, Backwards) else 422)
        self._wake()
        return _json({"now": _text(now)})

    def _tell_inbox(self, environ: dict[str, Any]) -> Answer:
        """Where another system drops its files, as an operator of a deployment would be told."""
        told = {
            "endpoint": settings.endpoint_url(),
            "bucket": settings.bucket_name("files"),
            "access_key": self._account,
            "secret": SECRET,
            "region": settings.region(),
        }
        return _json(told)

    def _health(self, environ: dict[str, Any]) -> Answer:
        left = self._work.backlog()
        handled, failed = map(dict, self._work.counts())
        told = {"waiting": left.waiting, "dead": left.dead, "unpublished": left.unpublished}
        return _json({"status": "ok", **told, "handled": handled, "failed": failed})

    def _wait_until_quiet(self, environ: dict[str, Any]) -> Answer:
        most = min(float(_asked(environ).get("most_seconds", 300)), MOST_WAIT_SECONDS)
        return _json(quiet.wait(self._work, most))


class Server:
    """Waitress on a thread."""

    def __init__(self, site: Site, port: int) -> None:
        self._server = waitress.create_server(
            site, host=HOST, port=port, threads=THREADS, max_request_body_size=MOST_BYTES, ident=None
        )
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.task_dispatcher.shutdown(timeout=3)
        self._server.close()


def _asked(environ: dict[str, Any]) -> dict[str, Any]:
    content = environ["wsgi.input"].read()
    asked: dict[str, Any] = json.loads(content) if content else {}
    return asked


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _html(content: bytes, status: int = 200) -> Answer:
    return status, "text/html; charset=utf-8", content


def _json(told: dict[str, Any], status: int = 200) -> Answer:
    return status, "application/json", json.dumps(told, indent=1).encode()
