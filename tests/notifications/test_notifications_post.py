"""Claims about handing a mail to the post: what it refuses for good is recorded, counted, and not tried again."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from chalicelib.edge.clock import wall_clock
from chalicelib.kernel.errors import Refused
from chalicelib.kernel.models import iso
from chalicelib.notifications import actions as notifications
from chalicelib.notifications import store
from chalicelib.notifications.models import Mail, MailQuery
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


def test_a_mail_in_another_workers_hand_is_not_handed_over_and_comes_again(mail_id: str) -> None:
    client("ses").verify_email_identity(EmailAddress=settings.mail_sender())
    take(mail_id, wall_clock())
    assert send(mail_id) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert handed_over() == 0
    assert find(mail_id).state == "queued"


def test_of_two_workers_that_found_the_same_mail_one_takes_it(mail_id: str) -> None:
    found = find(mail_id)
    notifications.take(a_system_call(), found, wall_clock())
    with pytest.raises(Refused, match="Another worker"):
        notifications.take(a_system_call(), found, wall_clock())


def test_a_mail_whose_worker_was_cut_short_is_sent_by_the_next(mail_id: str) -> None:
    client("ses").verify_email_identity(EmailAddress=settings.mail_sender())
    take(mail_id, wall_clock() - notifications.IN_HAND)
    assert send(mail_id) == {"batchItemFailures": []}
    assert handed_over() == 1
    assert find(mail_id).state == "sent"


def test_a_mail_that_was_let_go_can_be_taken_at_once(mail_id: str) -> None:
    taken = take(mail_id, wall_clock())
    notifications.let_go(a_system_call(), taken)
    assert take(mail_id, wall_clock()).version == taken.version + 2


def test_letting_go_of_a_mail_that_another_has_by_now_leaves_it_in_their_hand(mail_id: str) -> None:
    late = take(mail_id, wall_clock() - notifications.IN_HAND)
    theirs = take(mail_id, wall_clock())
    notifications.let_go(a_system_call(), late)
    assert find(mail_id).version == theirs.version


def take(mail_id: str, at: datetime) -> Mail:
    return notifications.take(a_system_call(), find(mail_id), at)


def find(mail_id: str) -> Mail:
    found = store.find_mail(mail_id)
    assert found is not None
    return found


def handed_over() -> int:
    return int(client("ses").get_send_quota()["SentLast24Hours"])


def send(mail_id: str) -> dict[str, Any]:
    sent = {"at": iso(a_call(now=NOON).now), "request_id": "req_1", "body": {"mail_id": mail_id}}
    return send_mail.handler({"Records": [{"messageId": "m1", "body": json.dumps(sent)}]}, None)


def refusals(capsys: pytest.CaptureFixture[str]) -> list[object]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    return [line["mails_refused"] for line in lines if "mails_refused" in line]
