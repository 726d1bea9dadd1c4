"""Owns the facts told about competitions: publication, change, withdrawal, and each date as it passes."""

from __future__ import annotations

from pydantic import BaseModel

from chalicelib.kernel.events import Event


class _OfCompetition(BaseModel):
    competition_id: str
    so: str
    round_ref: str | None = None


class CompetitionPublished(_OfCompetition, Event):
    """A draft was shown to everybody; assets are assessed against it from now on."""


class CompetitionChanged(_OfCompetition, Event):
    """A published competition was edited; `fields` are the names of what changed."""

    fields: tuple[str, ...]


class CompetitionWithdrawn(_OfCompetition, Event):
    """The operator withdrew a published competition; its ballots are void and stay sealed."""


class QualificationOpened(_OfCompetition, Event):
    """Entry and overrides may begin."""


class EntryReminderDue(_OfCompetition, Event):
    """Qualification closes in `days` days; those who have not decided on entry may be reminded."""

    days: int


class QualificationClosed(_OfCompetition, Event):
    """The qualified set is fixed as it stood at the close."""


class BiddingOpened(_OfCompetition, Event):
    """Ballots are taken from now on."""


class BiddingClosesSoon(_OfCompetition, Event):
    """Bidding closes within 24 hours."""


class BiddingClosed(_OfCompetition, Event):
    """No more ballots; the operator may decide."""


class CompetitionArchived(_OfCompetition, Event):
    """Kept, and no longer in the everyday lists."""
