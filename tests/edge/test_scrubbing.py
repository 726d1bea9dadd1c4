"""Whatever reaches a log line, nothing that no log may hold leaves it."""

from __future__ import annotations

import io
import json
import logging

import pytest
from aws_lambda_powertools import Logger
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.edge import observe
from chalicelib.edge.scrubbing import PlainFormatter, ScrubbingFormatter, scrubbed
from chalicelib.kernel.meters import check_digit

METER = "1012345678901"[:12] + str(check_digit("101234567890"))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("no person ann.example+x@provider.example here", "ann.example+x@provider.example"),
        ("GET /people?email=ann%40provider.example", "ann%40provider.example"),
        ("the postcode NR2 1AA is unknown", "NR2 1AA"),
        ("input_value='nr301ln'", "nr301ln"),
        (f"meter {METER} is taken", METER),
        (f"meter {METER[:2]} {METER[2:6]} {METER[6:10]} {METER[10:]}", METER[6:10]),
        (f"00 801 111 {METER}", METER),
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln in a header", "eyJzdWIi"),
        ('{"password": "correct horse"}', "correct"),
        ("SecretString='a1b2c3'", "a1b2c3"),
        ("{'secret': {'S': 'hidden'}}", "hidden"),
        ('{"code": "K7M2P9QX"}', "K7M2P9QX"),
        ("Your code is K7M2P9QX.", "K7M2P9QX"),
        ("https://b.example/k?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=0f0f0f", "0f0f0f"),
        ("-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----", "MIGH"),
        ("availability_price=Decimal('237.55')", "237.55"),
        ('"utilisation_price": "237.55"', "237.55"),
        (r"{\"utilisation_price\": \"237.55\"}", "237.55"),
        ('{"capacity_mw": {"N": "0.834"}}', "0.834"),
        ('"prices": ["237.55", "12"]', "237.55"),
        ("prices=[Decimal('12'), Decimal('237.55')]", "237.55"),
        ("the secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw was drawn", "MfKQ9r8G"),
        ('{"meter_id": "SUB-000042"}', "SUB-000042"),
        ("import_meter_id='abc-17'", "abc-17"),
        ('{"meters": ["SUB-1", "SUB-000042"]}', "SUB-000042"),
    ],
)
def test_what_no_log_may_hold_is_struck_out(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in scrubbed(text)


@pytest.mark.parametrize(
    "text",
    [
        "{'Error': {'Code': 'ThrottlingException', 'Message': 'Rate exceeded'}}",
        "message failed message_id=0b5d3a61-7e32-4c5e-9f0d-1f6d3c1b2a90",
        "fault ast_01JQ8Z3N7W5M2K4T6V8X0Y1Z3B at 2026-04-01T09:00:00.123Z",
        "import-file failed on 3 messages for the 2. time, 1234567890123 ms",
        '{"location": "one:158", "service": "headroom", "timestamp": "2026-04-01 09:00:00,123+0000"}',
    ],
)
def test_ids_and_instants_stay(text: str) -> None:
    assert scrubbed(text) == text


@given(st.integers(10, 29), st.integers(0, 10**10 - 1), st.text(max_size=20), st.sampled_from("abz"))
def test_no_meter_id_survives_between_any_words(area: int, rest: int, words: str, letter: str) -> None:
    core = f"{area}{rest:010d}"
    meter = core + str(check_digit(core))
    assert meter not in scrubbed(f"{words} {letter} {meter} {letter} {words}")


@given(st.text(max_size=300))
def test_scrubbing_twice_is_scrubbing_once_and_never_fails(text: str) -> None:
    once = scrubbed(text)
    assert scrubbed(once) == once


def logged(formatter: logging.Formatter) -> str:
    out = io.StringIO()
    logger = Logger(service="scrubbing-test", stream=out, logger_formatter=formatter)  # type: ignore[arg-type]
    try:
        raise ValueError("ann@provider.example bid capacity_mw=0.834 from NR2 1AA")
    except ValueError:
        logger.exception("failed", extra={"email": "bea@provider.example", "message_id": "m1"})
    return out.getvalue()


def test_a_structured_line_is_still_json_and_holds_no_address_in_message_fields_or_traceback() -> None:
    line = logged(ScrubbingFormatter())
    told = json.loads(line)
    assert told["message_id"] == "m1"
    assert "Traceback" in told["exception"]
    assert "[sealed]" in told["exception"]
    for secret in ("ann@", "bea@", "0.834", "NR2 1AA"):
        assert secret not in line


def test_the_market_logs_with_the_scrubber() -> None:
    assert isinstance(observe.logger().registered_formatter, ScrubbingFormatter)


def test_a_plain_line_is_scrubbed_with_its_arguments() -> None:
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, "to %s", ("ann@provider.example",), None)
    assert PlainFormatter().format(record) == "to [e-mail]"
