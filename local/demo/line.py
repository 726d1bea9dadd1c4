"""Owns the line of the demo: each stage does what its people would do, and says what came of it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from local.client import Market, Session
from local.demo import check, files, meters, people, workbooks
from local.demo.calendars import Plan, instant, plan_from
from local.demo.deciding import Deciding
from local.demo.invoicing import Invoicing
from local.demo.metering import Metering
from local.demo.operations import Operations
from local.demo.people import Member
from local.demo.scenes import Provider, Scene
from local.demo.settlement import Settlement
from local.demo.stages import Shortfall, Story

_MINUTE = timedelta(minutes=1)
_SHOWN = 12


class Line:
    """One walk along the line: what earlier stages made and later ones need."""

    def __init__(
        self, market: Market, market_operator: Session, scene: Scene, story: Story, out: Path, tag: str
    ) -> None:
        self.market, self.market_operator, self.scene, self.story, self.out = market, market_operator, scene, story, out
        self.tag = tag
        self.round_ref = f"ROUND-{tag}"
        self.plan: Plan = plan_from(market.now())
        self.providers: dict[str, Member] = {}
        self.competitions: dict[str, dict[str, Any]] = {}
        self.operator: Member
        self.confirmer: Member
        self._mails_before = self._mails_seen = len(market.mails())

    def walk(self) -> None:
        """Every stage in order; a refusal the stage did not expect ends the walk."""
        for stage in (
            self.join,
            self.load_gazetteer,
            self.register_assets,
            self.publish_areas,
            self.publish_competitions,
            self.show_qualification,
            self.open_bidding,
            self.submit_ballots,
            self.close_bidding,
            self.decide,
            self.confirm,
            self.show_obligations,
            self.operate,
        ):
            stage()

    def join(self) -> None:
        with self.story.stage("An operator is set up, providers register and are approved"):
            emails = [f"{role}.{self.tag}@operator.example".lower() for role in ("buyer", "approver")]
            self.operator, self.confirmer = people.set_up_operator(
                self.market, self.market_operator, f"{self.scene.operator} {self.tag}", emails
            )
            scheme = people.open_scheme(self.operator, files.SCHEME)
            for number, provider in enumerate(self.scene.providers):
                self._join_provider(number, provider, scheme["id"])
            self.story.expect("providers registered and approved", len(self.providers), len(self.scene.providers))
            self.tell_mails()

    def _join_provider(self, number: int, provider: Provider, scheme_id: str) -> None:
        email = f"{provider.name.split()[0]}.{number}.{self.tag}@provider.example".lower()
        member = people.register_provider(self.market, provider.name, self._company_number(number), email)
        people.approve(self.operator, people.apply_to(member, scheme_id))
        self.providers[provider.name] = member

    def _company_number(self, number: int) -> str:
        """One that no earlier demo in this market has used."""
        return f"{(int(self.tag) * 10 + number) % 10**8:08d}"

    def load_gazetteer(self) -> None:
        name, content = self.scene.gazetteer
        with self.story.stage(f"The market operator drops {name}"):
            receipt = self.market_operator.upload("postcodes", name, content)
            self.tell_receipt(receipt)
            self.story.expect("postcodes read", receipt["rows"], self.scene.gazetteer_rows)

    def register_assets(self) -> None:
        with self.story.stage("Providers drop their asset workbooks"):
            template = self._template("assets")
            for provider in self.scene.providers:
                rows = meters.metered(provider.assets, self.tag)
                content = workbooks.fill(template, {"Assets": rows})
                self.keep(f"assets-{provider.name}.xlsx", content)
                receipt = self.providers[provider.name].session.upload("assets", f"{provider.name}.xlsx", content)
                self.tell_receipt(receipt)
                self._expect_assets(provider, receipt)
            self.market.settle()

    def _expect_assets(self, provider: Provider, receipt: dict[str, Any]) -> None:
        """Rows without capacity or with a postcode that is none are errors, named; every other row is an asset."""
        sound = sum(check.is_sound(row) for row in provider.assets)
        counts = receipt["counts"]
        self.story.expect(f"{provider.name}: assets registered", counts["created"], sound)
        self.story.expect(
            f"{provider.name}: rows refused with their reason", counts["errors"], len(provider.assets) - sound
        )
        for problem in receipt["problems"][:2]:
            self.story.say(f"  row {problem.get('row')}: {problem['detail']}")

    def publish_areas(self) -> None:
        with self.story.stage("The operator's system drops its areas into the bucket"):
            for place, (name, content) in enumerate(self.scene.area_files):
                self.keep(name, content)
                receipt = self.operator.session.dropped(self.operator.organisation, "areas", name, content)
                self.tell_receipt(receipt)
                which = "unchanged" if place else "created"
                self.story.expect(f"{name}: areas {which}", receipt["counts"][which], self.scene.area_count)

    def publish_competitions(self) -> None:
        with self.story.stage("The operator's system drops its competition workbook into the bucket"):
            prefix = f"T{self.tag}"
            content = files.competitions_workbook(
                self._template("competitions"), self.scene.needs, self.plan, prefix, self.round_ref
            )
            self.keep("competitions.xlsx", content)
            session, organisation = self.operator.session, self.operator.organisation
            receipt = session.dropped(organisation, "competitions", "competitions.xlsx", content)
            self.tell_receipt(receipt)
            for problem in receipt["problems"]:
                self.story.say(f"  {problem}")
            self.market.settle()
            found = self.operator.session.get(f"/rounds/{self.round_ref}")["competitions"]
            self.competitions = {each["reference"]: each for each in found}
            self.story.expect("competitions published", len(self.competitions), len(self.scene.needs))
            self.tell_mails()

    def show_qualification(self) -> None:
        with self.story.stage("Assets qualify, each with its reasons"):
            self.market.move_clock(instant(self.plan.qualification_open, _MINUTE))
            rows = []
            for reference, competition in self.competitions.items():
                answers = self._own_answers(competition["id"])
                eligible = sum(answer["eligible"] for answer in answers)
                failed = Counter(
                    rule["rule"]
                    for answer in answers
                    for rule in answer["rules"]
                    if not rule["passed"] and not answer["eligible"]
                )
                reasons = ", ".join(f"{code} {count}" for code, count in sorted(failed.items()))
                rows.append((reference, len(answers), eligible, len(answers) - eligible, reasons))
                check.compare_locations(
                    self.story, self.scene, self.scene.needs[self._place(reference)], reference, answers
                )
            self.story.table(("competition", "assessed", "eligible", "not", "failed rules"), rows)
            if not any(row[2] for row in rows):
                raise Shortfall("no asset is eligible anywhere")
            self.tell_mails()

    def _own_answers(self, competition_id: str) -> list[dict[str, Any]]:
        """The answers for this demo's providers; others may live in the same market."""
        own = {member.organisation for member in self.providers.values()}
        answers = self.operator.session.all(f"/competitions/{competition_id}/qualification")
        return [answer for answer in answers if answer["fsp"] in own]

    def open_bidding(self) -> None:
        with self.story.stage("Qualification closes, bidding opens by the calendar"):
            self.market.move_clock(instant(self.plan.qualification_closed, _MINUTE))
            self.keep("qualified-assets.xlsx", self._download_qualified())
            self.market.move_clock(instant(self.plan.bidding_open, _MINUTE))
            phases = Counter(each["phase"] for each in self._round())
            self.story.expect("competitions in bidding", phases["bidding"], len(self.competitions))
            self._flush_digests()
            self.tell_mails()

    def _download_qualified(self) -> bytes:
        first = next(iter(self.competitions.values()))
        return self.operator.session.download("qualified-assets", competition_id=first["id"])

    def submit_ballots(self) -> None:
        with self.story.stage("Ballots go in, by API and by workbook"):
            random = Random(self.scene.operator)
            silent = {
                files.reference_of(f"T{self.tag}", place)
                for place, need in enumerate(self.scene.needs)
                if need.nobody_bids
            }
            for place, member in enumerate(self.providers.values()):
                offered = [each for each in self._offered(member) if each["competition_reference"] not in silent]
                if place % 2:
                    self._bid_by_workbook(member, offered, random)
                else:
                    self._bid_by_api(member, offered, random)
            self._expect_sealed()
            self.tell_mails()

    def _offered(self, member: Member) -> list[dict[str, Any]]:
        """The open windows of this demo's competitions, in an order that is the same in every run."""
        windows = member.session.all("/bidding-opportunities", round_ref=self.round_ref)
        return sorted(windows, key=lambda each: (each["competition_reference"], each["service_window_name"]))

    def _bid_by_api(self, member: Member, offered: list[dict[str, Any]], random: Random) -> None:
        ballots = 0
        for competition_id in dict.fromkeys(each["competition_id"] for each in offered):
            windows = [each for each in offered if each["competition_id"] == competition_id]
            body = files.ballot_of(windows, random)
            path = f"/competitions/{competition_id}/ballots"
            first = member.session.post(path, body, key=f"ballot/{competition_id}")
            again = member.session.post(path, body, key=f"ballot/{competition_id}")
            if first != again:
                raise Shortfall("the same ballot sent twice was not one ballot")
            ballots += 1
        self.story.say(f"{member.name}: {ballots} ballots by API, {len(offered)} bids, each sent twice and taken once")

    def _bid_by_workbook(self, member: Member, offered: list[dict[str, Any]], random: Random) -> None:
        blank = member.session.download("bids", round_ref=self.round_ref)
        rows = files.filled_bids(blank, offered, random)
        content = workbooks.fill(blank, {files.BIDS_TAB: rows})
        self.keep(f"bids-{member.name}.xlsx", content)
        receipt = member.session.upload("bids", f"bids-{member.name}.xlsx", content)
        self.tell_receipt(receipt)
        self.story.expect(f"{member.name}: bids by workbook", receipt["counts"]["created"], len(rows))

    def _expect_sealed(self) -> None:
        first = next(iter(self.competitions.values()))
        refused = _refusal(self.operator.session, f"/competitions/{first['id']}/bids")
        self.story.expect("the operator asks for bids before close", refused, "bidding.sealed")

    def close_bidding(self) -> None:
        with self.story.stage("Bidding closes by the calendar"):
            self.market.move_clock(instant(self.plan.bidding_closed, 2 * _MINUTE))
            phases = Counter(each["phase"] for each in self._round())
            self.story.expect("competitions closed", phases["closed"], len(self.competitions))
            self.tell_mails()

    def decide(self) -> None:
        Deciding(self).walk()

    def confirm(self) -> None:
        with self.story.stage("A second person confirms"):
            self.confirmer.session.post(f"/rounds/{self.round_ref}/confirmation", key=f"confirm/{self.round_ref}")
            self.market.settle()
            again = _refusal_of_confirmation(self.confirmer.session, next(iter(self.competitions.values()))["id"])
            self.story.expect("confirming once more", again, "result.confirmed")
            states = Counter(view["state"] for view in self.overviews())
            self.story.expect("competitions confirmed", states["confirmed"], len(self.competitions))
            self.tell_mails()

    def show_obligations(self) -> None:
        with self.story.stage("Obligations come out"):
            obligations = list(self.operator.session.all("/obligations"))
            accepted = sum(view["accepted"] for view in self.overviews())
            self.story.expect("obligations, one per accepted bid", len(obligations), accepted)
            self.keep("contracts.xlsx", self.operator.session.download("contracts"))
            for member in self.providers.values():
                self.keep(f"contracts-{member.name}.xlsx", member.session.download("contracts"))
            self.keep_mails()
            self.story.table(
                (
                    "obligation",
                    "competition",
                    "provider",
                    "window",
                    "MW",
                    "availability",
                    "utilisation",
                    "assets",
                    "state",
                ),
                [_obligation_row(each) for each in obligations[: _SHOWN * 3]],
            )
            handled = self.market.settle()
            self.story.expect("messages set aside as undeliverable", handled["dead"], {})

    def operate(self) -> None:
        """From the obligations to the paid invoice, where there are any."""
        if next(iter(self.operator.session.all("/obligations")), None) is None:
            self.story.say("Nothing was accepted, so there is nothing to operate or settle.")
            return
        operations = Operations(self)
        operations.walk()
        metering = Metering(self, operations)
        metering.walk()
        settlement = Settlement(self, operations, metering)
        settlement.walk()
        Invoicing(self, settlement).walk()

    def member_of(self, fsp: str) -> Member:
        """The person of a provider, by its organisation."""
        return next(each for each in self.providers.values() if each.organisation == fsp)

    def overviews(self) -> list[dict[str, Any]]:
        return list(self.operator.session.all("/decisions", round_ref=self.round_ref))

    def _round(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.operator.session.get(f"/rounds/{self.round_ref}")["competitions"]
        return found

    def _place(self, reference: str) -> int:
        return int(reference.rsplit("-", 1)[1]) - 1

    def _template(self, kind: str) -> bytes:
        member = next(iter(self.providers.values())) if kind == "assets" else self.operator
        content = member.session.template(kind)
        self.keep(f"template-{kind}.xlsx", content)
        return content

    def tell_receipt(self, receipt: dict[str, Any]) -> None:
        counts = ", ".join(f"{count} {name}" for name, count in receipt["counts"].items() if count)
        self.story.say(
            f"receipt {receipt['name']}: {receipt['state']}, {receipt['rows']} rows: {counts or receipt['refusal']}"
        )
        for note in receipt["notes"][:3]:
            self.story.say(f"  {note}")

    def _flush_digests(self) -> None:
        self.market.move_clock(instant(self.plan.bidding_open, 2 * _MINUTE))

    def tell_mails(self) -> None:
        self.market.settle()
        mails = self.market.mails()
        news = Counter(mail["subject"].split(":")[0] for mail in mails[self._mails_seen :])
        self._mails_seen = len(mails)
        for subject, count in news.most_common():
            self.story.say(f"e-mails: {count} x {subject}")

    def keep(self, name: str, content: bytes) -> None:
        (self.out / name.replace(" ", "-")).write_bytes(content)

    def keep_mails(self) -> None:
        folder = self.out / "mails"
        folder.mkdir(exist_ok=True)
        for number, mail in enumerate(self.market.mails()[self._mails_before :]):
            name = "".join(char if char.isalnum() else "-" for char in mail["subject"])[:60]
            (folder / f"{number:03d}-{name}.html").write_text(mail["html"])
            (folder / f"{number:03d}-{name}.txt").write_text(f"To: {', '.join(mail['to'])}\n\n{mail['text']}")


def _obligation_row(each: dict[str, Any]) -> tuple[Any, ...]:
    return (
        each["id"][-12:],
        each["competition_reference"],
        each["fsp_name"],
        f"{each['window_name']} {each['start']}-{each['end']}",
        each["capacity_mw"],
        each["availability_price"] or "",
        each["utilisation_price"] or "",
        each["asset_count"],
        each["state"],
    )


def _refusal(session: Session, path: str) -> str:
    from local.client import Refusal

    try:
        session.get(path)
    except Refusal as refusal:
        return refusal.code
    return "let in"


def _refusal_of_confirmation(session: Session, competition_id: str) -> str:
    from local.client import Refusal

    try:
        session.post(f"/competitions/{competition_id}/confirmation")
    except Refusal as refusal:
        return refusal.code
    return "let in"
