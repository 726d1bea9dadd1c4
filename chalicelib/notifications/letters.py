"""Owns the list of letters: what the market tells, and which people of an organisation hear it."""

from __future__ import annotations

from chalicelib.notifications.models import Letter

LETTERS: dict[str, Letter] = {
    letter.name: letter
    for letter in (
        Letter(name="invited", role="account"),
        Letter(name="verification_code", role="account"),
        Letter(name="password_reset", role="account"),
        Letter(name="authenticator_changed", role="read"),
        Letter(name="application_submitted", role="procurement"),
        Letter(name="application_approved", role="account"),
        Letter(name="application_rejected", role="account"),
        Letter(name="application_suspended", role="account"),
        Letter(name="competition_published", role="procurement", cadence="digest", contractual=False),
        Letter(name="competition_withdrawn", role="procurement"),
        Letter(name="bidding_opened", role="bidding", cadence="digest", contractual=False),
        Letter(name="ballot_received", role="bidding"),
        Letter(name="bidding_closed", role="procurement"),
        Letter(name="results_confirmed", role="bidding"),
        Letter(name="obligations_ready", role="bidding"),
        Letter(name="dispatch_instruction", role="dispatch", route="dispatch"),
        Letter(name="dispatch_stopped", role="dispatch", route="dispatch"),
        Letter(name="dispatch_declined", role="dispatch", route="dispatch"),
        Letter(name="dispatch_expired", role="dispatch", route="dispatch"),
        Letter(name="dispatch_escalated", role="dispatch"),
        Letter(name="availability_gate", role="dispatch", route="dispatch"),
        Letter(name="dispatch_conflict", role="dispatch", route="dispatch"),
        Letter(name="settlement_report_published", role="settlement", route="settlement"),
        Letter(name="dispute_raised", role="settlement", route="settlement"),
        Letter(name="dispute_answered", role="settlement", route="settlement"),
        Letter(name="dispute_escalated", role="settlement", route="settlement"),
        Letter(name="dispute_ended", role="settlement", route="settlement"),
        Letter(name="self_billing_proposed", role="settlement", route="settlement"),
        Letter(name="self_billing_answered", role="settlement", route="settlement"),
        Letter(name="self_billing_ended", role="settlement", route="settlement"),
        Letter(name="invoice_issued", role="settlement", route="settlement"),
        Letter(name="invoice_paid", role="settlement", route="settlement"),
        Letter(name="meter_data_due", role="settlement", route="settlement"),
        Letter(name="meter_data_missing", role="settlement", route="settlement"),
        Letter(name="file_refused", role="procurement"),
    )
}
