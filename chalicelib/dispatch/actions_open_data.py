"""Tells the public of dispatch, operator by operator, each after the delay it sets."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.contracts import actions_operations as contracts
from chalicelib.contracts.models import Obligation
from chalicelib.dispatch import store
from chalicelib.dispatch.actions_rules import terms_of
from chalicelib.dispatch.lifecycle import caught_up
from chalicelib.dispatch.models import Instruction
from chalicelib.dispatch.open_data import PublicDispatch, is_public, public_dispatch
from chalicelib.dispatch.requests import PublicDispatchQuery
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, Problem
from chalicelib.kernel.models import Page
from chalicelib.registry import actions as registry

_YEAR = timedelta(days=366)
_BETWEEN = "|"


def list_public_dispatches(call: Call, query: PublicDispatchQuery) -> Page[PublicDispatch]:
    """Instructions that ran, by operator and start; a page is one operator's and may hold fewer than asked for.

    Without `after` and `until`, those that started within the last year.
    """
    operators = [query.so] if query.so else sorted(each.id for each in registry.list_organisations("so"))
    so, inner = _place(query.cursor, operators)
    if so is None:
        return Page(items=[])
    after, until = query.after or call.now - _YEAR, query.until or call.now
    page = store.list_instructions("so", so, after, until, limit=query.limit, cursor=inner)
    return Page(items=_shown(call, so, page.items), next=_following(so, page.next, operators))


def _shown(call: Call, so: str, instructions: list[Instruction]) -> list[PublicDispatch]:
    found = [caught_up(each, call.now) for each in instructions]
    obligations = contracts.load_obligations(each.obligation_id for each in found)
    rules = store.list_rules(so)
    public = [
        each
        for each in found
        if (obligation := obligations.get(each.obligation_id)) is not None
        and is_public(each, terms_of(obligation, each.start, rules), call.now)
    ]
    names = _names(so, public)
    return [public_dispatch(each, names, _product(obligations[each.obligation_id])) for each in public]


def _product(obligation: Obligation) -> tuple[str, str]:
    return obligation.product_type, obligation.need_direction


def _names(so: str, instructions: list[Instruction]) -> dict[str, str]:
    """The operator's name, and its providers' where its policy lets the public see them."""
    if not instructions:
        return {}
    named = registry.get_operator(so).publication_policy.provider_names
    wanted = {so} | ({each.fsp for each in instructions} if named else set())
    return {id_: each.name for id_, each in registry.get_organisations(sorted(wanted)).items()}


def _place(cursor: str | None, operators: list[str]) -> tuple[str | None, str | None]:
    """The operator a page is of, and the cursor within it."""
    if cursor is None:
        return (operators[0] if operators else None), None
    so, between, inner = cursor.partition(_BETWEEN)
    if not between or so not in operators:
        problem = Problem("cursor.unknown", "That is not a cursor of this list.", "cursor", "`next` of a page")
        raise Invalid.of([problem])
    return so, inner or None


def _following(so: str, inner: str | None, operators: list[str]) -> str | None:
    if inner is not None:
        return f"{so}{_BETWEEN}{inner}"
    later = operators[operators.index(so) + 1 :]
    return f"{later[0]}{_BETWEEN}" if later else None
