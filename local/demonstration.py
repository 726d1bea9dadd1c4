"""Owns the small market a first start shows: made through the public API and file drops, as its people would make it.

It is made a week in the market's past and ends in the present, so that one round is open for bids and another is still
qualifying on the day somebody first looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from local import market_operator
from local.client import Market as Client
from local.demo import files, people, workbooks
from local.demo.calendars import ZONE, Plan, instant, plan_from
from local.demo.invented import invented_scene
from local.demo.people import PASSWORD, Member
from local.demo.scenes import Need, Provider, Scene
from local.market import Market
from local.steps import Steps

PAST = timedelta(days=7)
_MARK = "demonstration"
_BUYER, _APPROVER = "buyer@northmoor.example", "approver@northmoor.example"
_FSPS = (("portfolio@kestrel.example", "08123456"), ("portfolio@harbour.example", "07654321"))
_LATER = 14


def seed_if_empty(market: Market, steps: Steps) -> None:
    """Make the demonstration market in an empty one, once; one that was cut short is left as it is and said so."""
    mark = market.place.folder / _MARK
    if mark.exists():
        if mark.read_text() != "whole":
            print("(it was cut short at its first start: `make reset` and start again for a whole one)", end="")
        return
    if len(market.logins.read()) > 1:
        return
    mark.write_text("begun")
    _Seeding(market, steps).run()
    mark.write_text("whole")


class _Seeding:
    """One making of the demonstration market, counted for whoever watches."""

    def __init__(self, market: Market, steps: Steps) -> None:
        self._market, self._steps = market, steps
        self._client = Client(market.place.address)
        self._scene: Scene = invented_scene()
        self._present = datetime.now(UTC)
        self._market_operator = self._client.sign_in(market_operator.EMAIL, market_operator.PASSWORD)
        self._people: list[Member] = []
        self._operator: Member

    def run(self) -> None:
        self._market.clock.begin_at(self._present - PAST)
        acts: Sequence[Callable[[], None]] = (
            self._join_operator,
            self._join_providers,
            self._drop_gazetteer,
            self._drop_assets,
            self._drop_areas,
            self._drop_competitions,
            self._come_to_the_present,
            self._keep_logins,
        )
        for done, act in enumerate(acts):
            self._steps.count(done, len(acts))
            act()

    def _join_operator(self) -> None:
        made = people.set_up_operator(self._client, self._market_operator, self._scene.operator, [_BUYER, _APPROVER])
        self._operator = made[0]

    def _join_providers(self) -> None:
        scheme = people.open_scheme(self._operator, files.SCHEME)
        for provider, (email, company_number) in zip(self._scene.providers, _FSPS, strict=True):
            member = people.register_provider(self._client, provider.name, company_number, email)
            people.approve(self._operator, people.apply_to(member, scheme["id"]))
            self._people.append(member)

    def _drop_gazetteer(self) -> None:
        _taken(self._market_operator.upload("postcodes", *self._scene.gazetteer))

    def _drop_assets(self) -> None:
        blank = self._template(self._people[0], "assets")
        for provider, member in zip(self._scene.providers, self._people, strict=True):
            content = workbooks.fill(blank, {"Assets": _sound(provider)})
            _taken(member.session.upload("assets", f"{provider.name}.xlsx", content))

    def _drop_areas(self) -> None:
        _taken(self._operator.session.upload("areas", *self._scene.area_files[0]))

    def _drop_competitions(self) -> None:
        """One round that takes bids in the present, one that does so two weeks later."""
        began = plan_from(instant((self._present - PAST).astimezone(ZONE).replace(tzinfo=None)))
        bidding = replace(
            began,
            qualification_closed=began.qualification_open + timedelta(days=3),
            bidding_open=began.qualification_open + timedelta(days=4),
            bidding_closed=began.qualification_open + timedelta(days=_LATER),
        )
        self._drop_round("R1", self._scene.needs[:2], bidding)
        self._drop_round("R2", self._scene.needs[2:], _later(began))

    def _drop_round(self, name: str, needs: Sequence[Need], plan: Plan) -> None:
        blank = self._template(self._operator, "competitions")
        content = files.competitions_workbook(blank, needs, plan, f"NM-{name}", f"NM-{name}")
        _taken(self._operator.session.upload("competitions", f"{name.lower()}.xlsx", content))
        self._client.settle()

    def _come_to_the_present(self) -> None:
        """Day by day, so that each date is announced on its own day and qualification is counted at its close."""
        for days in range(1, PAST.days):
            self._client.move_clock((self._present - PAST + timedelta(days=days)).isoformat())
        self._client.move_clock(datetime.now(UTC).isoformat())

    def _keep_logins(self) -> None:
        whos = ("FSP", "second FSP")
        fsps = [
            {"who": f"{who}, {member.name}", "email": member.email, "password": PASSWORD}
            for who, member in zip(whos, self._people, strict=True)
        ]
        so = {"who": f"SO, {self._operator.name}", "email": self._operator.email, "password": PASSWORD}
        self._market.logins.write([*fsps, so, *self._market.logins.read()])

    def _template(self, member: Member, kind: str) -> bytes:
        return member.session.fetch(member.session.get(f"/templates/{kind}")["url"])


def _later(plan: Plan) -> Plan:
    """The same plan with every date but the first two weeks later."""
    by = timedelta(days=_LATER)
    return replace(
        plan,
        qualification_closed=plan.qualification_closed + by,
        bidding_open=plan.bidding_open + by,
        bidding_closed=plan.bidding_closed + by,
        period_start=plan.period_start + by,
        period_end=plan.period_end + by,
    )


def _sound(provider: Provider) -> list[Any]:
    """The rows a provider sends here: those the market takes; the demo shows what it says of the others."""
    return [row for row in provider.assets if any(value for header, value in row.items() if header.endswith("(MW)"))]


def _taken(receipt: dict[str, Any]) -> None:
    if receipt["state"] != "done" or receipt["counts"]["errors"]:
        raise RuntimeError(f"{receipt['name']} was not taken whole: {receipt['refusal']} {receipt['problems'][:3]}")
