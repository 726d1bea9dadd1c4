"""Owns the terms people and companies accept on joining: their versions and texts, as data."""

from __future__ import annotations

from chalicelib.kernel.models import Value


class Terms(Value):
    """Terms in one version. `accepted_by` says who binds themselves."""

    name: str
    terms_version: str
    accepted_by: str
    text: str


USER_TERMS = Terms(
    name="user",
    terms_version="2026-04",
    accepted_by="each person, for themselves",
    text=(
        "You use this market for the organisation that you belong to, and only within the roles it gave you. "
        "You keep your password and your authenticator to yourself. "
        "What you do here is recorded with your name, and the record cannot be edited. "
        "Your name and e-mail address are shown to your own organisation and used to send you what you need to know."
    ),
)
SERVICE_TERMS = Terms(
    name="service",
    terms_version="2026-04",
    accepted_by="a person authorised to bind the company",
    text=(
        "The company takes part in competitions of system operators through this market. "
        "What it says about itself and its assets is true and kept up to date. "
        "A bid that was accepted binds the company under the terms of the competition it was made in. "
        "Meter data and other data of homes stays with the company and the system operators it contracts with. "
        "Results of competitions, with the provider's name where the operator's policy says so, are published."
    ),
)
