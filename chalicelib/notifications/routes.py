"""Endpoints of notifications: what was mailed to an organisation's people, and by which ways it can be reached."""

from __future__ import annotations

from chalicelib.edge.web import Page, Routes, either, fsp, member, so
from chalicelib.kernel.call import Call
from chalicelib.notifications import actions, actions_channels
from chalicelib.notifications.channels import Channel
from chalicelib.notifications.models import MailQuery, MailView

routes = Routes(__name__)


@routes.get("/mails", query=MailQuery, returns=Page[MailView], who=member("account"))
def list_mails(call: Call, query: MailQuery) -> Page[MailView]:
    """Mails sent to the organisation's people, newest first."""
    return actions.list_mails(call, query)


@routes.get("/dispatch-channels", returns=Page[Channel], who=either(fsp("read"), so("read")))
def list_dispatch_channels(call: Call) -> Page[Channel]:
    """The ways the organisation is told of dispatch, when each last worked, and which have been silent for too long."""
    return actions_channels.list_channels(call)
