"""Claims about the existing-assets workbook: it is the template filled, and uploading it again changes nothing."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chalicelib.assets import actions
from chalicelib.assets.downloads import export_assets
from chalicelib.assets.sheets import ASSETS, TEMPLATE
from chalicelib.files.workbook import read_file
from chalicelib.files.writing import write_download
from tests.builders.assets import a_receipt, asset_cells, import_assets
from tests.builders.calls import a_call

pytestmark = pytest.mark.usefixtures("market")

FULL = {
    "device_count": 3,
    "postcode": "IP1 1AA",
    "address": "=1+1, Depot Road",
    "import_meter_id": "1470116845051",
    "export_meter_id": "1049827101269",
    "metering": "boundary",
    "meter_interval": 30,
    "generation_turn_up_mw": "1.000001",
    "generation_turn_down_mw": "0",
    "demand_turn_up_mw": "0.0036",
    "reactive_import_mvar": "0.5",
    "reactive_export_mvar": "0.25",
    "maximum_import_mw": "12",
    "maximum_export_mw": "0.1",
    "response_time": "00:05:00",
    "minimum_run_time": "PT30M",
    "maximum_run_time": "1 02:00:00",
    "recovery_time": "36:00:00",
    "operational_date": "2024-04-01",
    "supplier": "Northmoor Energy",
    "comment": "two\nlines",
    "consent_ref": "C-1",
    "consent_from": "2026-01-01",
    "consent_to": "2027-01-01",
}


def refs(**filters):
    template, sheets = export_assets(a_call(), filters)
    assert template is TEMPLATE
    return [row["asset_ref"] for row in sheets[ASSETS]]


def test_the_download_holds_the_callers_assets_in_order_of_reference_without_archived_ones():
    import_assets([asset_cells("B"), asset_cells("A", type="Heat pump"), asset_cells("C", status="Archived")])
    import_assets([asset_cells("X")], a_receipt("rcp_2", "org_fsp2"))
    assert refs() == ["A", "B"]
    assert refs(type="Heat pump") == ["A"]
    assert refs(category="Storage") == []
    assert refs(status="Archived") == ["C"]
    with pytest.raises(ValidationError):
        refs(colour="red")


def test_a_download_uploaded_again_changes_nothing():
    import_assets([asset_cells("A", **FULL), asset_cells("B")], a_receipt("rcp_0"))
    content = write_download(*export_assets(a_call(), {}))
    sheet = read_file(content, TEMPLATE).sheets[ASSETS]
    assert [row.problems for row in sheet.rows] == [(), ()]
    found = import_assets([row.values for row in sheet.rows], a_receipt("rcp_1"), fields=sheet.fields)
    assert [outcome.outcome for outcome in found] == ["unchanged", "unchanged"]
    assert {asset.version for asset in actions.assets_of("org_fsp1")} == {1}
