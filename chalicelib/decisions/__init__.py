"""Decisions: each bid accepted or rejected with its reason, then one confirmation that makes the results final."""
