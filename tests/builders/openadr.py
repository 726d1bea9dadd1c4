"""Builds what OpenADR clients send: reports with payloads, and subscriptions to callbacks."""

from __future__ import annotations

from typing import Any

from chalicelib.dispatch.openadr_models import ReportRequest, SubscriptionRequest

Payload = tuple[str, list[Any]]


def a_report(*payloads: Payload, event: str = "ins_1", units: dict[str, str] | None = None) -> ReportRequest:
    """A report of one resource over one interval."""
    return a_report_of([list(payloads)], event, units)


def a_report_of(
    resources: list[list[Payload]], event: str = "ins_1", units: dict[str, str] | None = None
) -> ReportRequest:
    """A report of several resources, each with its payloads over one interval."""
    described = [{"payloadType": kind, "units": unit} for kind, unit in (units or {}).items()]
    return ReportRequest.model_validate(
        {
            "eventID": event,
            "clientName": "hems",
            "payloadDescriptors": described or None,
            "resources": [
                {"resourceName": f"BAT-{number}", "intervals": [{"payloads": [_payload(each) for each in payloads]}]}
                for number, payloads in enumerate(resources)
            ],
        }
    )


def a_subscription(url: str, *operations: str, objects: tuple[str, ...] = ("EVENT",), **more: Any) -> Any:
    """A subscription of one callback; every change unless operations are named."""
    callback = {"objects": objects, "operations": operations or ("CREATE", "UPDATE", "DELETE"), "callbackUrl": url}
    token = more.pop("token", None)
    asked = {"clientName": "hems", "objectOperations": [callback | {"bearerToken": token}]}
    return SubscriptionRequest.model_validate(asked | more)


def _payload(payload: Payload) -> dict[str, Any]:
    return {"type": payload[0], "values": payload[1]}
