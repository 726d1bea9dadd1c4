"""Owns the row of what either side lists: the indexes by operator and by provider find it by their own order."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.storage.tables import Row


class ListedRow(Row):
    """A row that an operator's list has, a provider's, or both: it is in the index of each that it names."""

    so = UnicodeAttribute(null=True)
    fsp = UnicodeAttribute(null=True)
    sort = UnicodeAttribute()
