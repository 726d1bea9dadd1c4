"""Builds calls: who asks and when, with ids in order, so that a test reads the same each time."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from chalicelib.kernel.call import ROLES, Actor, Call, Idempotency

NOON = "2026-04-01T09:00:00Z"
_numbers = count(1)


def a_call(
    organisation: str | None = "org_fsp1",
    kind: str = "fsp",
    roles: frozenset[str] | set[str] = ROLES,
    now: str = NOON,
    actor: str = "per_1",
    idempotency: Idempotency | None = None,
) -> Call:
    """A person's call; `now` is an ISO instant. Ids count up over the whole test run, so two calls never share one."""
    who = Actor("person", actor, organisation, kind, frozenset(roles))  # type: ignore[arg-type]
    return Call(who, datetime.fromisoformat(now), _new_id, f"req_{next(_numbers)}", idempotency)


def a_system_call(now: str = NOON) -> Call:
    return a_call(now=now).as_system()


def _new_id(prefix: str) -> str:
    return f"{prefix}_{next(_numbers):012d}"
