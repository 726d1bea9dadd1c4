"""Owns when a self-billing agreement may stand, when it holds, and which VAT number an invoice bears. Pure.

Source: HMRC VAT Notice 700/62 (self-billing): an agreement has an expiry, usually 12 months, and is made anew when the
provider's VAT number changes; no VAT is shown for a provider that is not registered for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from chalicelib.kernel.errors import Problem
from chalicelib.registry.rules import plain_number, vat_problems
from chalicelib.settlement.models_invoices import AgreedSpan, Agreement

FIRST_YEAR, LAST_YEAR = 2000, 2099


def last_day_of_a_year(starts: date) -> date:
    """The last day of twelve months that begin on a day."""
    try:
        anniversary = starts.replace(year=starts.year + 1)
    except ValueError:  # 29 February
        anniversary = date(starts.year + 1, 3, 1)
    return anniversary - timedelta(days=1)


def span_problems(starts: date, ends: date, today: date) -> list[Problem]:
    """Every reason why an agreement cannot have these days."""
    if not FIRST_YEAR <= starts.year < LAST_YEAR:
        return [Problem("agreement.starts", "It starts in this century.", "starts", f"{FIRST_YEAR} to {LAST_YEAR - 1}")]
    latest = last_day_of_a_year(starts)
    if ends < starts:
        return [Problem("agreement.ends", "It ends before it starts.", "ends", f"{starts} to {latest}")]
    if ends > latest:
        detail = "A self-billing agreement lasts at most 12 months; record another one to go on."
        return [Problem("agreement.too_long", detail, "ends", f"up to {latest}")]
    if ends < today:
        return [Problem("agreement.past", "It would be over already.", "ends", f"{today} or later")]
    return []


def vat_number_of(number: str | None) -> str | None:
    """A valid GB VAT number as invoices bear it (`GB980780684`), checked by HMRC's check digits; else None.

    Numbers of other countries bear no VAT of the United Kingdom.
    """
    bare = plain_number(number or "").removeprefix("GB")
    return f"GB{bare}" if bare and not vat_problems("GB", bare, "vat_number") else None


def span_of(agreement: Agreement) -> AgreedSpan:
    """An agreement as the account keeps it once both sides accepted it."""
    return AgreedSpan(
        so=agreement.so,
        fsp=agreement.fsp,
        starts=agreement.starts,
        ends=agreement.last_day,
        vat_number=agreement.vat_number,
        agreement_id=agreement.id,
        contracting_entity=agreement.contracting_entity,
    )


def overlapping(spans: Iterable[AgreedSpan], agreement: Agreement) -> AgreedSpan | None:
    """An agreement already accepted for the same company that shares a day with this one."""
    own = (span for span in spans if span.contracting_entity == agreement.contracting_entity)
    return next((span for span in own if span.starts <= agreement.last_day and agreement.starts <= span.ends), None)


def renewed_by(spans: Iterable[AgreedSpan], starts: date, entity: str | None = None) -> str | None:
    """The agreement of the same company that ends the day before a new one starts."""
    own = (span for span in spans if span.contracting_entity == entity)
    return next((span.agreement_id for span in own if span.ends == starts - timedelta(days=1)), None)


def without(spans: Iterable[AgreedSpan], agreement_id: str) -> tuple[AgreedSpan, ...]:
    return tuple(span for span in spans if span.agreement_id != agreement_id)


def holding(spans: Iterable[AgreedSpan], day: date, vat_number: str | None) -> tuple[AgreedSpan | None, str | None]:
    """The agreement that holds on a day, or None with the sentence that says why there is none.

    `vat_number` is the provider's today, by `vat_number_of`: with another one than was agreed on, none holds.
    """
    span = next((each for each in spans if each.starts <= day <= each.ends), None)
    if span is None:
        return None, f"No self-billing agreement that both sides accepted holds on {day}."
    if span.vat_number != vat_number:
        return None, "The provider's VAT number changed since the self-billing agreement; it needs a new one."
    return span, None
