"""Claims about very many assets in the embedded AWS: crashes anywhere leave what an undisturbed run leaves.

HEADROOM_CRASH_ROWS=100000 takes minutes in place of one.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.assets import actions
from chalicelib.assets.imports import apply_assets, split_assets
from chalicelib.assets.sheets import ASSETS, COLUMNS
from chalicelib.files.importing import Chunk, ParsedRow, ParsedSheet
from chalicelib.kernel.call import ordered_ids
from chalicelib.storage import commit as committing
from tests.builders.assets import a_receipt, asset_cells
from tests.builders.calls import a_call
from tests.builders.market_state import everything_in

pytestmark = [pytest.mark.flow, pytest.mark.slow]

ROWS = int(os.environ.get("HEADROOM_CRASH_ROWS", "10000"))
CHANGED_EVERY, WRONG_EVERY, SHARED_EVERY = 40, 97, 50
# Beyond the emulator's own clock: it removes outbox rows ninety days old while a long run goes on.
EARLIER, DROPPED = "2096-03-01T09:00:00Z", "2096-04-01T09:00:00Z"
FIELDS = tuple(column.field for column in COLUMNS)
METERS = ("1470116845051", "1049827101269", "3433899920164", "2143967712809", "2830997098859")


class Killed(BaseException):
    """The process ends here."""


def the_file() -> list[ParsedRow]:
    """Rows all over eastern England: some by a shared meter, some wrong, some of assets that are there already."""
    chance = random.Random(7)
    return [ParsedRow(number + 2, _cells(number, chance)) for number in range(ROWS)]


def _cells(number: int, chance: random.Random) -> dict[str, Any]:
    cells = asset_cells(
        f"EV-{number:06d}",
        latitude=f"{50.8 + chance.random() * 2:.6f}",
        longitude=f"{-0.2 + chance.random() * 1.8:.6f}",
    )
    if number % WRONG_EVERY == 0:
        cells["category"] = "Hydrogen"
    if number % SHARED_EVERY == 1:
        cells["import_meter_id"] = METERS[number % len(METERS)]
    return cells


def killed_at_random(monkeypatch: pytest.MonkeyPatch, chance: random.Random, average: int) -> Counter[str]:
    """Let the process end before or after about one transaction in `average`; counts how often it did."""
    real, counted = committing._execute, Counter[str]()

    def execute(writes: Any, request_id: str) -> None:
        kill = chance.randrange(average) == 0
        if kill and chance.random() < 0.5:
            counted["before"] += 1
            raise Killed
        real(writes, request_id)
        if kill:
            counted["after"] += 1
            raise Killed

    monkeypatch.setattr(committing, "_execute", execute)
    return counted


def apply_until_done(chunk: Chunk) -> Iterator[tuple[int, str]]:
    receipt = a_receipt(at=DROPPED)
    call = a_call(now=receipt.at.isoformat())
    while True:
        try:
            found = apply_assets(
                replace(call, new_id=ordered_ids(receipt.at, "message", str(chunk.number))), receipt, chunk
            )
        except Killed:
            continue
        return ((outcome.row, outcome.outcome) for outcome in found)


def expected_outcome(number: int) -> str:
    if number % WRONG_EVERY == 0:
        return "error"
    return "updated" if number % CHANGED_EVERY == 3 else "created"


def test_very_many_rows_with_crashes_end_as_undisturbed(embedded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = the_file()
    first = [
        ParsedRow(row.row, {**row.values, "name": "Old name"})
        for row in rows
        if (row.row - 2) % CHANGED_EVERY == 3 and (row.row - 2) % WRONG_EVERY
    ]
    earlier = a_receipt("rcp_0", at=EARLIER)
    for chunk in split_assets({ASSETS: ParsedSheet(ASSETS, FIELDS, first)}):
        apply_assets(a_call(now=EARLIER), earlier, chunk)

    answers: dict[int, str] = {}
    with monkeypatch.context() as patch:
        counted = killed_at_random(patch, random.Random(11), average=40)
        for chunk in split_assets({ASSETS: ParsedSheet(ASSETS, FIELDS, rows)}):
            answers.update(apply_until_done(chunk))

    assert counted["before"] > 2
    assert counted["after"] > 2
    assert answers == {row.row: expected_outcome(row.row - 2) for row in rows}
    check_assets(rows)
    check_facts(rows)


def check_assets(rows: list[ParsedRow]) -> None:
    """Every good row is stored once as it says, found by its reference, place and meter, and by nothing else."""
    stored = everything_in("assets")["assets"]
    heads = {row["body"]["asset_ref"]: row["body"] for row in stored if row["sk"] == "head"}
    good = {row.values["asset_ref"]: row.values for row in rows if (row.row - 2) % WRONG_EVERY}
    assert heads.keys() == good.keys()
    for ref, body in heads.items():
        assert {name: body.get(name) for name in good[ref]} == good[ref] | {
            "latitude": body["latitude"],
            "longitude": body["longitude"],
        }
        assert float(body["latitude"]) == float(good[ref]["latitude"])
        assert body["version"] == (2 if expected_outcome(int(ref[3:])) == "updated" else 1)
    ids = {body["id"] for body in heads.values()}
    kinds = Counter(row["pk"].split("#")[0] for row in stored)
    assert (len(ids), kinds["ref"], kinds["cell"]) == (len(good), len(good), len(good))
    assert len({body["ordinal"] for body in heads.values()}) == len(good)
    older = sum(row["sk"].startswith("v#") for row in stored)
    assert older == sum(body["version"] - 1 for body in heads.values())
    holders = {row["pk"][6:]: len(row["holders"]) for row in stored if row["pk"].startswith("meter#")}
    assert holders == Counter(cells["import_meter_id"] for cells in good.values() if "import_meter_id" in cells)
    assert actions.find_by_refs("org_fsp1", ["EV-000001"])["EV-000001"].receipt == "rcp_1"


def check_facts(rows: list[ParsedRow]) -> None:
    """Each version is told once and recorded once, whatever crashed in between."""
    state = everything_in("outbox", "audit")
    told = Counter(asset_id for row in state["outbox"] for asset_id in row["body"]["body"]["asset_ids"])
    recorded = Counter(
        (asset_id, version) for row in state["audit"] for asset_id, version in row["body"]["after"]["assets"].items()
    )
    versions = Counter(
        "updated" if expected_outcome(row.row - 2) == "updated" else "created"
        for row in rows
        if (row.row - 2) % WRONG_EVERY
    )
    assert Counter(told.values()) == {1: versions["created"], 2: versions["updated"]}
    assert set(recorded.values()) == {1}
    assert len(recorded) == versions["created"] + 2 * versions["updated"]
