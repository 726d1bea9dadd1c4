"""Claims about the OpenADR VTN as others see it: a client of another house, over real HTTP, from token to answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import waitress
from moto import mock_aws
from openadr3.api import OpenADRClient

from chalicelib.dispatch.actions_reads import get_instruction
from chalicelib.dispatch.actions_testing import send_test
from chalicelib.dispatch.openadr_models import PATH
from chalicelib.dispatch.requests import TestInstructionRequest
from chalicelib.registry import actions_organisations as organisations
from chalicelib.registry.requests import MachineUserRequest
from chalicelib.storage import keys
from chalicelib.storage.clients import forget_clients
from tests.builders.calls import a_call
from tests.builders.small_market import FSP, NOW, OTHER_FSP, SmallMarket, ask, gateway
from tests.tables import create_state


@dataclass
class Vtn:
    """The small market, listening."""

    market: SmallMarket
    url: str

    def client(self, organisation: str = FSP, roles: frozenset[str] = frozenset({"dispatch"})) -> OpenADRClient:
        """A client of a new machine user, signed in by its id and secret as found through the VTN's own discovery."""
        call = a_call(organisation, now=NOW)
        machine = organisations.add_machine_user(call, MachineUserRequest(name="ven", roles=roles))
        secret = organisations.draw_secret(call, machine.id)
        made = OpenADRClient(self.url)
        made.fetch_token(secret.client_id, secret.client_secret)
        return made

    def instruct(self, token: str) -> str:
        """A test instruction that waits for its answer; its id."""
        asked = TestInstructionRequest(obligation_id=self.market.things["obligation_id"], client_token=token)
        return send_test(a_call(FSP, now=NOW), asked).id


@pytest.fixture(scope="module")
def vtn() -> Iterator[Vtn]:
    with mock_aws():
        forget_clients()
        create_state()
        market = SmallMarket()
        server = waitress.create_server(gateway(), host="127.0.0.1", port=0)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield Vtn(market, f"http://127.0.0.1:{server.effective_port}/v1{PATH}")
        server.close()
    forget_clients()
    keys.forget_keys()


def opt_in(event: str, *values: Any) -> dict[str, Any]:
    interval = {"id": 0, "payloads": [{"type": "OPT_IN", "values": list(values or (True,))}]}
    resource = {"resourceName": "AGGREGATED_REPORT", "intervals": [interval]}
    return {"eventID": event, "clientName": "hems", "resources": [resource]}


def test_a_client_walks_from_its_token_to_an_acknowledged_instruction(vtn: Vtn) -> None:
    wanted = vtn.instruct("walk")
    with vtn.client() as ven:
        [program] = ven.programs()
        assert program.payload_descriptors[0].units == "MW"
        [event] = [each for each in ven.events(programID=program.id) if each.id == wanted]
        assert event.interval_period.start.isoformat() > NOW
        report = ven.create_report(opt_in(wanted))
        assert report.status_code == 201
        assert [each.id for each in ven.reports(eventID=wanted)] == [report.json()["id"]]
        assert ven.event(wanted).report_descriptors is None
    standing = get_instruction(a_call(FSP, now=NOW), wanted)
    assert standing.state == "acknowledged"
    log = ask("GET", f"/instructions/{wanted}/openadr-log", vtn.market.token("so")).json["items"]
    assert [each["client_id"] for each in log] == [standing.moves[-1].by]


def test_a_client_registers_itself_its_assets_and_what_it_wants_to_be_told(vtn: Vtn) -> None:
    with vtn.client() as ven:
        made = ven.create_ven({"objectType": "VEN_VEN_REQUEST", "venName": "hems"})
        assert made.status_code == 201
        found = ven.find_ven_by_name("hems")
        assert found is not None
        asked = {"objectType": "VEN_RESOURCE_REQUEST", "resourceName": "BAT-1", "venID": found.id}
        assert ven.create_resource(asked).status_code == 201
        [resource] = ven.resources(venID=found.id)
        assert resource.targets == [vtn.market.things["obligation_id"]]
        callback = {"objects": ["EVENT"], "operations": ["CREATE"], "callbackUrl": "https://flex.example/ven"}
        made = ven.create_subscription({"clientName": "hems", "objectOperations": [callback]})
        assert made.status_code == 201
        [subscription] = ven.subscriptions()
        assert subscription.id == made.json()["id"]
        assert ven.delete_subscription(subscription.id).json()["id"] == subscription.id
        assert ven.subscriptions() == []
        assert ven.get_notifiers().json() == {"WEBHOOK": True}


def test_a_client_of_another_provider_reads_nothing_of_ours(vtn: Vtn) -> None:
    wanted = vtn.instruct("private")
    with vtn.client() as ven, vtn.client(OTHER_FSP) as stranger:
        report = ven.create_report(opt_in(wanted)).json()["id"]
        [program] = ven.programs()
        assert stranger.programs() == stranger.events() == stranger.reports() == []
        assert stranger.get_program_by_id(program.id).status_code == 404
        assert stranger.get_event_by_id(wanted).status_code == 404
        assert stranger.get_report_by_id(report).status_code == 404
        assert stranger.create_report(opt_in(wanted)).status_code == 400


def test_programs_and_events_are_read_only_and_a_reader_may_not_answer(vtn: Vtn) -> None:
    wanted = vtn.instruct("read-only")
    with vtn.client() as ven:
        [program] = ven.programs()
        answers = [ven.create_program({}), ven.update_program(program.id, {}), ven.delete_program(program.id)]
        answers += [ven.create_event({}), ven.update_event(wanted, {}), ven.delete_event(wanted)]
        assert {(each.status_code, each.json()["code"]) for each in answers} == {(403, "openadr.read_only")}
    with vtn.client(roles=frozenset({"read"})) as reader:
        assert reader.create_report(opt_in(wanted)).status_code == 403
        assert [each.id for each in reader.events(limit=500) if each.id == wanted] == [wanted]


def test_nobody_without_a_token_and_no_operator_gets_in(vtn: Vtn) -> None:
    with OpenADRClient(vtn.url) as nobody:
        assert nobody.get_programs().status_code == 401
    with OpenADRClient(vtn.url, token=vtn.market.token("so")) as operator:
        assert operator.get_events().status_code == 403


def test_what_is_wrong_is_told_as_a_problem_with_status_400(vtn: Vtn) -> None:
    with vtn.client() as ven:
        answers = [
            ven.create_report({}),
            ven.get_events(limit="many"),
            ven.create_report(opt_in("ins_none")),
            ven.create_subscription({"clientName": "c", "objectOperations": []}),
        ]
        for answer in answers:
            problem = answer.json()
            assert (answer.status_code, problem["status"]) == (400, 400)
            assert problem["title"]
            assert problem["detail"]


def test_targets_may_be_given_more_than_once(vtn: Vtn) -> None:
    wanted = vtn.instruct("targets")
    with vtn.client() as ven:
        both = [vtn.market.things["obligation_id"], "NORTH-1"]
        found = [each for each in ven.events(targets=both, limit=500) if each.id == wanted]
        assert sorted(found[0].targets) == sorted(both)
        assert ven.events(targets=[*both, "SOUTH-1"]) == []


def test_the_answer_is_slimmed_when_asked(vtn: Vtn) -> None:
    vtn.instruct("slim")
    with vtn.client() as ven:
        assert all(set(each) == {"id"} for each in ven.get_events(fields="id").json())


def test_a_wrong_secret_gets_no_token(vtn: Vtn) -> None:
    body = b"grant_type=client_credentials&client_id=mac_1&client_secret=wrong"
    form = "application/x-www-form-urlencoded"
    assert ask("POST", f"{PATH}/auth/token", None, body, Content_Type=form).status == 401
    assert ask("POST", f"{PATH}/auth/token", None, b"grant_type=password", Content_Type=form).status == 400
