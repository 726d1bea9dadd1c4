"""SOs, their settings and profiles; companies qualified in schemes, from the first answer to the ruling."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.kernel.errors import Invalid, NotFound, Refused
from chalicelib.registry import (
    actions,
    actions_application_views,
    actions_applications,
    actions_operators,
    actions_schemes,
)
from chalicelib.registry.events import ApplicationApproved, ApplicationSubmitted, OrganisationVerified
from chalicelib.registry.models import OperatorProfile, OperatorSettings
from chalicelib.registry.requests import AuditQuery, FirstPerson, OperatorChange, OperatorRequest, OrganisationQuery
from chalicelib.registry.scheme_requests import (
    ApplicationChange,
    ApplicationQuery,
    ApplicationRequest,
    DecisionRequest,
    FileRequest,
    SchemeChange,
    SchemeQuery,
)
from chalicelib.storage.objects import FILES, put_object
from chalicelib.storage.outbox import unpublished
from tests.builders.calls import a_call
from tests.builders.registry import (
    Joined,
    a_market_operator,
    a_registered_fsp,
    a_scheme,
    a_submitted_application,
    a_system_operator,
    an_approved_application,
    full_answers,
)

LATER = datetime(2030, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("directory")


def decide(so: Joined, application: str, action: str, reason: str | None = None):
    request = DecisionRequest(action=action, reason=reason)
    return actions_applications.decide_application(so.call, application, request)


def test_a_system_operator_has_settings_a_profile_and_invited_people_with_every_role() -> None:
    so = a_system_operator(settings=OperatorSettings(time_zone="Europe/Dublin", currency="EUR"))
    settings = actions.get_operator(so.organisation)
    assert (settings.time_zone, settings.currency, settings.date_order) == ("Europe/Dublin", "EUR", "dmy")
    assert actions.get_organisation(so.organisation).verified
    letter = actions.find_code_letter("invitation", so.person, 1, so.organisation)
    assert letter.link.startswith("http")
    assert letter.organisation_name == "Network 1"


def test_every_problem_of_a_new_operator_is_told_at_once() -> None:
    people = tuple(FirstPerson(name="Sam", email=email) for email in ("sam@so.example", "SAM@so.example", "nobody"))
    request = OperatorRequest(name="Network", people=people, settings=OperatorSettings(time_zone="Mars/Base"))
    with pytest.raises(Invalid) as refusal:
        actions_operators.create_operator(a_call("org_market_operator", "market_operator"), request)
    assert [problem.field for problem in refusal.value.problems] == [
        "settings/time_zone",
        "people/1/email",
        "people/2/email",
    ]


def test_an_operator_keeps_its_own_profile_for_all_to_see() -> None:
    so = a_system_operator()
    profile = OperatorProfile(buys="Evening peaks in the north", brand_colour="#aa0000")
    actions_operators.change_own_profile(so.call, profile, 1)
    public = actions_operators.get_public_operator(a_call(None, None), so.organisation)
    assert (public.name, public.profile.buys) == ("Network 1", "Evening peaks in the north")
    assert actions_operators.list_public_operators(a_call(None, None), 10, None).items == [public]


def test_an_operators_settings_are_its_own_and_the_market_operators_to_change() -> None:
    so, other = a_system_operator(1), a_system_operator(2)
    actions_operators.change_own_settings(so.call, OperatorSettings(two_person_rule=True), 1)
    assert actions.get_operator(so.organisation).two_person_rule
    change = OperatorChange(settings=OperatorSettings(date_order="ymd"))
    operator = a_call("org_market_operator", "market_operator")
    assert actions_operators.change_operator(operator, so.organisation, change, 2).settings.date_order == "ymd"
    with pytest.raises(NotFound):
        actions_operators.change_operator(other.call, so.organisation, change, 3)
    with pytest.raises(Invalid):
        actions_operators.change_own_settings(so.call, OperatorSettings(currency="pounds"), 3)


def test_the_market_operator_lists_and_verifies_organisations() -> None:
    mo, fsp = a_market_operator(), a_registered_fsp()
    listed = actions_operators.list_organisations(mo.call, OrganisationQuery())
    assert [one.id for one in listed.items] == [fsp.organisation]
    verified = actions_operators.verify_organisation(mo.call, fsp.organisation, "Looked up at Companies House")
    assert (verified.verified, verified.verified_by) == (True, mo.person)
    assert actions_operators.verify_organisation(mo.call, fsp.organisation, None) == verified
    assert [one.id for one in actions.list_organisations("fsp")] == [fsp.organisation]
    with pytest.raises(NotFound):
        actions_operators.verify_organisation(mo.call, "org_none", None)


def test_the_audit_trail_is_ones_own_and_all_of_it_the_market_operators() -> None:
    mo, fsp, other = a_market_operator(), a_registered_fsp(1), a_registered_fsp(2)
    actions_operators.verify_organisation(mo.call, fsp.organisation, "Checked")
    thing = AuditQuery(thing=f"organisation:{fsp.organisation}")
    day = AuditQuery(limit=1)
    assert [one.action for one in actions_operators.list_audit(fsp.call, thing).items] == [
        "organisation.verified",
        "organisation.registered",
    ]
    assert len(actions_operators.list_audit(mo.call, thing).items) == 2
    assert actions_operators.list_audit(other.call, thing).items == []
    first = actions_operators.list_audit(fsp.call, day)
    second = actions_operators.list_audit(fsp.call, day.model_copy(update={"cursor": first.next}))
    assert [one.action for one in first.items + second.items] == ["organisation.registered", "organisation.verified"]
    assert second.next is None
    theirs = AuditQuery(organisation=fsp.organisation)
    assert len(actions_operators.list_audit(mo.call, theirs).items) == 2
    with pytest.raises(NotFound):
        actions_operators.list_audit(other.call, theirs)


def test_a_schemes_reference_is_never_used_again() -> None:
    so, other = a_system_operator(1), a_system_operator(2)
    scheme = a_scheme(so)
    with pytest.raises(Refused) as refusal:
        a_scheme(so)
    assert refusal.value.code == "scheme.ref_taken"
    assert actions.find_scheme_by_ref(so.organisation, "DPS-1").id == scheme
    assert actions.find_scheme_by_ref(other.organisation, "DPS-1") is None
    assert actions.get_scheme(scheme).form.sections[0].id == "organisation_profile"


def test_fsps_see_the_schemes_of_all_operators_and_an_operator_its_own() -> None:
    one, two, fsp = a_system_operator(1), a_system_operator(2), a_registered_fsp()
    mine, theirs = a_scheme(one, "A"), a_scheme(two, "B", state="closed")
    assert {view.id for view in actions_schemes.list_schemes(fsp.call, SchemeQuery()).items} == {mine, theirs}
    still_open = actions_schemes.list_schemes(fsp.call, SchemeQuery(state="open"))
    assert [view.so_name for view in still_open.items] == ["Network 1"]
    assert [view.id for view in actions_schemes.list_schemes(one.call, SchemeQuery(so=two.organisation)).items] == [
        mine
    ]
    paged = actions_schemes.list_schemes(fsp.call, SchemeQuery(limit=1))
    rest = actions_schemes.list_schemes(fsp.call, SchemeQuery(limit=1, cursor=paged.next))
    assert {view.id for view in paged.items + rest.items} == {mine, theirs}
    with pytest.raises(NotFound):
        actions_schemes.get_scheme(one.call, theirs)
    with pytest.raises(NotFound):
        actions_schemes.change_scheme(one.call, theirs, SchemeChange(state="open"), 1)


def test_an_application_is_saved_section_by_section_and_gone_on_with_later() -> None:
    so, fsp = a_system_operator(), a_registered_fsp()
    begun = actions_applications.begin_application(fsp.call, a_scheme(so), ApplicationRequest())
    assert begun.contracting_entity.name == "Flex 1 Ltd"
    answers = full_answers()
    first = ApplicationChange(answers={"declaration": answers["declaration"]})
    saved = actions_applications.change_application(fsp.call, begun.id, first, 1)
    assert saved.sections_complete == ("declaration",)
    second = ApplicationChange(answers={"organisation_status": answers["organisation_status"]})
    saved = actions_applications.change_application(fsp.call, begun.id, second, 2)
    assert saved.sections_complete == ("organisation_status", "declaration")
    emptied = actions_applications.change_application(
        fsp.call, begun.id, ApplicationChange(answers={"declaration": {}}), 3
    )
    assert emptied.sections_complete == ("organisation_status",)


def test_an_unfinished_application_cannot_be_submitted_and_is_told_all_that_is_missing() -> None:
    so, fsp = a_system_operator(), a_registered_fsp()
    scheme = a_scheme(so, required_documents=("Insurance certificate",))
    begun = actions_applications.begin_application(fsp.call, scheme, ApplicationRequest())
    answers = full_answers()
    del answers["declaration"]["signed_by"]
    answers["declaration"]["answers_true"] = False
    actions_applications.change_application(fsp.call, begun.id, ApplicationChange(answers=answers), 1)
    with pytest.raises(Invalid) as refusal:
        actions_applications.submit_application(fsp.call, begun.id)
    assert [problem.field for problem in refusal.value.problems] == [
        "answers/declaration/answers_true",
        "answers/declaration/signed_by",
        "answers/documents/document_1",
    ]


def test_approval_lets_the_fsp_by_verifies_it_and_is_a_market_event() -> None:
    so, fsp = a_system_operator(), a_registered_fsp()
    scheme = a_scheme(so)
    assert actions.approval_of(scheme, fsp.organisation) is None
    application = a_submitted_application(fsp, scheme)
    assert not actions.approval_of(scheme, fsp.organisation).is_approved
    decide(so, application, "approve")
    approval = actions.approval_of(scheme, fsp.organisation)
    assert (approval.state, approval.is_approved, approval.since) == ("approved", True, so.call.now)
    assert actions.approvals_of(scheme) == {fsp.organisation: approval}
    assert actions.get_organisation(fsp.organisation).verified
    names = {"application_id": application, "scheme_id": scheme, "so": so.organisation, "fsp": fsp.organisation}
    told = [one.event() for one in unpublished(LATER)]
    assert ApplicationSubmitted(**names, submission=1) in told
    assert ApplicationApproved(**names) in told
    assert OrganisationVerified(organisation=fsp.organisation) in told


def test_a_rejected_application_is_edited_and_submitted_again_and_every_version_is_kept() -> None:
    so, fsp = a_system_operator(), a_registered_fsp()
    application = a_submitted_application(fsp, a_scheme(so))
    rejected = decide(so, application, "reject", "The insurance is too low")
    assert (rejected.state, rejected.rulings[0].reason) == ("rejected", "The insurance is too low")
    better = full_answers()["auditing_insurance_legal"] | {"public_liability": "5000000"}
    change = ApplicationChange(answers={"auditing_insurance_legal": better})
    edited = actions_applications.change_application(fsp.call, application, change, rejected.version)
    assert edited.state == "draft"
    seen = actions_applications.get_application(so.call, application)
    assert seen.answers["auditing_insurance_legal"]["public_liability"] == "1000000"
    actions_applications.submit_application(fsp.call, application)
    versions = actions_applications.list_submissions(so.call, application).items
    assert [one.number for one in versions] == [1, 2]
    assert [one.answers["auditing_insurance_legal"]["public_liability"] for one in versions] == ["1000000", "5000000"]
    assert decide(so, application, "approve").state == "approved"
    assert [one.number for one, _ in actions.submissions_of(seen.scheme)] == [1, 2]


def test_a_suspended_fsp_is_let_by_no_more_until_reinstated() -> None:
    so, fsp = a_system_operator(), a_registered_fsp()
    scheme = a_scheme(so)
    application = an_approved_application(so, fsp, scheme)
    decide(so, application, "suspend", "Insurance ran out")
    assert not actions.approval_of(scheme, fsp.organisation).is_approved
    decide(so, application, "reinstate", "Insurance renewed")
    assert actions.approval_of(scheme, fsp.organisation).is_approved
    assert [ruling.action for ruling in actions.find_application(application).rulings] == [
        "approve",
        "suspend",
        "reinstate",
    ]


def test_a_ruling_that_needs_a_reason_is_refused_without_one() -> None:
    so, fsp = a_system_operator(), a_registered_fsp()
    application = a_submitted_application(fsp, a_scheme(so))
    with pytest.raises(Invalid):
        decide(so, application, "reject", " ")
    with pytest.raises(Refused) as refusal:
        decide(so, application, "suspend", "Too early")
    assert refusal.value.code == "application.submitted"


def test_a_withdrawn_application_may_be_taken_up_again() -> None:
    so, fsp = a_system_operator(), a_registered_fsp()
    scheme = a_scheme(so)
    application = an_approved_application(so, fsp, scheme)
    withdrawn = actions_applications.withdraw_application(fsp.call, application, "Not needed now")
    assert not actions.approval_of(scheme, fsp.organisation).is_approved
    again = actions_applications.change_application(fsp.call, application, ApplicationChange(), withdrawn.version)
    assert again.state == "draft"
    assert actions_applications.submit_application(fsp.call, application).submissions == 2


def test_an_fsp_applies_to_a_scheme_once_and_only_while_it_is_open() -> None:
    so, fsp, late = a_system_operator(), a_registered_fsp(1), a_registered_fsp(2)
    scheme = a_scheme(so)
    begun = actions_applications.begin_application(fsp.call, scheme, ApplicationRequest())
    with pytest.raises(Refused) as refusal:
        actions_applications.begin_application(fsp.call, scheme, ApplicationRequest())
    assert refusal.value.code == "application.exists"
    actions_applications.change_application(fsp.call, begun.id, ApplicationChange(answers=full_answers()), 1)
    actions_schemes.change_scheme(so.call, scheme, SchemeChange(state="closed"), 1)
    with pytest.raises(Refused, match="closed"):
        actions_applications.begin_application(late.call, scheme, ApplicationRequest())
    with pytest.raises(Refused, match="closed"):
        actions_applications.submit_application(fsp.call, begun.id)


def test_a_changed_form_is_what_later_submissions_answer() -> None:
    so, fsp = a_system_operator(), a_registered_fsp()
    scheme = a_scheme(so)
    begun = actions_applications.begin_application(fsp.call, scheme, ApplicationRequest())
    actions_applications.change_application(fsp.call, begun.id, ApplicationChange(answers=full_answers()), 1)
    form = actions.get_scheme(scheme).form
    shorter = form.but(sections=form.sections[2:])
    actions_schemes.change_scheme(so.call, scheme, SchemeChange(form=shorter), 1)
    submitted = actions_applications.submit_application(fsp.call, begun.id)
    assert sorted(submitted.answers) == ["auditing_insurance_legal", "declaration"]


def test_what_is_being_written_is_nobodys_but_the_fsps() -> None:
    so, fsp, other = a_system_operator(1), a_registered_fsp(1), a_registered_fsp(2)
    stranger, mo = a_system_operator(2), a_call("org_market_operator", "market_operator")
    scheme = a_scheme(so)
    begun = actions_applications.begin_application(fsp.call, scheme, ApplicationRequest())
    for call in (so.call, other.call, stranger.call, mo):
        with pytest.raises(NotFound):
            actions_applications.get_application(call, begun.id)
    with pytest.raises(NotFound):
        decide(so, begun.id, "approve")
    assert actions_application_views.list_applications_to(so.call, scheme, ApplicationQuery()).items == []
    assert actions_application_views.list_applications(so.call, ApplicationQuery()).items == []


def test_a_submitted_application_is_its_fsps_its_operators_and_the_market_operators() -> None:
    so, fsp, other = a_system_operator(1), a_registered_fsp(1), a_registered_fsp(2)
    stranger, mo = a_system_operator(2), a_call("org_market_operator", "market_operator")
    scheme = a_scheme(so)
    application = a_submitted_application(fsp, scheme)
    for call in (fsp.call, so.call, mo):
        assert actions_applications.get_application(call, application).fsp_name == "Flex 1 Ltd"
    for call in (other.call, stranger.call):
        for attempt in (
            actions_applications.get_application,
            actions_applications.list_submissions,
            actions_applications.list_files,
            actions_applications.submit_application,
        ):
            with pytest.raises(NotFound):
                attempt(call, application)
    with pytest.raises(NotFound):
        decide(stranger, application, "approve")
    with pytest.raises(NotFound):
        actions_application_views.list_applications_to(stranger.call, scheme, ApplicationQuery())
    assert actions.find_application("app_none") is None


def test_applications_are_listed_and_filtered_on_both_sides() -> None:
    so, one, two = a_system_operator(), a_registered_fsp(1), a_registered_fsp(2)
    scheme, second = a_scheme(so, "A"), a_scheme(so, "B")
    approved = an_approved_application(so, one, scheme)
    submitted = a_submitted_application(two, scheme)
    elsewhere = a_submitted_application(one, second)
    listed = actions_application_views.list_applications
    assert {it.id for it in listed(so.call, ApplicationQuery()).items} == {approved, submitted, elsewhere}
    assert {it.id for it in listed(one.call, ApplicationQuery()).items} == {approved, elsewhere}
    assert [it.id for it in listed(so.call, ApplicationQuery(state="approved")).items] == [approved]
    assert [it.id for it in listed(so.call, ApplicationQuery(scheme=second)).items] == [elsewhere]
    page = listed(so.call, ApplicationQuery(limit=2))
    rest = listed(so.call, ApplicationQuery(limit=2, cursor=page.next))
    assert len(page.items) == 2
    assert len(rest.items) == 1
    to_one = actions_application_views.list_applications_to(so.call, scheme, ApplicationQuery(state="submitted"))
    assert [it.fsp_name for it in to_one.items] == ["Flex 2 Ltd"]


def a_file(**changes) -> FileRequest:
    request = FileRequest(
        section="documents", question="document_1", name="insurance.pdf", content_type="application/pdf", size=1000
    )
    return request.but(**changes)


def upload(fsp: Joined, application: str, scheme: str) -> str:
    made = actions_applications.begin_file(fsp.call, application, a_file())
    put_object(FILES, f"applications/{scheme}/{fsp.organisation}/{made.id}", b"%PDF-1.7", "application/pdf")
    return made.id


def test_a_required_document_is_uploaded_answered_and_read_by_the_operator() -> None:
    so, fsp = a_system_operator(), a_registered_fsp()
    scheme = a_scheme(so, required_documents=("Insurance certificate",))
    begun = actions_applications.begin_application(fsp.call, scheme, ApplicationRequest())
    file_id, unused = upload(fsp, begun.id, scheme), upload(fsp, begun.id, scheme)
    answers = full_answers() | {"documents": {"document_1": file_id}}
    actions_applications.change_application(fsp.call, begun.id, ApplicationChange(answers=answers), 1)
    actions_applications.submit_application(fsp.call, begun.id)
    assert [one.id for one in actions_applications.list_files(so.call, begun.id).items] == [file_id]
    assert "insurance.pdf" in actions_applications.get_file(so.call, begun.id, file_id).url
    assert {one.id for one in actions_applications.list_files(fsp.call, begun.id).items} == {file_id, unused}
    with pytest.raises(NotFound):
        actions_applications.get_file(so.call, begun.id, unused)


def test_a_file_that_never_arrived_or_belongs_elsewhere_is_no_answer() -> None:
    so, fsp, other = a_system_operator(), a_registered_fsp(1), a_registered_fsp(2)
    scheme = a_scheme(so, required_documents=("Insurance certificate",))
    theirs = actions_applications.begin_application(other.call, scheme, ApplicationRequest())
    foreign = upload(other, theirs.id, scheme)
    begun = actions_applications.begin_application(fsp.call, scheme, ApplicationRequest())
    never = actions_applications.begin_file(fsp.call, begun.id, a_file()).id
    for version, file_id in enumerate((foreign, never, "fil_none"), start=1):
        answers = full_answers() | {"documents": {"document_1": file_id}}
        actions_applications.change_application(fsp.call, begun.id, ApplicationChange(answers=answers), version)
        with pytest.raises(Invalid) as refusal:
            actions_applications.submit_application(fsp.call, begun.id)
        assert [problem.code for problem in refusal.value.problems] == ["file.missing"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "virus.exe"}, "file.type"),
        ({"size": 25_000_001}, "file.size"),
        ({"section": "declaration", "question": "signed_by"}, "file.question"),
    ],
)
def test_a_file_of_the_wrong_type_size_or_question_is_refused(changes: dict, code: str) -> None:
    so, fsp = a_system_operator(), a_registered_fsp()
    scheme = a_scheme(so, required_documents=("Insurance certificate",))
    begun = actions_applications.begin_application(fsp.call, scheme, ApplicationRequest())
    with pytest.raises(Invalid) as refusal:
        actions_applications.begin_file(fsp.call, begun.id, a_file(**changes))
    assert [problem.code for problem in refusal.value.problems] == [code]


def test_nothing_is_uploaded_to_an_application_that_is_being_ruled_on() -> None:
    so, fsp = a_system_operator(), a_registered_fsp()
    application = a_submitted_application(fsp, a_scheme(so))
    with pytest.raises(Refused):
        actions_applications.begin_file(fsp.call, application, a_file())
