"""Claims about mail that came back: told to the organisation, nothing more is sent there, and it can be undone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.call import derived_id
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.models import iso
from chalicelib.notifications import actions as notifications
from chalicelib.notifications.actions_returns import lift_suppression, list_suppressions
from chalicelib.notifications.models import MailQuery, Told
from chalicelib.notifications.returns import SuppressionQuery, returns_in
from chalicelib.registry import store as registry_store
from chalicelib.registry.models import Person
from chalicelib.storage import settings
from chalicelib.storage.audit import BUCKETS
from chalicelib.storage.audit_sealing import RecordRow
from chalicelib.storage.clients import client
from chalicelib.storage.commit import commit
from chalicelib.storage.tables import query_all
from functions import hear_returns, send_mail
from tests.builders.calls import NOON, a_call, a_system_call
from tests.builders.reports import FSP, MADE_AT, given_sides

SAMPLE = json.loads((Path(__file__).parents[2] / "events" / "aws" / "mail_returned.json").read_text())
NOTICE: dict[str, Any] = json.loads(SAMPLE["Records"][0]["body"])
BY_ALL = {"at": iso(a_call(now=NOON).now), "request_id": "req_1"}


@pytest.fixture
def ann(market: None) -> Person:
    """The person FSP one's letters about settlement go to; the post takes what it is given."""
    given_sides(FSP)
    client("ses").verify_email_identity(EmailAddress=settings.mail_sender())
    person = Person(
        id="per_1",
        organisation=FSP,
        name="Ann",
        email="ann@flex.example",
        roles=frozenset({"settlement"}),
        state="active",
        created_at=MADE_AT,
    )
    commit(a_system_call(), [registry_store.create_person(person)])
    return person


def told(person: Person, fact: str) -> str:
    """The mail of a fact, handed to the post."""
    words = {"month": "April 2026", "month_code": "2026-04", "so_name": "North", "due": "2026-05-08", "missing": 3}
    notifications.tell(a_system_call(), [Told(letter="meter_data_due", organisation=FSP, fact=fact, words=words)])
    mail_id = derived_id("mail", person.id, "meter_data_due", fact)
    sent = BY_ALL | {"body": {"mail_id": mail_id}}
    assert send_mail.handler(batch(sent), None) == {"batchItemFailures": []}
    return mail_id


def batch(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"Records": [{"messageId": "m1", "body": json.dumps(body)}]}


def came_back(mail_id: str, address: str = "ann@flex.example", **changes: Any) -> dict[str, Any]:
    """What the post tells of a bounce, as it words it."""
    mail = NOTICE["mail"] | {"tags": {"mail_id": [mail_id]}}
    bounce = NOTICE["bounce"] | {"bouncedRecipients": [{"emailAddress": address}]} | changes
    return hear_returns.handler(batch(NOTICE | {"mail": mail, "bounce": bounce}), None)


def states() -> dict[str, tuple[str, str | None]]:
    return {mail.id: (mail.state, mail.reason) for mail in notifications.list_mails(a_call(FSP), MailQuery()).items}


def suppressions() -> list[tuple[str, str]]:
    found = list_suppressions(a_call(FSP), SuppressionQuery()).items
    return [(each.recipient_id, each.why) for each in found]


def test_a_mail_that_came_back_is_shown_so_and_nothing_more_is_sent_there(ann: Person) -> None:
    first = told(ann, "fact_1")
    assert states()[first] == ("sent", None)
    assert came_back(first) == {"batchItemFailures": []}
    assert states()[first] == ("returned", "the mailbox does not exist or takes nothing")
    assert suppressions() == [("per_1", "bounced")]
    second = told(ann, "fact_2")
    state, reason = states()[second]
    assert state == "undeliverable"
    assert reason == "held back since 01 April 2026: the mailbox does not exist or takes nothing"


def test_an_organisation_lets_mail_go_there_again(ann: Person) -> None:
    came_back(told(ann, "fact_1"))
    lift_suppression(a_call(FSP), "per_1")
    assert suppressions() == []
    second = told(ann, "fact_2")
    assert states()[second][0] == "sent"
    with pytest.raises(NotFound):
        lift_suppression(a_call(FSP), "per_1")


def test_a_changed_address_gets_mail_at_once(ann: Person) -> None:
    came_back(told(ann, "fact_1"), address="Former.Ann@flex.example")
    second = told(ann, "fact_2")
    assert states()[second][0] == "sent"


def test_the_same_notice_twice_and_letters_case_say_nothing_new(ann: Person) -> None:
    first = told(ann, "fact_1")
    came_back(first, address="ANN@FLEX.example")
    came_back(first, address="ANN@FLEX.example")
    assert suppressions() == [("per_1", "bounced")]
    actions = [json.loads(row.body)["action"] for bucket in BUCKETS for row in audit_rows(bucket)]
    assert actions.count("mail.suppressed") == 1


def audit_rows(bucket: Any) -> list[RecordRow]:
    return list(query_all(RecordRow, f"{FSP}#2026-04-01#{bucket}"))


def test_what_may_pass_ends_nothing(ann: Person) -> None:
    first = told(ann, "fact_1")
    assert came_back(first, bounceType="Transient") == {"batchItemFailures": []}
    assert (states()[first][0], suppressions()) == ("sent", [])


def test_a_complaint_ends_mail_too(ann: Person) -> None:
    first = told(ann, "fact_1")
    complaint = {
        "complainedRecipients": [{"emailAddress": "ann@flex.example"}],
        "timestamp": "2026-04-01T10:00:00.000Z",
    }
    mail = NOTICE["mail"] | {"tags": {"mail_id": [first]}}
    notice = {"eventType": "Complaint", "mail": mail, "complaint": complaint}
    assert hear_returns.handler(batch(notice), None) == {"batchItemFailures": []}
    assert suppressions() == [("per_1", "complained")]


def test_a_mail_nobody_knows_and_a_notice_of_another_kind_say_nothing(ann: Person) -> None:
    assert hear_returns.handler(SAMPLE, None) == {"batchItemFailures": []}
    assert returns_in({"eventType": "Delivery"}) == []
    assert returns_in({"Type": "SubscriptionConfirmation"}) == []


def test_a_notice_that_says_not_which_mail_is_a_failure_and_not_silence(ann: Person) -> None:
    mail = {name: text for name, text in NOTICE["mail"].items() if name != "tags"}
    assert hear_returns.handler(batch(NOTICE | {"mail": mail}), None) == {
        "batchItemFailures": [{"itemIdentifier": "m1"}]
    }
