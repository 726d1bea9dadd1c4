"""Tells which company stands on an invoice: an organisation's own, or the contracting entity of its obligations."""

from __future__ import annotations

from chalicelib.registry import actions_reads as registry
from chalicelib.registry.models import Company, Organisation
from chalicelib.settlement.agreements import vat_number_of
from chalicelib.settlement.models_runs import Party


def company_of(organisation: Organisation, entity_id: str | None = None) -> Company | None:
    """The company in whose name an organisation contracts: its own, or one of its contracting entities.

    `NotFound` for an entity that is not the organisation's. An entity is reached at the organisation's address.
    """
    if entity_id is None:
        return organisation.company
    entity = registry.get_contracting_entity(organisation.id, entity_id)
    return Company(
        name=entity.name,
        company_number=entity.company_number,
        country=entity.country,
        address=organisation.company.address if organisation.company else "",
        vat_number=entity.vat_number,
    )


def valid_vat_number(organisation: Organisation, entity_id: str | None = None) -> str | None:
    """The valid GB VAT number of that company, or None: no invoice bears VAT without one."""
    company = company_of(organisation, entity_id)
    return vat_number_of(company.vat_number) if company else None


def party(organisation: Organisation, entity_id: str | None = None) -> Party:
    """A side of an invoice as the registry knows it now."""
    company = company_of(organisation, entity_id)
    addresses = registry.list_addresses(organisation.id, "settlement")
    email = addresses[0] if addresses else None
    if company is None:
        return Party(organisation=organisation.id, name=organisation.name, email=email)
    return Party(
        organisation=organisation.id,
        name=company.name,
        company_number=company.company_number,
        address=company.address,
        country=company.country,
        vat_number=vat_number_of(company.vat_number) if company.country == "GB" else company.vat_number,
        email=email,
    )
