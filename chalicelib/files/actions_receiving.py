"""Owns files arriving: the receipt each object gets, refusals, failures, and the sweep that finds what was lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chalicelib.files import store
from chalicelib.files.events import FileReceived, FileRefused
from chalicelib.files.keeping import kept_of
from chalicelib.files.kinds import KINDS
from chalicelib.files.lifecycle import OPEN, RECEIPT_MOVES
from chalicelib.files.models import MOST_BYTES, Drop, FileProblem, Receipt
from chalicelib.kernel.call import Call, OrganisationKind, derived_id, ordered_ids
from chalicelib.kernel.errors import Invalid, NotFound, Refusal, Refused
from chalicelib.kernel.events import Event
from chalicelib.kernel.lifecycle import move
from chalicelib.kernel.models import iso
from chalicelib.storage import objects
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

INBOX = "inbox"
NEVER_ARRIVED = timedelta(days=1)
LOOKED_BACK = timedelta(days=3)
PATIENCE = timedelta(minutes=2)
_MOST_NAME = 200


def owner_of(key: str) -> str | None:
    """The organisation id under whose prefix an object stands, None where it stands under none."""
    parts = key.split("/", 2)
    return parts[1] if len(parts) == 3 and parts[0] == INBOX and parts[1] and parts[2] else None


def receive(call: Call, drop: Drop, organisation: str, organisation_kind: OrganisationKind) -> Receipt:
    """The receipt of an object that arrived under a known organisation's prefix; the same for the same object.

    What can be told from the key and size alone is refused here, with a receipt that says why.
    """
    expected = _expected(drop, organisation)
    if expected is not None:
        return expected if expected.state != "expected" else _arrived(call, expected, drop)
    kind, _, name = drop.key.split("/", 2)[2].rpartition("/")
    receipt = Receipt(
        id=receipt_id_of(drop),
        organisation=organisation,
        organisation_kind=organisation_kind,
        kind=(kind.split("/")[0] or "unknown")[:40],
        name=name[:_MOST_NAME] or "unnamed",
        state="received",
        at=drop.at,
        actor=f"inbox:{organisation}",
        object_key=drop.key,
        object_version=drop.version,
        size=drop.size,
    )
    return store.find_receipt(receipt.id) or _opened(call, receipt)


def receipt_id_of(drop: Drop) -> str:
    """The id of a dropped object's receipt: the same for the same version of the same object."""
    return derived_id("rct", drop.key, drop.version or iso(drop.at))


def refuse(call: Call, receipt: Receipt, refusal: Refusal) -> Receipt:
    """Close a receipt as refused, with the reason and all problems; whoever dropped the file is told."""
    problems = [FileProblem.of(problem).model_dump(exclude_none=True) for problem in refusal.problems]
    refused = receipt.but(
        version=receipt.version + 1,
        state=move(RECEIPT_MOVES, "file", receipt.state, "refuse"),
        refusal_code=refusal.code,
        refusal=refusal.detail,
        problem_count=len(problems),
        problems_key=kept_of(call, receipt).put_json(problems, "problems") if problems else None,
        failed=False,
    )
    save(call, refused, "file.refused", [_refused_event(refused)])
    return refused


def mark_failed(call: Call, receipt_id: str) -> None:
    """Note on a receipt that its file could not be processed; it stays open until a retry or a replay finishes it."""
    receipt = store.find_receipt(receipt_id)
    if receipt is None or receipt.state not in OPEN or receipt.failed:
        return
    failed = receipt.but(version=receipt.version + 1, failed=True)
    save(call, failed, "file.failed")


def replay_file(call: Call, receipt_id: str) -> Receipt:
    """Process a failed or refused file again, as of the instant it arrived; for the market operator."""
    receipt = store.load_receipt(receipt_id)
    state = move(RECEIPT_MOVES, "file", receipt.state, "replay")
    if receipt.state in OPEN and not receipt.failed:
        raise Refused("file.being_read", "This file is being read right now.")
    cleared = {"refusal": None, "refusal_code": None, "problems_key": None, "problem_count": 0}
    again = receipt.but(version=receipt.version + 1, state=state, failed=False, **cleared)
    save(call, again, "file.replayed", [_received_event(again)], again.id)
    return again


def sweep(call: Call, patience: timedelta = PATIENCE) -> None:
    """Send open receipts that wait longer than `patience` to their importers again; close uploads that never came."""
    for kind in KINDS:
        for receipt_id in list(store.list_open(kind)):
            _swept(call, store.load_receipt(receipt_id), patience)


def lost_drops(call: Call, patience: timedelta = PATIENCE) -> list[Drop]:
    """Objects of the last days that stand in the inbox for longer than `patience` and have no receipt."""
    listed = objects.list_objects(objects.FILES, f"{INBOX}/")
    recent = [item for item in listed if patience <= call.now - item["modified"] <= LOOKED_BACK]
    drops = [_drop_of(str(item["key"])) for item in recent if owner_of(str(item["key"]))]
    return [drop for drop in drops if _is_lost(drop)]


def save(call: Call, receipt: Receipt, action: str, events: Sequence[Event] = (), result: str | None = None) -> None:
    """Write a receipt's new version with its audit record and events.

    The ids depend on the receipt and its version alone: a message that comes again after a crash, with other work left
    to do, would otherwise draw ids that its first time used already.
    """
    own = replace(call, new_id=ordered_ids(call.now, receipt.id, str(receipt.version)))
    writes = store.save_receipt(receipt) if receipt.version > 1 else store.create_receipt(receipt)
    commit(own, writes, events, [change(receipt, action)], result)


def change(receipt: Receipt, action: str) -> Change:
    """The audit record's words of a receipt: what it is and how it stands, never its rows."""
    fields = {"kind", "name", "state", "sha256", "same_as", "refusal_code", "failed"}
    after = {name: value for name, value in receipt.model_dump(include=fields).items() if value is not None}
    return Change(thing=f"file:{receipt.id}", action=action, organisation=receipt.organisation, after=after)


def _expected(drop: Drop, organisation: str) -> Receipt | None:
    """The receipt that announced this object, if its own organisation's prefix and kind hold it."""
    receipt_id = _announced_id(drop.key)
    receipt = store.find_receipt(receipt_id) if receipt_id else None
    is_own = receipt is not None and receipt.organisation == organisation and receipt.object_key == drop.key
    return receipt if is_own else None


def _announced_id(key: str) -> str | None:
    parts = key.split("/")
    return parts[3] if len(parts) > 4 and parts[3].startswith("rct_") else None


def _arrived(call: Call, expected: Receipt, drop: Drop) -> Receipt:
    state = move(RECEIPT_MOVES, "file", expected.state, "arrive")
    here = expected.but(
        version=expected.version + 1, state=state, at=drop.at, object_version=drop.version, size=drop.size
    )
    save(call, here, "file.received", [_received_event(here)])
    return here


def _opened(call: Call, receipt: Receipt) -> Receipt:
    refusal = _refusal_at_the_door(receipt)
    if refusal is None:
        save(call, receipt, "file.received", [_received_event(receipt)])
        return receipt
    state = move(RECEIPT_MOVES, "file", receipt.state, "refuse")
    refused = receipt.but(state=state, refusal_code=refusal.code, refusal=refusal.detail)
    save(call, refused, "file.refused", [_refused_event(refused)])
    return refused


def _refusal_at_the_door(receipt: Receipt) -> Refusal | None:
    kind = KINDS.get(receipt.kind)
    if _announced_id(receipt.object_key) is not None:
        return Invalid("file.another_organisation", "This place in the inbox was given to another upload.")
    if kind is None:
        return Invalid("file.kind_unknown", f"There is no kind of file “{receipt.kind}”; taken: {', '.join(KINDS)}.")
    if receipt.organisation_kind not in kind.organisations:
        return Invalid("file.kind_not_yours", f"{kind.title} are not dropped by an organisation of your kind.")
    if not receipt.size:
        return Invalid("file.empty", "The file is empty.")
    if receipt.size > MOST_BYTES:
        return Invalid("file.too_large", f"The file is over {MOST_BYTES // 1_000_000} MB; part it into several.")
    return None


def _swept(call: Call, receipt: Receipt, patience: timedelta) -> None:
    age = call.now - receipt.at
    if receipt.state == "expected" and age > NEVER_ARRIVED:
        refused = receipt.but(
            version=receipt.version + 1,
            state=move(RECEIPT_MOVES, "file", receipt.state, "refuse"),
            refusal_code="file.never_arrived",
            refusal="The upload was asked for, but no file arrived within a day.",
        )
        save(call, refused, "file.refused")
    elif receipt.state in OPEN and not receipt.failed and age >= patience:
        commit(call, [], [_received_event(receipt)])


def _drop_of(key: str) -> Drop:
    head = objects.head_object(objects.FILES, key)
    return Drop(key=key, version=head["version"], size=head["size"], at=head["modified"])


def _is_lost(drop: Drop) -> bool:
    expected = _expected(drop, owner_of(drop.key) or "")
    if expected is not None:
        return expected.state == "expected"
    return store.find_receipt(receipt_id_of(drop)) is None


def _received_event(receipt: Receipt) -> FileReceived:
    return FileReceived(receipt_id=receipt.id, kind=receipt.kind, organisation=receipt.organisation)


def _refused_event(receipt: Receipt) -> FileRefused:
    return FileRefused(receipt_id=receipt.id, kind=receipt.kind, organisation=receipt.organisation)


def load_object(receipt: Receipt) -> bytes:
    """The dropped bytes; `NotFound` when the object is gone."""
    try:
        return objects.read_object(objects.FILES, receipt.object_key, receipt.object_version)
    except NotFound as error:
        raise NotFound("file.gone", f"The object of file {receipt.id} is no longer there.") from error
