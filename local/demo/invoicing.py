"""Owns the last stages: self-billing agreed, invoices drawn up and fetched in every form, and paid."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from local.client import Refusal, Session
from local.demo.calendars import ZONE, instant
from local.demo.moments import clock
from local.demo.settlement import Settlement
from local.demo.stages import Shortfall

if TYPE_CHECKING:
    from local.demo.line import Line
    from local.demo.people import Member

_VAT_NUMBER = "GB980780684"
_OPERATOR_VAT_NUMBER = "GB434031494"
_VAT = Decimal("0.2")
_STALE = 412
_PENNY = Decimal("0.01")
_PAID_AFTER = timedelta(days=7)


@dataclass
class Invoicing:
    """From agreed lines to invoices that are paid."""

    line: Line
    settlement: Settlement
    invoices: list[dict[str, Any]] = field(default_factory=list)

    def walk(self) -> None:
        """Every stage in order."""
        self._agree()
        self._draw_up()
        self._fetch()
        self._pay()
        self._tell_end()

    def _agree(self) -> None:
        with self.line.story.stage("Self-billing is agreed; the first provider is registered for VAT"):
            self._name_operator()
            self._be_reached(self.line.operator.session, f"ap.{self.line.tag}@operator.example")
            for place, member in enumerate(self._billed()):
                self._be_reached(member.session, f"accounts.{place}.{self.line.tag}@provider.example")
                if place == 0:
                    self._register_for_vat(member)
                body = {"fsp": member.organisation, "starts": self._today().isoformat()}
                key = f"self-billing/{member.organisation}"
                proposed = self.line.operator.session.post("/self-billing-agreements", body, key=key)
                path = f"/self-billing-agreements/{proposed['id']}/acceptance"
                accepted = member.session.post(path, key=f"accept/{proposed['id']}")
                self.line.story.expect(f"{member.name}'s agreement", accepted["state"], "agreed")
                self.line.story.expect("it holds from today on", accepted["holds"], True)
            self.line.tell_mails()

    def _name_operator(self) -> None:
        """The company behind the operator, as its invoices bear it."""
        session = self.line.operator.session
        company = {
            "name": f"{self.line.scene.operator} plc",
            "company_number": f"{int(self.line.tag) % 10**8:08d}",
            "country": "GB",
            "address": "Grid House, 2 Market Street, Norwich NR2 1AB",
            "vat_number": _OPERATOR_VAT_NUMBER,
        }
        _name_company(session, company)

    def _be_reached(self, session: Session, email: str) -> None:
        """An address for what concerns money, proven by the code that came to it."""
        route = session.post("/contact-routes", {"purpose": "settlement", "email": email}, key=f"route/{email}")
        code = {"code": self.line.market.code_for(email)}
        session.post(f"/contact-routes/{route['id']}/verification", code, key=f"verify/{email}")

    def _register_for_vat(self, member: Member) -> None:
        company = member.session.get("/organisation")["company"]
        _name_company(member.session, {**company, "vat_number": _VAT_NUMBER})

    def _draw_up(self) -> None:
        with self.line.story.stage("The operator draws up invoices of what is agreed"):
            after: str | None = None
            while True:
                body = {"month": self.settlement.month, **({"after": after} if after else {})}
                drawn = self.line.operator.session.post("/invoices", body, key=f"invoices/{self.line.tag}/{after}")
                self.invoices += drawn["issued"]
                for each in drawn["not_issued"]:
                    self.line.story.say(f"none for {each['fsp']}: {each['why']}")
                after = drawn["next"]
                if after is None:
                    break
            self.invoices.sort(key=lambda each: int(each["serial"]))
            serials = [each["serial"] for each in self.invoices]
            self.line.story.expect("numbered without gaps", serials, list(range(1, len(serials) + 1)))
            self._expect_amounts()
            self.line.tell_mails()

    def _expect_amounts(self) -> None:
        """Each comes to what its report's lines come to, with VAT where the provider is registered for it."""
        reports = {report["fsp"]: report for report in self.settlement.reports()}
        owed = {fsp for fsp, report in reports.items() if Decimal(report["total"]) > 0}
        self.line.story.expect("invoices, one for each provider that is owed", len(self.invoices), len(owed))
        for each in self.invoices:
            net, vat = Decimal(each["net"]), Decimal(each["vat"])
            due = (net * _VAT).quantize(_PENNY) if each["seller"]["vat_number"] else Decimal(0)
            wanted = _sum(Decimal(reports[each["fsp"]]["total"]), due, net + due)
            found = _sum(net, vat, Decimal(each["gross"]))
            self.line.story.expect(f"{each['number']} ({each['kind']}): net, VAT, gross", found, wanted)
        states = Counter(each["state"] for report in reports.values() for each in self.settlement.lines(report))
        self.line.story.expect("states of all lines", sorted(states), ["invoiced"])

    def _fetch(self) -> None:
        with self.line.story.stage("Everybody fetches the documents: workbook, PDF, XML, CSV"):
            session = self.line.operator.session
            for member in self._billed():
                report = next(each for each in self.settlement.reports() if each["fsp"] == member.organisation)
                name = f"settlement-{self.settlement.month}-{member.name}"
                self._keep(f"{name}.xlsx", member.session.download("settlement-report", report_id=report["id"]), b"PK")
                pdf = member.session.download("settlement-report-pdf", report_id=report["id"])
                self._keep(f"{name}.pdf", pdf, b"%PDF")
            for each in self.invoices:
                member = self.line.member_of(each["fsp"])
                pdf = member.session.download("invoice-pdf", invoice_id=each["id"])
                self._keep(f"invoice-{each['number']}.pdf", pdf, b"%PDF")
                xml = session.download("invoice-ubl", invoice_id=each["id"])
                self._keep(f"invoice-{each['number']}.xml", xml, b"<?xml")
            ledger = session.download("invoice-ledger", month=f"{self._today():%Y-%m}")
            self._keep("ledger.csv", ledger, b"\xef\xbb\xbfinvoice_number,")
            numbers = [each["number"] for each in self.invoices]
            listed = [number for number in numbers if number.encode() in ledger]
            self.line.story.expect("invoices in the ledger", listed, numbers)

    def _keep(self, name: str, content: bytes, begins: bytes) -> None:
        self.line.keep(name, content)
        self.line.story.say(f"{name}: {len(content):,} bytes")
        if not content.startswith(begins):
            raise Shortfall(f"{name} is not what it is called")

    def _pay(self) -> None:
        with self.line.story.stage("The bank's list of payments is dropped"):
            self.line.market.move_clock(instant(clock(self._today() + _PAID_AFTER, 9)))
            rows = [f"{each['number']},{self._today()},{each['gross']},BACS {each['serial']}" for each in self.invoices]
            content = "\n".join(["Invoice number,Paid on,Amount,Reference", *rows, ""]).encode()
            self.line.keep("payments.csv", content)
            operator = self.line.operator
            receipt = operator.session.dropped(operator.organisation, "payments", "payments.csv", content)
            self.line.tell_receipt(receipt)
            paid = [each["state"] for each in self._invoices_now()]
            self.line.story.expect("invoices paid", Counter(paid)["paid"], len(self.invoices))
            states = {each["state"] for report in self.settlement.reports() for each in self.settlement.lines(report)}
            self.line.story.expect("states of all lines", sorted(states), ["paid"])
            self.line.tell_mails()

    def _tell_end(self) -> None:
        with self.line.story.stage("What the month came to"):
            rows = []
            for report in self.settlement.reports():
                shown = self.line.operator.session.get(f"/settlement-reports/{report['id']}")
                states = ", ".join(f"{each['lines']} {each['state']} {each['total']}" for each in shown["by_state"])
                rows.append((report["fsp_name"], report["month"], report["number"], report["lines"], states))
            self.line.story.table(("provider", "month", "version", "lines", "by state"), rows)
            self.line.story.table(
                ("invoice", "kind", "provider", "net", "VAT", "gross", "paid on", "paid"),
                [
                    (
                        each["number"],
                        each["kind"],
                        each["seller"]["name"],
                        *(f"{Decimal(each[name]):.2f}" for name in ("net", "vat", "gross")),
                        each["paid_on"] or "",
                        f"{Decimal(each['paid_amount'] or 0):.2f}",
                    )
                    for each in self._invoices_now()
                ],
            )
            dispatches = list(self.line.market.public().all("/public/dispatches", so=self.line.operator.organisation))
            self.line.story.say(f"{len(dispatches)} dispatches are open data by now")
            self.line.keep_mails()
            handled = self.line.market.settle()
            self.line.story.expect("messages set aside as undeliverable", handled["dead"], {})

    def _invoices_now(self) -> list[dict[str, Any]]:
        return [self.line.operator.session.get(f"/invoices/{each['id']}") for each in self.invoices]

    def _billed(self) -> list[Member]:
        """The providers with a report, in the order they joined."""
        reported = {report["fsp"] for report in self.settlement.reports()}
        return [member for member in self.line.providers.values() if member.organisation in reported]

    def _today(self) -> date:
        return datetime.fromisoformat(self.line.market.now()).astimezone(ZONE).date()


def _name_company(session: Session, company: dict[str, Any]) -> None:
    """Say what company stands behind an organisation; where the answer was lost, what was said stands already."""
    own = session.get("/organisation")
    try:
        session.patch("/organisation", {"company": company}, own["version"])
    except Refusal as refusal:
        if refusal.status != _STALE or session.get("/organisation")["company"] != company:
            raise


def _sum(net: Decimal, vat: Decimal, gross: Decimal) -> str:
    return f"{net:.2f} + {vat:.2f} = {gross:.2f}"
