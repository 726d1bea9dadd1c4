"""The local gateway gives the app what API Gateway would, and each thread its own request."""

from __future__ import annotations

import io
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chalice import Chalice, Response

from local.clock import Clock
from local.gateway import Gateway


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture
def gateway(clock: Clock) -> Gateway:
    app = Chalice("echo")
    app.api.binary_types.append("application/zip")

    @app.route("/v1/things/{ref}", methods=["GET", "POST"], content_types=["application/json"], cors=True)
    def thing(ref: str) -> dict[str, Any]:
        request = app.current_request
        context = request.context
        return {
            "ref": ref,
            "query": dict(request.query_params or {}),
            "body": request.raw_body.decode(),
            "agent": request.headers.get("User-Agent"),
            "time": context["requestTimeEpoch"],
            "request_id": context["requestId"],
            "source": context["identity"]["sourceIp"],
        }

    @app.route("/v1/archive")
    def archive() -> Response:
        return Response(bytes(range(256)), headers={"Content-Type": "application/zip"})

    return Gateway(app, clock)


def ask(
    gateway: Gateway, method: str, uri: str, body: bytes = b"", **headers: str
) -> tuple[str, dict[str, str], bytes]:
    told: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "REQUEST_URI": uri,
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.input": io.BytesIO(body),
        **headers,
    }
    content = b"".join(gateway(environ, lambda status, pairs: told.extend((status, dict(pairs)))))
    return told[0], told[1], content


def test_a_request_reaches_its_view_with_decoded_path_query_and_body(gateway: Gateway) -> None:
    status, _, content = ask(
        gateway,
        "POST",
        "/v1/things/A%20%2F%20b?x=1",
        b'{"a": 1}',
        CONTENT_TYPE="application/json",
        HTTP_USER_AGENT="me",
    )
    told = json.loads(content)
    assert status == "200 OK"
    assert (told["ref"], told["query"], told["body"], told["agent"]) == ("A / b", {"x": "1"}, '{"a": 1}', "me")


def test_the_request_time_is_the_markets(gateway: Gateway, clock: Clock) -> None:
    wanted = datetime.now(UTC) + timedelta(days=200)
    clock.move_to(wanted)
    told = json.loads(ask(gateway, "GET", "/v1/things/a")[2])
    assert (
        timedelta(milliseconds=-1) <= datetime.fromtimestamp(told["time"] / 1000, UTC) - wanted < timedelta(seconds=5)
    )


def test_each_request_has_an_id_and_its_source(gateway: Gateway) -> None:
    told = [json.loads(ask(gateway, "GET", "/v1/things/a")[2]) for _ in range(2)]
    assert told[0]["request_id"] != told[1]["request_id"]
    assert told[0]["source"] == "192.0.2.7"


def test_binary_content_arrives_unharmed(gateway: Gateway) -> None:
    status, headers, content = ask(gateway, "GET", "/v1/archive", HTTP_ACCEPT="application/zip")
    assert status == "200 OK"
    assert content == bytes(range(256))
    assert headers["Content-Length"] == "256"


def test_an_unknown_route_is_told_as_a_problem(gateway: Gateway) -> None:
    status, headers, content = ask(gateway, "GET", "/v1/nothing?x=1")
    assert status == "404 Not Found"
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(content)["detail"] == "There is no GET /v1/nothing here."


def test_a_browser_may_ask_before_it_sends(gateway: Gateway) -> None:
    status, headers, _ = ask(gateway, "OPTIONS", "/v1/things/a")
    assert status == "200 OK"
    assert "POST" in headers["Access-Control-Allow-Methods"]


def test_many_threads_each_get_the_answer_to_their_own_request(gateway: Gateway) -> None:
    wrong: list[str] = []

    def look(number: int) -> None:
        for turn in range(40):
            ref = f"{number}-{turn}"
            if json.loads(ask(gateway, "GET", f"/v1/things/{ref}")[2])["ref"] != ref:
                wrong.append(ref)

    threads = [threading.Thread(target=look, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
