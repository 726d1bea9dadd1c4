"""Owns market events: past-tense facts, their names on the bus and the envelope they travel in."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

_EVENTS: dict[str, type[Event]] = {}


class Event(BaseModel):
    """A fact that happened. Each room's are in its `events.py`; the name on the bus is `<room>.<past_tense>.v1`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        room = cls.__module__.removeprefix("chalicelib.").split(".")[0]
        cls.name = f"{room}.{_snake(cls.__name__)}.v1"
        _EVENTS[cls.name] = cls


def event_types() -> dict[str, type[Event]]:
    """Every event class whose room was imported, by name."""
    return dict(_EVENTS)


class Envelope(BaseModel):
    """What travels: the event's name and body with its id, instant and cause. Ids only, never personal data."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    name: str
    at: datetime
    request_id: str
    body: dict[str, Any]

    def event(self) -> Event:
        """The typed event; KeyError if its room was not imported, ValidationError if the body does not fit."""
        return _EVENTS[self.name].model_validate(self.body)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
