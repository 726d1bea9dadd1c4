"""Claims about self-billing agreements: what both sides accepted counts, on its days, for its VAT number."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.errors import Invalid, NotFound, Refused, Stale
from chalicelib.kernel.lifecycle import actions_from
from chalicelib.registry import actions_organisations
from chalicelib.registry.requests import OrganisationChange
from chalicelib.settlement import actions_agreements as actions
from chalicelib.settlement import agreements, store_agreements
from chalicelib.settlement.lifecycle import AGREEMENT_MOVES
from chalicelib.settlement.models_invoices import AgreedSpan
from chalicelib.settlement.requests_invoices import (
    AgreementQuery,
    AgreementRequest,
    AgreementView,
    EndingRequest,
    RefusalRequest,
)
from tests.builders.invoices import FSP, OTHER, TODAY, VAT_NUMBER, Billing
from tests.builders.registry import a_system_operator, an_asked_company


@pytest.fixture
def billing(market: None) -> Billing:
    return Billing()


def proposed(billing: Billing, **but: Any) -> AgreementView:
    fields = {"fsp": FSP, "starts": date(2026, 1, 1), **but}
    return actions.propose_agreement(billing.operator(), AgreementRequest.model_validate(fields))


def ended(call: Any, agreement: AgreementView, last_day: date | None = None) -> AgreementView:
    return actions.end_agreement(call, agreement.id, EndingRequest(reason="sold", last_day=last_day))


def kinds(billing: Billing, month: str, now: str) -> list[str]:
    billing.publish(month=month)
    return [invoice.kind for invoice in billing.draw_up(month, now=now).issued]


def test_an_agreement_lasts_twelve_months_unless_it_says_less(billing: Billing) -> None:
    found = proposed(billing)
    assert (found.state, found.starts, found.ends, found.last_day) == (
        "proposed",
        date(2026, 1, 1),
        date(2026, 12, 31),
        date(2026, 12, 31),
    )
    assert (found.so_name, found.fsp_name, found.vat_number, found.holds) == ("Network 1", "Flex 1", VAT_NUMBER, False)
    assert len(found.terms) == 4
    assert proposed(billing, ends=date(2026, 6, 30)).ends == date(2026, 6, 30)


def test_what_only_the_operator_recorded_does_not_count(billing: Billing) -> None:
    proposed(billing)
    assert kinds(billing, "2026-04", "2026-06-10T09:00:00Z") == ["purchase_statement"]


def test_what_the_provider_accepted_counts_on_its_days(billing: Billing) -> None:
    found = proposed(billing, starts=date(2026, 6, 9), ends=date(2026, 6, 11))
    accepted = actions.accept_agreement(billing.provider(), found.id)
    assert (accepted.state, accepted.holds, accepted.answered_by) == ("agreed", True, "per_1")
    assert kinds(billing, "2026-03", "2026-06-08T09:00:00Z") == ["purchase_statement"]
    assert kinds(billing, "2026-04", "2026-06-11T22:59:59Z") == ["self_billing_invoice"]
    assert kinds(billing, "2026-05", "2026-06-11T23:00:00Z") == ["purchase_statement"]  # midnight, on its clock


def test_a_refused_agreement_never_counts(billing: Billing) -> None:
    found = proposed(billing)
    refused = actions.refuse_agreement(billing.provider(), found.id, RefusalRequest(reason="we invoice ourselves"))
    assert (refused.state, refused.reason, refused.holds) == ("refused", "we invoice ourselves", False)
    with pytest.raises(Refused, match=r"agreement\.refused"):
        actions.accept_agreement(billing.provider(), found.id)
    assert kinds(billing, "2026-04", "2026-06-10T09:00:00Z") == ["purchase_statement"]


@pytest.mark.parametrize("side", ["operator", "provider"])
def test_either_side_ends_an_agreement_from_the_day_after_its_last(billing: Billing, side: str) -> None:
    call = getattr(billing, side)()
    found = ended(call, billing.agreement(), TODAY)
    assert (found.state, found.last_day, found.ends, found.holds) == ("ended", TODAY, date(2026, 12, 31), True)
    assert (found.ended_by, found.reason) == (call.organisation, "sold")
    assert kinds(billing, "2026-04", "2026-06-10T20:00:00Z") == ["self_billing_invoice"]
    assert kinds(billing, "2026-05", "2026-06-11T09:00:00Z") == ["purchase_statement"]
    with pytest.raises(Refused, match=r"agreement\.ended"):
        ended(call, found)


def test_an_agreement_that_ends_before_it_begins_never_counts(billing: Billing) -> None:
    found = billing.agreement(starts=date(2026, 7, 1))
    assert ended(billing.operator(), found).last_day == TODAY
    assert store_agreements.load_account(billing.so, FSP).agreements == ()
    assert kinds(billing, "2026-04", "2026-07-10T09:00:00Z") == ["purchase_statement"]


@pytest.mark.parametrize("last_day", [date(2026, 6, 9), date(2027, 1, 1)])
def test_an_agreement_ends_today_or_later_and_before_its_time(billing: Billing, last_day: date) -> None:
    with pytest.raises(Invalid, match=r"agreement\.invalid"):
        ended(billing.operator(), billing.agreement(), last_day)


def test_an_operator_withdraws_what_was_not_answered_and_a_provider_answers_it(billing: Billing) -> None:
    found = proposed(billing)
    with pytest.raises(Refused, match=r"agreement\.proposed"):
        ended(billing.provider(), found)
    assert ended(billing.operator(), found).state == "withdrawn"
    with pytest.raises(Refused, match=r"agreement\.withdrawn"):
        actions.accept_agreement(billing.provider(), found.id)


def test_agreements_that_hold_share_no_day_and_are_renewed_after_each_other(billing: Billing) -> None:
    first, waiting = proposed(billing), proposed(billing, starts=date(2026, 6, 1))
    actions.accept_agreement(billing.provider(), first.id)
    with pytest.raises(Refused, match=r"agreement\.overlaps"):
        actions.accept_agreement(billing.provider(), waiting.id)
    with pytest.raises(Refused, match=r"agreement\.overlaps"):
        proposed(billing, starts=date(2026, 12, 31))
    renewal = proposed(billing, starts=date(2027, 1, 1))
    assert renewal.renews == first.id
    assert actions.accept_agreement(billing.provider(), renewal.id).state == "agreed"


def test_two_agreements_accepted_at_once_cannot_both_stand(billing: Billing, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = proposed(billing), proposed(billing)
    stale = store_agreements.load_account(billing.so, FSP)
    actions.accept_agreement(billing.provider(), first.id)
    monkeypatch.setattr(store_agreements, "load_account", lambda so, fsp: stale)
    with pytest.raises(Stale, match=r"account\.changed"):
        actions.accept_agreement(billing.provider(), second.id)


@pytest.mark.parametrize(
    ("but", "code"),
    [
        ({"ends": date(2027, 1, 1)}, "agreement.too_long"),
        ({"ends": date(2025, 12, 31)}, "agreement.ends"),
        ({"starts": date(2025, 1, 1), "ends": date(2025, 12, 31)}, "agreement.past"),
        ({"starts": date(1999, 1, 1)}, "agreement.starts"),
        ({"starts": date(9999, 12, 31)}, "agreement.starts"),
    ],
)
def test_an_agreement_cannot_have_days_like_these(billing: Billing, but: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        proposed(billing, **but)
    assert [problem.code for problem in refused.value.problems] == [code]


def test_an_agreement_is_with_a_provider(billing: Billing) -> None:
    for unknown in ("org_nobody", billing.so):
        with pytest.raises(NotFound):
            proposed(billing, fsp=unknown)


def test_an_agreement_is_its_two_sides_alone(billing: Billing) -> None:
    found = proposed(billing)
    assert actions.get_agreement(billing.provider(), found.id) == found
    for call in (billing.provider(OTHER), billing.operator()):
        with pytest.raises(NotFound):
            actions.get_agreement(call, found.id if call.organisation == OTHER else "sba_nothing")


def test_both_sides_list_their_agreements_the_latest_start_first(billing: Billing) -> None:
    first, later = billing.agreement(), proposed(billing, starts=date(2027, 1, 1))
    other = proposed(billing, fsp=OTHER, starts=date(2026, 7, 1))

    def listed(call: Any, **how: Any) -> list[str]:
        return [each.id for each in actions.list_agreements(call, AgreementQuery(**how)).items]

    assert listed(billing.operator()) == [later.id, other.id, first.id]
    assert listed(billing.provider()) == [later.id, first.id]
    assert listed(billing.operator(), fsp=OTHER) == [other.id]
    assert listed(billing.provider(), state="agreed", so=billing.so) == [first.id]


def test_with_another_vat_number_the_agreement_holds_no_longer_until_it_is_made_anew(billing: Billing) -> None:
    found = billing.agreement()
    provider = billing.provider()
    company = OrganisationChange(company=an_asked_company(vat_number="GB 434 0314 94"))
    actions_organisations.change_organisation(provider, company, 1)
    billing.publish()
    [statement] = billing.draw_up().issued
    assert (statement.kind, statement.vat) == ("purchase_statement", 0)
    assert "VAT number changed" in str(statement.note)
    ended(provider, found)
    again = proposed(billing, starts=TODAY + timedelta(days=1))
    assert actions.accept_agreement(provider, again.id).vat_number == "GB434031494"
    assert kinds(billing, "2026-05", "2026-06-11T09:00:00Z") == ["self_billing_invoice"]


def test_an_agreement_goes_from_proposed_to_agreed_to_ended() -> None:
    assert actions_from(AGREEMENT_MOVES, "proposed") == ["accept", "refuse", "withdraw"]
    assert actions_from(AGREEMENT_MOVES, "agreed") == ["end"]
    assert [actions_from(AGREEMENT_MOVES, state) for state in ("refused", "withdrawn", "ended")] == [[], [], []]


@pytest.mark.parametrize(
    ("given_as", "borne_as"),
    [
        ("GB 980 7806 84", "GB980780684"),  # modulus 97
        ("434031494", "GB434031494"),  # modulus 97
        ("gb 100 1234 48", None),
        ("GB 980 7806 85", None),
        ("DE136695976", None),
        ("", None),
        (None, None),
    ],
)
def test_a_vat_number_is_borne_with_right_check_digits_alone(given_as: str | None, borne_as: str | None) -> None:
    assert agreements.vat_number_of(given_as) == borne_as


@given(st.integers(0, 9_999_999))
def test_of_all_check_digits_hmrcs_two_methods_pass_two(body: int) -> None:
    """Modulus 97 and, since 2009, the same with 55 added (`9755`); each leaves one pair of check digits."""
    weighted = sum(int(digit) * weight for digit, weight in zip(f"{body:07d}", range(8, 1, -1), strict=True))
    wanted = {(-weighted) % 97, (-weighted - 55) % 97}
    passing = {check for check in range(97) if agreements.vat_number_of(f"{body:07d}{check:02d}")}
    assert passing == wanted


@given(st.dates(date(2000, 1, 1), date(2098, 12, 31)))
def test_twelve_months_end_the_day_before_the_anniversary(starts: date) -> None:
    last = agreements.last_day_of_a_year(starts)
    assert (last - starts).days in (364, 365)
    following = last + timedelta(days=1)
    assert (following.month, following.day) == (starts.month, starts.day) or (starts.month, starts.day) == (2, 29)


def test_the_29_of_february_ends_on_the_last_of_the_next() -> None:
    assert agreements.last_day_of_a_year(date(2028, 2, 29)) == date(2029, 2, 28)


def test_of_several_agreements_the_one_of_the_day_holds() -> None:
    def span(first: date, last: date, name: str) -> AgreedSpan:
        return AgreedSpan(so="org_so1", fsp=FSP, starts=first, ends=last, agreement_id=name, vat_number=VAT_NUMBER)

    spans = [span(date(2026, 1, 1), date(2026, 3, 31), "a"), span(date(2026, 4, 1), date(2026, 6, 30), "b")]
    found = {day: agreements.holding(spans, day, VAT_NUMBER)[0] for day in (date(2026, 3, 31), date(2026, 4, 1))}
    assert [each and each.agreement_id for each in found.values()] == ["a", "b"]
    assert agreements.holding(spans, date(2026, 7, 1), VAT_NUMBER)[0] is None
    assert agreements.holding(spans, date(2026, 4, 1), None)[0] is None


def test_an_operator_names_its_own_company_before_it_writes_invoices_for_others(billing: Billing) -> None:
    nameless = a_system_operator(3)
    with pytest.raises(Refused, match="company's name, number and address") as refused:
        actions.propose_agreement(nameless.call, AgreementRequest(fsp=FSP, starts=date(2026, 6, 11)))
    assert refused.value.code == "agreement.own_company"
