"""AWS services that refuse at random: the line ends where the undisturbed one does, and no log holds what none may."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from local import market_operator
from local.demo import people
from local.demo.line import Line
from tests.disturbed import METER_COLUMN, patience, walk_with
from tests.embedded import RunningMarket

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.usefixtures("patient")]


@dataclass(frozen=True, slots=True)
class Walked:
    """What a market's processes wrote, before close and in the end; what may not be in it; what the line came to."""

    before_close: str
    after: str
    secrets: dict[str, set[str]]
    found: dict[str, Any]
    throttled: dict[str, int]


class WatchedLine(Line):
    """A line that keeps what was logged until bidding closed."""

    running: RunningMarket
    logged = ""

    def close_bidding(self) -> None:
        self.logged = logs_of(self.running)
        super().close_bidding()


def logs_of(running: RunningMarket) -> str:
    return "\n".join(file.read_text(errors="replace") for file in sorted((running.folder / "log").iterdir()))


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """The whole line, once for both claims below."""
    folder = tmp_path_factory.mktemp("throttled")
    kept: dict[str, Any] = {}

    def keep(line: WatchedLine) -> None:
        kept.update(before_close=line.logged, after=logs_of(line.running), secrets=secrets_of(line, line.running))

    with patience():
        found, did = walk_with("--throttle", folder, line_of=WatchedLine, at_end=keep)
    return Walked(**kept, found=found, throttled=did["throttled"])


def secrets_of(line: WatchedLine, running: RunningMarket) -> dict[str, set[str]]:
    bids = [
        bid
        for competition in line.competitions.values()
        for bid in line.operator.session.all(f"/competitions/{competition['id']}/bids")
    ]
    mails = line.market.mails()
    rows = [row for each in line.scene.providers for row in each.assets]
    postcodes = {str(row["Postcode"]) for row in rows if "Postcode" in row}
    own = [line.market_operator, line.operator.session, *(each.session for each in line.providers.values())]
    store = json.loads((running.folder / "cloud" / "secretsmanager.json").read_text())
    return {
        "prices and MW of bids": {str(bid[field]) for bid in bids for field in bid if is_sealed(field) and bid[field]},
        "e-mail addresses": {address for mail in mails for address in mail["to"]},
        "codes and links": {found for mail in mails for found in re.findall(SECRETS_IN_MAIL, mail["text"])},
        "tokens": {str(session._token) for session in own},
        "passwords": {people.PASSWORD, market_operator.PASSWORD},
        "secrets": set(re.findall(r'"SecretString": "([^"]{20,64})', json.dumps(store))),
        "meter ids": {row[METER_COLUMN] for row in rows if METER_COLUMN in row},
        "postcodes": postcodes | {postcode.replace(" ", "") for postcode in postcodes},
    }


SECRETS_IN_MAIL = r"(?:code is |secret=)([\w-]+)"


def is_sealed(field: str) -> bool:
    return field.endswith("_price") or field in {"capacity_mw", "service_fee"}


def holds(text: str, secret: str) -> bool:
    """Whether a text holds a secret as a whole word or number, whatever the case."""
    return re.search(rf"(?<![\w.]){re.escape(secret)}(?![\w]|\.\d)", text, re.IGNORECASE) is not None


def test_services_that_throttle_at_random_delay_and_change_nothing(
    calm: Callable[[], dict[str, Any]], walked: Walked
) -> None:
    assert walked.found == calm()
    assert walked.throttled["dynamodb operations"] > 5
    # Keys are asked for a few times in a run, so that chance may spare their services.
    assert {"dynamodb", "ses"} <= {kind.split()[0] for kind in walked.throttled}
    print(f"throttled: {walked.throttled}")


def test_the_logs_of_the_whole_line_hold_nothing_that_no_log_may(walked: Walked) -> None:
    assert "Throttl" in walked.after or "ProvisionedThroughput" in walked.after  # failures were logged, with tracebacks
    assert "Traceback" in walked.after
    for kind, secrets in walked.secrets.items():
        assert secrets, f"no {kind} to look for"
        text = walked.before_close if kind == "prices and MW of bids" else walked.after
        found = {secret for secret in secrets if telling(secret) and holds(text, secret)}
        assert not found, kind


def telling(secret: str) -> bool:
    """A number such as 2 or 1.5 says nothing wherever it stands; 237.55 does."""
    return len(secret) > 3


@pytest.mark.parametrize(
    ("text", "is_held"),
    [('"price": "237.55"', True), ("at 237.55,", True), ("1237.55", False), ("237.551", False), ("x=237.55 y", True)],
)
def test_the_search_finds_a_number_wherever_it_stands_alone(text: str, is_held: bool) -> None:
    assert holds(text, "237.55") is is_held
