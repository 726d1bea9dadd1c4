"""The workbook of all applications: one row per submission, every question any of them answered."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chalicelib.kernel.errors import NotFound
from chalicelib.registry import actions, actions_applications, actions_schemes
from chalicelib.registry.downloads import export_applications
from chalicelib.registry.scheme_requests import ApplicationChange, DecisionRequest, SchemeChange
from chalicelib.registry.sheets import APPLICATIONS
from tests.builders.registry import a_registered_fsp, a_scheme, a_submitted_application, a_system_operator

pytestmark = pytest.mark.usefixtures("directory")


def test_each_submission_is_a_row_with_its_own_ruling_and_answers() -> None:
    so, one, two = a_system_operator(), a_registered_fsp(1), a_registered_fsp(2)
    scheme = a_scheme(so)
    rejected = a_submitted_application(one, scheme)
    a_submitted_application(two, scheme)
    ruling = DecisionRequest(action="reject", reason="=HYPERLINK(1)")
    view = actions_applications.decide_application(so.call, rejected, ruling)
    actions_applications.change_application(one.call, rejected, ApplicationChange(), view.version)
    actions_applications.submit_application(one.call, rejected)
    _, sheets = export_applications(so.call, {"scheme": scheme})
    rows = list(sheets[APPLICATIONS])
    assert [
        (row["fsp_name"], row["number"], row["ruling"], row["state"]) for row in rows if row["fsp_name"] == "Flex 1 Ltd"
    ] == [
        ("Flex 1 Ltd", 1, "reject", "submitted"),
        ("Flex 1 Ltd", 2, None, "submitted"),
    ]
    assert len(rows) == 3
    assert rows[0]["answer:declaration/authorised"] == "yes"
    assert rows[0]["entity_number"] in {"00000001", "00000002"}


def test_questions_of_an_older_form_keep_their_columns() -> None:
    so, fsp = a_system_operator(), a_registered_fsp()
    scheme = a_scheme(so)
    a_submitted_application(fsp, scheme)
    form = actions.get_scheme(scheme).form
    shorter = form.but(sections=form.sections[:1])
    actions_schemes.change_scheme(so.call, scheme, SchemeChange(form=shorter), 1)
    template, sheets = export_applications(so.call, {"scheme": scheme})
    fields = {column.field for column in template.sheet(APPLICATIONS).columns}
    [row] = sheets[APPLICATIONS]
    assert set(row) <= fields
    assert "answer:declaration/signed_by" in fields


def test_another_operators_workbook_is_not_found_and_needs_a_scheme() -> None:
    so, other = a_system_operator(1), a_system_operator(2)
    scheme = a_scheme(so)
    with pytest.raises(NotFound):
        export_applications(other.call, {"scheme": scheme})
    with pytest.raises(ValidationError):
        export_applications(so.call, {})
