"""Owns receipts: what is known of a dropped file, how far its import is, and what its rows came to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from chalicelib.kernel.call import OrganisationKind
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.models import Id, Instant, PageQuery, Value
from chalicelib.kernel.names import FileName

ReceiptState = Literal["expected", "received", "processing", "done", "refused"]
Outcome = Literal["created", "updated", "unchanged", "error"]

MOST_BYTES = 100_000_000
MOST_ROWS = 500_000


class Counts(Value):
    """Rows by what became of them."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: int = 0

    @property
    def rows(self) -> int:
        return self.created + self.updated + self.unchanged + self.errors


class FileProblem(Value):
    """One thing to fix in a file: where, what, and what would pass."""

    code: str
    detail: str
    sheet: str | None = None
    row: int | None = Field(default=None, description="as a spreadsheet numbers rows, from 1")
    column: str | None = Field(default=None, description="the header, or a cell's address where there is none")
    field: str | None = None
    allowed: str | None = None

    @classmethod
    def of(cls, problem: Problem) -> FileProblem:
        return cls(**problem.as_dict())


class Receipt(Value):
    """A file somebody dropped: whose, what kind, where its bytes are, and what came of it.

    `at` is the instant that counts (S3's event time of the object); until the object arrives, the instant of asking.
    """

    id: str
    version: int = 1
    organisation: str
    organisation_kind: OrganisationKind
    kind: str
    name: str
    state: ReceiptState
    at: Instant
    actor: str
    actor_kind: Literal["person", "machine"] = "machine"
    object_key: str
    object_version: str | None = None
    reference_attribute: str | None = None
    size: int | None = None
    sha256: str | None = None
    chunks: int | None = None
    chunks_key: str | None = None
    problems_key: str | None = None
    rows: int = 0
    counts: Counts = Counts()
    same_as: str | None = None
    refusal_code: str | None = None
    refusal: str | None = None
    notes: tuple[str, ...] = ()
    problem_count: int = 0
    marked_workbook: str | None = None
    failed: bool = False


class FileRequest(Value):
    """Asking for an upload: what will be sent. The hash is of the file's bytes, in hexadecimal."""

    kind: str = Field(max_length=40)
    name: FileName
    size: int = Field(ge=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    reference_attribute: str | None = Field(
        default=None, max_length=100, description="areas only: the attribute that holds the area reference"
    )


class Drop(Value):
    """An object that arrived: its key and version, its size, and the instant S3 gives for it."""

    key: str
    version: str | None = None
    size: int
    at: Instant


class ChunkResult(Value):
    """What a chunk came to; its outcomes stand packed under `outcomes_key`."""

    number: int
    counts: Counts
    problems: int = 0
    outcomes_key: str


class UploadView(Value):
    """Where to send the file: a form POST with `fields` first and the bytes as `file`, before it expires."""

    url: str
    fields: dict[str, str]
    expires_seconds: int


class FileView(Value):
    """A receipt as its owner sees it."""

    id: str
    version: int
    organisation: str
    kind: str
    name: str
    state: ReceiptState
    at: Instant
    size: int | None = None
    rows: int = Field(description="rows in all; 0 until the file has been read")
    rows_done: int
    counts: Counts
    problem_count: int
    problems: tuple[FileProblem, ...] = Field(default=(), description="the first few; all of them under /problems")
    notes: tuple[str, ...] = Field(default=(), description="what was ignored or repaired, and was no problem")
    same_as: str | None = Field(default=None, description="the receipt of the same bytes, sent before")
    refusal_code: str | None = None
    refusal: str | None = None
    has_marked_workbook: bool = False
    failed: bool = Field(default=False, description="could not be processed at all; the market operator can replay it")
    upload: UploadView | None = Field(default=None, description="only in the answer to the request for an upload")


class FileQuery(PageQuery):
    """Which receipts; `status=failed` is the market operator's list of files that could not be processed."""

    kind: str | None = Field(default=None, max_length=40)
    state: ReceiptState | None = None
    status: Literal["failed"] | None = None


class LinkView(Value):
    """A short presigned link to a file."""

    url: str
    name: str
    expires_seconds: int


FilterName = Annotated[str, Field(max_length=60)]
FilterText = Annotated[str, Field(max_length=500)]
FilterValue = FilterText | bool | int | float | Annotated[list[Id], Field(max_length=100)] | None


class ExportRequest(Value):
    """Asking for a workbook: its kind, and filters as that kind takes them."""

    kind: str = Field(max_length=60)
    filters: dict[FilterName, FilterValue] = Field(default_factory=dict, max_length=20)


class Job(Value):
    """Work that takes longer than a request: who asked, how it stands, and the file it made."""

    id: str
    version: int = 1
    organisation: str
    organisation_kind: OrganisationKind
    actor: str
    actor_kind: Literal["person", "machine"]
    roles: tuple[str, ...]
    kind: str
    filters: dict[str, Any]
    state: Literal["queued", "done", "refused"]
    at: Instant
    object_key: str | None = None
    name: str | None = None
    rows: int = 0
    refusal_code: str | None = None
    refusal: str | None = None


class JobView(Value):
    """How a job stands; `link` once it is done."""

    id: str
    kind: str
    state: Literal["queued", "done", "refused"]
    at: Instant
    rows: int = 0
    refusal_code: str | None = None
    refusal: str | None = None
    link: LinkView | None = None
