"""Claims about webhooks: signed by the standard, tried again, logged, replayed, never sent to private addresses."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dispatch import actions_webhooks as webhooks
from chalicelib.dispatch import sending
from chalicelib.dispatch.sending import NoAnswer, NotSent, send_webhook
from chalicelib.dispatch.webhooks import (
    BACK_OFF,
    Attempt,
    Delivery,
    DeliveryQuery,
    Rest,
    WebhookQuery,
    WebhookRequest,
    WebhookView,
    after_attempt,
    after_silence,
    may_receive,
    signed_headers,
    url_problems,
)
from chalicelib.kernel.errors import Invalid, NotFound, Refused
from chalicelib.storage import settings
from chalicelib.storage.clients import client
from chalicelib.storage.keys import forget_keys
from functions import deliver_dispatch, fan_out_dispatch
from tests.builders.calls import a_call, a_system_call
from tests.builders.dispatch import FSP, DispatchMarket

NOON = "2026-06-01T12:00:00Z"
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOME = ("127.0.0.0/8",)


class Receiver:
    """A receiver on loopback that keeps what it was sent and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.paths: list[str] = []
        self.answers: list[int] = []
        self.drips = False
        self.meanwhile: Callable[[], None] = lambda: None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.got.append(({name.lower(): text for name, text in self.headers.items()}, body))
                outer.paths.append(self.path)
                if outer.drips:
                    self._drip()
                    return
                outer.meanwhile()
                self.send_response(outer.answers.pop(0) if outer.answers else 204)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _drip(self) -> None:
                """A header now and then, without end, as long as anybody listens."""
                try:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                    while not outer.ended.wait(0.05):
                        self.wfile.write(b"X-More: 1\r\n")
                except OSError:
                    outer.hung_up += 1

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self.ended, self.hung_up = threading.Event(), 0
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("HEADROOM_WEBHOOK_NETWORKS", "127.0.0.0/8")
    made = Receiver()
    yield made
    made.ended.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def place(market: None) -> DispatchMarket:
    forget_keys()
    made = DispatchMarket()
    made.obligation()
    return made


def added(receiver: Receiver, *events: str) -> WebhookView:
    request = WebhookRequest.model_validate({"url": receiver.url, "events": events})
    return webhooks.add_webhook(a_call(FSP, now=NOON), request)


def fan_out(place: DispatchMarket) -> None:
    for envelope in place.waiting():
        place.heard.add(envelope.id)
        if envelope.name.startswith("dispatch."):
            body = json.dumps({"detail": envelope.model_dump(mode="json")})
            for _ in range(2):
                answer = fan_out_dispatch.handler({"Records": [{"messageId": envelope.id, "body": body}]}, None)
                assert answer == {"batchItemFailures": []}


def waiting() -> list[dict[str, Any]]:
    url = client("sqs").get_queue_url(QueueName=settings.queue_name("deliver-dispatch"))["QueueUrl"]
    found = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for each in found:
        client("sqs").delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return found  # type: ignore[no-any-return]


def deliver() -> int:
    found = waiting()
    for each in found:
        record = {"messageId": each["MessageId"], "body": each["Body"]}
        assert deliver_dispatch.handler({"Records": [record]}, None) == {"batchItemFailures": []}
    return len(found)


def log(webhook_id: str) -> list[Delivery]:
    return webhooks.list_deliveries(a_call(FSP, now=NOON), webhook_id, DeliveryQuery()).items


def signature_of(secret: str, headers: dict[str, str], body: str) -> str:
    """As a receiver computes it, from the published standard."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}"
    return "v1," + base64.b64encode(hmac.new(key, content.encode(), hashlib.sha256).digest()).decode()


def test_an_instruction_arrives_once_signed_with_the_webhooks_own_key(
    place: DispatchMarket, receiver: Receiver
) -> None:
    made = added(receiver)
    [issued] = place.issue()
    fan_out(place)
    while deliver():
        pass
    [(headers, body)] = receiver.got
    assert made.secret is not None
    assert headers["webhook-signature"] == signature_of(made.secret, headers, body)
    assert headers["webhook-signature"] != signature_of("whsec_" + base64.b64encode(b"wrong").decode(), headers, body)
    assert headers["webhook-signature"] != signature_of(made.secret, headers, body.replace("2", "3"))
    assert abs(datetime.now(UTC).timestamp() - int(headers["webhook-timestamp"])) < 60
    told = json.loads(body)
    assert told["type"] == "dispatch.instructions_sent.v1"
    [instruction] = told["data"]["instructions"]
    assert (instruction["id"], instruction["requested_mw"], instruction["earns"]) == (
        issued.instruction_id,
        "2",
        "200",
    )
    [entry] = log(made.id)
    assert (entry.state, [each.status for each in entry.attempts]) == ("delivered", [204])
    [view] = webhooks.list_webhooks(a_call(FSP, now=NOON), WebhookQuery()).items
    assert (view.last_success_at, view.stale, view.secret) == (AT, False, None)


def test_what_fails_is_tried_again_under_the_same_id_after_its_back_off(
    place: DispatchMarket, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = added(receiver)
    receiver.answers = [503, 302]
    place.issue()
    fan_out(place)
    deliver()
    [entry] = log(made.id)
    assert entry.next_attempt_at == AT + timedelta(seconds=BACK_OFF[0])
    webhooks.deliver(a_call(now=NOON).as_system(), FSP, made.id, entry.id, AT)
    assert len(receiver.got) == 1
    for seconds in (5, 60):
        later = a_system_call((AT + timedelta(seconds=seconds)).isoformat())
        webhooks.deliver(later, FSP, made.id, entry.id, AT)
    [entry] = log(made.id)
    assert (entry.state, [each.status for each in entry.attempts]) == ("delivered", [503, 302, 204])
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    webhooks.deliver(a_system_call("2026-06-02T00:00:00Z"), FSP, made.id, entry.id, AT)
    assert len(receiver.got) == 3


def test_a_delivery_can_be_replayed_under_the_same_id(place: DispatchMarket, receiver: Receiver) -> None:
    made = added(receiver)
    place.issue()
    fan_out(place)
    deliver()
    [entry] = log(made.id)
    call = a_call(FSP, now="2026-06-03T12:00:00Z")
    webhooks.replay_delivery(call, made.id, entry.id)
    deliver()
    assert [headers["webhook-id"] for headers, _ in receiver.got] == [entry.id, entry.id]
    assert webhooks.get_delivery(call, f"{made.id}/{entry.id}").state == "delivered"
    for act in (webhooks.replay_delivery, lambda call, one, two: webhooks.get_delivery(call, f"{one}/{two}")):
        with pytest.raises(NotFound):
            act(call, made.id, "dlv_none")
        with pytest.raises(NotFound):
            act(a_call("org_fsp2"), made.id, entry.id)


def test_a_message_lost_on_the_way_is_missed(place: DispatchMarket, receiver: Receiver) -> None:
    made = added(receiver)
    place.issue()
    fan_out(place)
    waiting()
    assert webhooks.queue_overdue(a_system_call("2026-06-01T12:04:00Z")) == 0
    assert webhooks.queue_overdue(a_system_call("2026-06-01T12:05:00Z")) == 1
    assert deliver() >= 1
    assert log(made.id)[0].state == "delivered"


def test_a_webhook_hears_only_what_it_asked_for(place: DispatchMarket, receiver: Receiver) -> None:
    made = added(receiver, "dispatch.instructions_stopped.v1")
    place.issue()
    fan_out(place)
    assert log(made.id) == []


def test_a_removed_webhook_hears_nothing_more(place: DispatchMarket, receiver: Receiver) -> None:
    made = added(receiver)
    place.issue()
    fan_out(place)
    webhooks.remove_webhook(a_call(FSP, now=NOON), made.id)
    assert deliver() >= 1
    assert receiver.got == []
    with pytest.raises(NotFound):
        webhooks.get_webhook(a_call(FSP), made.id)


def test_a_new_secret_signs_from_then_on(place: DispatchMarket, receiver: Receiver) -> None:
    made = added(receiver)
    changed = webhooks.change_secret(a_call(FSP, now=NOON), made.id)
    assert changed.secret not in (None, made.secret)
    assert webhooks.get_webhook(a_call(FSP, now=NOON), made.id).secret is None


def test_a_webhook_that_heard_nothing_in_ninety_days_is_flagged(place: DispatchMarket, receiver: Receiver) -> None:
    made = added(receiver)
    later = a_call(FSP, now="2026-09-01T12:00:00Z")
    assert webhooks.get_webhook(later, made.id).stale


def test_an_organisation_has_only_so_many(place: DispatchMarket, receiver: Receiver) -> None:
    for _ in range(10):
        added(receiver)
    with pytest.raises(Refused):
        added(receiver)


def test_a_private_address_is_refused_when_it_is_added(place: DispatchMarket) -> None:
    with pytest.raises(Invalid) as refused:
        webhooks.add_webhook(a_call(FSP), WebhookRequest(url="https://169.254.169.254/latest"))
    assert refused.value.problems[0].code == "webhook.private"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://flex.example/hook", "webhook.https"),
        ("ftp://flex.example/hook", "webhook.https"),
        ("https://user:pass@flex.example/", "webhook.url"),
        ("https://flex.example/#part", "webhook.url"),
        ("https:///path", "webhook.url"),
        ("https://flex.example:99999/", "webhook.url"),
        ("https://[::1/", "webhook.url"),
        ("https://receiver..example/", "webhook.url"),
        ("https://" + "a" * 64 + ".example/", "webhook.url"),
        ("https://flex.example:22/", "webhook.port"),
        ("https://receiver.internal./", "webhook.private"),
        ("https://localhost/", "webhook.private"),
        ("https://nas.local/", "webhook.private"),
        ("https://nas.home.arpa/", "webhook.private"),
        ("https://10.0.0.1/", "webhook.private"),
        ("https://[::ffff:127.0.0.1]/", "webhook.private"),
        ("https://[fd00::1]/", "webhook.private"),
    ],
)
def test_an_address_is_public_https_and_says_nothing_of_its_own(url: str, code: str) -> None:
    assert [each.code for each in url_problems(url)] == [code]


def test_letters_that_no_request_line_takes_are_sent_encoded(receiver: Receiver) -> None:
    assert send_webhook(receiver.url.replace("/hook?a=1", "/hü k%20?a=ñ"), {}, "{}", HOME) == 204
    assert receiver.paths == ["/h%C3%BC%20k%20?a=%C3%B1"]


def test_a_header_that_cannot_be_sent_is_told_in_the_log(receiver: Receiver) -> None:
    with pytest.raises(NotSent, match="UnicodeEncodeError"):
        send_webhook(receiver.url, {"Authorization": "Bearer ∞"}, "{}", HOME)


def test_public_addresses_pass_and_the_deployments_own_networks_may_go_plain() -> None:
    assert url_problems("https://flex.example:8443/hook?a=1") == []
    assert url_problems("http://127.0.0.1:9/hook", HOME) == []
    assert url_problems("http://10.0.0.1/hook", HOME) != []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
     "2002:a00:1::", "2001:0:a00:1::"],
)  # fmt: skip
def test_no_private_address_receives_in_whatever_clothes(address: str) -> None:
    assert not may_receive(ip_address(address))


def test_public_addresses_receive() -> None:
    assert may_receive(ip_address("93.184.216.34"))
    assert may_receive(ip_address("2606:2800:220:1::1"))
    assert may_receive(ip_address("::ffff:93.184.216.34"))
    assert may_receive(ip_address("127.0.0.1"), HOME)


def test_a_name_that_leads_to_a_private_address_is_not_connected_to() -> None:
    for url in ("https://localhost.localdomain.invalid/", "https://0x7f000001/", "http://127.0.0.1/"):
        with pytest.raises(NotSent):
            send_webhook(url, {}, "{}")


def test_a_name_with_one_private_address_among_public_ones_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(sending.socket, "getaddrinfo", lambda *asked, **how: found)
    with pytest.raises(NotSent, match="private"):
        send_webhook("https://flex.example/", {}, "{}")


def test_a_receiver_that_is_not_there_is_told_in_the_log(receiver: Receiver) -> None:
    receiver.server.server_close()
    with pytest.raises(NotSent, match="Connection"):
        send_webhook(receiver.url, {}, "{}", HOME)


def test_a_receiver_that_does_not_speak_tls_is_told_in_the_log(receiver: Receiver) -> None:
    with pytest.raises(NotSent, match="SSL"):
        send_webhook(receiver.url.replace("http:", "https:"), {}, "{}", HOME)


def test_a_receiver_that_never_comes_to_an_end_is_left(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.3)
    receiver.drips = True
    with pytest.raises(NoAnswer, match="no answer in 0"):
        send_webhook(receiver.url, {}, "{}", HOME)


def test_a_name_that_takes_too_long_to_look_up_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(sending, "STEP_SECONDS", 0.05)
    monkeypatch.setattr(sending.socket, "getaddrinfo", lambda *asked, **how: ended.wait(30) and [])
    with pytest.raises(NoAnswer):
        send_webhook("https://flex.example/", {}, "{}")
    ended.set()


def test_a_silent_webhook_is_left_alone_then_tried_once_and_an_answer_ends_its_rest(
    place: DispatchMarket, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.3)
    made = added(receiver)
    for number in range(3):
        message = webhooks.Message(f"dlv_{number}", "dispatch.instructions_sent.v1", "{}")
        webhook = webhooks.store.find_webhook(FSP, made.id)
        assert webhook is not None
        webhooks.write_delivery(a_system_call(NOON), webhook, message, AT)

    def tried(number: int, now: datetime) -> None:
        webhooks.deliver(a_system_call(now.isoformat()), FSP, made.id, f"dlv_{number}", now)

    receiver.drips = True
    tried(0, AT)
    tried(1, AT + timedelta(seconds=29))
    assert len(receiver.got) == 1, "the second was not sent: the webhook rests"
    put_off = webhooks.store.find_delivery(made.id, "dlv_1")
    assert put_off is not None
    assert (put_off.tries, put_off.next_attempt_at) == (0, AT + timedelta(seconds=59))
    tried(2, AT + timedelta(seconds=30))
    assert len(receiver.got) == 2, "at the end of its rest it is tried"
    assert webhooks.store.find_rest(made.id) == Rest(
        webhook_id=made.id, until=AT + timedelta(seconds=90), silences=2
    ), "and rests twice as long"
    receiver.drips = False
    tried(1, AT + timedelta(seconds=95))
    assert webhooks.store.find_rest(made.id) is None
    delivered = webhooks.store.find_delivery(made.id, "dlv_1")
    assert delivered is not None
    assert delivered.state == "delivered"


def test_only_one_worker_tries_a_webhook_whose_rest_is_over(place: DispatchMarket, receiver: Receiver) -> None:
    made = added(receiver)
    commit = webhooks.commit
    rest = after_silence(made.id, None, AT)
    commit(a_system_call(NOON), [webhooks.store.begin_rest(rest)])
    late = a_system_call((AT + timedelta(minutes=1)).isoformat())
    assert [webhooks._may_probe(late, rest) for _ in range(3)] == [True, False, False]


def a_waiting_delivery(made: WebhookView) -> None:
    webhook = webhooks.store.find_webhook(FSP, made.id)
    assert webhook is not None
    webhooks.write_delivery(a_system_call(NOON), webhook, webhooks.Message("dlv_1", "e", "{}"), AT)


def test_a_message_that_comes_twice_at_once_is_sent_once(place: DispatchMarket, receiver: Receiver) -> None:
    made, refused = added(receiver), []

    def the_other_worker() -> None:
        try:
            webhooks.deliver(a_system_call(NOON), FSP, made.id, "dlv_1", AT + timedelta(seconds=14))
        except Refused as refusal:
            refused.append(refusal.code)

    a_waiting_delivery(made)
    receiver.meanwhile = the_other_worker
    webhooks.deliver(a_system_call(NOON), FSP, made.id, "dlv_1", AT)
    assert (len(receiver.got), refused) == (1, ["delivery.in_hand"])
    [kept] = log(made.id)
    assert (kept.state, len(kept.attempts), kept.in_hand_until) == ("delivered", 1, None)


def test_a_worker_that_was_cut_short_is_followed_by_another(place: DispatchMarket, receiver: Receiver) -> None:
    made = added(receiver)
    a_waiting_delivery(made)
    waiting = webhooks.store.find_delivery(made.id, "dlv_1")
    assert waiting is not None
    webhooks._taken(a_system_call(NOON), waiting, AT)
    webhooks.deliver(a_system_call(NOON), FSP, made.id, "dlv_1", AT + timedelta(seconds=15))
    assert [each.state for each in log(made.id)] == ["delivered"]


def test_a_delivery_asked_for_again_while_it_is_under_way_is_not_sent_again(
    place: DispatchMarket, receiver: Receiver
) -> None:
    """The sweep misses a message whose worker is slow, and queues it once more; its answer counts all the same."""
    made = added(receiver)
    a_waiting_delivery(made)
    late = a_system_call((AT + timedelta(hours=1)).isoformat())
    receiver.meanwhile = lambda: webhooks.queue_overdue(late) and None
    webhooks.deliver(a_system_call(NOON), FSP, made.id, "dlv_1", AT)
    [kept] = log(made.id)
    assert (kept.state, len(kept.attempts)) == ("delivered", 1)
    while deliver():
        continue
    assert len(receiver.got) == 1


@given(st.integers(1, 60))
def test_rests_grow_and_never_beyond_a_quarter_of_an_hour(silences: int) -> None:
    rest = None
    lengths = []
    for _ in range(silences):
        rest = after_silence("whk_1", rest, AT)
        lengths.append(rest.until - AT)
    assert lengths == sorted(lengths)
    assert lengths[0] == timedelta(seconds=30)
    assert max(lengths) <= timedelta(minutes=15)


def a_delivery(**changes: Any) -> Delivery:
    plain = {"id": "dlv_1", "webhook_id": "whk_1", "organisation": FSP, "event": "e", "body": "{}", "created_at": AT}
    return Delivery.model_validate(plain | changes)


@given(st.lists(st.sampled_from([None, 200, 204, 299, 301, 404, 500]), min_size=1, max_size=20))
def test_a_delivery_waits_until_it_is_delivered_or_out_of_tries(statuses: list[int | None]) -> None:
    delivery = a_delivery()
    for status in statuses:
        if delivery.state != "waiting":
            break
        delivery = after_attempt(delivery, Attempt(at=AT, status=status))
    succeeded = [status for status in statuses[: len(BACK_OFF) + 1] if status is not None and 200 <= status < 300]
    if succeeded:
        assert delivery.state == "delivered"
        assert len(delivery.attempts) == statuses.index(succeeded[0]) + 1
    else:
        assert delivery.state == ("failed" if len(statuses) > len(BACK_OFF) else "waiting")
    assert (delivery.next_attempt_at is None) == (delivery.state != "waiting")


@given(st.text(max_size=200), st.binary(min_size=24, max_size=64))
def test_headers_hold_the_published_signature(body: str, key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    headers = signed_headers(secret, "dlv_1", AT, body)
    assert headers["webhook-signature"] == signature_of(secret, headers, body)
    assert headers["webhook-timestamp"] == str(int(AT.timestamp()))


def receiver_of_the_documents() -> Any:
    """The check that docs/webhooks.md gives receivers, as it stands there."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text()
    held: dict[str, Any] = {}
    exec(page.partition("```python")[2].partition("```")[0], held)
    return held["is_genuine"]


def test_a_receiver_can_tell_a_wrong_key_a_changed_body_and_a_replayed_message() -> None:
    is_genuine, secret, sent = receiver_of_the_documents(), "whsec_" + "a" * 32, AT.timestamp()
    headers = signed_headers(secret, "dlv_1", AT, "{}")
    assert not is_genuine("whsec_" + "b" * 32, headers, "{}", set(), sent)
    assert not is_genuine(secret, headers, '{"mw": 2}', set(), sent)
    assert not is_genuine(secret, headers | {"webhook-id": "dlv_2"}, "{}", set(), sent)
    assert not is_genuine(secret, headers, "{}", set(), sent + 301)
    assert not is_genuine(secret, headers | {"webhook-timestamp": "now"}, "{}", set(), sent)
    seen: set[str] = set()
    assert is_genuine(secret, headers, "{}", seen, sent + 299)
    assert not is_genuine(secret, headers, "{}", seen, sent + 299)
