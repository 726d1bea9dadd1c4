"""Owns speaking to a running market as a client would: sign-in, pages, file drops, downloads, and the local clock."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
from botocore.config import Config

_TIMEOUT_SECONDS = 120
_POLL_SECONDS = 0.2
_MOST_WAIT_SECONDS = 600


class Refusal(Exception):
    """The market refused: its problem as it was told."""

    def __init__(self, method: str, path: str, status: int, problem: dict[str, Any]) -> None:
        self.status, self.problem = status, problem
        self.code = str(problem.get("code", ""))
        errors = "; ".join(str(error.get("detail")) for error in problem.get("errors", [])[:5])
        super().__init__(f"{method} {path}: {status} {self.code}: {problem.get('detail')} {errors}")


class Market:
    """A running local market: what needs no sign-in, and what only a local market has."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = httpx.Client(base_url=address, timeout=_TIMEOUT_SECONDS)

    def is_up(self) -> bool:
        try:
            # Where nobody listens this fails at once; a busy machine takes its time.
            return self._http.get("/v1/openapi.json", timeout=30).status_code == 200
        except httpx.TransportError:
            return False

    def drop(self, organisation: str, kind: str, name: str, content: bytes) -> None:
        """Put an object into an organisation's inbox, as another system does: no API, no receipt in hand."""
        inbox = self._local("GET", "/local/inbox")
        bucket = boto3.client(
            "s3",
            endpoint_url=inbox["endpoint"],
            region_name=inbox["region"],
            aws_access_key_id=inbox["access_key"],
            aws_secret_access_key=inbox["secret"],
            config=Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "max_attempts": 12}),
        )
        bucket.put_object(Bucket=inbox["bucket"], Key=f"inbox/{organisation}/{kind}/{name}", Body=content)

    def public(self) -> Session:
        """A session of nobody."""
        return Session(self, None)

    def sign_in(self, email: str, password: str) -> Session:
        """A person's session; it signs in again by itself before its token runs out."""
        return Session(self, (email, password))

    def now(self) -> str:
        """The market's instant."""
        return str(self._local("GET", "/local/clock")["now"])

    def move_clock(self, instant: str) -> None:
        """Move the market's clock forward to an ISO instant and wait until all that follows has happened."""
        self._local("POST", "/local/clock", {"now": instant})
        self.settle()

    def settle(self) -> dict[str, Any]:
        """Wait until the market has nothing left to do; what it handled, what is dead, by function."""
        found = self._local("POST", "/local/quiet")
        if not found["quiet"]:
            raise TimeoutError(f"the market did not come to rest: {found}")
        return found

    def mails(self, to: str | None = None) -> list[dict[str, Any]]:
        """Every mail sent, oldest first, or those to one address."""
        answer = self._http.get("/mailbox.json", params={"to": to} if to else {})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    def code_for(self, address: str) -> str:
        """The code in the latest mail to an address."""
        return self._in_latest_mail(address, r"code is ([A-Z0-9-]+)")

    def link_for(self, address: str) -> str:
        """The first link in the latest mail to an address."""
        return self._in_latest_mail(address, r"(https?://\S+)")

    def send(self, method: str, path: str, token: str | None, **how: Any) -> httpx.Response:
        headers = {**how.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        return self._http.request(method, path, headers=headers, **how)

    def _in_latest_mail(self, address: str, pattern: str) -> str:
        self.settle()
        for mail in reversed(self.mails(address)):
            found = re.search(pattern, mail["text"])
            if found:
                return found.group(1)
        raise LookupError(f"no mail to {address} holds {pattern}")

    def _local(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self._http.request(method, path, json=body, timeout=_MOST_WAIT_SECONDS)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found


class Session:
    """Requests of one person, or of nobody."""

    def __init__(self, market: Market, login: tuple[str, str] | None) -> None:
        self.market = market
        self._login = login
        self._token: str | None = None
        self._until = 0.0

    def get(self, path: str, **query: Any) -> Any:
        return self._ask("GET", path, params={name: value for name, value in query.items() if value is not None})

    def all(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, **{"limit": 500, **query}, cursor=cursor)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def post(self, path: str, body: Any = None, key: str | None = None) -> Any:
        return self._ask(
            "POST", path, json={} if body is None else body, headers={"Idempotency-Key": key} if key else {}
        )

    def put(self, path: str, body: Any, version: int | None = None) -> Any:
        return self._ask("PUT", path, json=body, headers={"If-Match": f'"{version}"'} if version else {})

    def patch(self, path: str, body: Any, version: int) -> Any:
        return self._ask("PATCH", path, json=body, headers={"If-Match": f'"{version}"'})

    def upload(self, kind: str, name: str, content: bytes, **options: Any) -> dict[str, Any]:
        """Drop a file through a presigned upload and wait for its receipt to close."""
        asked = {"kind": kind, "name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        receipt = self.post("/files", {**asked, **options})
        upload = receipt["upload"]
        sent = httpx.post(
            upload["url"], data=upload["fields"], files={"file": (name, content)}, timeout=_TIMEOUT_SECONDS
        )
        sent.raise_for_status()
        return self.finished(receipt["id"])

    def dropped(self, organisation: str, kind: str, name: str, content: bytes) -> dict[str, Any]:
        """Drop a file into the inbox and wait until the receipt it was given is closed."""
        known = {receipt["id"] for receipt in self.all("/files", kind=kind)}
        self.market.drop(organisation, kind, name, content)
        deadline = time.monotonic() + _MOST_WAIT_SECONDS
        while time.monotonic() < deadline:
            found = [each for each in self.all("/files", kind=kind) if each["id"] not in known]
            if found:  # newest first; a drop that was repeated has a later receipt that says so
                return self.finished(found[-1]["id"])
            time.sleep(_POLL_SECONDS)
        raise TimeoutError(f"{name} was given no receipt")

    def finished(self, receipt_id: str) -> dict[str, Any]:
        """The receipt of a file once it is done or refused."""
        return self._until_settled(f"/files/{receipt_id}", ("done", "refused"))

    def download(self, kind: str, **filters: Any) -> bytes:
        """A workbook of a kind, made for this person now."""
        job = self._until_settled(
            f"/jobs/{self.post('/exports', {'kind': kind, 'filters': filters})['id']}", ("done", "refused")
        )
        if job["state"] == "refused":
            raise RuntimeError(f"export {kind}: {job['refusal']}")
        return self.fetch(job["link"]["url"])

    def template(self, kind: str) -> bytes:
        """The blank workbook of a kind; a market that has just been started may still be making it."""
        deadline = time.monotonic() + _MOST_WAIT_SECONDS
        while True:
            try:
                return self.fetch(self.get(f"/templates/{kind}")["url"])
            except Refusal as refusal:
                if refusal.code != "template.being_made" or time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_SECONDS)

    def fetch(self, url: str) -> bytes:
        """The bytes behind a presigned link."""
        found = httpx.get(url, timeout=_TIMEOUT_SECONDS)
        found.raise_for_status()
        return found.content

    def _until_settled(self, path: str, states: tuple[str, ...]) -> dict[str, Any]:
        deadline = time.monotonic() + _MOST_WAIT_SECONDS
        while True:
            found: dict[str, Any] = self.get(path)
            if found["state"] in states:
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is still {found['state']}")
            time.sleep(_POLL_SECONDS)

    def _ask(self, method: str, path: str, **how: Any) -> Any:
        answer = self.market.send(method, f"/v1{path}", self._access_token(), **how)
        if answer.status_code == 401 and self._token is not None:
            self._token = None  # it ran out when the market's clock moved
            answer = self.market.send(method, f"/v1{path}", self._access_token(), **how)
        if answer.status_code >= 400:
            raise Refusal(method, path, answer.status_code, _problem(answer))
        if not answer.content:
            return None
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    def _access_token(self) -> str | None:
        if self._login is None:
            return None
        if self._token is None or time.monotonic() > self._until:
            email, password = self._login
            signed_in = self.market.public().post("/sessions", {"email": email, "password": password})
            self._token, self._until = signed_in["access_token"], time.monotonic() + 3000
        return self._token


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {"detail": answer.text[:300]}
    return found if isinstance(found, dict) else {"detail": answer.text[:300]}
