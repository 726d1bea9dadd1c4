"""Owns the keeper's side of sealed files' keys, for `keep-keys` alone: each ask judged by the receipt or job on record.

The owner's own people get the key with the role of the file's kind. The market itself, on their behalf, gets it only
while the file is being read or made: what is closed is opened for its owner alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.files import store
from chalicelib.files.kinds import EXPORTS, KINDS
from chalicelib.files.lifecycle import OPEN
from chalicelib.files.models import Job
from chalicelib.kernel.call import Call
from chalicelib.kernel.errors import NotFound, Stale
from chalicelib.storage.data_keys import data_keys_of
from chalicelib.storage.key_words import Answered, Asked, KeyTold
from chalicelib.storage.sealing_cipher import Scope

JOB = "job"


@dataclass(frozen=True, slots=True)
class _Record:
    """What is on record of a file: whose it is, the role it takes (None where it is not sealed), and whether it is
    still being worked on."""

    thing: str
    owner: str
    role: str | None
    open: bool


def tell_file_key(call: Call, asked: Asked) -> Answered:
    """The key of one sealed file. `NotFound` for another's, `Forbidden` by role, `Stale` to the market once closed."""
    file_id = asked.ids[0]
    record = _record(file_id)
    asking = replace(call, actor=asked.asker.actor)
    asking.check_owner(record.owner, record.thing)
    if record.role is None or asked.owner != record.owner:
        raise NotFound(f"{record.thing}.not_found", f"There is no such {record.thing}.")
    asking.check_role(record.role)
    if asking.actor.kind == "system" and not record.open:
        raise Stale(f"{record.thing}.closed", f"The work on this {record.thing} was closed meanwhile.")
    found = data_keys_of([Scope("file", file_id)], asked.make)
    return Answered(keys=tuple(KeyTold.of(scope, key.of(record.owner)) for scope, key in found))


def _record(file_id: str) -> _Record:
    if file_id.startswith(f"{JOB}_"):
        return _of_job(store.load_job(file_id))
    receipt = store.load_receipt(file_id)
    kind = KINDS.get(receipt.kind)
    role = kind.role if kind is not None and kind.sealed else None
    return _Record("file", receipt.organisation, role, receipt.state in OPEN)


def _of_job(job: Job) -> _Record:
    kind = EXPORTS.get(job.kind)
    role = kind.role if kind is not None and kind.sealed else None
    return _Record(JOB, job.organisation, role, job.state == "queued")
