"""Builds a small market with something in every room and callers with real tokens, asked over HTTP in process."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

import jwt

import app
from chalicelib.bidding import actions as bidding
from chalicelib.bidding.models import BallotRequest
from chalicelib.competitions.models import Competition
from chalicelib.contracts import actions as contracts
from chalicelib.contracts.models import ObligationQuery
from chalicelib.decisions import actions as decisions
from chalicelib.decisions import actions_proposals as proposals
from chalicelib.decisions.models import DecisionsRequest
from chalicelib.decisions.models_proposals import ProposalRequest
from chalicelib.dispatch import actions_feeds as feeds
from chalicelib.dispatch import actions_openadr_reports as reports
from chalicelib.dispatch import actions_openadr_subscriptions as subscriptions
from chalicelib.dispatch import actions_openadr_vens as vens
from chalicelib.dispatch import actions_testing as dispatch
from chalicelib.dispatch import actions_webhooks as webhooks
from chalicelib.dispatch.actions_reads import list_schedule
from chalicelib.dispatch.actions_scheduling import prepare_drawn_up
from chalicelib.dispatch.openadr_models import ReportRequest, ResourceRequest, SubscriptionRequest, VenRequest
from chalicelib.dispatch.requests import (
    AutoAcceptRequest,
    CalendarLinkRequest,
    ScheduleQuery,
    TestInstructionRequest,
)
from chalicelib.dispatch.webhooks import DeliveryQuery, WebhookRequest
from chalicelib.edge import identity
from chalicelib.files import actions as files
from chalicelib.files import actions_exporting as exporting
from chalicelib.files.models import ExportRequest
from chalicelib.files.models import FileRequest as DropRequest
from chalicelib.kernel.call import ROLES, Call
from chalicelib.notifications import actions as notifications
from chalicelib.notifications.actions_returns import record_return
from chalicelib.notifications.models import MailQuery, Told
from chalicelib.notifications.returns import Return
from chalicelib.registry import actions as registry
from chalicelib.registry import actions_applications as applications
from chalicelib.registry import actions_joining as joining
from chalicelib.registry import actions_organisations as organisations
from chalicelib.registry.requests import ContactRouteRequest, ContractingEntityRequest, MachineUserRequest
from chalicelib.registry.scheme_requests import ApplicationChange, ApplicationRequest
from chalicelib.registry.scheme_requests import FileRequest as AnswerFileRequest
from chalicelib.registry.standard_form import STANDARD_FORM
from chalicelib.settlement import actions_agreements as agreements
from chalicelib.settlement import actions_disputes as disputes
from chalicelib.settlement import actions_drawing_up as invoicing
from chalicelib.settlement import actions_runs as settling
from chalicelib.settlement.actions_making import make_run
from chalicelib.settlement.models_runs import line_id_of
from chalicelib.settlement.requests_disputes import DisputeRequest
from chalicelib.settlement.requests_invoices import AgreementRequest, DrawUpRequest
from chalicelib.settlement.requests_runs import RunRequest
from chalicelib.storage import objects
from chalicelib.storage.keys import forget_keys
from chalicelib.storage.sealing import forget_keys_held
from local.gateway import Gateway
from tests.builders.assets import asset_cells
from tests.builders.bidding import BiddingMarket
from tests.builders.calls import a_call
from tests.builders.invoices import give_company, keep_published
from tests.builders.keeper import KEEPER
from tests.builders.qualifying import competition_fields
from tests.builders.registry import (
    Joined,
    a_market_operator,
    a_registration_request,
    a_scheme,
    a_system_operator,
    an_invited_person,
    full_answers,
    given_pool,
)
from tests.builders.reports import a_detail, a_report_line, an_instruction_detail

NOW = "2026-05-12T09:00:00Z"
FSP, OTHER_FSP = "org_fsp1", "org_fsp2"
_DECIDED = "2026-05-10T09:00:00Z"


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class StandingClock:
    """The market's time, standing still."""

    at: datetime = field(default_factory=lambda: datetime.fromisoformat(NOW))

    def now(self) -> datetime:
        return self.at


@cache
def gateway() -> Gateway:
    """The app behind its gateway, at `NOW`."""
    return Gateway(app.app, StandingClock())  # type: ignore[arg-type]


def ask(method: str, uri: str, token: str | None = None, body: Any = None, **headers: str) -> Answer:
    """A request to the app; `uri` is the path under `/v1` as sent, `body` bytes or what becomes JSON."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "REQUEST_URI": f"/v1{uri}",
        "REMOTE_ADDR": "192.0.2.7",
        "CONTENT_TYPE": headers.pop("Content_Type", "application/json"),
        "wsgi.input": io.BytesIO(content),
    }
    if token is not None:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    environ |= {f"HTTP_{name.upper()}": text for name, text in headers.items()}
    told: list[Any] = []
    answered = b"".join(gateway()(environ, lambda status, pairs: told.extend((status, dict(pairs)))))
    return Answer(int(told[0].split()[0]), told[1], answered)


class SmallMarket(BiddingMarket):
    """Two FSPs, two operators and the market operator. Of FSP and operator one there is a thing of every kind.

    NORTH-1, in round R1, is confirmed, with an obligation; NORTH-2 is in bidding, with a ballot; ROUND-1, in R1 too,
    qualifies; DRAFT-1 is a draft. FSP two is verified, has nothing and took part in nothing; operator two has nothing.
    """

    def __init__(self) -> None:
        forget_keys()
        KEEPER.forget()
        forget_keys_held()  # ids are the same in every market of the tests, and its keys are not
        given_pool()
        identity.use_members(registry.member_of, registry.standing_of)
        super().__init__(round_ref="R1")
        self.market_operator = a_market_operator()
        self.other_so = a_system_operator(2)
        self.fsp_1 = Joined(FSP, "per_1", "ann@flex.example", a_call(FSP, now=NOW))
        self.homes = {
            "fsp": (FSP, "fsp"),
            "other_fsp": (OTHER_FSP, "fsp"),
            "so": (self.so.organisation, "so"),
            "other_so": (self.other_so.organisation, "so"),
            "market_operator": (self.market_operator.organisation, "market_operator"),
        }
        self._tokens: dict[tuple[str, frozenset[str]], str] = {}
        self.things = self._competing() | self._of_the_registry() | self._of_files()
        self.things |= self._of_webhooks() | self._of_mail()
        self.things |= self._of_openadr()
        self.things |= self._of_calendars()
        self.things |= self._of_settlement()
        self.things |= self._of_invoices()
        self.things |= self._of_disputes()

    def token(self, who: str, roles: frozenset[str] | set[str] = ROLES) -> str:
        """An access token of a machine user of `who` (a key of `homes`) with these roles."""
        key = (who, frozenset(roles))
        if key not in self._tokens:
            organisation, kind = self.homes[who]
            wanted = MachineUserRequest(name="software", roles=frozenset(roles))
            made = organisations.add_machine_user(a_call(organisation, kind, now=NOW), wanted)
            self._tokens[key] = identity.machine_token(made.id)
        return self._tokens[key]

    def path(self, template: str, **changes: str) -> str:
        """A path with the ids of the market's things in place of its parameters."""
        named = {name: quote(text, safe="") for name, text in (self.things | changes).items()}
        return re.sub(r"\{(\w+)\}", lambda found: named.get(found[1], "nothing"), template)

    def _competing(self) -> dict[str, str]:
        self.submit(0, price="100")
        self._settle()
        self.bidding = self._in_bidding()
        self.qualifying = self._made("ROUND-1", "2026-05-20", "2026-05-21", "2026-05-28", round_ref="R1")
        self.draft = self._made("DRAFT-1", "2026-06-01", "2026-06-02", "2026-06-08", publish=False)
        ballot = bidding.submit_ballot(self._fsp(), self.bidding.id, self.ballot_request())
        [obligation] = contracts.list_obligations(self._fsp(), ObligationQuery()).items
        return {
            "number": str(self.proposed),
            "competition_id": self.draft.id,
            "round_ref": "R1",
            "asset_id": self.assets[0].id,
            "ref": "BAT-1",
            "area_id": self._area_id(),
            "ballot_id": ballot.ballot_id,
            "obligation_id": obligation.id,
            "instruction_id": list_schedule(self._fsp(), ScheduleQuery()).items[0].id,
            "rule_id": dispatch.add_auto_accept(self._fsp(), AutoAcceptRequest(obligation_id=obligation.id)).id,
        }

    def _settle(self) -> None:
        """Ask for a proposal, accept the bid of NORTH-1, confirm, and draw up."""
        call = self.operator(_DECIDED)
        self.proposed = proposals.ask_proposal(call, self.competition_1.id, ProposalRequest()).number
        accepted = [{"bid_id": bid.id, "decision": "accepted"} for bid in self.opened(_DECIDED)]
        decided = DecisionsRequest.model_validate({"decisions": accepted})
        decisions.record_decisions(call, self.competition_1.id, decided)
        decisions.confirm_results(call, self.competition_1.id)
        contracts.draw_up(call.as_system(), self.competition_1.id)
        prepare_drawn_up(call.as_system(), self.competition_1.id, self.so.organisation)

    def _in_bidding(self) -> Competition:
        made = self._made("NORTH-2", "2026-05-08", "2026-05-09", "2026-05-20")
        self.deliver()
        self.close(made, now="2026-05-08T16:00:00Z")
        return made

    def _made(self, reference: str, qualified: str, opens: str, closes: str, **changes: Any) -> Competition:
        [window] = competition_fields()["service_windows"]
        later = window | {"service_period_start": "2026-10-01", "service_period_end": "2026-10-31"}
        return self.competition(
            reference,
            qualification_closed=f"{qualified}T16:00:00Z",
            open=f"{opens}T16:00:00Z",
            closed=f"{closes}T16:00:00Z",
            service_windows=[later],
            **changes,
        )

    def ballot_request(self) -> BallotRequest:
        bid = {"window_id": self.bidding.windows[0].id, "capacity_mw": "1", "maximum_run_time": "PT1H"}
        asked = {"bids": [bid | {"utilisation_price": "100"}], "asset_ids": [self.assets[1].id]}
        return BallotRequest.model_validate(asked)

    def _area_id(self) -> str:
        from chalicelib.areas.actions import area_id_of

        return area_id_of(self.so.organisation, "NORTH")

    def _of_the_registry(self) -> dict[str, str]:
        call = self._fsp()
        scheme_id = a_scheme(self.so)
        entity = organisations.add_entity(call, ContractingEntityRequest(name="Flex Ltd", company_number="01234567"))
        application, file_id = self._an_application_with_a_file(scheme_id)
        contact = organisations.add_contact_route(
            call, ContactRouteRequest(purpose="dispatch", email="ops@flex.example")
        )
        machine = organisations.add_machine_user(call, MachineUserRequest(name="meters"))
        secret = organisations.draw_secret(call, machine.id)
        stranger = a_call(None, None, frozenset(), now=NOW)  # type: ignore[arg-type]
        return {
            "scheme_id": scheme_id,
            "entity_id": entity.id,
            "application_id": application,
            "file_id": file_id,
            "contact_id": contact.id,
            "machine_id": machine.id,
            "secret_id": secret.id,
            "person_id": an_invited_person(self.fsp_1),
            "registration_id": joining.register(stranger, a_registration_request(email="new@fsp9.example")).id,
            "organisation_id": FSP,
            "so_id": self.so.organisation,
        }

    def _an_application_with_a_file(self, scheme_id: str) -> tuple[str, str]:
        """The ids of a submitted application and of a file that was uploaded for it."""
        call = self._fsp()
        begun = applications.begin_application(call, scheme_id, ApplicationRequest())
        [section, question] = next(
            [section.id, question.id]
            for section in STANDARD_FORM.sections
            for question in section.questions
            if question.kind == "file"
        )
        kind = {"name": "proof.pdf", "content_type": "application/pdf", "size": 4}
        file_id = applications.begin_file(
            call, begun.id, AnswerFileRequest(section=section, question=question, **kind)
        ).id
        objects.put_object(objects.FILES, f"applications/{scheme_id}/{FSP}/{file_id}", b"%PDF")
        applications.change_application(call, begun.id, ApplicationChange(answers=full_answers()), begun.version)
        return applications.submit_application(call, begun.id).id, file_id

    def _of_files(self) -> dict[str, str]:
        wanted = DropRequest(kind="assets", name="assets.xlsx", size=4, sha256=hashlib.sha256(b"PK..").hexdigest())
        job = exporting.request_export(self._fsp(), ExportRequest(kind="assets"))
        return {"receipt_id": files.request_upload(self._fsp(), wanted).id, "job_id": job.id, "kind": "assets"}

    def _of_webhooks(self) -> dict[str, str]:
        """A webhook, with the delivery of a test."""
        made = webhooks.add_webhook(self._fsp(), WebhookRequest(url="https://flex.example/dispatch"))
        asked = TestInstructionRequest(obligation_id=self.things["obligation_id"], client_token="test")
        self.tested = dispatch.send_test(self._fsp(), asked).id
        [sent] = [each for each in self.waiting() if each.name == "dispatch.instructions_sent.v1"]
        webhooks.fan_out(self._fsp().as_system(), sent)
        [delivery] = webhooks.list_deliveries(self._fsp(), made.id, DeliveryQuery()).items
        return {"webhook_id": made.id, "delivery_id": delivery.id}

    def _of_mail(self) -> dict[str, str]:
        """A mail to FSP one that came back, so that nothing more is sent there."""
        told = Told(letter="application_approved", organisation=FSP, fact="fact_1", words={}, person=self.fsp_1.person)
        notifications.tell(self._fsp().as_system(), [told])
        sent = notifications.list_mails(self._fsp(), MailQuery()).items[0]
        bounced = Return(mail_id=sent.id, why="bounced", address="ann@flex.example", at=self._fsp().now)
        record_return(self._fsp().as_system(), bounced)
        return {"recipient_id": sent.person}

    def _of_calendars(self) -> dict[str, str]:
        """A calendar link; its key is what stands in its address."""
        link = feeds.add_link(self._fsp(), CalendarLinkRequest(name="desk"))
        return {"link_id": link.id, "calendar_key": str(link.path).rsplit("/", 1)[1]}

    def _of_openadr(self) -> dict[str, str]:
        """What FSP one's software has of its own over OpenADR; the test of the webhook is its event."""
        software = a_call(FSP, now=NOW, actor=subject_of(self.token("fsp")))
        ven = vens.add_ven(software, VenRequest(ven_name="fsp-1"))
        resource = ResourceRequest(resource_name="BAT-1", ven_id=ven.id)
        return {
            "program_id": self.things["obligation_id"],
            "event_id": self.tested,
            "ven_id": ven.id,
            "resource_id": vens.add_resource(software, resource).id,
            "ven_report_id": reports.add_report(software, self.openadr_report()).id,
            "subscription_id": subscriptions.add_subscription(software, openadr_subscription()).id,
        }

    def _of_settlement(self) -> dict[str, str]:
        """A settlement run of operator one's April, made."""
        run = settling.ask_run(self.operator(NOW), RunRequest(month="2026-04"))
        make_run(self.operator(NOW).as_system(), run.id)
        return {"run_id": run.id}

    def _of_invoices(self) -> dict[str, str]:
        """An invoice of March, and a self-billing agreement that waits for the FSP's answer."""
        keep_published(self.so.organisation, [a_report_line()], "2026-03", FSP, disputable_until=date(2026, 4, 30))
        [invoice] = invoicing.draw_up(self.operator(NOW), DrawUpRequest(month="2026-03", fsp=FSP)).issued
        proposed = AgreementRequest(fsp=FSP, starts=date(2026, 6, 1))
        give_company(self.so.organisation)
        agreement = agreements.propose_agreement(self.operator(NOW), proposed)
        return {"invoice_id": invoice.id, "agreement_id": agreement.id}

    def _of_disputes(self) -> dict[str, str]:
        """A report of February with two lines, the first disputed."""
        lines = [a_report_line(0), a_report_line(1)]
        told = a_detail(instructions=(an_instruction_detail(self.things["instruction_id"]),))
        until = date(2026, 6, 30)
        report = keep_published(self.so.organisation, lines, "2026-02", FSP, disputable_until=until, detail=told)
        line_id = line_id_of(report.id, 0)
        dispute = disputes.raise_dispute(self._fsp(), line_id, DisputeRequest(reason="our meter shows more"))
        return {"report_id": report.id, "line_id": line_id, "dispute_id": dispute.id}

    def openadr_report(self) -> ReportRequest:
        """A reading on the tested instruction: kept, and no answer."""
        payload = {"type": "USAGE", "values": [1.5]}
        resources = [{"resource_name": "BAT-1", "intervals": [{"payloads": [payload]}]}]
        asked = {"event_id": self.tested, "client_name": "fsp-1", "resources": resources}
        return ReportRequest.model_validate(asked)

    def _fsp(self) -> Call:
        return a_call(FSP, now=NOW)


def subject_of(token: str) -> str:
    """Whose token it is."""
    return str(jwt.decode(token, options={"verify_signature": False})["sub"])


def openadr_subscription() -> SubscriptionRequest:
    """What happens to events, told at a callback."""
    callback = {"objects": ["EVENT"], "operations": ["CREATE"], "callback_url": "https://flex.example/openadr"}
    return SubscriptionRequest.model_validate({"client_name": "fsp-1", "object_operations": [callback]})


OPENADR_REPORT = {"eventID": "ins_1", "clientName": "fsp-1", "resources": []}
BID = {"window_id": "win_1", "capacity_mw": "1", "maximum_run_time": "PT1H", "utilisation_price": "100"}
BODIES: dict[str, Any] = {
    "answer_instruction": {"answer": "acknowledge"},
    "change_openadr_report": OPENADR_REPORT,
    "change_openadr_ven": {"venName": "fsp-1"},
    "change_openadr_resource": {"resourceName": "BAT-1", "venID": "ven_1"},
    "change_openadr_subscription": openadr_subscription().model_dump(mode="json"),
    "stop_instruction": {"reason": "no need"},
    "cancel_instruction": {"reason": "no need"},
    "report_delivery": {"report": "started"},
    "refuse_agreement": {"reason": "we invoice ourselves"},
    "end_agreement": {"reason": "sold"},
    "credit_invoice": {"reason": "wrong month"},
    "raise_dispute": {"reason": "our meter shows more"},
    "answer_dispute": {"words": "we see the same"},
    "escalate_dispute": {"words": "we do not agree"},
    "agree_dispute": {},
    "withdraw_dispute": {},
    "agree_settlement_lines": {"every_line": True},
    "record_payment": {"paid_on": "2026-05-12", "amount": "10.00"},
    "change_area": {"name": "South"},
    "update_asset": {"name": "Kettle"},
    "put_asset": {name: text for name, text in asset_cells("BAT-1").items() if name != "asset_ref"},
    "submit_ballot": {"bids": [BID]},
    "replace_ballot": {"bids": [BID]},
    "change_competition": {"name": "South"},
    "withdraw_competition": {"reason": "no need"},
    "take_area_versions": {"reason": "newer"},
    "add_document": {"title": "Terms", "url": "https://so.example/terms"},
    "withdraw_round": {"reason": "no need"},
    "record_decisions": {"decisions": [{"bid_id": "bid_1", "decision": "accepted"}]},
    "ask_proposal": {},
    "decide_from_proposal": {"replace": True},
    "record_round_decisions": {"decisions": [{"bid_id": "bid_1", "decision": "accepted"}]},
    "set_overrides": {"overrides": [{"asset_id": "ast_1", "effect": "qualify", "reason": "seen"}]},
    "put_entry": {"choice": "entered"},
    "change_person": {"roles": ["read"]},
    "verify_contact_route": {"code": "ABCD2345"},
    "change_contracting_entity": {"name": "Flex Ltd", "company_number": "01234567"},
    "change_machine_user": {"name": "readings"},
    "change_operator": {"profile": {"buys": "peaks"}},
    "verify_organisation": {"reason": "seen"},
    "change_scheme": {"name": "DPS"},
    "begin_application": {},
    "change_application": {"answers": {}},
    "withdraw_application": {},
    "decide_application": {"action": "approve"},
    "begin_application_file": {
        "section": "declaration",
        "question": "signed",
        "name": "proof.pdf",
        "content_type": "application/pdf",
        "size": 4,
    },
}
"""A body that each endpoint with an id in its path reads without a problem of shape."""


def secrets_of(market: SmallMarket) -> Mapping[str, str]:
    """Words that tell of FSP one's private things and may never reach FSP two."""
    of_operations = ("obligation_id", "instruction_id", "rule_id", "webhook_id", "delivery_id", "link_id")
    of_openadr = ("event_id", "ven_id", "resource_id", "ven_report_id", "subscription_id")
    of_invoices = ("invoice_id", "agreement_id")
    of_files = ("receipt_id", "job_id")
    names = ("asset_id", "ballot_id", "application_id", *of_files, *of_operations, *of_openadr, *of_invoices)
    return {name: market.things[name] for name in names} | {"organisation": FSP, "ref": '"BAT-'}


__all__ = ["BODIES", "FSP", "NOW", "OTHER_FSP", "Answer", "SmallMarket", "ask", "gateway", "secrets_of"]
