"""Owns files asked for: jobs, what they came to, and the blank templates made ahead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.files import store
from chalicelib.files.actions import template_key
from chalicelib.files.events import ExportRequested
from chalicelib.files.keeping import BYTES, made_by
from chalicelib.files.kinds import EXPORTS
from chalicelib.files.lifecycle import JOB_MOVES
from chalicelib.files.models import ExportRequest, Job, JobView
from chalicelib.kernel.call import Actor, Call, derived_id, ordered_ids
from chalicelib.kernel.errors import Forbidden, Invalid, Problem, Refusal, Refused
from chalicelib.kernel.lifecycle import move
from chalicelib.storage import objects
from chalicelib.storage.audit import Change
from chalicelib.storage.commit import commit

TEMPLATES = "templates"
MARKET = "market"


def request_export(call: Call, asked: ExportRequest) -> JobView:
    """Ask for a file; a function makes it, the job says when it is there."""
    kind = EXPORTS.get(asked.kind)
    if kind is None:
        allowed = ", ".join(EXPORTS)
        raise Invalid.of([Problem("export.kind_unknown", f"There is no export “{asked.kind}”.", "kind", allowed)])
    if call.actor.organisation_kind not in kind.organisations:
        raise Forbidden("export.kind_not_yours", f"“{kind.title}” is not made for an organisation of your kind.")
    if kind.role != "read":
        call.check_role(kind.role)
    assert call.actor.organisation_kind is not None
    job = Job(
        id=call.new_id("job"),
        organisation=call.organisation,
        organisation_kind=call.actor.organisation_kind,
        actor=call.actor.id,
        actor_kind="machine" if call.actor.kind == "machine" else "person",
        roles=tuple(sorted(call.actor.roles)),
        kind=asked.kind,
        filters=asked.filters,
        state="queued",
        at=call.now,
    )
    commit(call, [store.create_job(job)], [_event(job)], [_change(job, "export.requested")], job.id)
    return _view(call, job)


def get_job(call: Call, job_id: str) -> JobView:
    """How a job stands, with a link once it is done; for its own organisation and those who may ask for the same."""
    job = store.load_job(job_id)
    call.check_owner(job.organisation, "job")
    role = EXPORTS[job.kind].role
    if role != "read":
        call.check_role(role)
    return _view(call, job)


def find_queued(job_id: str) -> Job | None:
    """The job while it waits to be done; None once it is closed (the news of it came twice)."""
    job = store.load_job(job_id)
    return job if job.state == "queued" else None


def acting(call: Call, job: Job) -> Call:
    """The call of whoever asked for the job, with the roles held when asking."""
    actor = Actor(job.actor_kind, job.actor, job.organisation, job.organisation_kind, frozenset(job.roles))
    return replace(call, actor=actor, now=job.at, idempotency=None)


def finish_job(call: Call, job: Job, content: bytes, name: str, rows: int, content_type: str = BYTES) -> None:
    """Keep the file and close the job."""
    key = f"exports/{job.id}/{name}"
    made_by(call, job).put_file(key, content, content_type)
    done = job.but(
        version=job.version + 1,
        state=move(JOB_MOVES, "job", job.state, "finish"),
        object_key=key,
        name=name,
        rows=rows,
    )
    commit(_call_of(call, done), [store.save_job(done)], [], [_change(done, "export.done")])


def refuse_job(call: Call, job: Job, refusal: Refusal) -> None:
    """Close a job that cannot be done, with the reason."""
    refused = job.but(
        version=job.version + 1,
        state=move(JOB_MOVES, "job", job.state, "refuse"),
        refusal_code=refusal.code,
        refusal=refusal.detail,
    )
    commit(_call_of(call, refused), [store.save_job(refused)], [], [_change(refused, "export.refused")])


def prepare_templates(call: Call, fingerprint: str) -> None:
    """Have the blank templates made, once for each state (`fingerprint`) of their columns."""
    job = Job(
        id=derived_id("job", TEMPLATES, fingerprint),
        organisation=MARKET,
        organisation_kind="market_operator",
        actor=call.actor.id,
        actor_kind="machine",
        roles=(),
        kind=TEMPLATES,
        filters={},
        state="queued",
        at=call.now,
    )
    try:
        commit(call, [store.create_job(job)], [_event(job)])
    except Refused:
        _ask_again(call, job.id)


def keep_templates(call: Call, job: Job, workbooks: Mapping[str, bytes]) -> None:
    """Keep the blank workbooks by kind, over the ones before, and close the job."""
    for kind, content in workbooks.items():
        objects.put_object(objects.BODIES, template_key(kind), content)
    done = job.but(version=job.version + 1, state=move(JOB_MOVES, "job", job.state, "finish"), rows=len(workbooks))
    commit(call, [store.save_job(done)])


def _ask_again(call: Call, job_id: str) -> None:
    waiting = find_queued(job_id)
    if waiting is not None:
        commit(call, [], [_event(waiting)])


def _call_of(call: Call, job: Job) -> Call:
    """The call under which a job's new version is written: ids of its own, however often the work is begun."""
    return replace(call, new_id=ordered_ids(call.now, job.id, str(job.version)))


def _event(job: Job) -> ExportRequested:
    return ExportRequested(job_id=job.id, kind=job.kind, organisation=job.organisation)


def _change(job: Job, action: str) -> Change:
    after = {"kind": job.kind, "state": job.state}
    return Change(thing=f"job:{job.id}", action=action, organisation=job.organisation, after=after)


def _view(call: Call, job: Job) -> JobView:
    fields = set(JobView.model_fields) & set(Job.model_fields)
    link = made_by(call, job).link_to(job.object_key, job.name) if job.object_key and job.name else None
    return JobView(**job.model_dump(include=fields), link=link)
