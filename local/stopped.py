"""Owns the one way a local start or demonstration gives up: a sentence for a person and what to do next."""

from __future__ import annotations


class Stopped(Exception):
    """It cannot go on; the text says why and what to do next."""
