"""Odd words in every place a caller fills: the answer is one of those described, and never a fault."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from chalicelib.edge.web import Endpoint
from tests.builders.described import KNOWN, callers_of, check, each, headers_of
from tests.builders.small_market import BODIES, SmallMarket, ask

HOSTILE = {
    "empty": "",
    "blank": " ",
    "nul": "a\x00b",
    "newline": "a\r\nb: c",
    "long": "x" * 3_000,
    "wide": "\U0001f4a1" * 600,
    "traversal": "../../etc/passwd",
    "quotes": "'\"<script>{{7*7}}",
    "hash": "a#b\x1fc",
    "number": "9" * 400,
    "not a number": "NaN",
    "far": "9999-12-31T23:59:59.999999Z",
    "first": "0001-01-01",
    "last": "9999-12-31",
    "commas": ",,,",
}
BROKEN = [b"[]", b"null", b"1", b'"x"', b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": ' + b"9" * 5_000 + b"}", b"{}"]
BROKEN += [b'{"a": NaN}', b'{"a": 1e999999}', b'{"a": "\\ud800"}', b'{"a": 1, "a": 2}', b"\x00", b" "]


def query_of(endpoint: Endpoint) -> list[str]:
    return [*(endpoint.query.model_fields if endpoint.query else {}), "fields", "unknown"]


@each([endpoint for endpoint in KNOWN if "{" in endpoint.path])
def test_no_word_in_a_path_is_too_odd(small_market: SmallMarket, endpoint: Endpoint) -> None:
    for caller in callers_of(endpoint):
        token = small_market.token(caller) if caller else None
        for name in re.findall(r"\{(\w+)\}", endpoint.path):
            for text in (text for text in HOSTILE.values() if text):
                path = small_market.path(endpoint.path, **{name: text})
                check(endpoint, ask(endpoint.method, path, token, BODIES.get(endpoint.name), **headers_of(endpoint)))


@each([endpoint for endpoint in KNOWN if endpoint.method == "GET"])
def test_no_word_in_a_query_is_too_odd(small_market: SmallMarket, endpoint: Endpoint) -> None:
    for place, caller in enumerate(callers_of(endpoint)):
        token = small_market.token(caller) if caller else None
        texts = HOSTILE.values() if place == 0 else ("", HOSTILE["long"], HOSTILE["nul"])
        for name in query_of(endpoint):
            for text in [*map(quote, texts), f"1&{name}=2"]:
                check(
                    endpoint, ask("GET", f"{small_market.path(endpoint.path)}?{name}={text}", token), name == "fields"
                )


def cursors() -> list[str]:
    """Cursors as somebody may forge them: of other tables, other keys, other shapes."""
    from chalicelib.storage.tables import encode_cursor

    text = {"S": "x"}
    forged = [
        {}, {"pk": text}, {"pk": text, "sk": text}, {"pk": text, "sk": {"S": ""}}, {"pk": {"N": "1"}, "sk": text},
        {"pk": text, "sk": text, "owner": text, "ref": text}, {"pk": text, "sk": {"S": "x" * 1_300}},
        {"pk": text, "sk": {"S": "\ud800"}}, {"pk": {"S": "x\x00"}, "sk": text},
        {"org": text, "at": text, "pk": text, "sk": text},
    ]  # fmt: skip
    return [encode_cursor(key) for key in forged] + ["e30", "bnVsbA", "W10", "0", "1", "-1", "1.x", "a.b", "%%%", "é"]


def places(market: SmallMarket, endpoint: Endpoint) -> list[dict[str, str]]:
    found = [market.draft, market.bidding, market.competition_1] if "{competition_id}" in endpoint.path else []
    return [{"competition_id": competition.id} for competition in found] or [{}]


@each([endpoint for endpoint in KNOWN if endpoint.query and "cursor" in endpoint.query.model_fields])
def test_no_forged_cursor_is_a_fault(small_market: SmallMarket, endpoint: Endpoint) -> None:
    for caller in callers_of(endpoint):
        token = small_market.token(caller) if caller else None
        for of in places(small_market, endpoint):
            for cursor in cursors():
                uri = f"{small_market.path(endpoint.path, **of)}?limit=1&cursor={quote(cursor)}"
                check(endpoint, ask("GET", uri, token))


@each([endpoint for endpoint in KNOWN if endpoint.body])
def test_no_body_is_too_broken(small_market: SmallMarket, endpoint: Endpoint) -> None:
    caller = callers_of(endpoint)[0]
    token = small_market.token(caller) if caller else None
    for body in BROKEN:
        check(endpoint, ask(endpoint.method, small_market.path(endpoint.path), token, body, **headers_of(endpoint)))
    for kind in ("application/x-www-form-urlencoded", "text/plain", "", "a/b, c"):
        headers = headers_of(endpoint) | {"Content_Type": kind}
        check(endpoint, ask(endpoint.method, small_market.path(endpoint.path), token, b"a=1", **headers))


@each([endpoint for endpoint in KNOWN if endpoint.if_match or endpoint.replay])
def test_no_header_is_too_odd(small_market: SmallMarket, endpoint: Endpoint) -> None:
    caller = callers_of(endpoint)[0]
    token = small_market.token(caller) if caller else None
    for text in [*HOSTILE.values(), '""', 'W/"1"', "*", '"1", "2"', "é", "-1", "1e3", "१"]:
        for headers in ({"If_Match": text}, headers_of(endpoint) | {"Idempotency_Key": text}):
            path = small_market.path(endpoint.path)
            check(endpoint, ask(endpoint.method, path, token, BODIES.get(endpoint.name), **headers))


@pytest.mark.parametrize("text", ["Bearer", "Bearer  ", "Bearer a.b.c", "Bearer é", "Basic x", "bearer " + "x" * 9000])
def test_no_authorization_is_too_odd(small_market: SmallMarket, text: str) -> None:
    for method, path in (("GET", "/me"), ("POST", "/token"), ("GET", "/public/competitions")):
        answer = ask(method, path, None, {"grant_type": "client_credentials"}, Authorization=text)
        assert answer.status in (200, 401, 422)
