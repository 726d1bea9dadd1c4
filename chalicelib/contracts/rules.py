"""Owns how an accepted bid becomes an obligation, and what each of its assets promises. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from chalicelib.assets.models import Asset
from chalicelib.competitions.models import Competition
from chalicelib.contracts.models import ObligatedAsset, Obligation
from chalicelib.decisions.models import AcceptedBid
from chalicelib.kernel.quantities import watts

_WATT = Decimal("0.000001")


def obligation_id(bid_id: str) -> str:
    """The id of a bid's obligation: the same however often it is drawn up."""
    return f"obl_{bid_id.removeprefix('bid_')}"


def obligation_of(competition: Competition, bid: AcceptedBid, contracted: bool, now: datetime) -> Obligation:
    """The obligation of an accepted bid: its window's calendar, the accepted MW, the prices paid.

    `contracted` says whether the operator's framework makes a confirmed result a contract at once.
    """
    window = competition.windows_by_id[bid.window_id]
    return Obligation(
        id=obligation_id(bid.bid_id),
        bid_id=bid.bid_id,
        so=competition.so,
        fsp=bid.fsp,
        contracting_entity=bid.contracting_entity,
        competition_id=competition.id,
        competition_reference=competition.reference,
        round_ref=competition.round_ref,
        power_type=competition.power_type,
        need_direction=competition.need_direction,
        product_type=competition.product_type,
        window_id=window.id,
        period_name=window.period_name,
        window_name=window.name,
        period_start=window.period_start,
        period_end=window.period_end,
        days=window.days,
        start=window.start,
        end=window.end,
        holidays=window.holidays,
        holiday_region=competition.holiday_region,
        time_zone=competition.time_zone,
        currency=competition.currency,
        capacity_mw=bid.accepted_mw,
        availability_price=bid.availability_price,
        utilisation_price=bid.utilisation_price,
        service_fee=bid.service_fee,
        maximum_run_time=bid.maximum_run_time,
        required_response_time=window.required_response_time,
        market_rules=competition.market_rules,
        asset_count=len(bid.asset_ids),
        state="contracted" if contracted else "awarded",
        drawn_up_at=now,
        contracted_at=now if contracted else None,
    )


def shares(total_mw: Decimal, capacities: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """An obligation's MW shared over its assets in proportion to their capacity, to the watt, nothing lost.

    Watts that do not divide go one each to the assets with the largest remainders, ties by asset id.
    """
    everything = sum(capacities.values(), Decimal(0))
    if not everything:
        return {asset_id: Decimal(0) for asset_id in capacities}
    exact = {asset_id: total_mw * mw / everything for asset_id, mw in capacities.items()}
    floors = {asset_id: mw.quantize(_WATT, rounding=ROUND_DOWN) for asset_id, mw in exact.items()}
    missing = watts(total_mw - sum(floors.values(), Decimal(0)))
    ranked = sorted(exact, key=lambda asset_id: (floors[asset_id] - exact[asset_id], asset_id))
    return {asset_id: mw + (_WATT if asset_id in ranked[:missing] else 0) for asset_id, mw in floors.items()}


def obligated_assets(
    obligation: Obligation, assets: Sequence[Asset], capacities: Mapping[str, Decimal]
) -> list[ObligatedAsset]:
    """The assets behind an obligation with the share of its MW each promises, in order of their reference."""
    shared = shares(obligation.capacity_mw, {asset.id: capacities.get(asset.id, Decimal(0)) for asset in assets})
    return [
        ObligatedAsset(
            obligation_id=obligation.id,
            asset_id=asset.id,
            asset_ref=asset.asset_ref,
            name=asset.name,
            import_meter_id=asset.import_meter_id,
            export_meter_id=asset.export_meter_id,
            capacity_mw=shared[asset.id],
        )
        for asset in sorted(assets, key=lambda asset: asset.asset_ref)
    ]
