"""Owns keys as a function holds them: asked of `keep-keys`, each opening one owner's bytes, kept a minute at most.

A `Lease` says through which door a key came and how long it may be kept for the same door. The rooms check calendar
and organisation at each reading before they come here; `keep-keys` checks them again, by what is on record and its own
clock, whenever it is asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.kernel.call import Call
from chalicelib.storage.invoking import invoke
from chalicelib.storage.key_words import KEEPER, MOST_AT_ONCE, Answered, Asked, ask_of
from chalicelib.storage.sealing_cipher import NotSealedHere, OwnerKey, Scope

KEPT_AT_MOST = timedelta(seconds=60)
MOST_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Lease:
    """Keep a key for later calls through the same `door`: at most a minute, and never past `until`."""

    door: str
    now: datetime
    until: datetime | None = None

    @property
    def ends(self) -> datetime:
        latest = self.now + KEPT_AT_MOST
        return latest if self.until is None else min(latest, self.until)


class _Kept:
    """Keys of this process by scope and door, each with the instants between which it may be used."""

    def __init__(self) -> None:
        self._keys: OrderedDict[tuple[Scope, str], tuple[datetime, datetime, OwnerKey]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, scope: Scope, lease: Lease) -> OwnerKey | None:
        with self._lock:
            found = self._keys.get((scope, lease.door))
            if found is None:
                return None
            since, ends, key = found
            if since <= lease.now < ends:
                return key
            del self._keys[scope, lease.door]
            return None

    def keep(self, scope: Scope, lease: Lease, key: OwnerKey) -> None:
        with self._lock:
            self._keys[scope, lease.door] = (lease.now, lease.ends, key)
            self._keys.move_to_end((scope, lease.door))
            while len(self._keys) > MOST_KEPT:
                self._keys.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()


_kept = _Kept()


def forget_keys_held() -> None:
    """Ask for every key anew at its next use."""
    _kept.clear()


def own_keys(
    call: Call, owner: str, competitions: Mapping[str, datetime | None], make: bool = False
) -> dict[str, OwnerKey]:
    """The keys of an FSP's own ballots by competition; each is kept until the instant given beside it.

    To seal, `make` them where there are none; else `NotSealedHere` where nothing was ever sealed.
    """
    leases = {Scope("competition", each): Lease(f"own/{owner}", call.now, competitions[each]) for each in competitions}
    found = {scope: key for scope, lease in leases.items() if (key := _kept.find(scope, lease))}
    missing = [scope for scope in leases if scope not in found]
    for some in _parted(missing):
        for scope, key in _asked_own(call, owner, some, make):
            _kept.keep(scope, leases[scope], key)
            found[scope] = key
    return {scope.id: key for scope, key in found.items()}


def opening_keys(call: Call, competition_id: str) -> dict[str, OwnerKey]:
    """By FSP the keys of all ballots of a competition that were opened; kept nowhere."""
    told = _answer(ask_of(call, "opened", (competition_id,)))
    return {each.owner: each.key(Scope("competition", competition_id)) for each in told.keys}


def count_sealed(call: Call, competition_id: str) -> int:
    """How many bids there are in the live ballots of a competition, counted where the keys are."""
    number = _answer(ask_of(call, "count", (competition_id,))).number
    assert number is not None
    return number


def file_key(call: Call, scope: Scope, owner: str, make: bool) -> OwnerKey:
    """The key of a file, or of what is proposed about ballots; to seal it, `make` it.

    The latter is kept for the asker's organisation, since each of a list of proposals is read with it; a file's is not.
    """
    assert scope.kind != "competition"
    lease = Lease(f"{scope.kind}/{call.actor.organisation}", call.now)
    kept = _kept.find(scope, lease) if scope.kind == "proposals" else None
    if kept is not None:
        return kept
    told = _answer(ask_of(call, scope.kind, (scope.id,), owner, make))
    if not told.keys:
        raise _nothing(scope)
    key = told.keys[0].key(scope)
    if scope.kind == "proposals":
        _kept.keep(scope, lease, key)
    return key


def _asked_own(call: Call, owner: str, scopes: Sequence[Scope], make: bool) -> Iterable[tuple[Scope, OwnerKey]]:
    told = _answer(ask_of(call, "own", tuple(scope.id for scope in scopes), owner, make))
    by_id = {each.id: each for each in told.keys}
    for scope in scopes:
        if scope.id not in by_id:
            raise _nothing(scope)
        yield scope, by_id[scope.id].key(scope)


def _answer(asked: Asked) -> Answered:
    """What the keeper answers; its refusal is raised as ours."""
    told = Answered.model_validate_json(invoke(KEEPER, asked.model_dump_json().encode()))
    if told.refusal is not None:
        raise told.refusal.refusal()
    return told


def _nothing(scope: Scope) -> NotSealedHere:
    return NotSealedHere(f"nothing was sealed for {scope.id}")


def _parted(scopes: Sequence[Scope]) -> Iterable[Sequence[Scope]]:
    return (scopes[start : start + MOST_AT_ONCE] for start in range(0, len(scopes), MOST_AT_ONCE))
