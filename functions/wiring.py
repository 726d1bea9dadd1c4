"""Owns the market's machinery as pure data: every function, what wakes it, its bundle and its limits.

The local worker runs from it, CDK builds from it, and tests prove that each market event has its reader.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Api:
    """Woken by API Gateway for every request."""


@dataclass(frozen=True, slots=True)
class Events:
    """Woken by market events of these names: a rule on the bus feeds the function's own queue."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """Woken by messages our own code sends to the function's queue."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """Woken by objects created under `inbox/` of the files bucket, through the function's queue."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Woken by the stream of a table: what was written there, in order."""

    table: str


@dataclass(frozen=True, slots=True)
class Outbox(Stream):
    """Woken by the stream of the outbox table."""

    table: str = "outbox"


@dataclass(frozen=True, slots=True)
class Every:
    """Woken by a schedule, through the function's queue."""

    minutes: int


@dataclass(frozen=True, slots=True)
class Returns:
    """Woken by what the post tells of mails that came back, through the function's queue."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Woken by another function of ours that waits for the answer (`storage.invoking`): no queue, no dead letters."""


Trigger = Api | Events | Queue | Inbox | Returns | Stream | Every | Asked


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function. `memory` in MB, `timeout` in seconds, `batch` in messages, `concurrency` at most at once."""

    name: str
    handler: str
    trigger: Trigger
    bundle: str
    memory: int = 1024
    timeout: int = 60
    batch: int = 10
    concurrency: int = 10

    @property
    def has_queue(self) -> bool:
        return not isinstance(self.trigger, Api | Stream | Asked)


REQUALIFYING = (
    "areas.areas_changed.v1",
    "assets.assets_changed.v1",
    "assets.gazetteer_loaded.v1",
    "competitions.competition_changed.v1",
    "competitions.competition_published.v1",
    "qualification.override_set.v1",
    "registry.application_approved.v1",
    "registry.application_reinstated.v1",
    "registry.application_rejected.v1",
    "registry.application_submitted.v1",
    "registry.application_suspended.v1",
    "registry.application_withdrawn.v1",
)

FUNCTIONS: tuple[Function, ...] = (
    Function("api", "app.app", Api(), "api", memory=1769, timeout=29),
    # Alone may unwrap data keys. It waits for a few reads and KMS: what it has to do fits in a second.
    Function("keep-keys", "functions.keep_keys.handler", Asked(), "api", memory=512, timeout=10),
    Function("on-outbox", "functions.on_outbox.handler", Outbox(), "api", memory=512, batch=100, concurrency=1),
    Function(
        "seal-audit",
        "functions.seal_audit.handler",
        Stream("audit"),
        "api",
        memory=512,
        batch=100,
        concurrency=1,
    ),
    Function("tick", "functions.tick.handler", Every(1), "api", memory=512, batch=1, concurrency=1),
    Function("sweep", "functions.sweep.handler", Every(60), "api", memory=512, timeout=300, batch=1, concurrency=1),
    Function("on-file", "functions.on_file.handler", Inbox(), "api", memory=512),
    Function(
        "import-file",
        "functions.import_file.handler",
        Events(("files.file_received.v1",)),
        "files",
        memory=3008,
        timeout=900,
        batch=1,
    ),
    Function(
        "import-areas",
        "functions.import_areas.handler",
        Events(("files.file_received.v1",)),
        "geo",
        memory=3008,
        timeout=900,
        batch=1,
    ),
    Function(
        "import-readings",
        "functions.import_readings.handler",
        Events(("files.file_received.v1",)),
        "files",
        memory=3008,
        timeout=900,
        batch=1,
    ),
    Function("import-chunk", "functions.import_chunk.handler", Queue(), "files", memory=1769, timeout=300, batch=1),
    Function(
        "make-export",
        "functions.make_export.handler",
        Events(("files.export_requested.v1",)),
        "files",
        memory=3008,
        timeout=900,
        batch=1,
    ),
    Function(
        "make-document",
        "functions.make_document.handler",
        Events(("files.export_requested.v1",)),
        "reports",
        memory=3008,
        timeout=900,
        batch=1,
    ),
    Function("requalify", "functions.requalify.handler", Events(REQUALIFYING), "api", memory=1769, timeout=300),
    Function(
        "settle-qualification",
        "functions.settle_qualification.handler",
        Events(("competitions.qualification_closed.v1",)),
        "api",
        memory=1769,
        timeout=300,
        batch=1,
    ),
    Function(
        "propose",
        "functions.propose.handler",
        Events(("decisions.proposal_asked.v1",)),
        "solver",
        memory=3008,
        timeout=900,
        batch=1,
    ),
    Function(
        "draw-up-contracts",
        "functions.draw_up_contracts.handler",
        Events(("decisions.results_confirmed.v1",)),
        "api",
        timeout=300,
        batch=1,
    ),
    Function(
        "prepare-dispatch",
        "functions.prepare_dispatch.handler",
        Events(("contracts.obligation_contracted.v1", "contracts.obligations_drawn_up.v1")),
        "api",
        timeout=300,
        batch=1,
    ),
    Function(
        "fan-out-dispatch",
        "functions.fan_out_dispatch.handler",
        Events(
            (
                "contracts.obligation_contracted.v1",
                "contracts.obligations_drawn_up.v1",
                "dispatch.availability_changed.v1",
                "dispatch.instructions_answered.v1",
                "dispatch.instructions_cancelled.v1",
                "dispatch.instructions_ended.v1",
                "dispatch.instructions_escalated.v1",
                "dispatch.instructions_expired.v1",
                "dispatch.instructions_sent.v1",
                "dispatch.instructions_started.v1",
                "dispatch.instructions_stopped.v1",
            )
        ),
        "api",
    ),
    # One at a time, each over within ten seconds: a slow receiver holds up nobody's delivery but its own.
    Function(
        "deliver-dispatch",
        "functions.deliver_dispatch.handler",
        Queue(),
        "api",
        memory=512,
        timeout=30,
        batch=1,
        concurrency=20,
    ),
    Function(
        "notify",
        "functions.notify.handler",
        Events(
            (
                "bidding.ballot_submitted.v1",
                "competitions.bidding_closed.v1",
                "competitions.bidding_opened.v1",
                "competitions.competition_withdrawn.v1",
                "contracts.obligations_drawn_up.v1",
                "decisions.results_confirmed.v1",
                "dispatch.availability_gate_near.v1",
                "dispatch.conflicts_detected.v1",
                "dispatch.instructions_answered.v1",
                "dispatch.instructions_cancelled.v1",
                "dispatch.instructions_escalated.v1",
                "dispatch.instructions_expired.v1",
                "dispatch.instructions_sent.v1",
                "dispatch.instructions_stopped.v1",
                "files.file_refused.v1",
                "qualification.competition_assessed.v1",
                "registry.application_approved.v1",
                "registry.application_rejected.v1",
                "registry.application_submitted.v1",
                "registry.application_suspended.v1",
                "registry.code_asked.v1",
                "registry.authenticator_changed.v1",
                "registry.person_invited.v1",
                "settlement.agreement_moved.v1",
                "settlement.agreement_recorded.v1",
                "settlement.dispute_moved.v1",
                "settlement.dispute_raised.v1",
                "settlement.invoice_issued.v1",
                "settlement.invoice_paid.v1",
                "settlement.meter_data_due.v1",
                "settlement.report_published.v1",
            )
        ),
        "mail",
        timeout=120,
    ),
    Function(
        "run-settlement",
        "functions.run_settlement.handler",
        Events(("settlement.run_asked.v1",)),
        "api",
        memory=3008,
        timeout=900,
        batch=1,
    ),
    Function(
        "settle-months",
        "functions.settle_months.handler",
        Every(60),
        "api",
        memory=512,
        timeout=300,
        batch=1,
        concurrency=1,
    ),
    Function(
        "send-digests",
        "functions.send_digests.handler",
        Every(15),
        "api",
        memory=512,
        timeout=300,
        batch=1,
        concurrency=1,
    ),
    Function("hear-returns", "functions.hear_returns.handler", Returns(), "api", memory=512),
    Function("send-mail", "functions.send_mail.handler", Queue(), "mail", memory=512, concurrency=2),
)
