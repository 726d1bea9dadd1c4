"""Organisations, people and their roles, machine users, and company qualification (schemes and applications)."""
