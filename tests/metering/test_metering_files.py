"""Claims about readings in the market: own meters only, every revision kept, the same bytes once, completeness told."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from pydantic import ValidationError

from chalicelib.contracts.models import ObligatedAsset, Obligation
from chalicelib.files.writing import write_template
from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.metering import actions, store
from chalicelib.metering.imports import apply_object
from chalicelib.metering.models import MeterDataQuery
from chalicelib.metering.sheets import TEMPLATE
from tests.builders.assets import a_receipt, asset_cells, import_assets
from tests.builders.calls import a_call
from tests.builders.files import a_csv, a_workbook
from tests.builders.metering import SUMMER, long_table, wide_table

pytestmark = pytest.mark.usefixtures("market")

MINE, EXPORT, THEIRS = "1200000000010", "1200000000029", "1200000000038"
"""Meters whose check digits hold."""
KW = 10**6


@pytest.fixture(autouse=True)
def _assets(market: None) -> None:
    from chalicelib.kernel.meters import check_digit

    for number, (meter, owner) in enumerate(meters().items()):
        assert int(meter[12]) == check_digit(meter[:12])
        channel = "export_meter_id" if owner == "export" else "import_meter_id"
        organisation = "org_fsp2" if owner == "org_fsp2" else "org_fsp1"
        cells = asset_cells(f"EV-{number}", **{channel: meter}, maximum_import_mw="0.1", maximum_export_mw="0.1")
        [outcome] = import_assets([cells], a_receipt(f"rcp_a{number}", organisation))
        assert outcome.outcome == "created", outcome.problems


def meters() -> dict[str, str]:
    from chalicelib.kernel.meters import check_digit

    cores = ["120000000001", "120000000002", "120000000003"]
    full = [core + str(check_digit(core)) for core in cores]
    return dict(zip(full, ["org_fsp1", "export", "org_fsp2"], strict=True))


def mine() -> str:
    return next(iter(meters()))


def table(rows: Any, meter: str | None = None) -> Any:
    """Rows of a builder's table, of one of this test's meters."""
    return [[meter or mine() if cell == "1200000000000" else cell for cell in row] for row in rows]


def an_obligation(meter: str) -> str:
    from chalicelib.contracts import store as contracts
    from chalicelib.storage.commit import commit

    obligation = Obligation.model_validate(
        {
            "id": "obl_1",
            "bid_id": "bid_1",
            "so": "org_so1",
            "fsp": "org_fsp1",
            "competition_id": "comp_1",
            "competition_reference": "C-1",
            "power_type": "Active Power",
            "need_direction": "Deficit",
            "product_type": "Scheduled Utilisation",
            "window_id": "win_1",
            "period_name": "June",
            "window_name": "Evening",
            "period_start": "2026-06-01",
            "period_end": "2026-06-30",
            "days": ["Mon"],
            "start": "17:00",
            "end": "19:00",
            "holidays": "include",
            "holiday_region": None,
            "time_zone": "Europe/London",
            "currency": "GBP",
            "capacity_mw": "1",
            "maximum_run_time": "PT2H",
            "asset_count": 1,
            "drawn_up_at": "2026-04-01T09:00:00Z",
        }
    )
    behind = ObligatedAsset(
        obligation_id="obl_1", asset_id="ast_1", asset_ref="EV-0", name="x", import_meter_id=meter, capacity_mw="1"
    )
    commit(a_call(), [*contracts.new_obligation(obligation), *contracts.obligated([behind])])
    return obligation.id


def bring(rows: Any, receipt_id: str = "rcp_1", at: str = "2026-07-01T09:00:00Z", owner: str = "org_fsp1") -> Any:
    receipt = a_receipt(receipt_id, owner, at, "meter-data")
    return apply_object(a_call(owner, now=at), receipt, a_csv(rows))


def held(day: date = SUMMER) -> dict[Any, int]:
    return actions.readings_between([mine()], day, day)[mine()]


def test_a_file_of_readings_is_kept_and_read_back() -> None:
    [outcome] = bring(table(long_table(SUMMER)))
    assert (outcome.outcome, outcome.ref) == ("created", mine())
    assert len(held()) == 48
    assert set(held().values()) == {KW}
    assert held(SUMMER + timedelta(days=1)) == {}


def test_readings_of_anothers_meter_are_refused_and_ones_own_go_in() -> None:
    theirs = list(meters())[2]
    rows = [*table(long_table(SUMMER)), *table(long_table(SUMMER), theirs)[1:]]
    found = bring(rows)
    assert [(each.ref, each.outcome) for each in found] == [(theirs, "error"), (mine(), "created")]
    assert found[0].problems[0].code == "meter.unknown"
    assert actions.readings_between([theirs], SUMMER, SUMMER) == {theirs: {}}


def test_a_later_file_counts_and_the_earlier_one_stays() -> None:
    bring(table(long_table(SUMMER)))
    later = table(long_table(SUMMER, kwh="0.7"))[:11]
    [outcome] = bring([["Minutes", 30], *later], "rcp_2", "2026-07-02T09:00:00Z")
    assert outcome.outcome == "updated"
    assert [note.code for note in outcome.problems] == ["readings.gap"]
    assert sorted(held().values()) == [KW] * 38 + [1_400_000] * 10
    assert [revision.source for revision in store.list_day(mine(), SUMMER)] == [
        store.mark_of("rcp_1"),
        store.mark_of("rcp_2"),
    ]


def test_what_holds_already_is_unchanged_and_not_kept_again() -> None:
    bring(table(long_table(SUMMER)))
    [outcome] = bring(table(long_table(SUMMER)), "rcp_2", "2026-07-02T09:00:00Z")
    assert outcome.outcome == "unchanged"
    assert len(store.list_day(mine(), SUMMER)) == 1


def test_a_file_applied_again_after_a_crash_answers_and_keeps_the_same() -> None:
    first = bring(table(long_table(SUMMER)))
    again = bring(table(long_table(SUMMER)))
    assert first == again
    assert len(store.list_day(mine(), SUMMER)) == 1


def test_an_earlier_file_read_later_does_not_take_the_later_ones_place() -> None:
    bring(table(long_table(SUMMER, kwh="0.9")), "rcp_2", "2026-07-02T09:00:00Z")
    bring(table(long_table(SUMMER)), "rcp_1", "2026-07-01T09:00:00Z")
    assert set(held().values()) == {1_800_000}


def test_a_file_that_fits_two_readings_is_refused_with_the_question() -> None:
    with pytest.raises(Invalid) as refused:
        bring(table(long_table(SUMMER, clock="local")))
    assert [problem.code for problem in refused.value.problems] == ["stamps.clock"]
    assert held() == {}


def test_export_meters_need_a_sign() -> None:
    export = list(meters())[1]
    with pytest.raises(Invalid):
        bring(table(long_table(SUMMER), export))
    bring([["Positive", "export"], *table(long_table(SUMMER), export)])
    assert set(actions.readings_between([export], SUMMER, SUMMER)[export].values()) == {-KW}


def test_readings_beyond_the_connection_are_kept_and_remarked_on() -> None:
    [outcome] = bring(table(long_table(SUMMER, kwh="500")))
    assert (outcome.outcome, [note.code for note in outcome.problems]) == (
        "created",
        ["readings.beyond_limit", "readings.run"],
    )
    assert outcome.problems[0].detail.startswith(f"{mine()}: {SUMMER}")


def test_a_workbook_of_our_template_goes_in() -> None:
    rows = [column.header for column in TEMPLATE.sheets[0].columns]
    filled = [mine(), SUMMER.isoformat(), "kWh", "import", "local", *[0.5] * 48]
    content = a_workbook({"README": [["Meter data"]], "Readings": [rows, filled]})
    receipt = a_receipt("rcp_1", "org_fsp1", "2026-07-01T09:00:00Z", "meter-data")
    [outcome] = apply_object(a_call(now="2026-07-01T09:00:00Z"), receipt, content)
    assert outcome.outcome == "created", outcome.problems
    assert len(held()) == 48
    with pytest.raises(Invalid):
        apply_object(a_call(), receipt, a_workbook({"A": [["x"]], "B": [["y"]]}))


def test_the_very_template_we_give_away_goes_in_filled() -> None:
    book = load_workbook(io.BytesIO(write_template(TEMPLATE)))
    book["Readings"].append([mine(), SUMMER, "kWh", "import", "local", *[0.5] * 48])
    filled = io.BytesIO()
    book.save(filled)
    receipt = a_receipt("rcp_1", "org_fsp1", "2026-07-01T09:00:00Z", "meter-data")
    [outcome] = apply_object(a_call(now="2026-07-01T09:00:00Z"), receipt, filled.getvalue())
    assert outcome.outcome == "created", outcome.problems
    assert len(held()) == 48


def test_the_blank_template_has_a_column_for_each_half_hour_of_the_longest_day() -> None:
    assert len(TEMPLATE.sheets[0].columns) == 55
    assert write_template(TEMPLATE).startswith(b"PK")


def test_completeness_is_told_by_meter_and_day_to_its_owner_alone() -> None:
    bring(table(wide_table(date(2026, 3, 28), date(2026, 3, 29), above=[["Clock", "local"]])))
    query = MeterDataQuery(month="2026-03", meter_id=mine())
    [view] = actions.list_meter_data(a_call(), query).items
    by_day = {day.day.day: day for day in view.days}
    assert (by_day[28].expected, by_day[28].present) == (48, 48)
    assert (by_day[29].expected, by_day[29].present, by_day[29].revisions) == (46, 46, 1)
    assert (by_day[30].present, by_day[30].revisions, by_day[30].received_at) == (0, 0, None)
    assert (len(view.days), view.present, view.expected) == (31, 94, 31 * 48 - 2)
    with pytest.raises(NotFound):
        actions.list_meter_data(a_call("org_fsp2"), query)


def test_either_side_of_an_obligation_sees_its_meters_and_nobody_else() -> None:
    obligation = an_obligation(mine())
    query = MeterDataQuery(month="2026-06", obligation_id=obligation)
    bring(table(long_table(SUMMER)))
    for organisation, kind in (("org_fsp1", "fsp"), ("org_so1", "so")):
        [view] = actions.list_meter_data(a_call(organisation, kind), query).items
        assert (view.meter_id, view.present) == (mine(), 48)
    with pytest.raises(NotFound):
        actions.list_meter_data(a_call("org_fsp2"), query)


def test_what_is_asked_of_meter_data_is_one_obligation_or_one_meter() -> None:
    for fields in ({}, {"meter_id": "1", "obligation_id": "2"}):
        with pytest.raises(ValidationError):
            MeterDataQuery(month="2026-03", **fields)
    with pytest.raises(NotFound):
        actions.list_meter_data(a_call(), MeterDataQuery(month="2026-03", obligation_id="obl_none"))


def test_a_half_hour_costs_at_most_five_bytes_with_its_keys() -> None:
    from chalicelib.metering.models import MeterDay
    from chalicelib.metering.store import _row

    # Jumps of up to 0.9 MW, to the watt: more than a depot's, and what settlement meters tell at the finest.
    level = [((n * 7919) % 997) * 903 * 1000 for n in range(48)]
    row = _row(MeterDay(meter_id=mine(), day=SUMMER, minutes=30, values=tuple(level)), a_call().now, "rcp_1")
    item = row.item()
    size = len(item["pk"]["S"]) + len(item["sk"]["S"]) + len(item["p"]["B"]) + len("pkskpversion") + 2
    assert size / 48 <= 5
