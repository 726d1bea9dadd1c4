"""Builds a scene once in a process: whoever wants it again, in an empty market, gets a copy of what it came to."""

from __future__ import annotations

from copy import deepcopy
from functools import wraps
from typing import Any, TypeVar

from chalicelib.storage import settings
from chalicelib.storage.schema import BUCKETS
from tests.tables import State, is_empty, put_back, set_aside

Scene = TypeVar("Scene")
_built: dict[tuple[str, ...], tuple[State, dict[str, Any]]] = {}


def built_once(scene: type[Scene]) -> type[Scene]:
    """A class whose `__init__` sets up a market: made from the same words again, it is copied and not built.

    A market that holds something already is built upon as it is.
    """
    build = scene.__init__

    @wraps(build)
    def init(self: Any, **words: Any) -> None:
        if not is_empty():
            build(self, **words)
            return
        name = (scene.__qualname__, repr(words), settings.stage(), settings.bucket_name(BUCKETS[0].name))
        if name not in _built:
            build(self, **words)
            _built[name] = set_aside(), deepcopy(self.__dict__)
            return
        state, held = _built[name]
        put_back(state)
        self.__dict__.update(deepcopy(held))

    scene.__init__ = init  # type: ignore[method-assign, assignment, misc]
    return scene
