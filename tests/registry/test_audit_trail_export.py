"""An organisation's own audit trail over the API: asked for as an export, verified with nothing but the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.files import actions_exporting
from chalicelib.files.models import ExportRequest
from chalicelib.kernel.call import ROLES
from chalicelib.kernel.errors import Forbidden, NotFound
from chalicelib.storage import objects
from chalicelib.storage.audit import Change
from chalicelib.storage.audit_sealing import seal_waiting
from chalicelib.storage.commit import commit
from functions import documents
from local.audit import verify_file
from tests.builders.calls import a_call, a_system_call

pytestmark = pytest.mark.usefixtures("market")
OURS, THEIRS = "org_fsp1", "org_fsp2"


def asked_for(filters: dict[str, Any] | None = None) -> str:
    """The job of a trail that was asked for and made."""
    from chalicelib.files.exports import make_file

    job = actions_exporting.request_export(a_call(OURS), ExportRequest(kind="audit-trail", filters=filters or {}))
    make_file(a_system_call(), job.id, documents.maker_of("audit-trail"))
    return job.id


def written(job_id: str, folder: Path) -> Path:
    name = actions_exporting.get_job(a_call(OURS), job_id).link
    assert name is not None
    file = folder / name.name
    file.write_bytes(objects.read_object(objects.BODIES, f"exports/{job_id}/{name.name}"))
    return file


def given_trail() -> None:
    for organisation in (OURS, THEIRS, OURS):
        commit(a_call(organisation), [], [], [Change(thing="asset:ast_1", action="x", organisation=organisation)])
    seal_waiting(a_system_call())


def test_an_organisation_downloads_its_own_trail_and_verifies_it_without_the_market(tmp_path: Path) -> None:
    given_trail()
    file = written(asked_for(), tmp_path)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert {line["record"]["organisation"] for line in lines if line["kind"] == "record"} == {OURS}
    verdict = verify_file(file)
    assert verdict.holds
    assert verdict.organisation == OURS
    assert verdict.records >= 2


def test_a_downloaded_trail_that_was_changed_is_told_so(tmp_path: Path) -> None:
    given_trail()
    file = written(asked_for(), tmp_path)
    file.write_text(file.read_text().replace("asset:ast_1", "asset:ast_2"))
    assert verify_file(file).broken is not None


def test_a_trail_is_for_account_people_of_its_own_organisation() -> None:
    with pytest.raises(Forbidden):
        actions_exporting.request_export(a_call(OURS, roles=ROLES - {"account"}), ExportRequest(kind="audit-trail"))
    job_id = asked_for()
    with pytest.raises(NotFound):
        actions_exporting.get_job(a_call(THEIRS), job_id)


def test_a_part_of_a_trail_is_not_made_since_it_could_not_be_verified() -> None:
    job = actions_exporting.get_job(a_call(OURS), asked_for({"day": "2026-04-01"}))
    assert (job.state, job.refusal_code) == ("refused", "export.filters")
