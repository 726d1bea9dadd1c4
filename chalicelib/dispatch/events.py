"""Owns what dispatch tells: availability that changed, and each step of instructions of a pair of sides. Ids only."""

from __future__ import annotations

from pydantic import BaseModel

from chalicelib.kernel.events import Event


class AvailabilityChanged(Event):
    """A variation was declared, or variable availability offered or decided."""

    obligation_id: str
    so: str
    fsp: str


class AvailabilityGateNear(Event):
    """Until `gate` a provider may offer next week's variable availability; of these obligations it has not."""

    so: str
    fsp: str
    gate: str
    obligation_ids: list[str]


class _OfInstructions(BaseModel):
    so: str
    fsp: str
    instruction_ids: list[str]


class InstructionsSent(_OfInstructions, Event):
    """Instructions reached their provider's door; those that need no answer stand acknowledged."""


class InstructionsAnswered(_OfInstructions, Event):
    """The provider acknowledged or declined."""


class InstructionsCancelled(_OfInstructions, Event):
    """The operator took instructions back before they started."""


class InstructionsStopped(_OfInstructions, Event):
    """The operator ended running instructions early."""


class InstructionsExpired(_OfInstructions, Event):
    """Nobody answered in the market's time."""


class InstructionsEscalated(_OfInstructions, Event):
    """Half the time to answer has passed without one."""


class InstructionsStarted(_OfInstructions, Event):
    """Delivery began, by report or by the clock."""


class InstructionsEnded(_OfInstructions, Event):
    """Delivery ended, by report or by the clock, or failed."""


class ConflictsDetected(Event):
    """Instructions of one operator and of another meet on the same assets at once; each operator is told of its own."""

    so: str
    other_so: str
    instruction_ids: list[str]
