"""Every log of the whole line, walked while services refuse and messages fail: nothing in it that no log may hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.meters import check_digit
from local import market_operator
from local.client import Market
from local.demo import people
from local.demo.invented import invented_scene
from local.demo.line import Line
from local.demo.scenes import Scene
from local.demo.stages import Story
from tests.embedded import RunningMarket

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.usefixtures("patient")]
METER_COLUMN = "Import MPAN"


@dataclass(frozen=True, slots=True)
class Walked:
    """What a market's processes wrote, before close and in the end, and what may not be in it, by kind."""

    before_close: str
    after: str
    secrets: dict[str, set[str]]


def metered_scene() -> tuple[Scene, set[str]]:
    """The invented scene with a valid meter id at every third asset; the scene and the ids."""
    scene = invented_scene()
    meters: set[str] = set()
    providers = []
    for place, provider in enumerate(scene.providers):
        rows = []
        for number, row in enumerate(provider.assets):
            core = f"10{place:02d}{number:08d}"
            meter = core + str(check_digit(core))
            rows.append({**row, METER_COLUMN: meter} if number % 3 == 0 else row)
            meters |= {meter} if number % 3 == 0 else set()
        providers.append(replace(provider, assets=rows))
    return replace(scene, providers=providers), meters


class WatchedLine(Line):
    """A line that keeps what was logged until bidding closed."""

    def __init__(self, *about: Any, running: RunningMarket) -> None:
        super().__init__(*about)
        self._running = running
        self.logged = ""

    def close_bidding(self) -> None:
        self.logged = logs_of(self._running)
        super().close_bidding()


def logs_of(running: RunningMarket) -> str:
    return "\n".join(file.read_text(errors="replace") for file in sorted((running.folder / "log").iterdir()))


@pytest.fixture
def walked(tmp_path: Path) -> Iterator[Walked]:
    running = RunningMarket(tmp_path / "state", "--throttle", module="tests.faulty_market")
    scene, meters = metered_scene()
    (tmp_path / "out").mkdir()
    try:
        running.start()
        market = Market(running.address)
        operator = market.sign_in(market_operator.EMAIL, market_operator.PASSWORD)
        line = WatchedLine(market, operator, scene, Story(), tmp_path / "out", "325120000", running=running)
        line.walk()
        secrets = secrets_of(line, running) | {"meter ids": meters}
        found = line.logged, logs_of(running)
        running.interrupt()
        yield Walked(*found, secrets)
    finally:
        running.kill()


def secrets_of(line: WatchedLine, running: RunningMarket) -> dict[str, set[str]]:
    bids = [
        bid
        for competition in line.competitions.values()
        for bid in line.operator.session.all(f"/competitions/{competition['id']}/bids")
    ]
    mails = line.market.mails()
    postcodes = {str(row["Postcode"]) for each in line.scene.providers for row in each.assets if "Postcode" in row}
    own = [line.market_operator, line.operator.session, *(each.session for each in line.providers.values())]
    store = json.loads((running.folder / "cloud" / "secretsmanager.json").read_text())
    return {
        "prices and MW of bids": {str(bid[field]) for bid in bids for field in bid if is_sealed(field) and bid[field]},
        "e-mail addresses": {address for mail in mails for address in mail["to"]},
        "codes and links": {found for mail in mails for found in re.findall(SECRETS_IN_MAIL, mail["text"])},
        "tokens": {str(session._token) for session in own},
        "passwords": {people.PASSWORD, market_operator.PASSWORD},
        "secrets": set(re.findall(r'"SecretString": "([^"]{20,64})', json.dumps(store))),
        "postcodes": postcodes | {postcode.replace(" ", "") for postcode in postcodes},
    }


SECRETS_IN_MAIL = r"(?:code is |secret=)([\w-]+)"


def is_sealed(field: str) -> bool:
    return field.endswith("_price") or field in {"capacity_mw", "service_fee"}


def holds(text: str, secret: str) -> bool:
    """Whether a text holds a secret as a whole word or number, whatever the case."""
    return re.search(rf"(?<![\w.]){re.escape(secret)}(?![\w]|\.\d)", text, re.IGNORECASE) is not None


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
