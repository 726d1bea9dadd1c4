"""Owns the rows of runs: heads, how many versions each scope has, what each run came to by provider, F by month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction

from chalicelib.kernel.errors import Refused, Stale
from chalicelib.kernel.models import Page, Value
from chalicelib.settlement.models_runs import Run, RunPart
from chalicelib.settlement.store_listing import ListedRow
from chalicelib.storage.tables import (
    BodyAttribute,
    Row,
    RowMeta,
    batch_put,
    get,
    get_many,
    query_all,
    query_index,
    table_name,
)
from chalicelib.storage.writes import Write, check, create, number, put, replace

_MOST_BITS, _PLACES = 1 << 13, 60
_MADE = Refused("run.exists", "This run was asked for already.")
_MOVED = Stale("run.changed", "Another run of the same days was asked for meanwhile. Ask again.")
_CHANGED = Stale("run.made", "This run was made meanwhile.")


class Scope(Value):
    """How many versions there are of a scope's runs, and the latest of them."""

    latest: str
    version: int = 1


class Performance(Value):
    """F of an obligation and local month as the latest run of it found; None where no instruction gave one."""

    obligation_id: str
    month: str
    run_id: str
    f: str | None = None


class _RunRow(ListedRow):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(Run)


class _PartRow(ListedRow):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(RunPart)


class _ScopeRow(Row):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(Scope)


class _PerformanceRow(Row):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(Performance)


def find_run(run_id: str) -> Run | None:
    row = get(_RunRow, run_id, "head")
    return row.body if row else None


def load_runs(run_ids: Iterable[str]) -> dict[str, Run]:
    """Runs by id; unknown ids are left out."""
    return {row.pk: row.body for row in get_many(_RunRow, [(run_id, "head") for run_id in run_ids])}


def save_run(run: Run) -> Write:
    """Write a run, new at version 1."""
    row = _RunRow(pk=run.id, sk="head", version=run.version, so=run.so, sort=_sort(run), body=run)
    return create(row, _MADE) if run.version == 1 else replace(row, _MOVED)


def check_run(run: Run) -> Write:
    """Require that a run is as it was read."""
    return check(_RunRow, run.id, "head", "#version = :seen", {":seen": number(run.version)}, _CHANGED)


def list_runs(so: str, limit: int, cursor: str | None) -> Page[Run]:
    """An operator's runs, latest days first; a moment behind what was written."""
    page = query_index(_RunRow, "by_so", so, prefix="run#", limit=limit, cursor=cursor, newest_first=True)
    return Page(items=[row.body for row in page.items], next=page.next)


def find_scope(so: str, first: date, last: date, obligation_id: str | None) -> Scope | None:
    """How many versions there are of a scope."""
    row = get(_ScopeRow, *_scope_key(so, first, last, obligation_id))
    return row.body if row else None


def save_scope(run: Run, scope: Scope) -> Write:
    """Count one more version of a run's scope; the count before must be stored."""
    pk, sk = _scope_key(run.so, run.first, run.last, run.obligation_id)
    row = _ScopeRow(pk=pk, sk=sk, version=scope.version, body=scope)
    return create(row, _MOVED) if scope.version == 1 else replace(row, _MOVED)


def find_part(run_id: str, fsp: str) -> RunPart | None:
    row = get(_PartRow, run_id, f"part#{fsp}")
    return row.body if row else None


def save_part(run: Run, part: RunPart) -> Write:
    """What a run came to for a provider; written again while the run is being made, it takes its own place."""
    return put(_PartRow(pk=run.id, sk=f"part#{part.fsp}", fsp=part.fsp, sort=_sort(run), body=part))


def list_parts_of(fsp: str, limit: int, cursor: str | None) -> Page[RunPart]:
    """A provider's parts of any operator's runs, latest days first; a moment behind what was written."""
    page = query_index(_PartRow, "by_fsp", fsp, prefix="run#", limit=limit, cursor=cursor, newest_first=True)
    return Page(items=[row.body for row in page.items], next=page.next)


def save_performance(run: Run, performed: Mapping[tuple[str, str], Fraction | None]) -> None:
    """Remember F of obligations and months; a run made again finds the same."""
    batch_put(
        [
            _PerformanceRow(
                pk=f"performance#{obligation_id}",
                sk=month,
                body=Performance(
                    obligation_id=obligation_id, month=month, run_id=run.id, f=None if f is None else _told(f)
                ),
            )
            for (obligation_id, month), f in sorted(performed.items())
        ]
    )


def list_performance(obligation_id: str) -> dict[str, Fraction]:
    """F of an obligation by month (`2026-04`), as it was remembered, where instructions gave one."""
    rows = query_all(_PerformanceRow, f"performance#{obligation_id}")
    return {row.body.month: Fraction(row.body.f) for row in rows if row.body.f is not None}


def _told(f: Fraction) -> str:
    """Exact; where the fraction of a great many meters would outgrow a row, to sixty places."""
    if f.denominator.bit_length() > _MOST_BITS:
        f = Fraction(round(f * 10**_PLACES), 10**_PLACES)
    return str(f)


def _sort(run: Run) -> str:
    return f"run#{run.first}#{run.last}#{run.number:06d}#{run.id}"


def _scope_key(so: str, first: date, last: date, obligation_id: str | None) -> tuple[str, str]:
    return f"runs#{so}", f"{first}#{last}#{obligation_id or '-'}"
