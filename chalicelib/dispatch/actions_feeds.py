"""Keeps calendar links, and tells a schedule to whoever holds one: calendar programs cannot sign in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import cast

from chalicelib.dispatch import store_feeds as store
from chalicelib.dispatch.actions_reads import list_schedule
from chalicelib.dispatch.feeds import MOST_LINKS, CalendarLink
from chalicelib.dispatch.listing import as_calendar
from chalicelib.dispatch.requests import CalendarLinkRequest, ScheduleQuery
from chalicelib.dispatch.views import CalendarLinkView, InstructionView
from chalicelib.kernel.call import Actor, Call, OrganisationKind
from chalicelib.kernel.errors import NotFound, Refused
from chalicelib.kernel.models import Page
from chalicelib.storage import keys
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

_BEHIND = timedelta(days=31)
_MOST_SHOWN = 2000
_PAGE = 500


def list_links(call: Call) -> Page[CalendarLinkView]:
    """The links of the caller's organisation; their addresses are shown when they are made."""
    return Page(items=[_view(each) for each in store.list_links(call.organisation)])


def get_link(call: Call, link_id: str) -> CalendarLinkView:
    """One of the caller's links."""
    return _view(_own(call, link_id))


def add_link(call: Call, request: CalendarLinkRequest) -> CalendarLinkView:
    """Make a link; the answer alone holds the secret path to subscribe to."""
    if len(store.list_links(call.organisation)) >= MOST_LINKS:
        raise Refused("calendar_link.too_many", f"There are {MOST_LINKS} links already; remove one first.")
    link = CalendarLink(
        id=call.new_id("cal"),
        organisation=call.organisation,
        organisation_kind=str(call.actor.organisation_kind),
        name=request.name,
        created_at=call.now,
        created_by=call.actor.id,
    )
    _save(call, link, "calendar_link.added")
    return _view(link, f"/v1/public/calendars/{key_of(link)}")


def remove_link(call: Call, link_id: str) -> None:
    """Close a link: from now on it is not found."""
    before = _own(call, link_id)
    _save(call, before.but(removed=True, version=before.version + 1), "calendar_link.removed")


def read_calendar(call: Call, calendar_key: str) -> str:
    """The schedule behind a link, from a month ago on, as iCalendar; `NotFound` unless the link stands."""
    link_id, _, _ = calendar_key.partition("~")
    link = store.find_link(link_id)
    if link is None or link.removed or not keys.is_same(calendar_key, key_of(link)):
        raise NotFound("calendar.not_found", "There is no such calendar.")
    return as_calendar(_schedule(_on_behalf(call, link)))


def key_of(link: CalendarLink) -> str:
    """The link's id and secret, as they stand in its address."""
    return f"{link.id}~{keys.secret_for('calendar', link.id)}"


def _schedule(call: Call) -> list[InstructionView]:
    """What was and is to come, by start; those that ended otherwise stay, so that programs take them off."""
    found: list[InstructionView] = []
    cursor: str | None = None
    while len(found) < _MOST_SHOWN:
        page = list_schedule(call, ScheduleQuery(after=call.now - _BEHIND, limit=_PAGE, cursor=cursor))
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    return found


def _on_behalf(call: Call, link: CalendarLink) -> Call:
    """The call as somebody who may only read the organisation's own."""
    kind = cast(OrganisationKind, link.organisation_kind)
    return replace(call, actor=Actor("machine", link.id, link.organisation, kind, frozenset({"read"})))


def _own(call: Call, link_id: str) -> CalendarLink:
    link = store.find_link(link_id)
    if link is None or link.removed or link.organisation != call.organisation:
        raise NotFound("calendar_link.not_found", "There is no such link.")
    return link


def _save(call: Call, link: CalendarLink, action: str) -> None:
    thing = f"calendar-link:{link.id}"
    change = Change(thing=thing, action=action, organisation=link.organisation, after={"name": link.name})
    commit(call, store.save_link(link), [], [change], result=link.id)


def _view(link: CalendarLink, path: str | None = None) -> CalendarLinkView:
    return CalendarLinkView(id=link.id, name=link.name, created_at=link.created_at, path=path, version=link.version)
