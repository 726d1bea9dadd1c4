"""Endpoints of notifications: what was mailed to an organisation's people, and by which ways it can be reached."""

from __future__ import annotations

from chalicelib.edge.web import Page, Routes, either, fsp, member, so
from chalicelib.kernel.call import Call
from chalicelib.notifications import actions, actions_channels, actions_returns
from chalicelib.notifications.channels import Channel
from chalicelib.notifications.models import MailQuery, MailView
from chalicelib.notifications.returns import SuppressionQuery, SuppressionView

routes = Routes(__name__)


@routes.get("/mails", query=MailQuery, returns=Page[MailView], who=member("account"))
def list_mails(call: Call, query: MailQuery) -> Page[MailView]:
    """Mails sent to the organisation's people, newest first."""
    return actions.list_mails(call, query)


@routes.get("/mail-suppressions", query=SuppressionQuery, returns=Page[SuppressionView], who=member("account"))
def list_mail_suppressions(call: Call, query: SuppressionQuery) -> Page[SuppressionView]:
    """Whom mail no longer reaches, since one came back: an address that is gone, or a reader who complained."""
    return actions_returns.list_suppressions(call, query)


@routes.delete("/mail-suppressions/{recipient_id}", status=204, who=member("account"))
def lift_mail_suppression(call: Call, recipient_id: str) -> None:
    """Send to somebody's address again. A changed address needs none of this."""
    actions_returns.lift_suppression(call, recipient_id)


@routes.get("/dispatch-channels", returns=Page[Channel], who=either(fsp("read"), so("read")))
def list_dispatch_channels(call: Call) -> Page[Channel]:
    """The ways the organisation is told of dispatch, when each last worked, and which have been silent for too long."""
    return actions_channels.list_channels(call)
