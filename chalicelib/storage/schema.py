"""Owns the shape of state as pure data: every table, index and bucket; read by stores, local start, CDK, tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index over string attributes; sparse where rows leave its attributes out."""

    name: str
    pk: str
    sk: str | None = None
    projection: str = "ALL"


@dataclass(frozen=True, slots=True)
class Table:
    """A table keyed by strings `pk`, `sk`. `expires` names the TTL attribute, `stream` turns the stream on."""

    name: str
    indexes: tuple[Index, ...] = ()
    expires: str | None = None
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Bucket:
    """A private bucket. `versioned` keeps old objects; `notifies` tells on-file's queue of what lands in `inbox/`.

    What is written to a `locked` one can be neither changed nor removed for as long as the deployment says.
    """

    name: str
    versioned: bool = True
    notifies: bool = False
    expires_days: int | None = None
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A KMS key of the deployment, found by its alias (`settings.key_alias`)."""

    name: str
    description: str


OUTBOX = Table("outbox", (Index("unpublished", "pending", "at"),), expires="expires_at", stream=True)
AUDIT = Table(
    "audit",
    (Index("by_thing", "thing", "sk"), Index("unsealed", "unsealed", "sk", projection="KEYS_ONLY")),
    stream=True,
)
RECEIPTS = Table("receipts", (Index("by_organisation", "org", "at"), Index("open_receipts", "open", "at")))
CLAIMS = Table("claims", expires="expires_at")
REGISTRY = Table(
    "registry",
    (
        Index("applications_by_fsp", "fsp", "sk"),
        Index("schemes_by_so", "so", "sk"),
        Index("organisations_by_kind", "org_kind", "pk"),
    ),
)
ASSETS = Table("assets", (Index("by_owner", "owner", "ref"), Index("by_owner_changed", "owner", "changed")))
AREAS = Table("areas", (Index("by_so", "so", "ref"),))
COMPETITIONS = Table(
    "competitions",
    (
        Index("by_so", "so", "ref"),
        Index("by_round", "round", "ref"),
        Index("listed", "listed", "closing_at"),
        Index("due", "due", "next_check_at"),
    ),
)
QUALIFICATION = Table("qualification", (Index("by_asset", "asset", "pk"), Index("by_organisation", "org", "sk")))
BIDDING = Table("bidding", (Index("by_organisation", "org", "at"),))
DECISIONS = Table("decisions")
CONTRACTS = Table(
    "contracts",
    (Index("by_fsp", "fsp", "sort"), Index("by_so", "so", "sort"), Index("by_asset", "asset", "pk")),
)
DISPATCH = Table(
    "dispatch",
    (
        Index("by_fsp", "fsp", "sort"),
        Index("by_so", "so", "sort"),
        Index("told_by_fsp", "told", "sort"),
        Index("due", "due", "next_check_at"),
    ),
)
METERING = Table("metering")
SETTLEMENT = Table("settlement", (Index("by_fsp", "fsp", "sort"), Index("by_so", "so", "sort")))
NOTIFICATIONS = Table("notifications", (Index("by_organisation", "org", "at"), Index("unsent", "unsent", "at")))

TABLES: tuple[Table, ...] = (
    OUTBOX,
    AUDIT,
    RECEIPTS,
    CLAIMS,
    REGISTRY,
    ASSETS,
    AREAS,
    COMPETITIONS,
    QUALIFICATION,
    BIDDING,
    DECISIONS,
    CONTRACTS,
    DISPATCH,
    METERING,
    SETTLEMENT,
    NOTIFICATIONS,
)

FILES = Bucket("files", notifies=True)
BODIES = Bucket("bodies")
OPENED = Bucket("opened", versioned=False, expires_days=1)
AUDIT_ROOTS = Bucket("audit-roots", locked=True)

BUCKETS: tuple[Bucket, ...] = (FILES, BODIES, OPENED, AUDIT_ROOTS)

BIDS_KEY = Key("bids", "Wraps the data keys under which ballots are sealed")

KEYS: tuple[Key, ...] = (BIDS_KEY,)
