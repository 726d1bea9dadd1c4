"""Owns the tabs of a report's workbook: their columns, and each row's values in that order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chalicelib.kernel.periods import local_of
from chalicelib.settlement import wording
from chalicelib.settlement.models_runs import BaselineDetail, InstructionDetail, PeriodDetail, ReportLine
from chalicelib.settlement.report_contents import Contents, energy_mwh, length_of
from chalicelib.settlement.workings import Workings

ENERGY, POWER, RATIO, WHOLE = "#,##0.0000", "#,##0.000000", "0.000000000", "#,##0"
INSTANT, DAY, WORDS = "ddd dd mmm yyyy hh:mm", "dd mmm yyyy", "@"

Values = Iterable[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a tab: its header, width in characters, number format."""

    header: str
    width: int
    format: str = WORDS


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: its columns, and its rows as numbers, local times, days and texts."""

    name: str
    fields: Sequence[Field]
    rows: Values


def tabs(contents: Contents) -> Iterator[Tab]:
    """Every tab but the summary, in order; rows are made as they are written."""
    money = money_format(contents.report.currency)
    price = money_format(contents.report.currency, "0.00##")
    yield Tab("Lines", _line_fields(money), _lines(contents))
    yield Tab("Instructions", _instruction_fields(money, price), _instructions(contents))
    yield Tab("Half-hours", _HALF_HOURS, _half_hours(contents))
    yield Tab("Availability", _availability_fields(money, price), _availability(contents))
    yield Tab("Data quality", _QUALITY, _quality(contents))
    yield Tab("Baselines", _BASELINES, _baselines(contents))


def money_format(currency: str, figures: str = "0.00") -> str:
    """The number format of money: the sign in front, negative amounts red."""
    shown = f'"{wording.currency_sign(currency)}"#,##{figures}'
    return f"{shown};[Red]-{shown}"


def _line_fields(money: str) -> list[Field]:
    return [
        Field("Month", 10),
        Field("Competition", 24),
        Field("Service window", 24),
        Field("Starts (local)", 22, INSTANT),
        Field("Ends (local)", 22, INSTANT),
        Field("Component", 22),
        Field("Amount", 14, money),
        Field("Reason there is none", 24),
        Field("State", 11),
        Field("How it came about", 60),
        Field("Invoiced before", 14, money),
        Field("Rules version", 9, WHOLE),
        Field("Line", 42),
        Field("Obligation", 42),
        Field("Instruction", 34),
        Field("Dispute", 34),
        Field("Invoice", 34),
        Field("Fingerprint of inputs", 70),
    ]


def _lines(contents: Contents) -> Values:
    workings = Workings(contents.detail, contents.report.currency)
    return (_line(line, contents, workings) for line in contents.lines)


def _line(line: ReportLine, contents: Contents, workings: Workings) -> Sequence[Any]:
    return (
        line.month,
        line.competition_reference,
        line.window_name,
        line.starts and local_of(line.starts, contents.zone),
        line.ends and local_of(line.ends, contents.zone),
        wording.component(line.component),
        line.amount,
        line.reason,
        wording.LINE_STATES[line.state],
        workings.of(line),
        line.corrects,
        line.rules_version,
        line.id,
        line.obligation_id,
        line.instruction_id,
        line.dispute_id,
        line.invoice_id,
        line.fingerprint,
    )


def _instruction_fields(money: str, price: str) -> list[Field]:
    return [
        Field("Competition", 24),
        Field("Service window", 24),
        Field("Starts (local)", 22, INSTANT),
        Field("Ends (local)", 22, INSTANT),
        Field("State", 14),
        Field("Direction", 10),
        Field("Instructed MW", 12, POWER),
        Field("Acknowledged MW", 14, POWER),
        Field("Requested MWh", 13, ENERGY),
        Field("Baseline MWh", 13, ENERGY),
        Field("Metered MWh", 13, ENERGY),
        Field("Delivered MWh", 13, ENERGY),
        Field("Counted MWh", 13, ENERGY),
        Field("Ratio", 13, RATIO),
        Field("Factor", 13, RATIO),
        Field("Price per MWh", 13, price),
        Field("Paid volume", 12),
        Field("Performance", 18),
        Field("Amount", 14, money),
        Field("Reason there is none", 24),
        Field("Meter points left out", 40),
        Field("Rules", 24),
        Field("Rules version", 9, WHOLE),
        Field("Instruction", 34),
        Field("Obligation", 42),
    ]


def _instructions(contents: Contents) -> Values:
    return (_instruction(each, contents) for each in contents.detail.instructions)


def _instruction(each: InstructionDetail, contents: Contents) -> Sequence[Any]:
    return (
        each.competition_reference,
        each.window_name,
        local_of(each.starts, contents.zone),
        local_of(each.ends, contents.zone),
        wording.INSTRUCTION_STATES[each.state],
        each.direction,
        each.instructed_mw,
        each.acknowledged_mw,
        each.requested_mwh,
        energy_mwh(each, "baseline_mw"),
        energy_mwh(each, "metered_mw"),
        each.delivered_mwh,
        each.counted_mwh,
        each.ratio,
        each.factor,
        each.utilisation_price,
        each.paid_volume,
        each.performance,
        contents.amount_of_instruction(each.instruction_id),
        each.reason,
        "; ".join(f"{point}: {why}" for point, why in each.left_out),
        each.rules_name,
        each.rules_version,
        each.instruction_id,
        each.obligation_id,
    )


_HALF_HOURS = [
    Field("Instruction", 34),
    Field("Zone", 7),
    Field("Starts (local)", 22, INSTANT),
    Field("Ends (local)", 22, INSTANT),
    Field("Starts (UTC)", 22, INSTANT),
    Field("Requested MW", 13, POWER),
    Field("Baseline MW", 13, POWER),
    Field("Metered MW", 13, POWER),
    Field("Delivered MW", 13, POWER),
    Field("Counted MW", 13, POWER),
]


def _half_hours(contents: Contents) -> Values:
    for instruction in contents.detail.instructions:
        step = length_of(instruction.periods, instruction.ends - instruction.starts)
        for period in instruction.periods:
            yield _half_hour(instruction, period, period.start + step, contents)


def _half_hour(
    instruction: InstructionDetail, period: PeriodDetail, ends: datetime, contents: Contents
) -> Sequence[Any]:
    """Local times with the zone's name, and UTC beside them: on one day of the year 01:00 comes twice."""
    return (
        instruction.instruction_id,
        period.start.astimezone(contents.zone).tzname(),
        local_of(period.start, contents.zone),
        local_of(ends, contents.zone),
        period.start.replace(tzinfo=None),
        period.requested_mw,
        period.baseline_mw,
        period.metered_mw,
        period.delivered_mw,
        period.counted_mw,
    )


def _availability_fields(money: str, price: str) -> list[Field]:
    return [
        Field("Competition", 24),
        Field("Service window", 24),
        Field("Month", 10),
        Field("Promised MWh", 13, ENERGY),
        Field("Available MWh", 13, ENERGY),
        Field("Price per MW/h", 13, price),
        Field("Performance F", 13, RATIO),
        Field("F is from", 14),
        Field("Availability", 14, money),
        Field("Availability recovery", 14, money),
        Field("Service fee per MW", 13, price),
        Field("Days of the month", 10, WHOLE),
        Field("Days of the period", 10, WHOLE),
        Field("Service fee", 14, money),
        Field("Obligation", 42),
    ]


def _availability(contents: Contents) -> Values:
    for each in contents.detail.obligations:
        yield (
            each.competition_reference,
            each.window_name,
            each.month,
            each.promised_mwh,
            each.available_mwh,
            each.availability_price,
            each.performance,
            each.performance_from,
            contents.amount_of(each.obligation_id, "availability", each.month),
            contents.amount_of(each.obligation_id, "recovery", each.month),
            each.service_fee_price,
            each.days_in_month,
            each.days_in_period,
            contents.amount_of(each.obligation_id, "service_fee", each.month),
            each.obligation_id,
        )


_QUALITY = [
    Field("Meter", 22),
    Field("Asset", 24),
    Field("Readings expected", 12, WHOLE),
    Field("Readings present", 12, WHOLE),
    Field("Readings missing", 12, WHOLE),
    Field("Complete", 11, "0.00%"),
    Field("Revisions", 10, WHOLE),
    Field("Latest received (local)", 22, INSTANT),
]


def _quality(contents: Contents) -> Values:
    for each in contents.detail.quality:
        yield (
            each.meter_id,
            each.asset_ref,
            each.expected,
            each.present,
            max(0, each.expected - each.present),
            min(each.present, each.expected) / each.expected if each.expected else None,
            each.revisions,
            each.latest_at and local_of(each.latest_at, contents.zone),
        )


_BASELINES = [
    Field("Instruction", 34),
    Field("Meter point", 22),
    Field("Method", 30),
    Field("Method version", 9),
    Field("Status", 14),
    Field("Why", 34),
    Field("Day", 13, DAY),
    Field("Used", 7),
    Field("Refused because", 26),
    Field("Completeness", 13, RATIO),
    Field("Same-day adjustment", 12),
    Field("Before the clamp", 14, RATIO),
    Field("Applied", 14, RATIO),
    Field("Adjusted so because", 26),
    Field("Fingerprint of inputs", 70),
]


def _baselines(contents: Contents) -> Values:
    for instruction in contents.detail.instructions:
        for baseline in instruction.baselines:
            for on, used, why in _days(baseline):
                yield _baseline_day(instruction, baseline, on, used, why)


def _days(baseline: BaselineDetail) -> list[tuple[date | None, str | None, str | None]]:
    """Every day looked at, in order, used or refused; a baseline that looks at no days has one row of its own."""
    found: list[tuple[date | None, str | None, str | None]] = [
        *((day, "yes", None) for day in baseline.days_used),
        *((day, "no", why) for day, why in baseline.days_refused),
    ]
    return sorted(found, key=lambda each: str(each[0])) or [(None, None, None)]


def _baseline_day(
    instruction: InstructionDetail, baseline: BaselineDetail, on: date | None, used: str | None, why: str | None
) -> Sequence[Any]:
    return (
        instruction.instruction_id,
        baseline.point,
        baseline.method,
        baseline.version,
        baseline.status,
        baseline.why,
        on,
        used,
        why,
        baseline.completeness,
        baseline.adjustment,
        baseline.adjustment_before_clamp,
        baseline.adjustment_applied,
        baseline.adjustment_why,
        baseline.fingerprint,
    )
