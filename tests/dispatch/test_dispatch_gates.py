"""Claims about the reminder of the gate: within a day of it, to whoever left something open, mailed once."""

from __future__ import annotations

import pytest

from chalicelib.dispatch import actions_offering as offering
from chalicelib.dispatch import actions_rules as rules
from chalicelib.dispatch.actions_gates import remind_of_gates
from chalicelib.dispatch.requests import OffersRequest, RulesRequest
from chalicelib.notifications import actions as notifications
from chalicelib.notifications.models import MailQuery
from chalicelib.registry import store as registry_store
from chalicelib.registry.models import Person
from chalicelib.storage.commit import commit
from functions import notify
from tests.builders.calls import a_call, a_system_call
from tests.builders.dispatch import FSP, SET, DispatchMarket

WEDNESDAY = "2026-06-03T09:00:00Z"
"""Of the week before 8 June; the gate is the end of the day, London's clock: 23:00 UTC."""


@pytest.fixture
def place(market: None) -> DispatchMarket:
    """An obligation of variable availability on weekday evenings of June."""
    made = DispatchMarket()
    made.obligation(product_type="OU + Variable Availability")
    person = Person(
        id="per_desk",
        organisation=FSP,
        name="Dee",
        email="dee@flex.example",
        roles=frozenset({"dispatch"}),
        state="active",
        created_at=SET,
    )
    commit(a_call(), [registry_store.create_person(person)])
    return made


def remind(now: str) -> int:
    return remind_of_gates(a_system_call(now))


def offer(*days: int) -> None:
    offers = [{"obligation_id": "obl_1", "start": f"2026-06-{day:02}T16:00:00Z", "mw": "1"} for day in days]
    offering.offer_availability(
        a_call(FSP, now="2026-06-01T09:00:00Z"), OffersRequest.model_validate({"offers": offers})
    )


def test_a_provider_that_has_offered_nothing_is_told_within_a_day_of_the_gate(place: DispatchMarket) -> None:
    assert remind("2026-06-02T22:59:59Z") == 0
    assert remind("2026-06-02T23:00:00Z") == 1
    assert remind("2026-06-03T22:59:59Z") == 1
    assert remind("2026-06-03T23:00:00Z") == 0


def test_one_open_period_is_enough_and_none_is_silence(place: DispatchMarket) -> None:
    offer(8, 9, 10, 11)
    assert remind(WEDNESDAY) == 1
    offer(12)
    assert remind(WEDNESDAY) == 0


def test_another_product_has_no_gate(market: None) -> None:
    DispatchMarket().obligation()
    assert remind(WEDNESDAY) == 0


def test_an_obligation_that_is_not_contracted_has_none_either(market: None) -> None:
    DispatchMarket().obligation(product_type="OU + Variable Availability", state="awarded", ready=False)
    assert remind(WEDNESDAY) == 0


def test_the_last_week_has_no_week_after_it(place: DispatchMarket) -> None:
    assert remind("2026-07-01T09:00:00Z") == 0


def test_the_gate_is_the_operators(place: DispatchMarket) -> None:
    asked = RulesRequest.model_validate({"gate_day": "Fri", "decision_day": "Sat", "effective_from": "2026-05-01"})
    rules.set_rules(place.operator(), asked)
    assert remind(WEDNESDAY) == 0
    assert remind("2026-06-05T09:00:00Z") == 1


def test_however_often_it_is_told_it_is_mailed_once(place: DispatchMarket) -> None:
    for now in (WEDNESDAY, "2026-06-03T10:00:00Z"):
        remind(now)
        for envelope in place.waiting():
            place.heard.add(envelope.id)
            if envelope.name == "dispatch.availability_gate_near.v1":
                notify.notify(a_call(now=now), envelope)
    [mail] = notifications.list_mails(a_call(FSP), MailQuery()).items
    assert mail.letter == "availability_gate"
