"""Asking another function: by Lambda as everywhere else, tried again where it fails, and never shown."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from chalicelib.storage.clients import client
from chalicelib.storage.invoking import TRIES, FunctionFailed, Reply, by_lambda, invoke, use_transport


@pytest.fixture
def replies() -> Iterator[list[Reply]]:
    """What the function answers, one after the other; the transport of before comes back."""
    given: list[Reply] = []
    before = use_transport(lambda function, asked: given.pop(0))
    yield given
    use_transport(before)


def test_an_answer_is_passed_on(replies: list[Reply]) -> None:
    replies.append(Reply(b"{}"))
    assert invoke("keep-keys", b"{}") == b"{}"


def test_a_function_that_failed_is_asked_again(replies: list[Reply]) -> None:
    replies += [Reply(b"", "Unhandled"), Reply(b"{}")]
    assert invoke("keep-keys", b"{}") == b"{}"


def test_a_function_that_fails_each_time_is_a_fault_told_by_its_name(replies: list[Reply]) -> None:
    replies += [Reply(b"secret", "Unhandled")] * TRIES
    with pytest.raises(FunctionFailed, match="keep-keys failed: Unhandled") as fault:
        invoke("keep-keys", b"{}")
    assert replies == []
    assert "secret" not in str(fault.value)


def test_a_reply_does_not_show_its_content() -> None:
    assert "secret" not in repr(Reply(b"secret"))


def test_lambda_is_asked_for_the_deployments_function_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes out is looked at as botocore sends it: AWS's own client, stopped at the wire."""
    from botocore.awsrequest import AWSResponse

    sent = []

    class Raw(io.BytesIO):
        def stream(self, *_: object, **__: object) -> Iterator[bytes]:
            yield self.read()

    def answer(request, **_):
        sent.append((request.method, request.url, dict(request.headers), request.body))
        headers = {} if len(sent) == 1 else {"X-Amz-Function-Error": "Unhandled"}
        return AWSResponse(request.url, 200, headers, Raw(b'{"version":1}'))

    monkeypatch.setenv("HEADROOM_STAGE", "prod")
    events = client("lambda").meta.events
    events.register("before-send.lambda", answer)
    try:
        told, failed = by_lambda("keep-keys", b'{"a":1}'), by_lambda("keep-keys", b"{}")
    finally:
        events.unregister("before-send.lambda", answer)
    method, url, headers, body = sent[0]
    assert (method, body) == ("POST", b'{"a":1}')
    assert url.endswith("/functions/headroom-prod-keep-keys/invocations")
    assert "X-Amz-Invocation-Type" not in headers or headers["X-Amz-Invocation-Type"] == "RequestResponse"
    assert (told.content, told.fault) == (b'{"version":1}', None)
    assert failed.fault == "Unhandled"
