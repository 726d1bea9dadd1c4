"""Owns what is told of each market event: to which organisations, by which letter, with which words.

Handlers read the facts again when they tell them, so that a late or repeated event tells the truth of that moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from chalicelib.bidding import actions as bidding
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.contracts import actions as contracts
from chalicelib.decisions import actions as decisions
from chalicelib.decisions.models import REASONS
from chalicelib.files import actions as files
from chalicelib.kernel.call import Call
from chalicelib.kernel.events import Envelope
from chalicelib.kernel.quantities import plain
from chalicelib.notifications.facts_dispatch import DISPATCH_TELLERS
from chalicelib.notifications.facts_settlement import SETTLEMENT_TELLERS
from chalicelib.notifications.models import Told
from chalicelib.qualification import actions as qualification
from chalicelib.registry import actions as registry

Facts = Iterator[Told]
Body = dict[str, Any]


def facts_of(call: Call, envelope: Envelope) -> Facts:
    """What an event is told as, organisation by organisation; KeyError for an event nobody is told of."""
    return _TELLERS[envelope.name](call, envelope.body)


def _code_asked(call: Call, body: Body) -> Facts:
    words = {name: body.get(name) for name in ("purpose", "thing", "serial", "organisation")}
    letter = "password_reset" if body["purpose"] == "password_reset" else "verification_code"
    fact = f"{body['purpose']}/{body['thing']}/{body['serial']}"
    yield Told(letter=letter, organisation=body["organisation"] or "none", fact=fact, words=words, person="code")


def _person_invited(call: Call, body: Body) -> Facts:
    words = {
        "purpose": "invitation",
        "thing": body["person"],
        "serial": body["serial"],
        "organisation": body["organisation"],
    }
    fact = f"invitation/{body['person']}/{body['serial']}"
    yield Told(letter="invited", organisation=body["organisation"], fact=fact, words=words, person="code")


def _authenticator_changed(call: Call, body: Body) -> Facts:
    """To its owner alone: somebody else may have done it in their name."""
    fact = f"{body['person']}/authenticator/{body['version']}"
    words = {"is_on": body["is_on"], "at": f"{call.now:%d %B %Y %H:%M} UTC"}
    yield Told(
        letter="authenticator_changed",
        organisation=body["organisation"],
        fact=fact,
        words=words,
        person=body["person"],
    )


def _application_submitted(call: Call, body: Body) -> Facts:
    words = _application_words(body) | {
        "fsp_name": _name(body["fsp"]),
        "submission": body["submission"],
    }
    fact = f"{body['application_id']}/submitted/{body['submission']}"
    yield Told(letter="application_submitted", organisation=body["so"], fact=fact, words=words)


def _application_approved(call: Call, body: Body) -> Facts:
    yield _application_ruled("application_approved", body)


def _application_rejected(call: Call, body: Body) -> Facts:
    yield _application_ruled("application_rejected", body)


def _application_suspended(call: Call, body: Body) -> Facts:
    yield _application_ruled("application_suspended", body)


def _application_ruled(letter: str, body: Body) -> Told:
    application = registry.find_application(body["application_id"])
    assert application is not None, "an application that was ruled on does not go away"
    ruling = application.rulings[-1]
    words = _application_words(body) | {"reason": ruling.reason or ""}
    fact = f"{application.id}/{letter}/{len(application.rulings)}"
    return Told(letter=letter, organisation=body["fsp"], fact=fact, words=words)


def _application_words(body: Body) -> Body:
    scheme = registry.get_scheme(body["scheme_id"])
    return {
        "application_id": body["application_id"],
        "scheme_name": scheme.name,
        "so_name": _name(body["so"]),
        "brand_colour": _colour(body["so"]),
    }


def _competition_assessed(call: Call, body: Body) -> Facts:
    competition = competitions.get_competition(body["competition_id"])
    words = _competition_words(competition)
    for fsp in body["fsps"]:
        yield Told(letter="competition_published", organisation=fsp, fact=competition.id, words=words)


def _competition_withdrawn(call: Call, body: Body) -> Facts:
    competition = competitions.get_competition(body["competition_id"])
    words = _competition_words(competition) | {"reason": competition.withdrawal_reason or ""}
    for fsp in _taking_part(competition.id):
        yield Told(letter="competition_withdrawn", organisation=fsp, fact=competition.id, words=words)


def _bidding_opened(call: Call, body: Body) -> Facts:
    competition = competitions.get_competition(body["competition_id"])
    words = _competition_words(competition)
    for fsp in qualification.qualified_fsps(competition.id):
        yield Told(letter="bidding_opened", organisation=fsp, fact=competition.id, words=words)


def _ballot_submitted(call: Call, body: Body) -> Facts:
    """To the FSP alone, and without a figure: the mail says that the ballot is in, the screen says what is in it."""
    competition = competitions.get_competition(body["competition_id"])
    words = _competition_words(competition) | {
        "ballot_id": body["ballot_id"],
        "ballot_version": body["version"],
        "submitted_at": _local(call.now, competition),
    }
    fact = f"{body['ballot_id']}/{body['version']}"
    yield Told(letter="ballot_received", organisation=body["fsp"], fact=fact, words=words)


def _bidding_closed(call: Call, body: Body) -> Facts:
    competition = competitions.get_competition(body["competition_id"])
    bids = bidding.count_bids(call, competition.id)
    count_words = {0: "no bids", 1: "1 bid to decide"}.get(bids, f"{bids} bids to decide")
    words = _competition_words(competition) | {"bids": bids, "count_words": count_words}
    yield Told(letter="bidding_closed", organisation=competition.so, fact=competition.id, words=words)


def _results_confirmed(call: Call, body: Body) -> Facts:
    competition = competitions.get_competition(body["competition_id"])
    words = _competition_words(competition)
    for fsp, outcome in decisions.outcomes_by_fsp(competition.id).items():
        reasons = Counter(REASONS[reason] for reason in outcome.reasons)
        own = {
            "bids": outcome.bids,
            "accepted": outcome.accepted,
            "accepted_mw": plain(outcome.accepted_mw),
            "reasons": sorted(reasons.items()),
        }
        yield Told(letter="results_confirmed", organisation=fsp, fact=competition.id, words=words | own)


def _obligations_drawn_up(call: Call, body: Body) -> Facts:
    competition = competitions.get_competition(body["competition_id"])
    words = _competition_words(competition)
    counts = contracts.count_by_fsp(competition.id)
    for fsp, count in counts.items():
        yield Told(
            letter="obligations_ready", organisation=fsp, fact=competition.id, words=words | {"obligations": count}
        )
    if counts:
        own = words | {"obligations": sum(counts.values())}
        yield Told(letter="obligations_ready", organisation=competition.so, fact=competition.id, words=own)


def _file_refused(call: Call, body: Body) -> Facts:
    receipt = files.get_receipt(body["receipt_id"])
    words = {
        "file_id": receipt.id,
        "name": receipt.name,
        "kind": receipt.kind,
        "refusal": receipt.refusal or "",
    }
    yield Told(letter="file_refused", organisation=receipt.organisation, fact=receipt.id, words=words)


def _taking_part(competition_id: str) -> list[str]:
    """The FSPs a withdrawal concerns: those with eligible or qualified assets."""
    return qualification.eligible_fsps(competition_id)


def _competition_words(competition: Competition) -> Body:
    calendar = competition.calendar
    return {
        "competition_id": competition.id,
        "reference": competition.reference,
        "name": competition.name,
        "so_name": _name(competition.so),
        "brand_colour": _colour(competition.so),
        "qualification_closed": _local(calendar.qualification_closed, competition),
        "open": _local(calendar.open, competition),
        "closed": _local(calendar.closed, competition),
    }


def _local(instant: datetime | None, competition: Competition) -> str:
    """An instant on the operator's clock, as a person writes it; nothing for none."""
    return instant.astimezone(competition.zone).strftime("%a %d %B %Y %H:%M (%Z)") if instant else ""


def _name(organisation_id: str) -> str:
    return registry.get_organisation(organisation_id).name


def _colour(so_id: str) -> str:
    return registry.get_profile(so_id).brand_colour


_TELLERS: dict[str, Callable[[Call, Body], Facts]] = (
    DISPATCH_TELLERS
    | SETTLEMENT_TELLERS
    | {
        "bidding.ballot_submitted.v1": _ballot_submitted,
        "competitions.bidding_closed.v1": _bidding_closed,
        "competitions.bidding_opened.v1": _bidding_opened,
        "competitions.competition_withdrawn.v1": _competition_withdrawn,
        "contracts.obligations_drawn_up.v1": _obligations_drawn_up,
        "decisions.results_confirmed.v1": _results_confirmed,
        "files.file_refused.v1": _file_refused,
        "qualification.competition_assessed.v1": _competition_assessed,
        "registry.application_approved.v1": _application_approved,
        "registry.application_rejected.v1": _application_rejected,
        "registry.application_submitted.v1": _application_submitted,
        "registry.application_suspended.v1": _application_suspended,
        "registry.code_asked.v1": _code_asked,
        "registry.authenticator_changed.v1": _authenticator_changed,
        "registry.person_invited.v1": _person_invited,
    }
)

TOLD_OF = tuple(_TELLERS)
