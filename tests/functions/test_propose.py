"""The function that makes proposals: woken by the bus, it makes what waits, and knows no other news."""

from __future__ import annotations

import json

import pytest

from chalicelib.decisions import store_proposals
from chalicelib.decisions.actions_proposals import ask_proposal
from chalicelib.decisions.models_proposals import ProposalRequest
from functions import propose
from tests.builders.bidding import BiddingMarket

LATER = "2026-05-10T09:00:00Z"


def handed(body: str, message: str = "1") -> list[dict[str, str]]:
    answer = propose.handler({"Records": [{"messageId": message, "body": body}]}, None)
    failures: list[dict[str, str]] = answer["batchItemFailures"]
    return failures


@pytest.fixture
def asked(market: None) -> BiddingMarket:
    made = BiddingMarket()
    made.submit(0)
    ask_proposal(made.operator(LATER), made.competition_1.id, ProposalRequest())
    return made


def news(made: BiddingMarket, **changes: str) -> str:
    [envelope] = [each for each in made.waiting() if each.name == "decisions.proposal_asked.v1"]
    return json.dumps({"detail": envelope.model_dump(mode="json") | changes})


def test_a_proposal_that_waits_is_made_and_the_same_news_again_changes_nothing(asked: BiddingMarket) -> None:
    assert handed(news(asked)) == []
    made = store_proposals.find_proposal(asked.competition_1.id, 1)
    assert made is not None
    assert made.state == "made"
    assert handed(news(asked), "2") == []
    assert store_proposals.find_proposal(asked.competition_1.id, 1) == made


def test_other_news_is_a_fault_and_stays_in_the_queue(asked: BiddingMarket) -> None:
    other = json.loads(news(asked))["detail"]
    told = {"competition_id": "cmp_1", "so": "org_so", "version": 1}
    body = json.dumps({"detail": other | {"name": "decisions.decisions_recorded.v1", "body": told}})
    assert handed(body) == [{"itemIdentifier": "1"}]
