"""Owns the acts of bidding: an FSP submits, replaces and withdraws ballots; what other rooms call stands here too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from chalicelib.bidding import store
from chalicelib.bidding.actions_deciding import bids_for_deciding, bids_of, count_bids, opened_ballots
from chalicelib.bidding.actions_opportunities import list_opportunities
from chalicelib.bidding.actions_reads import (
    get_ballot,
    list_ballots,
    list_history,
    load_own_version,
    model_ballot,
    own_competition,
    place_of,
    sheet_of,
)
from chalicelib.bidding.actions_standing import Prepared, overlaps_of, prepare, service_span
from chalicelib.bidding.bid_rules import completed
from chalicelib.bidding.events import BallotSubmitted, BallotWithdrawn
from chalicelib.bidding.holdings import (
    WITHDRAWAL,
    Sheet,
    Use,
    holding_of,
    next_ref,
    with_ballot,
    with_token,
    without_ballot,
)
from chalicelib.bidding.lifecycle import MOVES
from chalicelib.bidding.models import (
    BallotHead,
    BallotReceipt,
    BallotRequest,
    BallotVersion,
    ReceiptLine,
    ReplacementRequest,
    WithdrawalView,
)
from chalicelib.bidding.rules import ballot_problems, check_open
from chalicelib.competitions import actions as competitions
from chalicelib.competitions.models import Competition
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import Invalid, NotFound, Problem, Refused, Stale, raise_problems
from chalicelib.kernel.lifecycle import move
from chalicelib.kernel.models import iso
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit
from chalicelib.storage.writes import Write

__all__ = [
    "bids_for_deciding",
    "bids_of",
    "count_bids",
    "get_ballot",
    "list_ballots",
    "list_history",
    "list_opportunities",
    "model_ballot",
    "opened_ballots",
    "replace_ballot",
    "replay_receipt",
    "replay_withdrawal",
    "submit_ballot",
    "take_ballot",
    "take_replacement",
    "withdraw_ballot",
]

BUSY = "bidding.busy"
_ATTEMPTS = 25
_COMPETITION_MOVED = "competition.stale"
T = TypeVar("T")
Asked = BallotRequest | ReplacementRequest


@dataclass(frozen=True, slots=True)
class _Draft:
    """A ballot on its way in. `replaces` is the version that the caller read, None for a new ballot."""

    ballot_id: str
    asked: Asked
    digest: str
    prepared: Prepared
    replaces: int | None = None


def submit_ballot(call: Call, competition_id: str, request: BallotRequest) -> BallotReceipt:
    """Take a ballot, whole, and give its receipt; the same client token again gives the same receipt.

    Raises `Refused` at the wrong moment or for an FSP that may not bid, `Invalid` with every limit that does not hold.
    """
    return _receipt(call, take_ballot(call, competition_id, request))


def replace_ballot(call: Call, ballot_id: str, request: ReplacementRequest, if_match: int) -> BallotReceipt:
    """Put a new version in place of a live ballot's version `if_match`; the old one is kept.

    Raises as `submit_ballot` does, and `Stale` when the ballot has another version by now.
    """
    return _receipt(call, take_replacement(call, ballot_id, request, if_match))


def take_ballot(call: Call, competition_id: str, request: BallotRequest) -> BallotVersion:
    """As `submit_ballot`, without looking for overlaps to tell of: for files."""
    take = partial(_take, call, competition_id, call.new_id("bal"), request, None)
    return _again_while(_COMPETITION_MOVED, take)


def take_replacement(call: Call, ballot_id: str, request: ReplacementRequest, if_match: int) -> BallotVersion:
    """As `replace_ballot`, without looking for overlaps to tell of: for files."""
    competition, _ = place_of(call, ballot_id)
    take = partial(_take, call, competition.id, ballot_id, request, if_match)
    return _again_while(_COMPETITION_MOVED, take)


def withdraw_ballot(call: Call, ballot_id: str, token: str | None = None) -> WithdrawalView:
    """Take a live ballot back before close; raises `Refused` after it, or when it was withdrawn before.

    A `token` that withdrew it before is answered as then: for files, which may be read again.
    """
    withdraw = partial(_withdrawn, call, ballot_id, token)
    return _again_while(_COMPETITION_MOVED, partial(_again_while, store.SHEET_MOVED, withdraw))


def replay_receipt(call: Call, result: str) -> BallotReceipt:
    """The receipt that an `Idempotency-Key` was answered with."""
    ballot_id, _, version = result.partition("#")
    competition, _ = place_of(call, ballot_id)
    return _receipt(call, load_own_version(call, competition, ballot_id, int(version)))


def replay_withdrawal(call: Call, ballot_id: str) -> WithdrawalView:
    """The withdrawal that an `Idempotency-Key` was answered with."""
    _, head = place_of(call, ballot_id)
    return _withdrawal(head)


def _take(call: Call, competition_id: str, ballot_id: str, asked: Asked, replaces: int | None) -> BallotVersion:
    competition, digest = own_competition(call, competition_id), _digest(asked)
    made = _made_before(sheet_of(call, competition), asked.client_token, digest)
    if made is not None:
        return load_own_version(call, competition, made.ballot_id, made.version)
    check_open(competition, call.now)
    draft = _Draft(ballot_id, asked, digest, prepare(call, competition, asked), replaces)
    return _again_while(store.SHEET_MOVED, partial(_taken, call, competition, draft))


def _again_while(moved: str, act: Callable[[], T]) -> T:
    """Act, and act again from a fresh reading each time somebody else got in between, which `Stale` tells by its code.

    The instant that decides stays the call's own, so that trying again never lets a late ballot in.
    """
    for _ in range(_ATTEMPTS):
        try:
            return act()
        except Stale as stale:
            if stale.code != moved:
                raise
    raise Refused(BUSY, "Too many ballots arrive at once; send this one again.", retry_after=1)


def _taken(call: Call, competition: Competition, draft: _Draft) -> BallotVersion:
    sheet = sheet_of(call, competition)
    made = _made_before(sheet, draft.asked.client_token, draft.digest)
    if made is not None:
        return load_own_version(call, competition, made.ballot_id, made.version)
    version, ref = _version_and_ref(sheet, draft)
    _check(competition, sheet, draft)
    ballot = _ballot(call, competition, draft, version, ref)
    commit(
        call,
        _ballot_writes(call, competition, sheet, ballot, draft),
        [BallotSubmitted(ballot_id=ballot.ballot_id, version=version, competition_id=competition.id, fsp=ballot.fsp)],
        [_change(call, competition, ballot, "ballot.submitted" if draft.replaces is None else "ballot.replaced")],
        result=f"{ballot.ballot_id}#{version}",
    )
    return ballot


def _made_before(sheet: Sheet, token: str | None, digest: str) -> Use | None:
    """What the client token made already; `Invalid` when it came with another ballot then."""
    made = sheet.tokens.get(token) if token else None
    if made is not None and made.digest != digest:
        detail = "This client token was used before for a different ballot."
        raise Invalid.of([Problem("ballot.token_reused", detail, "client_token", "a new token for a new ballot")])
    return made


def _version_and_ref(sheet: Sheet, draft: _Draft) -> tuple[int, str]:
    """The version and reference of what comes in; `Refused` or `Stale` when it cannot follow what is there."""
    if draft.replaces is None:
        return 1, _new_ref(sheet, getattr(draft.asked, "ref", None))
    holding = sheet.live.get(draft.ballot_id)
    move(MOVES, "ballot", "withdrawn" if holding is None else "live", "replace")
    assert holding is not None
    if holding.version != draft.replaces:
        raise Stale("ballot.stale", "The ballot was replaced since you read it. Read it again and repeat the change.")
    return holding.version + 1, next(ref for ref, ballot_id in sheet.refs.items() if ballot_id == draft.ballot_id)


def _new_ref(sheet: Sheet, wanted: str | None) -> str:
    if wanted in sheet.refs:
        detail = "You have had a ballot of this reference in this competition; references are never used again."
        raise Invalid.of([Problem("ballot.ref_taken", detail, "ref", "a new reference, or none")])
    return wanted or next_ref(sheet)


def _check(competition: Competition, sheet: Sheet, draft: _Draft) -> None:
    ready, replaced = draft.prepared, None if draft.replaces is None else draft.ballot_id
    problems = ballot_problems(competition, sheet, ready.standing, ready.asset_ids, draft.asked.bids, replaced)
    raise_problems(problems, "ballot.invalid")


def _ballot(call: Call, competition: Competition, draft: _Draft, version: int, ref: str) -> BallotVersion:
    rows = enumerate(draft.asked.bids, start=1)
    return BallotVersion(
        ballot_id=draft.ballot_id,
        version=version,
        ref=ref,
        fsp=call.organisation,
        competition_id=competition.id,
        contracting_entity=draft.asked.contracting_entity,
        submitted_at=_as_kept(call.now),
        submitted_by=call.actor.id,
        asset_ids=draft.prepared.asset_ids,
        bids=tuple(completed(competition, bid, draft.ballot_id, version, row) for row, bid in rows),
    )


def _ballot_writes(
    call: Call, competition: Competition, sheet: Sheet, ballot: BallotVersion, draft: _Draft
) -> list[Write]:
    backing = draft.prepared.standing.backing
    holding = holding_of(ballot.version, [backing[each].ordinal for each in ballot.asset_ids], ballot.bids)
    use = Use(ballot_id=ballot.ballot_id, version=ballot.version, digest=draft.digest)
    after = with_ballot(sheet, ballot.ballot_id, ballot.ref, holding)
    head = BallotHead(
        ballot_id=ballot.ballot_id,
        competition_id=competition.id,
        fsp=ballot.fsp,
        version=ballot.version,
        state="live",
        changed_at=ballot.submitted_at,
    )
    return [
        *store.sheet_writes(
            call, competition, with_token(after, draft.asked.client_token, use), service_span(competition)
        ),
        *store.head_writes(head, is_new=draft.replaces is None),
        store.version_write(call, competition, ballot),
        *_gates(competition),
    ]


def _gates(competition: Competition) -> list[Write]:
    """What must still hold as a ballot is written: the competition runs, and nobody has opened its ballots."""
    return [competitions.unchanged_check(competition), store.unopened_check(competition.id)]


def _withdrawn(call: Call, ballot_id: str, token: str | None) -> WithdrawalView:
    competition, head = place_of(call, ballot_id)
    check_open(competition, call.now)
    sheet = sheet_of(call, competition)
    if token in sheet.tokens:
        return replay_withdrawal(call, ballot_id)
    holding = sheet.live.get(head.ballot_id)
    state = move(MOVES, "ballot", "withdrawn" if holding is None else "live", "withdraw")
    assert holding is not None
    after = head.but(state=state, version=holding.version, changed_at=_as_kept(call.now))
    ids = {"ballot_id": head.ballot_id, "version": holding.version, "competition_id": competition.id}
    use = Use(ballot_id=head.ballot_id, version=holding.version, digest=WITHDRAWAL)
    left = with_token(without_ballot(sheet, head.ballot_id), token, use)
    thing, fsp = f"ballot:{head.ballot_id}", head.fsp
    commit(
        call,
        [
            *store.sheet_writes(call, competition, left, service_span(competition)),
            *store.head_writes(after, is_new=False),
            *_gates(competition),
        ],
        [BallotWithdrawn(**ids, fsp=fsp)],
        [Change(thing=thing, action="ballot.withdrawn", organisation=fsp, after=ids)],
        result=head.ballot_id,
    )
    return _withdrawal(after)


def _withdrawal(head: BallotHead) -> WithdrawalView:
    if head.state != "withdrawn":
        raise NotFound("ballot.not_withdrawn", "This ballot was not withdrawn.")
    return WithdrawalView(
        ballot_id=head.ballot_id,
        version=head.version,
        state="withdrawn",
        competition_id=head.competition_id,
        withdrawn_at=head.changed_at,
    )


def _change(call: Call, competition: Competition, ballot: BallotVersion, action: str) -> Change:
    """The audit record: ids and a hash of the content, never the content.

    The hash is of the sealed bytes as they are kept: prices are few enough to be guessed from a hash of themselves.
    """
    after = {
        "ballot_id": ballot.ballot_id,
        "version": ballot.version,
        "competition_id": ballot.competition_id,
        "content_sha256": hashlib.sha256(store.sealed_version(call, competition, ballot).content).hexdigest(),
    }
    return Change(thing=f"ballot:{ballot.ballot_id}", action=action, organisation=ballot.fsp, after=after)


def _as_kept(instant: datetime) -> datetime:
    """The instant to the millisecond, as rows keep it, so that a receipt reads the same when it is asked for again."""
    return datetime.fromisoformat(iso(instant))


def _digest(asked: Asked) -> str:
    content = asked.model_dump(mode="json", exclude={"client_token"})
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _receipt(call: Call, ballot: BallotVersion) -> BallotReceipt:
    lines = tuple(ReceiptLine(bid_id=bid.id, window_id=bid.window_id, split=bid.split) for bid in ballot.bids)
    return BallotReceipt(
        ballot_id=ballot.ballot_id,
        ref=ballot.ref,
        version=ballot.version,
        competition_id=ballot.competition_id,
        submitted_at=ballot.submitted_at,
        asset_count=len(ballot.asset_ids),
        bids=lines,
        overlaps=overlaps_of(call, competitions.get_competition(ballot.competition_id), ballot),
    )
