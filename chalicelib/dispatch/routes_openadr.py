"""Endpoints of the OpenADR 3.1 VTN for providers' own software; the base URL is `/v1/openadr3/3.1.0`."""

from __future__ import annotations

from typing import Any, NoReturn

from chalicelib.dispatch import actions_openadr as actions
from chalicelib.dispatch import actions_openadr_reports as reports
from chalicelib.dispatch import actions_openadr_subscriptions as subscriptions
from chalicelib.dispatch import actions_openadr_vens as vens
from chalicelib.dispatch.openadr_models import (
    PATH,
    AuthServer,
    Event,
    Listed,
    Notifiers,
    Program,
    ReachedList,
    Report,
    ReportRequest,
    Resource,
    ResourceRequest,
    Subscription,
    SubscriptionRequest,
    Subscriptions,
    Ven,
    VenRequest,
)
from chalicelib.dispatch.openadr_queries import (
    EventQuery,
    ProgramQuery,
    ReportQuery,
    ResourceQuery,
    SubscriptionQuery,
    VenQuery,
)
from chalicelib.edge import identity
from chalicelib.edge.address import own_address
from chalicelib.edge.web import PUBLIC, Routes, either, fsp, so
from chalicelib.kernel.call import Call
from chalicelib.registry import actions_sessions
from chalicelib.registry.requests import TokenRequest, TokenView
from chalicelib.registry.routes_joining import machine_token

routes = Routes(__name__)
_FORM = ("application/x-www-form-urlencoded", "application/json")
_READS: dict[str, Any] = {"who": fsp("read"), "invalid_status": 400}
_WRITES: dict[str, Any] = {"who": fsp("dispatch"), "invalid_status": 400}


@routes.get(f"{PATH}/auth/server", returns=AuthServer, who=PUBLIC)
def get_openadr_auth_server(call: Call) -> AuthServer:
    """Where an OpenADR client gets its token."""
    return AuthServer(token_url=f"{own_address(routes.current_request)}/v1{PATH}/auth/token")


@routes.post(
    f"{PATH}/auth/token", body=TokenRequest, returns=TokenView, who=PUBLIC, content_types=_FORM, invalid_status=400
)
def issue_openadr_token(call: Call, body: TokenRequest) -> TokenView:
    """A one-hour token for a machine user: OAuth 2.0 client credentials, as `/v1/token` gives it."""
    basic = identity.basic_credentials(routes.current_request.headers)
    machine = actions_sessions.authenticate_machine(call, *(basic or (body.client_id, body.client_secret)))
    return TokenView(access_token=machine_token(machine), expires_in=identity.TOKEN_SECONDS)


@routes.get(f"{PATH}/notifiers", returns=Notifiers, **_READS)
def list_openadr_notifiers(call: Call) -> Notifiers:
    """By which ways a client can be notified: webhooks."""
    return Notifiers()


@routes.get(f"{PATH}/programs", query=ProgramQuery, returns=Listed[Program], **_READS)
def list_openadr_programs(call: Call, query: ProgramQuery) -> Listed[Program]:
    """The caller's obligations in force as OpenADR programs."""
    return actions.list_programs(call, query)


@routes.get(f"{PATH}/programs/{{program_id}}", returns=Program, **_READS)
def get_openadr_program(call: Call, program_id: str) -> Program:
    """One obligation as a program."""
    return actions.get_program(call, program_id)


@routes.post(f"{PATH}/programs", returns=Program, status=201, **_WRITES)
def add_openadr_program(call: Call) -> NoReturn:
    """Always 403: contracts make programs."""
    actions.refuse_writing(call)


@routes.put(f"{PATH}/programs/{{program_id}}", returns=Program, **_WRITES)
def change_openadr_program(call: Call, program_id: str) -> NoReturn:
    """Always 403, once the program is the caller's: contracts make programs."""
    actions.get_program(call, program_id)
    actions.refuse_writing(call)


@routes.delete(f"{PATH}/programs/{{program_id}}", returns=Program, **_WRITES)
def remove_openadr_program(call: Call, program_id: str) -> NoReturn:
    """Always 403, once the program is the caller's: contracts make programs."""
    actions.get_program(call, program_id)
    actions.refuse_writing(call)


@routes.get(f"{PATH}/events", query=EventQuery, returns=Listed[Event], **_READS)
def list_openadr_events(call: Call, query: EventQuery) -> Listed[Event]:
    """The caller's instructions as OpenADR events, by start; reading them logs that they arrived."""
    return actions.list_events(call, query)


@routes.get(f"{PATH}/events/{{event_id}}", returns=Event, **_READS)
def get_openadr_event(call: Call, event_id: str) -> Event:
    """One instruction as an event."""
    return actions.get_event(call, event_id)


@routes.post(f"{PATH}/events", returns=Event, status=201, **_WRITES)
def add_openadr_event(call: Call) -> NoReturn:
    """Always 403: operators instruct."""
    actions.refuse_writing(call)


@routes.put(f"{PATH}/events/{{event_id}}", returns=Event, **_WRITES)
def change_openadr_event(call: Call, event_id: str) -> NoReturn:
    """Always 403, once the event is the caller's: operators instruct."""
    actions.find_event(call, event_id)
    actions.refuse_writing(call)


@routes.delete(f"{PATH}/events/{{event_id}}", returns=Event, **_WRITES)
def remove_openadr_event(call: Call, event_id: str) -> NoReturn:
    """Always 403, once the event is the caller's: operators instruct."""
    actions.find_event(call, event_id)
    actions.refuse_writing(call)


@routes.get(f"{PATH}/reports", query=ReportQuery, returns=Listed[Report], **_READS)
def list_openadr_reports(call: Call, query: ReportQuery) -> Listed[Report]:
    """The calling client's reports."""
    return reports.list_reports(call, query)


@routes.post(f"{PATH}/reports", body=ReportRequest, returns=Report, status=201, replay=reports.get_report, **_WRITES)
def add_openadr_report(call: Call, body: ReportRequest) -> Report:
    """Answer an instruction, say how delivery goes, or report what was measured."""
    return reports.add_report(call, body)


@routes.get(f"{PATH}/reports/{{ven_report_id}}", returns=Report, **_READS)
def get_openadr_report(call: Call, ven_report_id: str) -> Report:
    """One of the calling client's reports."""
    return reports.get_report(call, ven_report_id)


@routes.put(f"{PATH}/reports/{{ven_report_id}}", body=ReportRequest, returns=Report, **_WRITES)
def change_openadr_report(call: Call, ven_report_id: str, body: ReportRequest) -> Report:
    """Put a report in the place of another."""
    return reports.change_report(call, ven_report_id, body)


@routes.delete(f"{PATH}/reports/{{ven_report_id}}", returns=Report, **_WRITES)
def remove_openadr_report(call: Call, ven_report_id: str) -> Report:
    """Take a report off the list; what it answered stands."""
    return reports.remove_report(call, ven_report_id)


@routes.get(f"{PATH}/vens", query=VenQuery, returns=Listed[Ven], **_READS)
def list_openadr_vens(call: Call, query: VenQuery) -> Listed[Ven]:
    """The calling client's VEN."""
    return vens.list_vens(call, query)


@routes.post(f"{PATH}/vens", body=VenRequest, returns=Ven, status=201, replay=vens.get_ven, **_WRITES)
def add_openadr_ven(call: Call, body: VenRequest) -> Ven:
    """Register the calling client as a VEN, once."""
    return vens.add_ven(call, body)


@routes.get(f"{PATH}/vens/{{ven_id}}", returns=Ven, **_READS)
def get_openadr_ven(call: Call, ven_id: str) -> Ven:
    """The calling client's VEN."""
    return vens.get_ven(call, ven_id)


@routes.put(f"{PATH}/vens/{{ven_id}}", body=VenRequest, returns=Ven, **_WRITES)
def change_openadr_ven(call: Call, ven_id: str, body: VenRequest) -> Ven:
    """Name or describe the VEN anew."""
    return vens.change_ven(call, ven_id, body)


@routes.delete(f"{PATH}/vens/{{ven_id}}", returns=Ven, **_WRITES)
def remove_openadr_ven(call: Call, ven_id: str) -> Ven:
    """Forget the VEN."""
    return vens.remove_ven(call, ven_id)


@routes.get(f"{PATH}/resources", query=ResourceQuery, returns=Listed[Resource], **_READS)
def list_openadr_resources(call: Call, query: ResourceQuery) -> Listed[Resource]:
    """The assets under the calling client's VEN."""
    return vens.list_resources(call, query)


@routes.post(
    f"{PATH}/resources", body=ResourceRequest, returns=Resource, status=201, replay=vens.get_resource, **_WRITES
)
def add_openadr_resource(call: Call, body: ResourceRequest) -> Resource:
    """Put an asset, by its reference, under the VEN."""
    return vens.add_resource(call, body)


@routes.get(f"{PATH}/resources/{{resource_id}}", returns=Resource, **_READS)
def get_openadr_resource(call: Call, resource_id: str) -> Resource:
    """One asset under the calling client's VEN."""
    return vens.get_resource(call, resource_id)


@routes.put(f"{PATH}/resources/{{resource_id}}", body=ResourceRequest, returns=Resource, **_WRITES)
def change_openadr_resource(call: Call, resource_id: str, body: ResourceRequest) -> Resource:
    """Describe an asset under the VEN anew."""
    return vens.change_resource(call, resource_id, body)


@routes.delete(f"{PATH}/resources/{{resource_id}}", returns=Resource, **_WRITES)
def remove_openadr_resource(call: Call, resource_id: str) -> Resource:
    """Take an asset from under the VEN."""
    return vens.remove_resource(call, resource_id)


@routes.get(f"{PATH}/subscriptions", query=SubscriptionQuery, returns=Subscriptions, **_READS)
def list_openadr_subscriptions(call: Call, query: SubscriptionQuery) -> Subscriptions:
    """The calling client's subscriptions."""
    return subscriptions.list_subscriptions(call, query)


@routes.post(
    f"{PATH}/subscriptions",
    body=SubscriptionRequest,
    returns=Subscription,
    status=201,
    replay=subscriptions.get_subscription,
    **_WRITES,
)
def add_openadr_subscription(call: Call, body: SubscriptionRequest) -> Subscription:
    """Be told at a callback of what happens to objects."""
    return subscriptions.add_subscription(call, body)


@routes.get(f"{PATH}/subscriptions/{{subscription_id}}", returns=Subscription, **_READS)
def get_openadr_subscription(call: Call, subscription_id: str) -> Subscription:
    """One of the calling client's subscriptions."""
    return subscriptions.get_subscription(call, subscription_id)


@routes.put(f"{PATH}/subscriptions/{{subscription_id}}", body=SubscriptionRequest, returns=Subscription, **_WRITES)
def change_openadr_subscription(call: Call, subscription_id: str, body: SubscriptionRequest) -> Subscription:
    """Be told of other things, or elsewhere."""
    return subscriptions.change_subscription(call, subscription_id, body)


@routes.delete(f"{PATH}/subscriptions/{{subscription_id}}", returns=Subscription, **_WRITES)
def remove_openadr_subscription(call: Call, subscription_id: str) -> Subscription:
    """Be told no more."""
    return subscriptions.remove_subscription(call, subscription_id)


@routes.get("/instructions/{instruction_id}/openadr-log", returns=ReachedList, who=either(fsp("read"), so("read")))
def list_openadr_log(call: Call, instruction_id: str) -> ReachedList:
    """Which OpenADR clients have fetched an instruction, and when each first did."""
    return actions.list_reached(call, instruction_id)
