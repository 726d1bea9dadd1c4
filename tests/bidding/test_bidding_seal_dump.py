"""Before close a dump of everything the market wrote shows nothing of a bid: tables, buckets, queues and the log."""

from __future__ import annotations

import base64
import logging
import zlib
from datetime import datetime
from urllib.parse import urlsplit

import pytest

from chalicelib.bidding.imports import IMPORTER
from chalicelib.files import actions as files
from chalicelib.files import actions_exporting
from chalicelib.files.exports import make_export
from chalicelib.files.imports import import_file
from chalicelib.files.models import ExportRequest
from chalicelib.kernel.call import Idempotency
from chalicelib.storage import objects
from chalicelib.storage.clients import client
from functions import exports
from tests.builders.bidding import OPEN, BiddingMarket, bid_workbook
from tests.builders.dumps import everything_written, readings
from tests.builders.files import put_drop

SECRET_PRICE, SECRET_MW, REFUSED_MW = "173.6291", "0.7301", "9.4307"
SECRETS = tuple(each.encode() for each in (SECRET_PRICE, SECRET_MW, REFUSED_MW))
INBOX = "inbox/org_fsp1/bids/"


@pytest.fixture
def bidding(market, caplog) -> BiddingMarket:
    caplog.set_level(logging.DEBUG)
    for wire in ("botocore", "boto3", "moto", "urllib3"):  # they log what is sent, which the dump looks at itself
        logging.getLogger(wire).setLevel(logging.INFO)
    return BiddingMarket()


def showing(caplog, without=None) -> list[str]:
    """Where a secret is found, as it stands or opened."""
    log = [("log", record.getMessage().encode()) for record in caplog.records]
    everything = [*everything_written(without), *log]
    return [where for where, content in everything if any(shows(found) for found in readings(content))]


def shows(content: bytes) -> bool:
    return any(secret in content for secret in SECRETS)


def row(window, mw=SECRET_MW, **cells):
    about = {"competition_ref": "NORTH-1", "period_name": window.period_name, "window_name": window.name}
    return about | {"capacity_mw": mw, "maximum_run_time": "PT1H", "utilisation_price": SECRET_PRICE} | cells


def workbook_dropped(bidding):
    """A workbook of a ballot that is taken and one that is refused, read to its end."""
    window = bidding.competition_1.windows[0]
    rows = [
        row(window, ballot_ref="A", asset_refs=["BAT-1"]),
        row(window, REFUSED_MW, ballot_ref="B", asset_refs=["BAT-2"]),
    ]
    call = bidding.fsp().as_system()
    drop = put_drop(f"{INBOX}bids.xlsx", bid_workbook(rows), datetime.fromisoformat(OPEN))
    receipt = files.receive(call, drop, "org_fsp1", "fsp")
    import_file(call, receipt.id, IMPORTER)
    return files.get_receipt(receipt.id)


def history_made(bidding):
    """The history workbook, made by its function; the job's id."""
    call = bidding.fsp()
    job = actions_exporting.request_export(call, ExportRequest(kind="bid-history"))
    make_export(call.as_system(), job.id, exports.exporter_of("bid-history"))
    return job.id


def fetched(link) -> bytes:
    _, bucket, key = urlsplit(link.url).path.split("/", 2)
    return client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def test_the_dump_would_show_a_secret_however_it_is_packed(market, caplog):
    document = f'{{"price": "{SECRET_PRICE}"}}'.encode()
    packed = (
        document,
        base64.b64encode(document),
        zlib.compress(document),
        b"HR1\x00" + zlib.compress(document),
        base64.b64encode(zlib.compress(document)),
        bid_workbook([{"competition_ref": "X", "utilisation_price": SECRET_PRICE}]),
    )
    for number, content in enumerate(packed):
        objects.put_object(objects.BODIES, f"leak/{number}", content)
    logging.getLogger("leak").warning("the price is %s", SECRET_PRICE)
    client("dynamodb").put_item(
        TableName="headroom-test-bidding", Item={"pk": {"S": "p"}, "sk": {"S": "s"}, "content": {"B": packed[3]}}
    )
    expected = {f"bodies leak/{number}" for number in range(len(packed))} | {"log", "bidding p s content"}
    assert expected <= set(showing(caplog))


def test_a_ballot_shows_nowhere(bidding, caplog):
    call = bidding.fsp(idempotency=Idempotency("key-1", "hash"))
    receipt = bidding.submit(0, mw=SECRET_MW, price=SECRET_PRICE, call=call)
    bidding.deliver()
    assert receipt.version == 1
    looked_at = {where.split(" ")[0] for where, _ in everything_written()}
    assert looked_at >= {"bidding", "outbox", "audit", "claims", "bodies"}
    assert showing(caplog) == []


def test_a_workbook_of_bids_shows_only_in_the_dropped_object_itself(bidding, caplog):
    receipt = workbook_dropped(bidding)
    assert (receipt.state, receipt.counts.created, receipt.counts.errors) == ("done", 1, 1)
    assert receipt.marked_workbook is not None
    assert showing(caplog, without=INBOX) == []
    assert {where.split("/")[0] for where in showing(caplog)} == {"files inbox"}


def test_its_own_people_get_the_problems_and_the_marked_copy(bidding):
    receipt = workbook_dropped(bidding)
    view = files.get_file(bidding.fsp(), receipt.id)
    assert "ballot.over_capacity" in {problem.code for problem in view.problems}
    copy = fetched(files.marked_workbook(bidding.fsp(), receipt.id))
    assert any(REFUSED_MW.encode() in found for found in readings(copy))


def test_a_file_of_bids_that_is_refused_whole_shows_nowhere_either(bidding, caplog):
    window = bidding.competition_1.windows[0]
    rows = [row(window, ballot_ref=SECRET_MW, split=1), row(window, ballot_ref=SECRET_MW, split=1)]
    call = bidding.fsp().as_system()
    drop = put_drop(f"{INBOX}twice.xlsx", bid_workbook(rows), datetime.fromisoformat(OPEN))
    receipt = files.receive(call, drop, "org_fsp1", "fsp")
    import_file(call, receipt.id, IMPORTER)
    assert files.get_receipt(receipt.id).counts.created == 0
    assert showing(caplog, without=INBOX) == []


def test_the_history_workbook_is_kept_sealed_and_opened_for_its_own_people_alone(bidding, caplog):
    bidding.submit(0, mw=SECRET_MW, price=SECRET_PRICE)
    job_id = history_made(bidding)
    assert showing(caplog) == []
    link = actions_exporting.get_job(bidding.fsp(), job_id).link
    assert link is not None
    assert any(SECRET_MW.encode() in found for found in readings(fetched(link)))
    assert {where.split(" ")[0] for where in showing(caplog)} == {"opened"}
    assert actions_exporting.get_job(bidding.fsp(), job_id).link is not None
