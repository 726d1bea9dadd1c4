"""Owns how often one client may ask: each client's pace in this process, and strict counts at the doors of secrets.

Two guards, both by the generic cell rate algorithm (ITU-T I.371, a token bucket that keeps one number):

- the pace of every client, in memory: each process lets a client through at `PACE`; a client spread over many
  processes gets that many times more, and API Gateway's own throttling bounds the whole;
- the doors where a secret may be guessed, a mail is sent or work is done for nobody in particular: counted in
  DynamoDB, hence over all processes, per source address and per account. Rows expire by themselves.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.edge import identity
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import TooMany
from chalicelib.storage import settings
from chalicelib.storage.clients import client

Account = Callable[[Call, Mapping[str, Any], Mapping[str, str]], "str | None"]
_MOST_CLIENTS = 20_000
_TURNS = 4
_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many times at once, and as many again over so many seconds."""

    times: int
    seconds: float

    def scaled(self, factor: float) -> Rate:
        return Rate(max(1, round(self.times * factor)), self.seconds)

    @property
    def step(self) -> float:
        """Milliseconds until one more is allowed."""
        return self.seconds * _SECOND / self.times

    @property
    def span(self) -> float:
        return self.seconds * _SECOND


@dataclass(frozen=True, slots=True)
class Door:
    """How often one source address, and one account, may come to an endpoint."""

    per_source: Rate
    per_account: Rate | None = None
    account: Account | None = None


def _email(call: Call, arguments: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    return str(arguments["body"].email).casefold()


def _registration(call: Call, arguments: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    return str(arguments["registration_id"])


def _invited(call: Call, arguments: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    return str(arguments["body"].person)


def _caller(call: Call, arguments: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    return call.actor.id


def _machine(call: Call, arguments: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    basic = identity.basic_credentials(headers)
    return basic[0] if basic else arguments["body"].client_id


PACE = Rate(1000, 10)
"""Of every client in one process: 1,000 requests at once, 100 a second lastingly."""

ANYBODY = Door(Rate(60, 60))
"""Of a public endpoint that does something and has no door of its own below."""

DOORS: dict[str, Door] = {
    "sign_in": Door(Rate(60, 60), Rate(20, 300), _email),
    "refresh_session": Door(Rate(120, 60)),
    "register": Door(Rate(60, 600), Rate(10, 3600), _email),
    "send_registration_code": Door(Rate(30, 600), Rate(5, 3600), _registration),
    "verify_registration": Door(Rate(60, 600), Rate(15, 3600), _registration),
    "accept_invitation": Door(Rate(60, 600), Rate(15, 3600), _invited),
    "ask_password_reset": Door(Rate(30, 600), Rate(5, 3600), _email),
    "confirm_password_reset": Door(Rate(60, 600), Rate(15, 3600), _email),
    "issue_token": Door(Rate(120, 60), Rate(60, 600), _machine),
    "issue_openadr_token": Door(Rate(120, 60), Rate(60, 600), _machine),
    "check_eligibility": Door(Rate(60, 60)),
    "invite_person_again": Door(Rate(120, 600), Rate(60, 3600), _caller),
    "send_contact_code": Door(Rate(120, 600), Rate(30, 3600), _caller),
    "verify_contact_route": Door(Rate(120, 600), Rate(30, 600), _caller),
    "confirm_authenticator": Door(Rate(120, 600), Rate(15, 600), _caller),
    "remove_authenticator": Door(Rate(120, 600), Rate(15, 600), _caller),
}
"""By name of endpoint. Generous to a person and to an office behind one address, hopeless for guessing."""


class _Paces:
    """When each client's bucket will be full again (milliseconds), of the clients seen last."""

    def __init__(self) -> None:
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, who: str, now: float, rate: Rate) -> float:
        with self._lock:
            full_at, wait = _moved(self._full_at.pop(who, 0), now, rate)
            self._full_at[who] = full_at
            if len(self._full_at) > _MOST_CLIENTS:
                self._full_at.popitem(last=False)
        return wait

    def forget(self) -> None:
        self._full_at.clear()


_paces = _Paces()


def forget_paces() -> None:
    """Every client's bucket is full again."""
    _paces.forget()


def check_pace(call: Call, source: str) -> None:
    """`TooMany` for a client (who is signed in, or else an address) that asks faster than `PACE`."""
    factor = settings.rate_limits()
    if factor is None:
        return
    who = f"source#{_network(source)}" if call.actor.organisation is None else call.actor.id
    _refuse(_paces.wait(who, _milliseconds(call), PACE.scaled(factor)))


def door_of(name: str, is_public: bool, writes: bool) -> Door | None:
    """The door of an endpoint: its own, or the one of everything public that does something."""
    return DOORS.get(name, ANYBODY if is_public and writes else None)


def check_door(
    name: str, door: Door, call: Call, source: str, arguments: Mapping[str, Any], headers: Mapping[str, str]
) -> None:
    """`TooMany` when a source address or an account came to a door too often; `arguments` are the endpoint's."""
    factor = settings.rate_limits()
    if factor is None:
        return
    now = _milliseconds(call)
    _refuse(_counted(f"{name}#source#{_network(source)}", now, door.per_source.scaled(factor)))
    account = door.account(call, arguments, headers) if door.account else None
    if account and door.per_account:
        _refuse(_counted(f"{name}#account#{account}", now, door.per_account.scaled(factor)))


def _refuse(wait: float) -> None:
    if wait > 0:
        seconds = math.ceil(wait / _SECOND)
        raise TooMany("limits.exceeded", f"That was too often: try again in {seconds} s.", retry_after=seconds)


def _moved(full_at: float, now: float, rate: Rate) -> tuple[float, float]:
    """When the bucket is full after one more, and 0; or as before, and the milliseconds to wait."""
    later = max(full_at, now) + rate.step
    wait = later - now - rate.span
    # A thousandth of a millisecond is rounding, not waiting.
    return (later, 0.0) if wait <= 0.001 else (full_at, wait)


def _counted(place: str, now: float, rate: Rate) -> float:
    """As `_Paces.wait`, for a bucket all processes share: compare and set, and again when another came between."""
    known = 0
    for _ in range(_TURNS):
        later, wait = _moved(known, now, rate)
        if wait > 0:
            return wait
        found = _set(place, math.ceil(later), known, now)
        if found is None:
            return 0.0
        known = found
    return float(_SECOND)  # so many at once from one client are too many


def _set(place: str, later: int, known: int, now: float) -> int | None:
    """Set when a bucket is full if it still is what we know (0: full by now); else what it is instead."""
    digest = hashlib.sha256(place.encode("utf-8", "replace")).hexdigest()  # addresses are not kept
    values = {":later": _number(later), ":expires": _number(later // _SECOND + 60), ":known": _number(known)}
    condition = "full_at = :known"
    if not known:
        condition, values = "attribute_not_exists(pk) OR full_at <= :now", values | {":now": _number(int(now))}
        del values[":known"]
    try:
        client("dynamodb").update_item(
            TableName=settings.table_name("claims"),
            Key={"pk": {"S": f"limit#{digest}"}, "sk": {"S": "-"}},
            UpdateExpression="SET full_at = :later, expires_at = :expires",
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        item = error.response.get("Item")
        return int(item["full_at"]["N"]) if item else 0
    return None


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _milliseconds(call: Call) -> float:
    return call.now.timestamp() * _SECOND


def _network(source: str) -> str:
    """An address as one client has it: IPv4 whole, of IPv6 the network of 64 bits that a home or office is given."""
    try:
        address = ip_address(source)
    except ValueError:
        return source
    return str(int(address) >> 64) if isinstance(address, IPv6Address) else str(address)
