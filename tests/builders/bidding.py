"""Builds what bids are judged by: competitions in bidding, requests, backing and standing; each valid by default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.bidding import actions
from chalicelib.bidding.bid_rules import completed
from chalicelib.bidding.holdings import Sheet, holding_of, with_ballot
from chalicelib.bidding.imports import IMPORTER
from chalicelib.bidding.models import BallotReceipt, BallotRequest, BallotVersion, BidForDeciding, BidRequest
from chalicelib.bidding.rules import Backing, Standing
from chalicelib.bidding.sheets import BIDS, TEMPLATE
from chalicelib.competitions import store as competitions_store
from chalicelib.competitions.models import Competition
from chalicelib.files.actions_importing import merge
from chalicelib.files.importing import Chunk, RowOutcome
from chalicelib.files.models import Receipt
from chalicelib.files.workbook import read_file
from chalicelib.files.writing import write_download
from chalicelib.kernel.call import Call
from chalicelib.registry import store as registry_store
from chalicelib.registry.models import Organisation
from chalicelib.storage.commit import commit
from tests.builders.calls import a_call
from tests.builders.qualifying import QualifyingMarket
from tests.scenes import built_once

OPENS = datetime(2026, 5, 4, 9, tzinfo=UTC)
CLOSES = datetime(2026, 5, 15, 16, tzinfo=UTC)
DURING = OPENS + timedelta(days=1)
AFTER = CLOSES + timedelta(seconds=60)
OPEN, CLOSED, OPENED = "2026-05-04T09:00:00Z", "2026-05-09T16:00:00Z", "2026-05-09T16:01:00Z"
"""Of the market below: in bidding, its closing instant, and a minute later."""


def a_window(**changes: Any) -> dict[str, Any]:
    """Weekday evenings of June 2026, 17:00 to 19:00: 44 hours, 10 dispatches of an hour expected, 5 MW wanted."""
    return {
        "id": "win_1",
        "period_name": "June",
        "period_start": "2026-06-01",
        "period_end": "2026-06-30",
        "name": "Evening",
        "start": "17:00",
        "end": "19:00",
        "days": ("Mon", "Tue", "Wed", "Thu", "Fri"),
        "capacity_required": "5",
        "dispatch_estimate": "10",
        "dispatch_duration": "PT1H",
        "available_minutes": 22 * 120,
    } | changes


def a_competition(**changes: Any) -> Competition:
    """A published competition of org_so that asks for a utilisation price; bidding 4 to 15 May 2026."""
    calendar = {
        "qualification_open": "2026-04-01T09:00:00Z",
        "qualification_closed": "2026-05-01T16:00:00Z",
        "open": OPENS,
        "closed": CLOSES,
    }
    plain = {
        "id": "cmp_1",
        "so": "org_so",
        "reference": "NORTH-1",
        "name": "North",
        "calendar": calendar | changes.pop("calendar", {}),
        "time_zone": "Europe/London",
        "power_type": "Active Power",
        "need_direction": "Deficit",
        "product_type": "Operational Utilisation",
        "boundaries": {"areas": ("NORTH",)},
        "zones": ({"zone_id": "zon_north", "area_ref": "NORTH", "area_version": 1},),
        "windows": (a_window(),),
        "state": "published",
        "created_at": "2026-03-01T09:00:00Z",
        "changed_at": "2026-03-01T09:00:00Z",
        "announced_until": "2026-03-01T09:00:00Z",
    }
    return Competition.model_validate(plain | changes)


def a_stored_competition(**changes: Any) -> Competition:
    """The same, as the keeper of keys and everybody else reads it."""
    competition = a_competition(**changes)
    commit(a_call(), competitions_store.create_competition(competition))
    return competition


def an_availability_competition(**changes: Any) -> Competition:
    """The same, asking for an availability and a utilisation price."""
    return a_competition(product_type="OU + Scheduled Availability", **changes)


def a_bid(**changes: Any) -> BidRequest:
    """One MW in the window, at 100 per MWh, for an hour."""
    plain = {"window_id": "win_1", "capacity_mw": "1", "maximum_run_time": "PT1H", "utilisation_price": "100"}
    return BidRequest.model_validate({name: value for name, value in (plain | changes).items() if value is not None})


def a_backing(mw: str = "2", ordinal: int = 0, minutes: int | None = None) -> Backing:
    return Backing(ordinal, Decimal(mw), None if minutes is None else timedelta(minutes=minutes))


def a_standing(
    backing: dict[str, Backing] | None = None, qualified_mw: str | None = None, free: dict[str, str] | None = None
) -> Standing:
    """One asset of 2 MW that runs for as long as asked and has no obligations."""
    assets = {"ast_1": a_backing()} if backing is None else backing
    everything = sum((each.mw for each in assets.values()), Decimal(0))
    left = {window_id: Decimal(mw) for window_id, mw in (free or {}).items()}
    return Standing(assets, Decimal(qualified_mw) if qualified_mw else everything, left)


def a_sheet(**changes: Any) -> Sheet:
    """A sheet that was never written."""
    return Sheet.model_validate({"competition_id": "cmp_1", "fsp": "org_fsp1"} | changes)


def a_sheet_with(ballot_id: str, ordinals: Sequence[int], *bids: BidRequest, ref: str = "B1") -> Sheet:
    """A sheet on which one live ballot holds the assets of these ordinals and what its bids come to."""
    return with_ballot(a_sheet(), ballot_id, ref, holding_of(1, ordinals, bids))


def a_ballot(*bids: BidRequest, competition: Competition | None = None, **changes: Any) -> BallotVersion:
    """A ballot as it is kept, of these bids or of one."""
    asked = bids or (a_bid(),)
    terms = competition or a_competition()
    plain = {
        "ballot_id": "bal_1",
        "version": 1,
        "ref": "B1",
        "fsp": "org_fsp1",
        "competition_id": terms.id,
        "submitted_at": DURING,
        "submitted_by": "per_1",
        "asset_ids": ("ast_1",),
        "bids": tuple(completed(terms, bid, "bal_1", 1, row) for row, bid in enumerate(asked, start=1)),
    }
    return BallotVersion.model_validate(plain | changes)


@built_once
class BiddingMarket(QualifyingMarket):
    """A market in which org_fsp1 is verified and has three qualified assets of 1 MW each, ready to bid in NORTH-1."""

    def __init__(self, **terms: Any) -> None:
        super().__init__()
        for number in (1, 2):
            a_verified_fsp(f"org_fsp{number}")
        self.area()
        self.competition_1 = self.competition(**terms)
        self.assets = [self.asset(f"BAT-{number}", demand_turn_down_mw="1") for number in (1, 2, 3)]
        self.deliver()
        self.close(self.competition_1)

    def fsp(self, now: str = OPEN, organisation: str = "org_fsp1", **how: Any) -> Call:
        return self.call(organisation, now, **how)

    def ballot(self, *assets: int, mw: str = "1", price: str = "100", **changes: Any) -> BallotRequest:
        """A ballot of one bid in the first window, with these assets (by place in `assets`; none: all)."""
        bid = {
            "window_id": self.competition_1.windows[0].id,
            "capacity_mw": mw,
            "maximum_run_time": "PT1H",
            "utilisation_price": price,
        }
        asset_ids = [self.assets[place].id for place in assets] or None
        return BallotRequest.model_validate({"bids": [bid], "asset_ids": asset_ids} | changes)

    def submit(self, *assets: int, now: str = OPEN, call: Call | None = None, **changes: Any) -> BallotReceipt:
        return actions.submit_ballot(call or self.fsp(now), self.competition_1.id, self.ballot(*assets, **changes))

    def opened(self, now: str = OPENED) -> list[BidForDeciding]:
        return actions.bids_for_deciding(self.operator(now), self.competition_1.id)


def a_verified_fsp(organisation: str) -> None:
    """An FSP that the market operator has verified, as the registry keeps it."""
    known = Organisation(id=organisation, kind="fsp", name=f"Flex {organisation}", verified=True, created_at=OPENS)
    commit(a_call(organisation), [registry_store.create_organisation(known)])


def bid_receipt(receipt_id: str = "rct_1", at: str = OPEN, organisation: str = "org_fsp1") -> Receipt:
    """A file of bids that arrived."""
    return Receipt(
        id=receipt_id,
        organisation=organisation,
        organisation_kind="fsp",
        kind="bids",
        name="bids.xlsx",
        state="processing",
        at=at,
        actor="per_1",
        object_key=f"inbox/{organisation}/bids/{receipt_id}/bids.xlsx",
    )


def upload_bids(content: bytes, receipt: Receipt, call: Call) -> list[RowOutcome]:
    """Read a bid workbook as the files room does and apply its chunks; outcomes in order of rows."""
    sheets = read_file(content, IMPORTER.template).sheets
    assert IMPORTER.apply is not None
    found = []
    for chunk in IMPORTER.split(sheets):
        as_kept = Chunk.from_json(chunk.number, chunk.as_json())
        found += merge(IMPORTER.template, as_kept, IMPORTER.apply(call, receipt, as_kept))
    return sorted(found, key=lambda outcome: outcome.row)


def bid_workbook(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A bid workbook with these rows."""
    return write_download(TEMPLATE, {BIDS: rows})
