"""Owns what a walk's market told by the end: mails and webhooks counted, and the audit trail, verified and counted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from chalicelib.storage.audit_chain import verify
from local.demo.line import Line
from tests.receiver import Receiver

ROOT = Path(__file__).resolve().parent.parent
_SEALED_SECONDS = _DELIVERED_SECONDS = 120
_INSTRUCTIONS = re.compile(r"(\d+) dispatch instructions?")
_REFERENCE = re.compile(r"T\d+-\d{3}")
_DIGESTS = {"competition_published": "new competition", "bidding_opened": "bidding is open"}
_GATHERED = {*_DIGESTS, "dispatch_instruction", "dispatch_stopped", "dispatch_declined", "dispatch_expired"}

# Acts of which a walk makes one record or several, by the moment a tick wakes: an instruction that is due for more than
# one step takes them in one change, which is named after the last. Where each ended, and by which steps, is compared
# instruction by instruction instead. And a try at a file that a fault cut short is noted, and overcome: what became of
# the file, its receipt tells.
_BY_THE_MOMENT = {"file.failed"} | {f"instruction.{act}" for act in ("sent", "acknowledged", "delivering", "delivered")}


def told_by_mail(mails: Sequence[dict[str, Any]]) -> tuple[dict[str, int], int]:
    """What was told to whom, how often; and how many mails came a second time, the same to the last letter.

    A mail that gathers counts for all that it gathers, since how many it gathers hangs on the moment.
    """
    once = {(*mail["to"], mail["subject"], mail["text"], mail["html"]): mail for mail in mails}
    told: Counter[str] = Counter()
    for mail in once.values():
        told.update(_told(mail))
    return dict(sorted(told.items())), len(mails) - len(once)


def _told(mail: dict[str, Any]) -> dict[str, int]:
    to, subject = mail["to"][0], mail["subject"]
    for digest in _DIGESTS.values():
        if digest in subject.lower():
            return {f"{to}: {digest} {each}": 1 for each in set(_REFERENCE.findall(f"{subject} {mail['text']}"))}
    gathered = _INSTRUCTIONS.search(subject)
    number = int(gathered[1]) if gathered else 1
    return {f"{to}: {_INSTRUCTIONS.sub('dispatch instructions', subject)}": number}


def kept_mails(line: Line) -> tuple[dict[str, int], int]:
    """The market's own list of mails by letter and state; and how many there are.

    Of letters that gather, the number hangs on the moment; that each was sent does not.
    """
    kept = [mail for session in _sessions(line) for mail in session.all("/mails")]
    counted = Counter(f"{mail['letter']}: {mail['state']}" for mail in kept)
    letters = {name: 1 if name.partition(":")[0] in _GATHERED else number for name, number in counted.items()}
    return dict(sorted(letters.items())), len(kept)


def told_by_webhook(receiver: Receiver) -> dict[str, int]:
    """Every instruction by event, as receivers heard of it, how often; and every delivery's event and state.

    One message tells of as many instructions as were due together, which hangs on the moment.
    """
    until = time.monotonic() + _DELIVERED_SECONDS
    while any(each["state"] == "waiting" for each in receiver.deliveries()) and time.monotonic() < until:
        time.sleep(0.5)
    deliveries = receiver.deliveries()
    assert {each["id"] for each in deliveries} == set(receiver.messages), "what is logged is what came"
    states = {f"{each['event']}: {each['state']}": 1 for each in deliveries}
    heard = Counter(
        f"{message['type']} {token}" for message in receiver.messages.values() for token in _tokens(message["data"])
    )
    return dict(sorted((states | heard).items()))


def _tokens(data: dict[str, Any]) -> list[str]:
    return [f"{each['competition_reference']} {each['client_token']}" for each in data["instructions"]]


def audited(line: Line, cloud_port: int, left_out: Iterable[str]) -> dict[str, dict[str, int]]:
    """The acts in each organisation's audit trail, how often, once its chain holds and every record is in a block.

    `left_out` are things whose records do not count.
    """
    mine = line.market_operator.get("/me")["organisation"]["id"]
    organisations = {"market operator": mine, "operator": line.operator.organisation}
    organisations |= {name: member.organisation for name, member in line.providers.items()}
    things = set(left_out)
    with ThreadPoolExecutor(len(organisations)) as pool:
        trails = pool.map(lambda organisation: _sealed_trail(organisation, cloud_port), organisations.values())
        return {who: _acts(records, things) for who, records in zip(organisations, trails, strict=True)}


def _acts(records: Iterable[dict[str, Any]], left_out: set[str]) -> dict[str, int]:
    counted = Counter(
        record["action"]
        for record in records
        if record["action"] not in _BY_THE_MOMENT and record["thing"] not in left_out
    )
    return dict(sorted(counted.items()))


def _sealed_trail(organisation: str, cloud_port: int) -> list[dict[str, Any]]:
    """Every record of a trail that holds; AssertionError when it does not, or is not sealed whole in time."""
    until = time.monotonic() + _SEALED_SECONDS
    while True:
        lines = _export(organisation, cloud_port)
        verdict = verify(lines)
        assert verdict.broken is None, verdict
        found = [json.loads(line) for line in lines]
        records = [each["record"] for each in found if each["kind"] == "record"]
        sealed = sum(len(each["block"]["records"]) for each in found if each["kind"] == "block")
        if sealed == len(records):
            return records
        assert time.monotonic() < until, f"{len(records) - sealed} records of {organisation} are in no block"
        time.sleep(1)


def _export(organisation: str, cloud_port: int) -> list[str]:
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "HEADROOM_"))}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trail"
        command = [sys.executable, "-m", "local.audit", "export", organisation, str(file)]
        subprocess.run(
            [*command, "--cloud-port", str(cloud_port)], cwd=ROOT, env=clean, check=True, capture_output=True
        )
        return file.read_text(encoding="utf-8").splitlines()


def _sessions(line: Line) -> list[Any]:
    return [line.market_operator, line.operator.session, *(each.session for each in line.providers.values())]
