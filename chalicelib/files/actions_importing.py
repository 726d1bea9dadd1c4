"""Owns an import's progress: bytes claimed, chunks kept, results counted, the receipt closed by whoever comes last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.files import store
from chalicelib.files.actions_receiving import load_object, refuse, save
from chalicelib.files.columns import Template
from chalicelib.files.importing import ApplyObject, Chunk, RowOutcome, outcome_json
from chalicelib.files.keeping import kept_of
from chalicelib.files.kinds import KINDS
from chalicelib.files.lifecycle import OPEN, RECEIPT_MOVES
from chalicelib.files.models import ChunkResult, Counts, Receipt
from chalicelib.kernel.call import Actor, Call
from chalicelib.kernel.errors import Invalid, Problem, Refusal, Stale
from chalicelib.kernel.lifecycle import move
from chalicelib.storage import queues
from chalicelib.storage.commit import commit

CHUNK_QUEUE = "import-chunk"
CHUNKS = "chunks"
OUTCOMES = "outcomes"
MOST_NOTES = 200

Mark = Callable[[Receipt, bytes], bytes]


def acting(call: Call, receipt: Receipt) -> Call:
    """The call under which a file's rows are applied: its own organisation, at the instant it arrived."""
    roles = frozenset({KINDS[receipt.kind].role, "read"})
    actor = Actor(receipt.actor_kind, receipt.actor, receipt.organisation, receipt.organisation_kind, roles)
    return replace(call, actor=actor, now=receipt.at, idempotency=None)


def find_work(receipt_id: str) -> Receipt | None:
    """The receipt while its file is still being read; None once it is closed (the news of it came twice)."""
    receipt = store.load_receipt(receipt_id)
    return receipt if receipt.state in OPEN else None


def begin(call: Call, receipt: Receipt, content: bytes) -> Receipt | None:
    """Claim the file's bytes. None when the receipt was closed instead: not what was announced, or the same as before.

    The same bytes are passed over while an earlier file of them is being read, and once it went in without errors,
    unless another file of the kind came in between: then they are applied again.
    """
    digest = hashlib.sha256(content).hexdigest()
    if receipt.sha256 not in (None, digest):
        refuse(call, receipt, Invalid("file.not_as_announced", "The file's bytes are not those that were announced."))
        return None
    claimed = receipt.but(version=receipt.version + 1, sha256=digest)
    earlier_id = store.find_bytes_claim(claimed)
    if earlier_id == receipt.id:
        return receipt
    earlier = store.find_receipt(earlier_id) if earlier_id else None
    if earlier is not None and _still_counts(earlier):
        _close_as_same(call, claimed, earlier)
        return None
    commit(call, [*store.save_receipt(claimed), store.claim_bytes(claimed, earlier_id), store.save_latest(claimed)])
    return claimed


def start(call: Call, receipt: Receipt, chunks: Sequence[Chunk], rows: int, notes: Iterable[str] = ()) -> Receipt:
    """Keep the chunks, then say how many there are: from here on the file's own object is not needed any more."""
    kept = kept_of(call, receipt)
    keys = [kept.put_json(chunk.as_json(), CHUNKS) for chunk in chunks]
    started = receipt.but(
        version=receipt.version + 1,
        state=move(RECEIPT_MOVES, "file", receipt.state, "start"),
        chunks=len(chunks),
        rows=rows,
        chunks_key=kept.put_json(keys, CHUNKS),
        notes=tuple(notes),
    )
    commit(call, store.save_receipt(started))
    return started


def queue_missing(call: Call, receipt: Receipt) -> int:
    """Queue every chunk that has no result yet; how many those are."""
    done = {result.number for result in store.list_results(receipt.id)}
    missing = [number for number in range(receipt.chunks or 0) if number not in done]
    queues.send(call, CHUNK_QUEUE, [{"receipt_id": receipt.id, "number": number} for number in missing])
    return len(missing)


def load_chunk(call: Call, receipt: Receipt, number: int) -> Chunk:
    """One chunk of a file as it was kept."""
    assert receipt.chunks_key is not None
    kept = kept_of(call, receipt)
    keys = kept.get_json(receipt.chunks_key)
    return Chunk.from_json(number, kept.get_json(keys[number]))


def has_result(receipt: Receipt, number: int) -> bool:
    return store.find_result(receipt.id, number) is not None


def record(call: Call, receipt: Receipt, number: int, outcomes: Sequence[RowOutcome]) -> None:
    """Keep what a chunk's rows came to."""
    problems = sum(len(outcome.problems) for outcome in outcomes)
    key = kept_of(call, receipt).put_json([outcome_json(outcome) for outcome in outcomes], OUTCOMES)
    result = ChunkResult(number=number, counts=count(outcomes), problems=problems, outcomes_key=key)
    commit(call, [store.save_result(receipt.id, result)])


def finish_if_last(call: Call, receipt: Receipt, mark: Mark | None = None) -> bool:
    """Close the receipt once every chunk has its result; whoever closes it second finds it closed.

    `mark` makes the marked-up copy of the file, asked for only when there are problems.
    """
    results = store.list_results(receipt.id)
    if len(results) < (receipt.chunks or 0):
        return False
    problems = sum(result.problems for result in results)
    marked = _keep_marked(call, receipt, mark(receipt, load_object(receipt))) if problems and mark else None
    _close(call, receipt.id, sum_counts(result.counts for result in results), problems, marked)
    return True


def import_object(call: Call, receipt_id: str, apply: ApplyObject) -> None:
    """Apply a file that is taken or refused whole: `apply` gets its bytes; its refusal refuses the file.

    What it says of rows that went in (a repair, an assumption) becomes the receipt's notes. Faults and `Stale` are
    raised, for the queue to give the file again.
    """
    receipt = find_work(receipt_id)
    if receipt is None:
        return
    content = load_object(receipt)
    begun = begin(call, receipt, content) if receipt.state == "received" else receipt
    if begun is None:
        return
    try:
        outcomes = apply(acting(call, begun), begun, content)
    except Stale:
        raise
    except Refusal as refusal:
        refuse(call, begun, refusal)
        return
    notes = _notes(outcomes)
    started = start(call, begun, [Chunk(0, {})], len(outcomes), notes) if begun.state == "received" else begun
    record(call, started, 0, [_without_notes(outcome) for outcome in outcomes])
    finish_if_last(call, started)


def _notes(outcomes: Iterable[RowOutcome]) -> list[str]:
    """What is told of rows that went in, the first so many."""
    said = [problem.detail for outcome in outcomes if outcome.outcome != "error" for problem in outcome.problems]
    left = len(said) - MOST_NOTES
    return said if left <= 0 else [*said[:MOST_NOTES], f"And {left} more."]


def _without_notes(outcome: RowOutcome) -> RowOutcome:
    return outcome if outcome.outcome == "error" else replace(outcome, problems=())


def merge(template: Template, chunk: Chunk, outcomes: Iterable[RowOutcome]) -> list[RowOutcome]:
    """An outcome for every row of the chunk: the room's, with the reader's problems, each problem at its place.

    RuntimeError when the room left out a row in which the reader found nothing wrong.
    """
    given = {(outcome.sheet, outcome.row): outcome for outcome in outcomes}
    merged = []
    for sheet, row in chunk:
        outcome = given.get((sheet, row.row))
        if outcome is None and not row.problems:
            raise RuntimeError(f"the importer of {template.kind} left out row {row.row} of {sheet}")
        outcome = outcome or RowOutcome(row.row, sheet, "error")
        own = tuple(problem for problem in outcome.problems if problem not in row.problems)
        problems = tuple(_placed(template, outcome, problem) for problem in (*row.problems, *own))
        merged.append(replace(outcome, outcome="error" if row.problems else outcome.outcome, problems=problems))
    return merged


def count(outcomes: Iterable[RowOutcome]) -> Counts:
    tally = {"created": 0, "updated": 0, "unchanged": 0, "errors": 0}
    for outcome in outcomes:
        tally["errors" if outcome.outcome == "error" else outcome.outcome] += 1
    return Counts(**tally)


def sum_counts(counts: Iterable[Counts]) -> Counts:
    found = list(counts)
    return Counts(**{name: sum(getattr(each, name) for each in found) for name in Counts.model_fields})


def _placed(template: Template, outcome: RowOutcome, problem: Problem) -> Problem:
    return replace(
        problem,
        sheet=problem.sheet or outcome.sheet,
        row=problem.row or outcome.row,
        column=problem.column or _headers(template, outcome.sheet).get(problem.field or ""),
    )


def _headers(template: Template, sheet: str) -> Mapping[str, str]:
    return {column.field: column.header for tab in template.sheets if tab.name == sheet for column in tab.columns}


def _still_counts(earlier: Receipt) -> bool:
    if earlier.state in OPEN:
        return not earlier.failed
    return earlier.state == "done" and not earlier.counts.errors and store.find_latest(earlier) == earlier.id


def _close_as_same(call: Call, receipt: Receipt, earlier: Receipt) -> None:
    closed = receipt.but(
        state=move(RECEIPT_MOVES, "file", receipt.state, "finish"),
        same_as=earlier.id,
        rows=earlier.rows,
        counts=Counts(unchanged=earlier.rows),
        notes=(f"The same bytes as the file “{earlier.name}” ({earlier.id}): nothing was applied again.",),
        failed=False,
    )
    save(call, closed, "file.done")


def _keep_marked(call: Call, receipt: Receipt, content: bytes) -> str:
    key = f"marked/{receipt.id}.xlsx"
    kept_of(call, receipt).put_workbook(key, content)
    return key


def _close(call: Call, receipt_id: str, counts: Counts, problems: int, marked: str | None) -> None:
    receipt = find_work(receipt_id)
    if receipt is None:
        return
    closed = receipt.but(
        version=receipt.version + 1,
        state=move(RECEIPT_MOVES, "file", receipt.state, "finish"),
        counts=counts,
        rows=counts.rows,
        problem_count=problems,
        marked_workbook=marked,
        failed=False,
    )
    try:
        save(call, closed, "file.done")
    except Stale:
        if find_work(receipt_id) is not None:
            raise
