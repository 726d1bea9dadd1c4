"""Records mails that came back, sends nothing more to where they came back from, and lets an organisation undo that."""

from __future__ import annotations

from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Stale
from chalicelib.kernel.models import Page
from chalicelib.notifications import store
from chalicelib.notifications.models import Mail
from chalicelib.notifications.returns import (
    WORDS,
    Return,
    Suppressed,
    SuppressionQuery,
    SuppressionView,
    digest_of,
)
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit


def record_return(call: Call, came_back: Return) -> None:
    """Mark the mail as returned and its address as one that takes none; hearing it twice changes nothing.

    Mails of codes go to addresses nobody has shown to be theirs yet: those are marked and nothing else.
    """
    mail = store.find_mail(came_back.mail_id)
    if mail is None or mail.state == "returned":
        return
    after = mail.but(state="returned", reason=WORDS[came_back.why], version=mail.version + 1)
    writes = [store.changed_mail(after)]
    changes = []
    if "purpose" not in mail.words:
        suppressed = _suppressed(mail, came_back)
        writes.append(store.suppress(suppressed))
        changes.append(_change(suppressed, "mail.suppressed"))
    try:
        commit(call, writes, changes=changes)
    except Stale:
        if _state_of(mail.id) != "returned":
            raise


def is_suppressed(mail: Mail, address: str) -> Suppressed | None:
    """What is known of mail to this person's address of today, None where nothing ever came back from it."""
    found = store.find_suppressed(mail.organisation, mail.person)
    return found if found and found.digest == digest_of(address) else None


def list_suppressions(call: Call, query: SuppressionQuery) -> Page[SuppressionView]:
    """Whom the caller's organisation's mail no longer reaches."""
    page = store.list_suppressed(call.organisation, query.limit, query.cursor)
    return Page(items=[_view(each) for each in page.items], next=page.next)


def lift_suppression(call: Call, recipient_id: str) -> None:
    """Send to a person's or route's address again, once its mailbox was mended."""
    found = store.find_suppressed(call.organisation, recipient_id)
    if found is None:
        raise NotFound("suppression.not_found", "Mail to that recipient is not held back.")
    commit(call, [store.unsuppress(found)], changes=[_change(found, "mail.unsuppressed")], result=recipient_id)


def _suppressed(mail: Mail, came_back: Return) -> Suppressed:
    return Suppressed(
        organisation=mail.organisation,
        person=mail.person,
        digest=digest_of(came_back.address),
        why=came_back.why,
        mail_id=mail.id,
        at=came_back.at,
    )


def _change(suppressed: Suppressed, action: str) -> Change:
    after = {"why": suppressed.why, "mail": suppressed.mail_id}
    return Change(thing=f"person:{suppressed.person}", action=action, organisation=suppressed.organisation, after=after)


def _state_of(mail_id: str) -> str | None:
    mail = store.find_mail(mail_id)
    return mail.state if mail else None


def _view(suppressed: Suppressed) -> SuppressionView:
    return SuppressionView(
        recipient_id=suppressed.person,
        why=suppressed.why,
        reason=f"{WORDS[suppressed.why].capitalize()}.",
        mail_id=suppressed.mail_id,
        since=suppressed.at,
    )
