"""Owns British meter point numbers (MPAN cores): thirteen digits, the last of which checks the others.

Source of the weights: Elexon/MRA MPAN core check digit (modulo 11, then modulo 10).
"""

from __future__ import annotations

_WEIGHTS = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)
CORE_LENGTH = 13
FULL_LENGTH = 21


def normalise_mpan(text: str) -> str:
    """A meter point number without the spaces people group its digits by."""
    return "".join(text.split())


def check_digit(first_twelve: str) -> int:
    """The check digit of twelve digits: their weighted sum modulo 11, modulo 10, so that 10 counts as 0."""
    return sum(int(digit) * weight for digit, weight in zip(first_twelve, _WEIGHTS, strict=True)) % 11 % 10


def is_core_shaped(text: str) -> bool:
    return len(text) == CORE_LENGTH and text.isascii() and text.isdigit()


def is_mpan(text: str) -> bool:
    """Whether a text is a thirteen-digit core whose check digit holds."""
    return is_core_shaped(text) and check_digit(text[:12]) == int(text[12])
