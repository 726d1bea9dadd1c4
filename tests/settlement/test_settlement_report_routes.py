"""Claims about reports and disputes over HTTP: roles, what is sent twice, problems, and what each side may open."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.settlement.models_runs import line_id_of
from tests.builders.small_market import Answer, SmallMarket, ask


@pytest.fixture
def place(market: None) -> SmallMarket:
    return SmallMarket()


def post(place: SmallMarket, who: str, path: str, body: Any = None, key: str = "k1", **how: Any) -> Answer:
    token = place.token(who, **how)
    return ask("POST", place.path(path), token, body, Idempotency_Key=key)


def get(place: SmallMarket, who: str, path: str) -> Answer:
    return ask("GET", place.path(path), place.token(who))


def test_a_dispute_sent_twice_is_one_dispute(place: SmallMarket) -> None:
    line = line_id_of(place.things["report_id"], 1)
    body = {"reason": "our meter shows more", "evidence": ["https://flex.example/log"]}
    first, second = (post(place, "fsp", f"/lines/{line}/disputes", body) for _ in range(2))
    assert (first.status, second.status) == (201, 201)
    assert first.json["id"] == second.json["id"]
    assert first.json["line"]["state"] == "disputed"
    again = post(place, "fsp", f"/lines/{line}/disputes", body, key="k2")
    assert (again.status, again.json["code"]) == (409, "line.disputed")
    assert len(get(place, "so", f"/lines/{line}/disputes").json["items"]) == 1


def test_disputes_and_agreement_are_for_the_role_of_settlement(place: SmallMarket) -> None:
    for path, body in (
        ("/lines/{line_id}/disputes", {"reason": "x"}),
        ("/disputes/{dispute_id}/withdrawal", {}),
        ("/settlement-reports/{report_id}/agreement", {"every_line": True}),
    ):
        answer = post(place, "fsp", path, body, roles={"read", "bidding", "account"})
        assert (answer.status, answer.json["code"]) == (403, "identity.role"), path


def test_a_dispute_goes_through_its_states_over_http(place: SmallMarket) -> None:
    acts = [
        ("so", "answer", {"words": "we see the same"}),
        ("fsp", "escalation", {"words": "look again", "evidence": ["https://flex.example/log"]}),
        ("so", "answer", {"words": "we did"}),
        ("fsp", "agreement", {}),
    ]
    states = [
        post(place, who, f"/disputes/{{dispute_id}}/{act}", body, key=f"k{step}").json["state"]
        for step, (who, act, body) in enumerate(acts)
    ]
    assert states == ["answered", "escalated", "answered", "agreed"]
    shown = get(place, "fsp", "/disputes/{dispute_id}").json
    assert [each["act"] for each in shown["messages"]] == ["raise", "answer", "escalate", "answer", "agree"]
    over = post(place, "fsp", "/disputes/{dispute_id}/withdrawal", {}, key="k9")
    assert (over.status, over.json["code"]) == (409, "dispute.agreed")


def test_evidence_may_be_a_file_of_ones_own_but_not_of_another(place: SmallMarket) -> None:
    line = line_id_of(place.things["report_id"], 1)
    own = {"reason": "see", "evidence": [place.things["receipt_id"]]}
    other = post(place, "so", "/disputes/{dispute_id}/answer", {"words": "see", "evidence": own["evidence"]})
    assert (other.status, other.json["errors"][0]["pointer"]) == (422, "/evidence/0")
    assert post(place, "fsp", f"/lines/{line}/disputes", own).status == 201


def test_every_problem_of_a_body_is_told_at_once(place: SmallMarket) -> None:
    answer = post(place, "fsp", "/lines/{line_id}/disputes", {"reason": "", "evidence": [""], "amount": "5"})
    assert answer.status == 422
    assert {each["pointer"] for each in answer.json["errors"]} == {"/reason", "/evidence/0", "/amount"}


def test_agreeing_and_publishing_twice_under_one_key_answer_the_same(place: SmallMarket) -> None:
    agreed = [post(place, "fsp", "/settlement-reports/{report_id}/agreement", {"every_line": True}) for _ in range(2)]
    assert [each.status for each in agreed] == [200, 200]
    assert agreed[0].json == agreed[1].json
    assert {each["state"]: each["lines"] for each in agreed[0].json["by_state"]} == {"disputed": 1, "agreed": 1}
    run = [post(place, "so", "/settlement-runs/{run_id}/publication", key="run") for _ in range(2)]
    assert [each.status for each in run] == [200, 200]
    assert run[0].json == run[1].json
    late = post(place, "so", "/settlement-reports/{report_id}/publication", key="late")
    assert (late.status, late.json["code"]) == (409, "report.published")


def test_a_report_has_an_etag_and_its_parts_are_paged(place: SmallMarket) -> None:
    answer = get(place, "fsp", "/settlement-reports/{report_id}")
    assert answer.headers["ETag"] == f'"{answer.json["version"]}"'
    page = get(place, "fsp", "/settlement-reports/{report_id}/lines?limit=1").json
    assert len(page["items"]) == 1
    rest = get(place, "fsp", f"/settlement-reports/{{report_id}}/lines?limit=1&cursor={page['next']}").json
    assert (len(rest["items"]), rest["next"]) == (1, None)
    assert "lines_key" not in answer.json
    bad = get(place, "fsp", "/settlement-reports/{report_id}/lines?state=gone&limit=0")
    assert {each["pointer"] for each in bad.json["errors"]} == {"/state", "/limit"}
