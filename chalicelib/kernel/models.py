"""Owns the base of every value: frozen, strict about unknown fields, decimals and instants exact in JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

T = TypeVar("T")
Id = Annotated[str, Field(max_length=60)]
"""The id of a thing, as a request names it; ours are shorter."""


class Value(BaseModel):
    """A frozen value of the market."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    def but(self, **changes: Any) -> Any:
        """The same value with some fields changed, validated again."""
        return type(self).model_validate({**dict(self), **changes})


def as_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def iso(value: datetime) -> str:
    """An instant as we store and send it: UTC, `Z`, seconds (and milliseconds only where there are some)."""
    instant = value.astimezone(UTC)
    spec = "milliseconds" if instant.microsecond else "seconds"
    return instant.isoformat(timespec=spec).replace("+00:00", "Z")


Instant = Annotated[AwareDatetime, AfterValidator(as_utc), PlainSerializer(iso, return_type=str, when_used="json")]


class Page(BaseModel, Generic[T]):
    """One page of a list; `next` is the cursor of the following page, None at the end."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    items: list[T]
    next: str | None = None


class PageQuery(BaseModel):
    """What every list takes: at most `limit` items after `cursor`."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
    limit: int = Field(default=100, ge=1, le=500, description="items per page")
    cursor: str | None = Field(default=None, max_length=2000, description="`next` of the page before")
