"""Tells people: facts become mails, one per recipient and fact, now or in a digest; what was sent can be listed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from chalicelib.kernel.call import Call, derived_id
from chalicelib.kernel.errors import Refused, Stale
from chalicelib.kernel.models import Page
from chalicelib.notifications import store
from chalicelib.notifications.letters import LETTERS
from chalicelib.notifications.models import Mail, MailQuery, MailView, Recipient, Told
from chalicelib.registry import actions as registry
from chalicelib.registry.models import CodeLetter
from chalicelib.storage.commit import commit
from chalicelib.storage.queues import send
from chalicelib.storage.writes import Write

QUEUE = "send-mail"
PATIENCE = timedelta(minutes=2)
IN_HAND = timedelta(seconds=10)
_TOGETHER = 40
_ROUTE = "route"


def tell(call: Call, facts: Iterable[Told]) -> None:
    """Write and queue a mail for each person each fact is for; a fact told before to a person is not told again."""
    for told in facts:
        if LETTERS[told.letter].cadence == "digest":
            commit(call, [store.waiting(told)])
        else:
            _write_mails(call, told, [])


def tell_digests(call: Call) -> None:
    """Turn the facts that wait for a digest into one mail per person and letter."""
    for _, group in groupby(store.list_waiting(), key=lambda told: (told.organisation, told.letter)):
        waiting = list(group)
        for start in range(0, len(waiting), _TOGETHER):
            part = waiting[start : start + _TOGETHER]
            _write_mails(call, _together(part), part)


def send_again(call: Call) -> None:
    """Queue once more what was written and never sent."""
    unsent = store.list_unsent(call.now - PATIENCE)
    send(call, QUEUE, [{"mail_id": mail.id} for mail in unsent])


def list_mails(call: Call, query: MailQuery) -> Page[MailView]:
    """What was mailed to the people of the caller's organisation, newest first."""
    page = store.list_mails(call.organisation, query.limit, query.cursor)
    return Page(items=[_view(mail) for mail in page.items], next=page.next)


def find_unsent(mail_id: str) -> Mail | None:
    """The mail if it is still to be sent; None when it was sent, could not be, or is not known."""
    mail = store.find_mail(mail_id)
    return mail if mail and mail.state == "queued" else None


def take(call: Call, mail: Mail, at: datetime) -> Mail:
    """Take a mail in hand at an instant of the machine's clock; `Refused` where another worker has it or took it first.

    A message may come twice and the sweep queue a mail again: without this, two workers would hand over the same mail.
    A worker that is cut short keeps it in hand for ten seconds and no longer.
    """
    if mail.in_hand_until is None or mail.in_hand_until <= at:
        taken = mail.but(in_hand_until=at + IN_HAND, version=mail.version + 1)
        with suppress(Stale):
            commit(call, [store.changed_mail(taken)])
            return taken  # type: ignore[no-any-return]
    raise Refused("mail.in_hand", "Another worker hands this mail over at this moment.")


def let_go(call: Call, mail: Mail) -> None:
    """The post did not take it: whoever has it next may try at once."""
    with suppress(Stale):  # it was in hand for too long, and another worker has it by now
        commit(call, [store.changed_mail(mail.but(in_hand_until=None, version=mail.version + 1))])


def find_recipient(mail: Mail) -> Recipient | None:
    """Whom a mail goes to, with the address of today; None when the person has left."""
    name = registry.get_organisation(mail.organisation).name
    if mail.person.startswith(_ROUTE):
        reached = [each for each in _addresses(mail.letter, mail.organisation) if at_route(each) == mail.person]
        return Recipient(name="colleague", email=reached[0], organisation_name=name) if reached else None
    people = {person.id: person for person in registry.list_people(mail.organisation)}
    person = people.get(mail.person)
    if person is None:
        return None
    return Recipient(name=person.name, email=person.email, organisation_name=name)


def at_route(address: str) -> str:
    """Whom a mail is kept under that goes to an address and no person; the address itself is not kept."""
    return derived_id(_ROUTE, address)


def find_code(mail: Mail) -> CodeLetter | None:
    """The code or link a mail is for, with its address: kept nowhere, made again here; None when it counts no more."""
    words = mail.words
    return registry.find_code_letter(words["purpose"], words["thing"], words["serial"], words["organisation"])


def record_sent(call: Call, mail: Mail) -> None:
    """The post has taken it. Another worker may have said so first, which is the same."""
    at_route = mail.person.startswith(f"{_ROUTE}_")
    proofs = [store.reached(mail.organisation, mail.person, call.now)] if at_route else []
    _settle(call, mail.but(state="sent", sent_at=call.now, version=mail.version + 1), proofs)


def record_undeliverable(call: Call, mail: Mail, reason: str) -> None:
    _settle(call, mail.but(state="undeliverable", reason=reason, version=mail.version + 1))


def _settle(call: Call, mail: Mail, proofs: Sequence[Write] = ()) -> None:
    try:
        commit(call, [store.changed_mail(mail), *proofs])
    except Stale:
        if find_unsent(mail.id) is not None:
            raise


def _write_mails(call: Call, told: Told, digested: Sequence[Told]) -> None:
    """Write the mails of a fact, with the facts a digest used up, then queue them; all of it may be repeated."""
    mails = [_mail(call.now, told, person) for person in _people(told)]
    fresh = [mail for mail in mails if store.find_mail(mail.id) is None]
    done = [store.told_in_digest(fact) for fact in digested]
    try:
        commit(call, [*(store.new_mail(mail) for mail in fresh), *done])
    except Refused:
        # The same message was handled twice at once: what the other wrote stands, and is queued below as well.
        commit(call, done)
    send(call, QUEUE, [{"mail_id": mail.id} for mail in mails])


def _people(told: Told) -> list[str]:
    if told.person is not None:
        return [told.person]
    letter = LETTERS[told.letter]
    addresses = _addresses(letter.name, told.organisation)
    if addresses:
        return [at_route(address) for address in addresses]
    people = registry.list_people(told.organisation, letter.role)
    return [person.id for person in people if letter.contractual or letter.name not in person.preferences.muted_letters]


def _addresses(letter: str, organisation: str) -> list[str]:
    """Where a letter goes whatever people there are: the organisation's verified addresses for its purpose."""
    route = LETTERS[letter].route
    return registry.list_addresses(organisation, route) if route else []


def _mail(now: datetime, told: Told, person: str) -> Mail:
    return Mail(
        id=derived_id("mail", person, told.letter, told.fact),
        letter=told.letter,
        organisation=told.organisation,
        person=person,
        words=told.words,
        queued_at=now,
    )


def _together(facts: Sequence[Told]) -> Told:
    first = facts[0]
    words: dict[str, Any] = {"items": [told.words for told in facts]}
    fact = derived_id("digest", *(told.fact for told in facts))
    return Told(letter=first.letter, organisation=first.organisation, fact=fact, words=words)


def _view(mail: Mail) -> MailView:
    shown = mail.model_dump(include=set(MailView.model_fields))
    return MailView.model_validate(shown)
