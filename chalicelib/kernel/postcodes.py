"""Owns British postcodes: how one is written, and the outward code and sector it lies in."""

from __future__ import annotations

import re
from functools import lru_cache

_POSTCODE = re.compile(
    r"^(GIR 0AA"
    r"|[A-PR-UWYZ](?:\d{1,2}|\d[A-HJKPSTUW]|[A-HK-Y]\d{1,2}|[A-HK-Y]\d[ABEHMNPRV-Y])"
    r" \d[ABD-HJLNP-UW-Z]{2})$"
)
_SECTOR = re.compile(r"^[A-Z]{1,2}\d[A-Z\d]? \d$")


@lru_cache(maxsize=65_536)
def normalise_postcode(text: str) -> str:
    """A postcode as it is written: capitals, one space before the last three characters ("ip11aa" is "IP1 1AA").

    Only the writing is changed; whether it is a postcode says `is_postcode`.
    """
    bare = "".join(text.split()).upper()
    return f"{bare[:-3]} {bare[-3:]}" if len(bare) > 3 else bare


def is_postcode(normalised: str) -> bool:
    """Whether a normalised postcode has the form of a British one (BS 7666)."""
    return _POSTCODE.match(normalised) is not None


def normalise_sector(text: str) -> str:
    """A postcode sector as it is written: capitals, one space before the last digit ("ip11" is "IP1 1")."""
    bare = "".join(text.split()).upper()
    return f"{bare[:-1]} {bare[-1:]}"


def is_sector(normalised: str) -> bool:
    """Whether a normalised postcode sector has the form of a British one."""
    return _SECTOR.match(normalised) is not None


def outward_of(postcode: str) -> str:
    """The part before the space: "IP1" of "IP1 1AA"."""
    return postcode.split(" ")[0]


def sector_of(postcode: str) -> str:
    """The sector of a normalised postcode: "IP1 1" of "IP1 1AA"."""
    return postcode[:-2]
