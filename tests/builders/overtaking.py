"""Lets somebody else act whole before each request that an act sends to AWS, one place after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar

from chalicelib.kernel.errors import Stale
from chalicelib.storage.clients import client
from tests.tables import put_back, set_aside

T = TypeVar("T")
SERVICES = ("dynamodb", "s3", "kms")
_GIVEN_AGAIN = 5


class _Overtaking:
    """Counts requests; before the one with the number, the other acts."""

    def __init__(self, number: int, other: Callable[[], Any]) -> None:
        self._number, self._other, self._seen = number, other, 0
        self.acted = False

    def __call__(self, **about: Any) -> None:
        if not self.acted:
            self._seen += 1
            if self._seen == self._number:
                self.acted = True
                self._other()


def overtaken_everywhere(
    act: Callable[[], T], other: Callable[[], Any], every: int = 1
) -> Iterator[tuple[int, T, Any]]:
    """Do `act` from the same state again and again, overtaken by `other` before its first request, its second, …

    `every` passes over places where there are too many of them. Gives the place, what `act` came to, and what `other`
    came to. `Stale` gives the act again, as its queue would.
    """
    state = set_aside()
    for number in count(1, every):
        put_back(state)
        came: list[Any] = []
        with _overtaken(_Overtaking(number, lambda: came.append(other()))) as overtaking:  # noqa: B023
            found = _given(act)
        if not overtaking.acted:
            return
        yield number, found, came[0]


def _given(act: Callable[[], T]) -> T:
    for _ in range(_GIVEN_AGAIN - 1):
        try:
            return act()
        except Stale:
            continue
    return act()


@contextmanager
def _overtaken(overtaking: _Overtaking) -> Iterator[_Overtaking]:
    for service in SERVICES:
        client(service).meta.events.register_first(f"before-call.{service}", overtaking)
    try:
        yield overtaking
    finally:
        for service in SERVICES:
            client(service).meta.events.unregister(f"before-call.{service}", overtaking)
