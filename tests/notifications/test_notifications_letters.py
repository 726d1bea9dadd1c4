"""Claims about letters: every one renders, in text and HTML, with nothing left undefined and nothing let through."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.notifications.letters import LETTERS
from chalicelib.notifications.models import Envelope, Mail, Recipient
from chalicelib.notifications.rendering import LONGEST_SUBJECT, render

ORIGIN = "https://market.example"
RECIPIENT = Recipient(name="Ann <b>", email="ann@fsp.example", organisation_name="Kestrel & Co")
COMPETITION = {
    "competition_id": "cmp_1",
    "reference": "NORTH-1",
    "name": "Winter <script>peak",
    "so_name": "Northmoor",
    "brand_colour": "#123456",
    "qualification_closed": "Mon 04 May 2026 12:00 (BST)",
    "open": "Tue 05 May 2026 12:00 (BST)",
    "closed": "Fri 08 May 2026 12:00 (BST)",
}
APPLICATION = {"application_id": "app_1", "scheme_name": "Framework", "so_name": "Northmoor", "brand_colour": "#123456"}
CODE = {"organisation_name": "Kestrel", "valid_until": "1 May 2026", "code": "123456", "link": None, "known": False}
DISPATCH = {
    "so_name": "Northmoor",
    "fsp_name": "Kestrel",
    "brand_colour": "#123456",
    "instructions": [
        {
            "id": "ins_1",
            "reference": "NORTH-1",
            "mw": "1.5",
            "start": "Mon 01 June 2026 17:00 (BST)",
            "end": "Mon 01 June 2026 18:00 (BST)",
            "respond_by": "Mon 01 June 2026 13:30 (BST)",
            "state": "sent",
            "urgent": False,
            "test": True,
            "reason": "Load <script>fell.",
        }
    ],
}
SIDES = {"so_name": "Northmoor", "fsp_name": "Kestrel", "brand_colour": "#123456"}
DISPUTE = SIDES | {
    "dispute_id": "dsp_1",
    "month": "April 2026",
    "reference": "NORTH-1",
    "window_name": "Evening <script>peak",
    "component": "utilisation",
    "withdrawn": False,
}
INVOICE = SIDES | {
    "invoice_id": "inv_1",
    "number": "NOR-000001",
    "document": "self-billing invoice",
    "kind": "self_billing_invoice",
    "months": "March 2026 and April 2026",
    "due": "Mon 15 June 2026",
    "paid_on": "Fri 12 June 2026",
    "reference": "BACS <script>7",
}
AGREEMENT = SIDES | {
    "agreement_id": "sba_1",
    "starts": "Wed 1 July 2026",
    "last_day": "Wed 30 June 2027",
    "act": "refuse",
    "by_name": "Kestrel",
    "reason": "Sold <script>it.",
}
METER_DATA = SIDES | {"month": "April 2026", "month_code": "2026-04", "due": "Fri 8 May 2026", "missing": 12}
WORDS: dict[str, dict[str, Any]] = {
    "settlement_report_published": SIDES
    | {
        "report_id": "rpt_1",
        "month": "April 2026",
        "number": 2,
        "lines": 41,
        "unsettled": 3,
        "until": "Fri 22 May 2026",
    },
    "dispute_raised": DISPUTE,
    "dispute_answered": DISPUTE,
    "dispute_escalated": DISPUTE,
    "dispute_ended": DISPUTE,
    "self_billing_proposed": AGREEMENT,
    "self_billing_answered": AGREEMENT,
    "self_billing_ended": AGREEMENT,
    "invoice_issued": INVOICE,
    "invoice_paid": INVOICE,
    "meter_data_due": METER_DATA,
    "meter_data_missing": METER_DATA,
    "dispatch_instruction": DISPATCH,
    "dispatch_stopped": DISPATCH,
    "availability_gate": {
        "so_name": "Eastern Networks",
        "brand_colour": "#0b5394",
        "gate": "Thu 04 June 2026 00:00 (BST)",
        "windows": ["NORTH-1 Evening"],
    },
    "dispatch_conflict": DISPATCH | {"other_name": "Southern Networks"},
    "dispatch_declined": DISPATCH,
    "dispatch_expired": DISPATCH,
    "dispatch_escalated": DISPATCH,
    "invited": CODE | {"link": "https://market.example/invitation#secret"},
    "verification_code": CODE,
    "password_reset": CODE,
    "authenticator_changed": {"is_on": False, "at": "1 May 2026 09:00 UTC"},
    "application_submitted": APPLICATION | {"fsp_name": "Kestrel", "submission": 1},
    "application_approved": APPLICATION | {"reason": ""},
    "application_rejected": APPLICATION | {"reason": "No insurance."},
    "application_suspended": APPLICATION | {"reason": "Insurance lapsed."},
    "competition_published": {"items": [COMPETITION, COMPETITION | {"reference": "NORTH-0", "closed": ""}]},
    "competition_withdrawn": COMPETITION | {"reason": "Reinforced early."},
    "bidding_opened": {"items": [COMPETITION]},
    "ballot_received": COMPETITION | {"ballot_id": "bal_1", "ballot_version": 2, "submitted_at": "now"},
    "bidding_closed": COMPETITION | {"bids": 0, "count_words": "no bids"},
    "results_confirmed": COMPETITION
    | {"bids": 3, "accepted": 1, "accepted_mw": "2.5", "reasons": [("Cheaper bids covered the requirement.", 2)]},
    "obligations_ready": COMPETITION | {"obligations": 1},
    "file_refused": {"file_id": "fil_1", "name": "=cmd().xlsx", "kind": "assets", "refusal": "A zip bomb."},
}


def rendered(letter: str, recipient: Recipient = RECIPIENT, **but: Any) -> Envelope:
    words = WORDS[letter] | but
    at = datetime(2026, 5, 1, tzinfo=UTC)
    mail = Mail(id="mail_1", letter=letter, organisation="org_1", person="per_1", words=words, queued_at=at)
    return render(mail, recipient, words, ORIGIN)


@pytest.mark.parametrize("letter", sorted(LETTERS))
def test_every_letter_renders_with_a_link_to_its_page(letter: str) -> None:
    envelope = rendered(letter)
    assert envelope.subject
    assert "\n" not in envelope.subject
    assert ORIGIN in envelope.text
    assert ORIGIN in envelope.html
    for part in (envelope.subject, envelope.text, envelope.html):
        assert "None" not in part.replace("None of", "")
        assert "{{" not in part


@pytest.mark.parametrize("letter", sorted(LETTERS))
def test_what_people_wrote_is_escaped_in_html(letter: str) -> None:
    html = rendered(letter).html
    assert "Ann &lt;b&gt;" in html
    assert "<script>" not in html


def test_no_name_makes_a_second_line_of_a_subject_or_hides_in_it() -> None:
    subject = rendered("dispute_raised", fsp_name="Kestrel\r\nBcc: all@evil.example\x00\u202e").subject
    assert subject == "Kestrel Bcc: all@evil.example disputes a line of April 2026: NORTH-1"
    assert len(rendered("file_refused", name="x" * 900).subject) <= LONGEST_SUBJECT


def test_a_name_from_before_names_were_checked_greets_nobody() -> None:
    lure = "Ann,\n\nYour account is locked. Unlock it at https://evil.example/login now."
    told = rendered("application_approved", Recipient(name=lure, email="a@b.example", organisation_name=lure))
    for part in (told.subject, told.text, told.html):
        assert "evil.example" not in part
    assert told.text.startswith("Dear colleague,\n")


def test_an_invitation_reads_well_with_and_without_the_name_of_who_invites() -> None:
    named, unnamed = rendered("invited"), rendered("invited", organisation_name=None)
    assert named.subject == "You are invited to Kestrel on Headroom"
    assert unnamed.subject == "You are invited to Headroom"
    assert "An organisation has invited you" in unnamed.text


@pytest.mark.parametrize("letter", sorted(name for name, letter in LETTERS.items() if not letter.contractual))
def test_a_letter_that_is_not_contractual_says_how_to_stop_it(letter: str) -> None:
    envelope = rendered(letter)
    assert "/settings/preferences" in envelope.text
    assert "/settings/preferences" in envelope.html


def test_a_digest_is_sorted_and_says_how_many_it_tells_of() -> None:
    envelope = rendered("competition_published")
    assert envelope.subject == "2 new competitions where you have assets"
    assert envelope.text.index("NORTH-0") < envelope.text.index("NORTH-1")
    assert rendered("bidding_opened").subject == "Bidding is open: NORTH-1"


@pytest.mark.parametrize(
    ("bids", "accepted", "mw", "sentence"),
    [
        (1, 0, "0", "Your bid was not accepted."),
        (1, 1, "2.5", "Your bid was accepted, 2.5 MW."),
        (3, 0, "0", "0 of your 3 bids were accepted, 0 MW in all."),
        (3, 2, "4", "2 of your 3 bids were accepted, 4 MW in all."),
    ],
)
def test_results_read_well_for_one_bid_and_for_many(bids: int, accepted: int, mw: str, sentence: str) -> None:
    assert sentence in rendered("results_confirmed", bids=bids, accepted=accepted, accepted_mw=mw).text


def test_no_bids_say_what_to_do_next() -> None:
    assert "Confirm to close the competition with nothing bought." in rendered("bidding_closed").text
    assert "Decide each bid" in rendered("bidding_closed", bids=2, count_words="2 bids to decide").text


def test_somebody_who_has_a_login_already_gets_no_code() -> None:
    text = rendered("verification_code", known=True, code=None).text
    assert "has a login already" in text
    assert "123456" not in text


def test_a_mail_without_an_operators_colour_has_the_markets() -> None:
    assert "background:#0b5394;color:#ffffff;padding" in rendered("bidding_opened").html
    assert "background:#123456" in rendered("obligations_ready").html


def test_a_first_report_says_nothing_of_versions_and_a_whole_one_nothing_of_what_is_unsettled() -> None:
    envelope = rendered("settlement_report_published", number=1, unsettled=0, lines=1)
    assert envelope.subject == "Settlement report for April 2026 from Northmoor"
    assert "It has 1 line. You can dispute a line until the end of Fri 22 May 2026;" in envelope.text
    assert "version" not in envelope.text


def test_a_purchase_statement_asks_for_the_providers_own_invoice_and_a_self_billing_invoice_asks_for_none() -> None:
    assert "so do not send one of your own" in rendered("invoice_issued").text
    statement = rendered("invoice_issued", kind="purchase_statement", document="purchase statement")
    assert statement.subject == "Purchase statement NOR-000001 from Northmoor"
    assert "send Northmoor your own invoice" in statement.text
    assert "puts right" in rendered("invoice_issued", kind="credit_note", document="credit note").text


def test_an_invoice_is_paid_and_a_credit_note_is_settled() -> None:
    assert "Northmoor has paid self-billing invoice NOR-000001 on Fri 12 June 2026" in rendered("invoice_paid").text
    note = rendered("invoice_paid", kind="credit_note", document="credit note", reference="set off against NOR-000001")
    assert note.subject == "Credit note NOR-000001 is settled"
    assert "as settled on Fri 12 June 2026, with the reference set off against NOR-000001." in note.text


def test_a_dispute_ends_agreed_or_withdrawn() -> None:
    assert rendered("dispute_ended").subject.startswith("Dispute agreed with Kestrel")
    assert rendered("dispute_ended", withdrawn=True).subject.startswith("Kestrel has withdrawn its dispute")


def test_one_meter_is_told_of_as_one() -> None:
    assert rendered("meter_data_missing", missing=1).subject == "Meter data for April 2026 is missing: 1 meter"
    assert (
        "1 of the meters behind your instructions has no complete readings"
        in rendered("meter_data_due", missing=1).text
    )
