"""Which pages may call the API from a browser."""

from __future__ import annotations

import pytest

from chalicelib.storage import settings
from tests.builders.small_market import ask

OURS = ("https://market.example", "https://console.example")


@pytest.fixture(autouse=True)
def _two_origins(market: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADROOM_ALLOWED_ORIGINS", f"{OURS[0]}/, {OURS[1]},")


def test_origins_are_read_from_the_settings() -> None:
    assert settings.allowed_origins() == OURS


@pytest.mark.parametrize("origin", OURS)
def test_each_configured_origin_is_answered_by_its_own_name(origin: str) -> None:
    for answer in (ask("GET", "/terms", Origin=origin), ask("GET", "/me", Origin=origin)):
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://market.example.evil.example",
        "http://market.example",
        OURS[0] + "/",
        "*",
    ],
)
def test_another_origin_is_told_nothing_of_its_own(origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        answer = ask(method, "/terms", Origin=origin)
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
        assert answer.headers["Vary"] == "Origin"


def test_a_request_of_no_page_needs_no_origin() -> None:
    answer = ask("GET", "/terms")
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_browser_that_asks_first_is_told_the_paths_own_methods() -> None:
    answer = ask("OPTIONS", "/competitions/cmp_1", Origin=OURS[1], Access_Control_Request_Method="PATCH")
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == OURS[1]
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, OPTIONS, PATCH"
    assert "If-Match" in answer.headers["Access-Control-Allow-Headers"]


def test_a_stale_token_shuts_nobody_out_of_what_is_public() -> None:
    assert ask("GET", "/terms", "an.old.token").status == 200
    assert ask("GET", "/public/competitions", "an.old.token").status == 200
    assert ask("GET", "/me", "an.old.token").status == 401
