"""Owns the refusals: the five ways the market says no, each with a sentence and a code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing a person must fix: a code for machines, a sentence for people, and where it stands.

    `field` is the name in our models (`capacity_mw`, `windows/0/start`); `sheet`, `row` (1 is the first row of
    the sheet, as a spreadsheet shows it) and `column` (header text) are set when it came from a file.
    `allowed` says what would pass.
    """

    code: str
    detail: str
    field: str | None = None
    allowed: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None

    def at(self, *, sheet: str | None = None, row: int | None = None, column: str | None = None) -> Problem:
        return replace(self, sheet=sheet or self.sheet, row=row or self.row, column=column or self.column)

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


class Refusal(Exception):
    """A refusal the caller is told about. Anything else that is raised is a fault and is retried."""

    status = 400
    title = "Refused"

    def __init__(
        self, code: str, detail: str, problems: Iterable[Problem] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.problems = tuple(problems)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class Invalid(Refusal):
    """The request is of the wrong shape or breaks rules its sender can fix: every problem at once."""

    status = 422
    title = "Invalid"

    @classmethod
    def of(cls, problems: Iterable[Problem], code: str = "invalid", detail: str | None = None) -> Invalid:
        found = tuple(problems)
        noun = "problem" if len(found) == 1 else "problems"
        return cls(code, detail or f"{len(found)} {noun}: {found[0].detail}", found)


class Unauthorised(Refusal):
    """Nobody is signed in, or the token does not hold."""

    status = 401
    title = "Sign in first"


class Forbidden(Refusal):
    """The caller is known and may see the thing, but lacks the role for this act."""

    status = 403
    title = "Not allowed"


class NotFound(Refusal):
    """There is no such thing, or it is another organisation's, which is the same to the caller."""

    status = 404
    title = "Not found"


class Refused(Refusal):
    """The right shape at the wrong moment: the state of the market refuses it."""

    status = 409
    title = "Refused"


class Stale(Refusal):
    """Somebody changed the thing since the caller read it."""

    status = 412
    title = "Changed meanwhile"


class TooLarge(Refusal):
    """More than the market takes at once."""

    status = 413
    title = "Too large"


class TooMany(Refusal):
    """Asked too often; `retry_after` says when to come back, in seconds."""

    status = 429
    title = "Too many requests"


def raise_problems(problems: Iterable[Problem], code: str = "invalid") -> None:
    """Raise `Invalid` with all problems, or return when there is none."""
    found = tuple(problems)
    if found:
        raise Invalid.of(found, code)
