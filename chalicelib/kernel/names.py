"""Owns what people, companies and other things may be called: one line one can see, that leads nowhere."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

LONGEST_PERSON = 100
LONGEST_COMPANY = 160
_LEADS_AWAY = ("://", "www.")


def is_one_line(text: str) -> bool:
    """Whether every character can be seen: no control, line end, invisible or text-turning character."""
    return text.isprintable()


def is_name(text: str) -> bool:
    """Whether something may be called so: one line, and no address of a page, however its letters are written."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return is_one_line(text) and not any(part in plain for part in _LEADS_AWAY)


def one_line(text: str, most: int = 200) -> str:
    """The text as one line one can see, for places where a line end would be taken for something else."""
    seen = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(seen.split())[:most]


def _seen(text: str) -> str:
    spaced = "".join(" " if unicodedata.category(char) == "Zs" else char for char in text)
    if not is_one_line(spaced):
        raise ValueError("must be one line of characters that can be seen")
    return spaced


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError("must not hold the address of a page")
    return text


_CHECKS = (AfterValidator(_seen), AfterValidator(_name))
PersonName = Annotated[str, Field(min_length=1, max_length=LONGEST_PERSON), *_CHECKS]
CompanyName = Annotated[str, Field(min_length=1, max_length=LONGEST_COMPANY), *_CHECKS]
Title = Annotated[str, Field(min_length=1, max_length=200), *_CHECKS]
"""What competitions, schemes, documents and other things are called."""
FileName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_seen)]
