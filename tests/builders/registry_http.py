"""The registry over HTTP, as a client meets it: requests as somebody, and how they come in."""

from __future__ import annotations

import json
from typing import Any

from chalice.test import Client, HTTPResponse

from tests.builders.registry import PASSWORD, a_company, code_of_registration


class Session:
    """Requests as somebody: `token` None is nobody."""

    def __init__(self, client: Client, token: str | None = None) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> HTTPResponse:
        sent = {"Content-Type": "application/json"} | self._headers
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        content = json.dumps(body).encode() if body is not None else b""
        return self._client.http.request(method, f"/v1{path}", headers=sent, body=content)

    def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        response = self.send(method, path, body, **headers)
        assert response.status_code < 300, response.body
        return json.loads(response.body) if response.body else None


def registration_body(number: int = 1, **changes: Any) -> dict[str, Any]:
    company = a_company(name=f"Flex {number} Ltd", company_number=f"{number:08d}", vat_number=None)
    terms = {"user_terms": "2026-04", "service_terms": "2026-04"}
    person = {"name": "Ann", "email": f"ann@fsp{number}.example", "password": PASSWORD}
    return person | {"organisation": company.model_dump(exclude_none=True)} | terms | changes


def a_joined_fsp(client: Client, number: int = 1) -> Session:
    nobody = Session(client)
    begun = nobody.ok("POST", "/registrations", registration_body(number))
    nobody.ok("POST", f"/registrations/{begun['id']}/verification", {"code": code_of_registration(begun["id"])})
    return signed_in(client, f"ann@fsp{number}.example")


def signed_in(client: Client, email: str) -> Session:
    session = Session(client).ok("POST", "/sessions", {"email": email, "password": PASSWORD})
    return Session(client, session["access_token"])
