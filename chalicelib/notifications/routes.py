"""Endpoints of notifications: what was mailed to an organisation's people."""

from __future__ import annotations

from chalicelib.edge.web import Page, Routes, member
from chalicelib.kernel.call import Call
from chalicelib.notifications import actions
from chalicelib.notifications.models import MailQuery, MailView

routes = Routes(__name__)


@routes.get("/mails", query=MailQuery, returns=Page[MailView], who=member("account"))
def list_mails(call: Call, query: MailQuery) -> Page[MailView]:
    """Mails sent to the organisation's people, newest first."""
    return actions.list_mails(call, query)
