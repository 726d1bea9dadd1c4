"""Competitions: an operator's request for flexibility, its calendar, its windows, and who is told when it moves."""
