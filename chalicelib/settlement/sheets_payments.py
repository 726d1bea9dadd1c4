"""Owns the payments file as columns: which invoices a bank's list says were paid, when and how much."""

from __future__ import annotations

from decimal import Decimal

from chalicelib.files.columns import Column, DecimalNumber, LocalDate, Sheet, Template, Text

PAYMENTS = "Payments"

TEMPLATE = Template(
    kind="payments",
    title="Payments",
    version="1",
    sheets=(
        Sheet(
            PAYMENTS,
            (
                Column("Invoice number", "number", "As it stands on the invoice.", True, Text(40), "SPEN-000012"),
                Column("Paid on", "paid_on", "The day of the payment.", True, LocalDate(), "2026-06-30"),
                Column(
                    "Amount",
                    "amount",
                    "The whole sum of the invoice with VAT; negative for a credit note paid back.",
                    True,
                    DecimalNumber(places=2, minimum=Decimal(-(10**12))),
                    "120.04",
                ),
                Column("Reference", "reference", "What the bank statement says.", kind=Text(140), example="BACS 4711"),
            ),
            unique=("number",),
            help="One row per invoice; each is recorded or refused by itself.",
        ),
    ),
    how_to=(
        "List the payments your bank made; columns that are not named here are ignored.",
        "A payment that was recorded already is left as it is, so the same list may be uploaded again.",
        "An invoice is paid in one sum: a row with another amount is an error, and says what is due.",
    ),
)
