"""Claims about handing a mail to the post: what it refuses for good is recorded, counted, and not tried again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.kernel.models import iso
from chalicelib.notifications import actions as notifications
from chalicelib.notifications.models import MailQuery
from chalicelib.registry import store as registry_store
from chalicelib.registry.models import Person
from chalicelib.settlement.events import MeterDataDue
from chalicelib.storage import outbox, settings
from chalicelib.storage.clients import client
from chalicelib.storage.commit import commit
from functions import notify, send_mail
from tests.builders.calls import NOON, a_call, a_system_call
from tests.builders.reports import FSP, MADE_AT, SO, given_sides

pytestmark = pytest.mark.usefixtures("market")


@pytest.fixture
def mail_id(market: None) -> str:
    """A mail that waits to be sent."""
    given_sides(FSP)
    sue = Person(
        id="per_1",
        organisation=FSP,
        name="Sue",
        email="sue@fsp.example",
        roles=frozenset({"settlement"}),
        state="active",
        created_at=MADE_AT,
    )
    due = MeterDataDue(so=SO, fsp=FSP, month="2026-04", kind="due", due="2026-05-08", missing=3)
    commit(a_system_call(), [registry_store.create_person(sue)], [due])
    for envelope in outbox.unpublished(a_call(now="2035-01-01T00:00:00Z").now):
        notify.notify(a_system_call(), envelope)
    [mail] = notifications.list_mails(a_call(FSP), MailQuery()).items
    return mail.id


def test_a_mail_the_post_refuses_for_good_is_counted_and_not_tried_again(
    mail_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert send(mail_id) == {"batchItemFailures": []}  # nobody has verified the sender
    [mail] = notifications.list_mails(a_call(FSP), MailQuery()).items
    assert (mail.state, mail.reason) == ("undeliverable", "the post refused it: MessageRejected")
    assert refusals(capsys) == [[1.0]]
    send(mail_id)
    assert refusals(capsys) == []


def test_a_mail_the_post_takes_is_sent_and_no_refusal_is_counted(
    mail_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client("ses").verify_email_identity(EmailAddress=settings.mail_sender())
    assert send(mail_id) == {"batchItemFailures": []}
    [mail] = notifications.list_mails(a_call(FSP), MailQuery()).items
    assert mail.state == "sent"
    assert refusals(capsys) == []


def send(mail_id: str) -> dict[str, Any]:
    sent = {"at": iso(a_call(now=NOON).now), "request_id": "req_1", "body": {"mail_id": mail_id}}
    return send_mail.handler({"Records": [{"messageId": "m1", "body": json.dumps(sent)}]}, None)


def refusals(capsys: pytest.CaptureFixture[str]) -> list[object]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    return [line["mails_refused"] for line in lines if "mails_refused" in line]
