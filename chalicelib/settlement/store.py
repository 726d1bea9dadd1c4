"""Owns the rows of settlement: every version of every operator's market rules."""

from __future__ import annotations

from chalicelib.kernel.errors import Stale
from chalicelib.settlement.models import KeptRules
from chalicelib.storage.tables import BodyAttribute, Row, RowMeta, query_all, table_name
from chalicelib.storage.writes import Write, create


class _RulesRow(Row):
    class Meta(RowMeta):
        table_name = table_name("settlement")

    body = BodyAttribute(KeptRules)


_MOVED = Stale("rules.changed", "Somebody set a version of these rules meanwhile. Read them again.")


def list_rules(so: str, name: str | None = None) -> list[KeptRules]:
    """An operator's rules by name and version, strongly consistent."""
    return [row.body for row in query_all(_RulesRow, f"rules#{so}", f"{name}#" if name else "")]


def new_rules(rules: KeptRules) -> Write:
    """A version that nobody set yet."""
    return create(_RulesRow(pk=f"rules#{rules.so}", sk=f"{rules.name}#{rules.version:06d}", body=rules), _MOVED)
