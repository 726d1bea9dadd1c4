"""Owns what OpenADR 3.1 lists are asked with; parameters of earlier versions that mean nothing here are passed over."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class _Paged(BaseModel):
    """`skip` and `limit` as the standard has them; more than its 50 may be asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
    skip: int = Field(default=0, ge=0, le=1_000_000)
    limit: int = Field(default=50, ge=0, le=500)


class _Targeted(_Paged):
    targets: tuple[Annotated[str, Field(max_length=200)], ...] = Field(
        default=(), max_length=50, description="every one must be met"
    )


class ProgramQuery(_Targeted):
    """Programs of the caller."""


class EventQuery(_Targeted):
    """Events of the caller; `active` picks those that are not over yet, or those that are."""

    program_id: str | None = Field(default=None, alias="programID", max_length=128)
    active: bool | None = None


class ReportQuery(_Paged):
    """Reports of the caller."""

    program_id: str | None = Field(default=None, alias="programID", max_length=128)
    event_id: str | None = Field(default=None, alias="eventID", max_length=128)
    client_name: str | None = Field(default=None, alias="clientName", max_length=128)


class VenQuery(_Targeted):
    """The caller's own VEN."""

    ven_name: str | None = Field(default=None, alias="venName", max_length=128)


class ResourceQuery(_Targeted):
    """Resources of the caller."""

    resource_name: str | None = Field(default=None, alias="resourceName", max_length=128)
    ven_id: str | None = Field(default=None, alias="venID", max_length=128)


class SubscriptionQuery(_Paged):
    """Subscriptions of the caller."""

    program_id: str | None = Field(default=None, alias="programID", max_length=128)
    client_name: str | None = Field(default=None, alias="clientName", max_length=128)
    objects: tuple[Annotated[str, Field(max_length=60)], ...] = Field(default=(), max_length=12)
