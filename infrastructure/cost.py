"""`python -m infrastructure.cost STAGE [--write]`: what a month costs, from the templates, list prices and a workload.

Prices are AWS's list for London without free tiers, in US dollars, as known in November 2026; check them before you
rely on them. What stands still (keys, alarms, queues being polled) is counted in the synthesized templates; what moves
follows from the market's volumes below and the work each act makes.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.wiring import FUNCTIONS, Every
from infrastructure.bundles import BUILD
from infrastructure.code import ROOT
from infrastructure.stage import stage_named

DOCUMENT = ROOT / "docs" / "operations.md"
BEGIN, END = "<!-- cost: begin -->", "<!-- cost: end -->"
MILLION = 1_000_000
MINUTES = 43_200
"""Of a month."""

PRICES = {
    "DynamoDB write request units, a million": 0.7423,
    "DynamoDB read request units, a million": 0.1485,
    "DynamoDB storage, GB": 0.297,
    "DynamoDB point-in-time recovery, GB": 0.238,
    "Lambda requests, a million": 0.20,
    "Lambda arm64, a million GB-seconds": 13.3334,
    "API Gateway REST requests, a million": 3.50,
    "Data out to the internet, GB": 0.09,
    "Firewall, web ACLs": 5.00,
    "Firewall, rules": 1.00,
    "Firewall requests, a million": 0.60,
    "SQS requests, a million": 0.40,
    "EventBridge events, a million": 1.00,
    "S3 storage, GB": 0.024,
    "S3 writes, a million": 5.30,
    "S3 reads, a million": 0.42,
    "KMS keys": 1.00,
    "KMS requests, a million": 3.00,
    "Secrets": 0.40,
    "CloudWatch alarms": 0.10,
    "CloudWatch dashboards": 3.00,
    "CloudWatch metrics of our own": 0.30,
    "CloudWatch logs in, GB": 0.5985,
    "X-Ray traces, a million": 5.00,
    "SES mails, a million": 100.00,
    "Cognito people a month": 0.015,
}


@dataclass(frozen=True, slots=True)
class Workload:
    """A month of a market with 300,000 assets, 20,000 competitions and 1,000,000 bids a year."""

    assets: int = 300_000
    asset_changes: int = 30_000
    competitions: int = 20_000 // 12
    answers_per_competition: int = 500
    bids: int = 1_000_000 // 12
    bids_per_ballot: int = 20
    requests: int = 5_000_000
    kilobytes_per_answer: float = 2.0
    mails: int = 50_000
    people: int = 1_000
    files: int = 3_000
    meters: int = 10_000

    @property
    def ballots(self) -> int:
        return self.bids // self.bids_per_ballot

    @property
    def asks(self) -> int:
        """Of keys: one for each ballot with the reads about it, which a lease of a minute holds together; and reading
        what was opened, a few times a competition."""
        return 2 * self.ballots + 20 * self.competitions + 4 * self.files

    @property
    def meter_days(self) -> int:
        return self.meters * 30

    @property
    def commits(self) -> int:
        """Transactions of the market: each writes its rows twice over, an outbox row and an audit record."""
        return self.asset_changes // 25 + 5 * self.competitions + 3 * self.ballots + self.files * 4 + self.bids // 90

    @property
    def rows_committed(self) -> int:
        own = self.asset_changes * 4 + self.competitions * 15 + self.ballots * 6 + self.bids * 2 + self.files * 8
        return own + 2 * self.commits

    @property
    def rows_put(self) -> int:
        """Rows that can be rebuilt, written without a transaction; each answer is in two indexes as well."""
        return 3 * self.competitions * self.answers_per_competition + 2 * self.meter_days + 2 * self.mails

    @property
    def writes(self) -> int:
        return 2 * 2 * self.rows_committed + self.rows_put  # a transaction counts twice, an index once more

    @property
    def reads(self) -> int:
        """Settling reads a month and the days before it of each meter; each minute looks for unsealed records."""
        asked = 6 * self.requests + 20 * self.asset_changes + 10 * self.competitions * self.answers_per_competition
        return asked + 20 * self.meters + 8 * MINUTES

    @property
    def table_gigabytes(self) -> float:
        assets, answers = self.assets * 6_000, 12 * self.competitions * self.answers_per_competition * 600
        return (assets + answers + 12 * self.bids * 400 + 12 * self.meter_days * 300 + 12 * self.commits * 2_000) / 1e9

    @property
    def object_gigabytes(self) -> float:
        return 12 * (self.files * 1_000_000 + self.competitions * 30_000) / 1e9

    @property
    def events(self) -> int:
        return self.commits


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill."""

    price: str
    quantity: float

    @property
    def dollars(self) -> float:
        return self.quantity * PRICES[self.price]


def bill(folder: Path, work: Workload) -> list[Line]:
    """A month's bill for the templates in a folder and a workload."""
    return [*_standing(folder), *_moving(folder, work)]


def _standing(folder: Path) -> Iterator[Line]:
    """What costs the same in a month without a single request."""
    kinds = Counter(resource["Type"] for resource in resources(folder))
    rules = sum(
        len(resource["Properties"]["Rules"])
        for resource in resources(folder)
        if resource["Type"] == "AWS::WAFv2::WebACL"
    )
    yield Line("KMS keys", kinds["AWS::KMS::Key"])
    yield Line("Secrets", kinds["AWS::SecretsManager::Secret"] + 1)  # the market makes the key of tokens itself
    yield Line("CloudWatch alarms", kinds["AWS::CloudWatch::Alarm"])
    yield Line("CloudWatch dashboards", kinds["AWS::CloudWatch::Dashboard"])
    alarms = [resource for resource in resources(folder) if resource["Type"] == "AWS::CloudWatch::Alarm"]
    yield Line(
        "CloudWatch metrics of our own", sum(each["Properties"].get("Namespace") == "headroom" for each in alarms)
    )
    yield Line("Firewall, web ACLs", kinds["AWS::WAFv2::WebACL"])
    yield Line("Firewall, rules", rules)


def _moving(folder: Path, work: Workload) -> Iterator[Line]:
    yield Line("API Gateway REST requests, a million", work.requests / MILLION)
    yield Line("Firewall requests, a million", work.requests / MILLION)
    yield Line("Data out to the internet, GB", work.requests * work.kilobytes_per_answer / MILLION)
    yield Line("X-Ray traces, a million", 0.05 * work.requests / MILLION)
    yield from _lambda(folder, work)
    yield Line("DynamoDB write request units, a million", work.writes / MILLION)
    yield Line("DynamoDB read request units, a million", work.reads / MILLION)
    yield Line("DynamoDB storage, GB", work.table_gigabytes)
    yield Line("DynamoDB point-in-time recovery, GB", work.table_gigabytes)
    yield Line("SQS requests, a million", (_polls(folder) + 6 * work.events + 3 * work.mails) / MILLION)
    yield Line("EventBridge events, a million", work.events / MILLION)
    yield Line("S3 storage, GB", work.object_gigabytes)
    yield Line("S3 writes, a million", (4 * work.files + 3 * work.competitions + work.ballots) / MILLION)
    yield Line("S3 reads, a million", (0.1 * work.requests + 20 * work.competitions) / MILLION)
    yield Line("KMS requests, a million", (work.requests * 0.02 + work.asks) / MILLION)
    yield Line("CloudWatch logs in, GB", (work.requests + _invocations(work)) * 0.0006 / 1000)
    yield Line("SES mails, a million", work.mails / MILLION)
    yield Line("Cognito people a month", work.people)


def _lambda(folder: Path, work: Workload) -> Iterator[Line]:
    """Memory as the templates give it, times how long each kind of work was measured to take."""
    memory = {
        resource["Properties"]["FunctionName"].split("-", 2)[2]: resource["Properties"]["MemorySize"] / 1024
        for resource in resources(folder)
        if resource["Type"] in ("AWS::Lambda::Function", "AWS::Serverless::Function")
    }
    seconds = {
        "api": 0.04 * work.requests,
        "requalify": 0.5 * work.events + 3.0 * work.competitions,
        "notify": 0.2 * work.mails,
        "send-mail": 0.2 * work.mails,
        "import-file": 10.0 * work.files,
        "make-export": 10.0 * work.files,
        "import-readings": 0.02 * work.meter_days,
        "run-settlement": 0.1 * work.meters,
        "propose": 3.0 * work.competitions,
        "on-outbox": 0.05 * work.commits,
        "keep-keys": 0.05 * work.asks,
    }
    every = {f.name: MINUTES / f.trigger.minutes for f in FUNCTIONS if isinstance(f.trigger, Every)}
    seconds |= {name: 0.5 * times for name, times in every.items()}
    yield Line("Lambda requests, a million", (work.requests + _invocations(work)) / MILLION)
    yield Line(
        "Lambda arm64, a million GB-seconds", sum(memory[name] * spent for name, spent in seconds.items()) / MILLION
    )


def _invocations(work: Workload) -> float:
    ticks = sum(MINUTES / f.trigger.minutes for f in FUNCTIONS if isinstance(f.trigger, Every))
    return ticks + 4 * work.events + 2 * work.mails + work.asks


def _polls(folder: Path) -> float:
    """Lambda asks each queue with five pollers, each waiting up to twenty seconds: so it is paid for even at rest."""
    mappings = [resource for resource in resources(folder) if resource["Type"] == "AWS::Lambda::EventSourceMapping"]
    queues = [mapping for mapping in mappings if "StartingPosition" not in mapping["Properties"]]
    return len(queues) * 5 * 3 * 60 * 24 * 30


def resources(folder: Path) -> Iterator[dict[str, Any]]:
    """Every resource of every template in a folder."""
    for path in sorted(folder.glob("*.template.json")):
        yield from json.loads(path.read_text())["Resources"].values()


def table(lines: list[Line]) -> str:
    """The bill as a table of Markdown, dearest first."""
    rows = [
        f"| {line.price} | {line.quantity:,.2f} | {PRICES[line.price]:,.4g} | {line.dollars:,.2f} |"
        for line in sorted(lines, key=lambda line: -line.dollars)
    ]
    head = ["| | quantity | $ each | $ a month |", "|---|---:|---:|---:|"]
    return "\n".join([*head, *rows, f"| **together** | | | **{total(lines):,.0f}** |"])


def total(lines: list[Line]) -> float:
    """Dollars a month."""
    return sum(line.dollars for line in lines)


def main() -> int:
    stage = stage_named(sys.argv[1] if len(sys.argv) > 1 else "prod")
    folder = BUILD / stage.name / "cdk"
    if not folder.is_dir():
        print(f"make synth STAGE={stage.name} first", file=sys.stderr)
        return 1
    made = table(bill(folder, Workload()))
    print(made)
    if "--write" in sys.argv:
        text = DOCUMENT.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        DOCUMENT.write_text(f"{before}{BEGIN}\n{made}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
