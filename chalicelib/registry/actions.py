"""The registry's door for other rooms: its reads, the first market operator, and the words of code mails."""

from __future__ import annotations

from chalicelib.registry.actions_bootstrap import bootstrap_market_operator
from chalicelib.registry.actions_codes import find_code_letter
from chalicelib.registry.actions_reads import (
    approval_of,
    approvals_of,
    find_application,
    find_scheme_by_ref,
    get_contracting_entity,
    get_operator,
    get_organisation,
    get_organisations,
    get_profile,
    get_scheme,
    list_addresses,
    list_contracting_entities,
    list_organisations,
    list_people,
    member_of,
    standing_of,
    submissions_of,
    support_contact,
)
from chalicelib.registry.models import MARKET_OPERATOR

__all__ = [
    "MARKET_OPERATOR",
    "approval_of",
    "approvals_of",
    "bootstrap_market_operator",
    "find_application",
    "find_code_letter",
    "find_scheme_by_ref",
    "get_contracting_entity",
    "get_operator",
    "get_organisation",
    "get_organisations",
    "get_profile",
    "get_scheme",
    "list_addresses",
    "list_contracting_entities",
    "list_organisations",
    "list_people",
    "member_of",
    "standing_of",
    "submissions_of",
    "support_contact",
]
