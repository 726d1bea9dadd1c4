"""Assets into DynamoDB: an import's chunk against plain pynamodb, one transaction per asset, with the same rows left.

Both sides start from the same checked rows, claim each reference, store each asset and its place in the index, and
write the fact and the audit record that go with it; ours looks up what is there first, the peer does not.
CPU seconds of the client alone, medians of at least five runs, against the embedded AWS.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HEADROOM_STAGE", "bench")

from local.cloud import launch  # noqa: E402

RUNS, ROWS = 5, 2_000
GOAL = 0.55


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        running = launch.start(Path(folder) / "state", launch.free_port(), Path(folder) / "cloud.log", durable=False)
        try:
            return compare(running.address)
        finally:
            running.stop()


def compare(address: str) -> int:
    ours, peers = [], []
    for run in range(RUNS):
        ours.append(in_account(address, 200_000_000_000 + run, import_rows))
        peers.append(in_account(address, 300_000_000_000 + run, peer_rows))
        if ours[-1][1] != peers[-1][1]:
            print("the two sides stored different assets")
            return 1
    mine, peer = median(seconds for seconds, _ in ours), median(seconds for seconds, _ in peers)
    print(f"import of {ROWS} assets   {mine:7.3f} s  {mine / ROWS * 1e6:6.0f} µs an asset")
    print(f"pynamodb, one by one    {peer:7.3f} s  {peer / ROWS * 1e6:6.0f} µs an asset")
    print(f"ratio {mine / peer:.3f}x, goal {GOAL}x")
    return 0 if mine / peer <= GOAL else 1


def in_account(address: str, number: int, work: Callable[[], float]) -> tuple[float, dict[str, object]]:
    """CPU seconds of the work in an empty account, and the assets it left by reference."""
    os.environ.update(launch.settings_for(address, str(number)), HEADROOM_BUCKET_SUFFIX=str(number))
    from chalicelib.storage.clients import forget_clients
    from tests.builders.market_state import everything_in
    from tests.tables import create_state

    forget_clients()
    create_state()
    seconds = work()
    rows = everything_in("assets")["assets"]
    assets = {row["ref"]: {**row["body"], "id": ""} for row in rows if row["sk"] == "head"}
    counted = len([row for row in rows if not row["pk"].startswith("counter#")])
    return seconds, assets | {"rows": counted}


def import_rows() -> float:
    from chalicelib.assets.imports import apply_assets
    from chalicelib.assets.sheets import ASSETS
    from chalicelib.files.importing import Chunk
    from tests.builders.assets import a_receipt, asset_rows
    from tests.builders.calls import a_call

    chunk = Chunk(0, {ASSETS: asset_rows(the_rows())})
    started = process_time()
    apply_assets(a_call(), a_receipt(), chunk)
    return process_time() - started


def peer_rows() -> float:
    from pynamodb.attributes import NumberAttribute, UnicodeAttribute
    from pynamodb.connection import Connection
    from pynamodb.models import Model
    from pynamodb.transactions import TransactWrite

    from chalicelib.assets.imports import check_row
    from chalicelib.assets.lifecycle import Stamp, new_asset
    from chalicelib.assets.models import SHIPPED_TYPES, Place
    from chalicelib.kernel.cells import PLACE_LEVEL, cell_at, cell_key, nanodegrees
    from chalicelib.storage.settings import table_name
    from tests.builders.assets import a_receipt, asset_rows

    def model(table: str, *names: str) -> type[Model]:
        meta = type(
            "Meta", (), {"table_name": table_name(table), "host": os.environ["AWS_ENDPOINT_URL"], "region": REGION}
        )
        keys = {"pk": UnicodeAttribute(hash_key=True), "sk": UnicodeAttribute(range_key=True)}
        others = {name: UnicodeAttribute(null=True) for name in names}
        return type("Row", (Model,), {"Meta": meta, **keys, **others, "version": NumberAttribute(default=1)})

    assets = model("assets", "owner", "ref", "changed", "body", "asset")
    outbox, audit = model("outbox", "pending", "at", "body"), model("audit", "thing", "body")
    receipt, connection = a_receipt(), Connection(region=REGION, host=os.environ["AWS_ENDPOINT_URL"])
    stamp = Stamp(receipt.at, "per_1", receipt.id)
    rows = asset_rows(the_rows())
    started = process_time()
    for number, row in enumerate(rows):
        fields = check_row(row.values, SHIPPED_TYPES).fields
        assert fields is not None
        place = Place(lat=fields.latitude, lon=fields.longitude, source="coordinates")
        asset = new_asset(f"ast_{number:06d}", receipt.organisation, number, fields, place, stamp)
        text = asset.model_dump_json(exclude_none=True)
        lat, lon = nanodegrees(place.lat), nanodegrees(place.lon)
        cell = cell_key(cell_at(lat, lon), PLACE_LEVEL)
        changed = stamp.at.isoformat()
        with TransactWrite(connection=connection) as transaction:
            claim = assets(f"ref#{asset.owner}", asset.ref, asset=asset.id)
            head = assets(asset.id, "head", owner=asset.owner, ref=asset.ref, changed=changed, body=text)
            transaction.save(claim, condition=assets.pk.does_not_exist())
            transaction.save(head, condition=assets.pk.does_not_exist())
            transaction.save(assets(cell, f"{lat}#{lon}#{asset.id}"))
            transaction.save(outbox(f"evt_{number}", "-", pending="1", at=changed, body=asset.id))
            transaction.save(audit(f"{asset.owner}#{number % 16}", f"aud_{number}", thing=asset.id, body=text))
    return process_time() - started


def the_rows() -> list[dict[str, object]]:
    from random import Random

    from tests.builders.assets import asset_cells

    chance = Random(1)
    return [
        asset_cells(
            f"EV-{number:05d}",
            latitude=f"{51 + chance.random():.5f}",
            longitude=f"{chance.random():.5f}",
            comment="x" * 40,
        )
        for number in range(ROWS)
    ]


REGION = "eu-west-2"

if __name__ == "__main__":
    sys.exit(main())
