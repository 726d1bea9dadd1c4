"""Claims about invoices as software meets them over HTTP: once per key, refusals by field, each side its own part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.storage import keys
from chalicelib.storage.clients import forget_clients
from tests.builders.invoices import keep_published
from tests.builders.reports import a_report_line
from tests.builders.small_market import FSP, SmallMarket, ask
from tests.tables import create_state


@pytest.fixture(scope="module")
def market() -> Iterator[SmallMarket]:
    with mock_aws():
        forget_clients()
        create_state()
        yield SmallMarket()
    forget_clients()
    keys.forget_keys()


def published(market: SmallMarket, month: str) -> None:
    """Another month of the FSP's whose lines are agreed."""
    keep_published(market.so.organisation, [a_report_line(0, "12.34")], month, FSP, disputable_until="2026-04-30")


def draw_up(market: SmallMarket, body: dict[str, Any], key: str = "key", who: str = "so") -> Any:
    return ask("POST", "/invoices", market.token(who), body, Idempotency_Key=key)


def test_the_same_key_issues_once_and_another_request_may_not_use_it(market: SmallMarket) -> None:
    published(market, "2025-11")
    body = {"month": "2025-11", "fsp": FSP}
    first, again = draw_up(market, body), draw_up(market, body)
    assert (first.status, again.status) == (201, 201)
    assert first.json == again.json
    assert [each["net"] for each in first.json["issued"]] == ["12.34"]
    assert draw_up(market, {"month": "2025-11"}).json["code"] == "invalid"


def test_a_preview_shows_what_would_be_issued(market: SmallMarket) -> None:
    published(market, "2025-12")
    found = ask("GET", f"/invoice-previews?month=2025-12&fsp={FSP}", market.token("so", {"read"}))
    assert [(each["net"], each["months"]) for each in found.json["documents"]] == [("12.34", ["2025-12"])]
    assert draw_up(market, {"month": "2025-12", "fsp": FSP}, "preview").json["issued"][0]["net"] == "12.34"


@pytest.mark.parametrize(
    "body", [{}, {"month": "2026-13"}, {"month": "March"}, {"month": "2026-03", "preview": True}, {"month": 202603}]
)
def test_a_request_of_the_wrong_shape_is_refused_by_field(market: SmallMarket, body: dict[str, Any]) -> None:
    answer = draw_up(market, body, "wrong")
    assert (answer.status, answer.json["code"]) == (422, "request.invalid")


def test_an_invoice_is_read_by_both_sides_and_its_lines_page_by_page(market: SmallMarket) -> None:
    path = market.path("/invoices/{invoice_id}")
    for who in ("so", "fsp"):
        head = ask("GET", path, market.token(who, {"read"}))
        assert (head.status, head.headers["ETag"]) == (200, '"1"')
        assert head.json["line_count"] == len(head.json["lines"]) == 1
        lines = ask("GET", f"{path}/lines?limit=1", market.token(who, {"read"})).json
        assert (lines["items"], lines["next"]) == (head.json["lines"], None)
        assert market.things["invoice_id"] in {
            each["id"] for each in ask("GET", "/invoices?month=2026-03&limit=5", market.token(who)).json["items"]
        }


def test_only_the_operators_settlement_people_issue_credit_and_record_payments(market: SmallMarket) -> None:
    path = market.path("/invoices/{invoice_id}")
    acts = {"/invoices": {"month": "2026-03"}, f"{path}/credit": {"reason": "no"}, f"{path}/payment": {}}
    for act, body in acts.items():
        assert ask("POST", act, market.token("fsp"), body).status == 403
        assert ask("POST", act, market.token("so", {"read", "procurement"}), body or {"reason": "no"}).status in (
            403,
            422,
        )


def test_a_wrong_payment_is_refused_with_what_is_due_and_a_right_one_taken(market: SmallMarket) -> None:
    path = f"{market.path('/invoices/{invoice_id}')}/payment"
    wrong = ask("POST", path, market.token("so"), {"paid_on": "2026-05-12", "amount": "9.99"})
    assert (wrong.status, wrong.json["errors"][0]["allowed"]) == (422, "10.00 or, with VAT, 12.00")
    paid = ask("POST", path, market.token("so"), {"paid_on": "2026-05-12", "amount": "10.00", "reference": "BACS"})
    assert (paid.status, paid.json["state"], paid.json["payment_reference"]) == (200, "paid", "BACS")
    credited = ask("POST", market.path("/invoices/{invoice_id}/credit"), market.token("so"), {"reason": "wrong month"})
    assert (credited.status, credited.json["kind"], credited.json["gross"]) == (201, "credit_note", "-10")
