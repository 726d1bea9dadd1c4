"""Owns the rows that say a provider was told of a month's meter data: once when it is due, once when it is missing."""

from __future__ import annotations

from chalicelib.kernel.errors import Refused
from chalicelib.settlement.deadlines import Notice
from chalicelib.storage.tables import Row, RowMeta, sort_keys, table_name
from chalicelib.storage.writes import Write, create

_TOLD = Refused("deadline.told", "This was told already.")


class _ToldRow(Row):
    class Meta(RowMeta):
        table_name = table_name("settlement")


def list_told(so: str, month: str, notice: Notice) -> set[str]:
    """The providers an operator's notice of a month was thought of for, whether or not there was anything to tell."""
    return set(sort_keys(_ToldRow, _place(so, month, notice)))


def told(so: str, fsp: str, month: str, notice: Notice) -> Write:
    """Say that it was; refused when it was said before."""
    return create(_ToldRow(pk=_place(so, month, notice), sk=fsp), _TOLD)


def _place(so: str, month: str, notice: Notice) -> str:
    return f"deadline#{so}#{month}#{notice}"
