"""Owns the shapes OpenADR 3.1 sends over the wire, by its names: programs, events, reports, vens, subscriptions.

Spellings of others are read leniently (case, verbs for operations, fields nobody asked for) and written as the
standard has them. Optional members that are not set are left out, as OpenADR 3.1 allows (Definition, "Required and
optional properties").
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    RootModel,
    StrictBool,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from chalicelib.kernel.models import Instant, Value

PATH = "/openadr3/3.1.0"
SETPOINT = "DISPATCH_SETPOINT"
OPT_IN, OPT_OUT = "OPT_IN", "OPT_OUT"
MEGAWATT = "MW"
MOST_RESOURCES, MOST_INTERVALS, MOST_VALUES = 500, 2_000, 100
_AS_SENT = {"by_alias": True, "exclude_none": True}
ObjectType = Literal["PROGRAM", "EVENT", "REPORT", "SUBSCRIPTION", "VEN", "RESOURCE"]
Operation = Literal["CREATE", "READ", "UPDATE", "DELETE"]
VERBS: dict[str, Operation] = {"POST": "CREATE", "GET": "READ", "PUT": "UPDATE", "DELETE": "DELETE"}
"""OpenADR 3.0 named operations by HTTP verbs, and clients of 3.1 still do; 3.1 names them by what is done."""

T = TypeVar("T")


class Wire(BaseModel):
    """A value of the standard: camel case, unknown members ignored, unset ones left out."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, alias_generator=to_camel)

    def model_dump_json(self, **how: Any) -> str:
        return super().model_dump_json(**{**_AS_SENT, **how})

    def model_dump(self, **how: Any) -> dict[str, Any]:
        return super().model_dump(**{**_AS_SENT, **how})


class Listed(RootModel[list[T]], Generic[T]):
    """A page of the standard: a bare array; the reader counts on with `skip`."""

    model_config = ConfigDict(frozen=True)

    def model_dump_json(self, **how: Any) -> str:
        return super().model_dump_json(**{**_AS_SENT, **how})

    def model_dump(self, **how: Any) -> Any:
        return super().model_dump(**{**_AS_SENT, **how})


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _readable(value: Decimal) -> Decimal:
    if abs(value) >= Decimal(10) ** 15:
        raise ValueError("too large: fewer than 16 digits before the point")
    return value


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


Name = Annotated[str, Field(min_length=1, max_length=128)]
Words = Annotated[str, Field(max_length=1000)]
Figure = Annotated[
    Decimal, AfterValidator(_readable), PlainSerializer(_number, when_used="json"), WithJsonSchema({"type": "number"})
]
"""A number of the standard: exact inside, a JSON number outside."""


class Point(Wire):
    """A pair of numbers."""

    x: Figure
    y: Figure


Datum = Annotated[StrictBool | Words | Figure | Point | None, Field(union_mode="left_to_right")]
"""A value as it came: text that looks like a number stays text."""


class ValuesMap(Wire):
    """Values of one type, by the standard's name or a private one."""

    type: Name
    values: tuple[Datum, ...] = Field(max_length=MOST_VALUES)


class IntervalPeriod(Wire):
    """When something starts and how long it lasts (ISO 8601)."""

    start: str = Field(max_length=64)
    duration: str | None = Field(default=None, max_length=64)
    randomize_start: str | None = Field(default=None, max_length=64)


class Interval(Wire):
    """A stretch of time and its payloads."""

    id: int = Field(default=0, ge=0, le=2**31)
    interval_period: IntervalPeriod | None = None
    payloads: tuple[ValuesMap, ...] = Field(max_length=MOST_VALUES)


class PayloadDescriptor(Wire):
    """What the values of a payload type mean: their units above all."""

    object_type: str | None = Field(default=None, max_length=128)
    payload_type: Name
    units: str | None = Field(default=None, max_length=128)
    currency: str | None = Field(default=None, max_length=128)
    reading_type: str | None = Field(default=None, max_length=128)


class ReportDescriptor(Wire):
    """A report that an event asks for."""

    payload_type: Name
    units: str | None = None
    start_interval: int = 0
    num_intervals: int = 1
    historical: bool = False
    frequency: int = 1
    repeat: int = 1


class _Kept(Wire):
    id: str
    created_date_time: Instant
    modification_date_time: Instant


class Program(_Kept):
    """An obligation of the calling provider: what it may be instructed under."""

    object_type: Literal["PROGRAM"] = "PROGRAM"
    program_name: Name
    interval_period: IntervalPeriod
    payload_descriptors: tuple[PayloadDescriptor, ...]
    attributes: tuple[ValuesMap, ...]
    targets: tuple[str, ...] | None = None


class Event(_Kept):
    """A dispatch instruction to the calling provider."""

    object_type: Literal["EVENT"] = "EVENT"
    program_id: str = Field(alias="programID")
    event_name: str
    priority: int
    duration: str | None = None
    targets: tuple[str, ...] | None = None
    report_descriptors: tuple[ReportDescriptor, ...] | None = None
    payload_descriptors: tuple[PayloadDescriptor, ...]
    interval_period: IntervalPeriod
    intervals: tuple[Interval, ...]


class ReportResource(Wire):
    """What a report says of one resource, or of all together."""

    resource_name: Name
    interval_period: IntervalPeriod | None = None
    intervals: tuple[Interval, ...] = Field(max_length=MOST_INTERVALS)


class ReportRequest(Wire):
    """A report on an event: an answer, how delivery goes, or what was measured."""

    event_id: Name = Field(alias="eventID")
    client_name: Name
    report_name: str | None = Field(default=None, max_length=500)
    payload_descriptors: tuple[PayloadDescriptor, ...] | None = Field(default=None, max_length=MOST_VALUES)
    resources: tuple[ReportResource, ...] = Field(max_length=MOST_RESOURCES)


class Report(_Kept, ReportRequest):
    """A report as it was taken."""

    object_type: Literal["REPORT"] = "REPORT"
    client_id: str = Field(alias="clientID")


class VenRequest(Wire):
    """How a client calls itself. Targets are the market's to grant and are not read from it."""

    object_type: str | None = Field(default=None, max_length=128)
    ven_name: Name
    attributes: tuple[ValuesMap, ...] | None = Field(default=None, max_length=MOST_VALUES)


class Ven(_Kept, VenRequest):
    """A client of the market."""

    object_type: Literal["VEN"] = "VEN"
    client_id: str = Field(alias="clientID")
    targets: tuple[str, ...] | None = None


class ResourceRequest(Wire):
    """An asset under the client's control, named by its reference in the register."""

    object_type: str | None = Field(default=None, max_length=128)
    resource_name: Name
    ven_id: Name = Field(alias="venID")
    attributes: tuple[ValuesMap, ...] | None = Field(default=None, max_length=MOST_VALUES)


class Resource(_Kept, ResourceRequest):
    """An asset under a client's control; its targets are the obligations it stands behind."""

    object_type: Literal["RESOURCE"] = "RESOURCE"
    client_id: str = Field(alias="clientID")
    targets: tuple[str, ...] | None = None


class ObjectOperation(Wire):
    """What to tell of, and where. The token, where there is one, is sent along as `Authorization: Bearer`."""

    objects: tuple[Annotated[ObjectType, BeforeValidator(_upper)], ...] = Field(min_length=1, max_length=12)
    operations: tuple[
        Annotated[Literal["CREATE", "READ", "UPDATE", "DELETE", "GET", "POST", "PUT"], BeforeValidator(_upper)], ...
    ] = Field(min_length=1, max_length=12)
    callback_url: str = Field(min_length=1, max_length=2000)
    bearer_token: str | None = Field(default=None, max_length=4000, pattern=r"^[\x21-\x7e]*$")

    def wants(self, kind: ObjectType, operation: Operation) -> bool:
        return kind in self.objects and operation in {VERBS.get(each, each) for each in self.operations}


class SubscriptionRequest(Wire):
    """What a client wants to be told of, of one program or all."""

    client_name: Name
    program_id: Name | None = Field(default=None, alias="programID")
    object_operations: tuple[ObjectOperation, ...] = Field(min_length=1, max_length=5)
    targets: tuple[Annotated[str, Field(max_length=200)], ...] | None = Field(default=None, max_length=MOST_VALUES)


class Subscription(_Kept, SubscriptionRequest):
    """A subscription as it stands; members that are not set are told as null, since clients look for them."""

    object_type: Literal["SUBSCRIPTION"] = "SUBSCRIPTION"
    client_id: str = Field(alias="clientID")

    def model_dump_json(self, **how: Any) -> str:
        return super().model_dump_json(**{"exclude_none": False, **how})

    def model_dump(self, **how: Any) -> dict[str, Any]:
        return super().model_dump(**{"exclude_none": False, **how})


class Subscriptions(Listed[Subscription]):
    """A page of subscriptions, each told whole."""

    def model_dump_json(self, **how: Any) -> str:
        return super().model_dump_json(**{"exclude_none": False, **how})

    def model_dump(self, **how: Any) -> Any:
        return super().model_dump(**{"exclude_none": False, **how})


class AuthServer(Wire):
    """Where a client gets its token."""

    token_url: str = Field(alias="tokenURL")


class Notifiers(Wire):
    """By which ways this market notifies: webhooks alone."""

    webhook: Literal[True] = Field(default=True, alias="WEBHOOK")


class OpenadrClient(Value):
    """A client that has a VEN or has fetched an instruction, and when one last reached it."""

    id: str
    ven_name: str | None = None
    last_fetched_at: Instant | None = None


class Reached(Value):
    """That an instruction reached a provider's client on a channel, and when it first did."""

    channel: Literal["openadr"] = "openadr"
    client_id: str
    at: Instant


class ReachedList(Value):
    """Whom an instruction has reached, first come first."""

    items: tuple[Reached, ...]
