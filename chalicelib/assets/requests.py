"""Owns what the API takes: an asset's columns as cells, read by the same rules as a workbook's, and list filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.assets.models import Status, TypeTree
from chalicelib.assets.rules import Checked, check_row
from chalicelib.assets.sheets import COLUMNS
from chalicelib.files.cells import Fault, read_cell
from chalicelib.files.columns import (
    CellKind,
    Choice,
    Column,
    DecimalNumber,
    Duration,
    LocalDate,
    Text,
    WholeNumber,
    allowed_values,
)
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.models import Instant, PageQuery, Value

Cell = str | int | float | bool | None


def _describe(schema: dict[str, Any]) -> None:
    """The properties as the columns describe them: the cells are read by the columns' rules, not by pydantic's."""
    schema["properties"] = {column.field: _property(column) for column in COLUMNS}


def _describe_required(schema: dict[str, Any]) -> None:
    _describe(schema)
    schema["required"] = [column.field for column in COLUMNS if column.required]


def _property(column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {"description": column.help, **_shape(column.kind)}
    return described | ({"examples": [column.example]} if column.example else {})


def _shape(kind: CellKind) -> dict[str, Any]:
    match kind:
        case Text(maximum_length=length):
            return {"type": ["string", "null"], "maxLength": length}
        case Choice(choices=choices):
            return {"enum": [*choices, None]}
        case WholeNumber(minimum=low, maximum=high):
            return {"type": ["integer", "null"], "minimum": low, "maximum": high}
        case DecimalNumber(places=places):
            sign = "-?" if kind.minimum is None or kind.minimum < 0 else ""
            return {"type": ["string", "null"], "pattern": rf"^{sign}\d{{1,6}}(\.\d{{1,{places}}})?$"}
        case LocalDate():
            return {"type": ["string", "null"], "format": "date"}
        case Duration():
            return {"type": ["string", "null"], "format": "duration"}
    raise TypeError(f"no asset column holds {type(kind).__name__}")


class AssetChange(BaseModel):
    """Columns of an asset to change; null clears one, a column left out stays as it is. Decimals as strings."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_describe)

    asset_ref: Cell = None
    name: Cell = None
    status: Cell = None
    category: Cell = None
    type: Cell = None
    device_count: Cell = None
    voltage_kv: Cell = None
    country_code: Cell = None
    postcode: Cell = None
    latitude: Cell = None
    longitude: Cell = None
    address: Cell = None
    import_meter_id: Cell = None
    export_meter_id: Cell = None
    metering: Cell = None
    meter_interval: Cell = None
    generation_turn_up_mw: Cell = None
    generation_turn_down_mw: Cell = None
    demand_turn_up_mw: Cell = None
    demand_turn_down_mw: Cell = None
    reactive_import_mvar: Cell = None
    reactive_export_mvar: Cell = None
    maximum_import_mw: Cell = None
    maximum_export_mw: Cell = None
    response_time: Cell = None
    minimum_run_time: Cell = None
    maximum_run_time: Cell = None
    recovery_time: Cell = None
    operational_date: Cell = None
    supplier: Cell = None
    comment: Cell = None
    consent_ref: Cell = None
    consent_from: Cell = None
    consent_to: Cell = None

    def stated(self) -> dict[str, Cell]:
        """The columns that were given, null ones too."""
        return self.model_dump(exclude_unset=True)


class AssetRequest(AssetChange):
    """An asset as its FSP states it, whole: what is left out is not stated. Decimals as strings."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_describe_required)


class AssetState(AssetChange):
    """An asset as its FSP states it, whole; its reference stands in the address."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_describe)


class AssetQuery(PageQuery):
    """Which of my assets. Archived ones only when their status is asked for."""

    status: Status | None = None
    category: str | None = Field(default=None, max_length=100)
    type: str | None = Field(default=None, max_length=100)
    ref: str | None = Field(default=None, max_length=100)
    changed_since: Instant | None = None
    sort: Literal["ref", "-ref", "changed", "-changed"] = "ref"


class TypesRequest(Value):
    """Types to add to a category; a category nobody knows is added with them."""

    category: str = Field(min_length=1, max_length=100)
    types: tuple[Annotated[str, Field(max_length=100)], ...] = Field(min_length=1, max_length=100)


def read_asset(cells: Mapping[str, Any], types: TypeTree) -> Checked:
    """Read and weigh an asset's cells: its columns, or every problem at once."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for column in COLUMNS:
        value = read_cell(column.kind, cells.get(column.field), "ymd")
        if isinstance(value, Fault):
            problems.append(Problem(value.code, value.detail, column.field, value.allowed))
        elif value is not None:
            values[column.field] = value
        elif column.required:
            problems.append(_required(column))
    unread = {problem.field for problem in problems if problem.field}
    checked = check_row(values, types, unread)
    return Checked(checked.fields, (*problems, *checked.problems))


def _required(column: Column) -> Problem:
    return Problem("cell.required", f"{column.header} is required.", column.field, allowed_values(column.kind))
