"""Owns the settlement report as PDF: a summary, a block with a plot per instruction, availability, data quality.

Carries reportlab; for functions only. The same contents give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Spacer, Table, TableStyle

from chalicelib.settlement import pages, wording
from chalicelib.settlement.models_runs import (
    InstructionDetail,
    MeterQuality,
    ObligationDetail,
    ReportLine,
)
from chalicelib.settlement.plots import can_be_drawn, plot
from chalicelib.settlement.report_contents import Contents, Sum, energy_mwh, is_shared, place
from chalicelib.settlement.workings import Workings, sentences

MOST_METERS = 120
"""Meters listed in the PDF, the least complete first; all of them stand in the workbook."""
_MOST_LEFT_OUT = 6
_PLOT = (112 * mm, 50 * mm)
_GAP = 4 * mm


def report_pdf(contents: Contents) -> bytes:
    """A report as A4 PDF. Local times name their zone; amounts are in the report's currency."""
    story = [
        *_head(contents),
        *_summary(contents),
        *_instructions(contents),
        *_availability(contents),
        *_other_lines(contents),
        *_quality(contents),
    ]
    foot = f"{contents.title} · {contents.operator} to {contents.provider} · {contents.version}"
    return pages.render(story, f"{contents.title}, {contents.provider}", contents.operator, foot)


def _head(contents: Contents) -> Iterator[Flowable]:
    report, zone = contents.report, contents.zone
    yield pages.text(contents.title, pages.TITLE)
    yield Spacer(1, 3 * mm)
    sides = [
        ("System operator", contents.operator),
        ("Flexibility service provider", contents.provider),
        ("Period", f"{wording.day(report.first)} to {wording.day(report.last)}"),
        ("Local time", f"{report.time_zone}"),
    ]
    state = [
        ("Report version", f"{report.number} ({report.state})"),
        ("Settled", wording.moment(report.made_at, zone)),
        ("Published", wording.moment(report.published_at, zone)),
        ("Disputes until", _until(contents)),
    ]
    half = pages.WIDTH / 2
    yield pages.beside([pages.facts(sides, half, 0.36), pages.facts(state, half, 0.3)], [half, half])
    yield pages.text(f"Report {report.id} of run {report.run_id}", pages.SMALL)
    yield Spacer(1, 2 * mm)
    if report.state == "draft":
        yield pages.banner("Draft: not published. Nothing here is agreed, and it may change.")
        yield Spacer(1, 2 * mm)
    if report.state == "superseded":
        yield pages.banner("Superseded: a later version of this report takes its place.")
        yield Spacer(1, 2 * mm)


def _headline(contents: Contents) -> list[tuple[str, str]]:
    currency = contents.report.currency
    disputed = [each for each in contents.by_state if each.name == wording.LINE_STATES["disputed"]]
    unsettled = sum(line.amount is None for line in contents.lines)
    return [
        (wording.money(contents.total, currency), "total of this report, without VAT"),
        (f"{len(contents.detail.instructions):,}", "instructions"),
        (f"{unsettled:,}", "lines that could not be settled"),
        (wording.money(disputed[0].amount if disputed else Decimal(0), currency), "under dispute"),
    ]


def _until(contents: Contents) -> str:
    until = contents.report.disputable_until
    return wording.NOTHING if until is None else f"the end of {wording.day(until)}"


def _summary(contents: Contents) -> Iterator[Flowable]:
    half = (pages.WIDTH - _GAP) / 2
    components = _sums(contents, "Component", contents.by_component, half)
    states = _sums(contents, "State of lines", contents.by_state, half)
    yield pages.headline(_headline(contents))
    yield Spacer(1, 4 * mm)
    yield pages.beside([components, states], [half + _GAP, half])
    yield pages.text("By obligation", pages.HEADING)
    yield _by_obligation(contents)
    yield pages.text("Rules applied", pages.HEADING)
    for sentence in sentences(contents.detail.rules):
        yield pages.text(sentence, pages.BODY)
    yield Spacer(1, 2 * mm)
    yield pages.text(_HOW_TO_READ, pages.SMALL)


_HOW_TO_READ = (
    "Each amount is rounded once, to the penny, half away from zero; totals are sums of rounded lines. VAT is added "
    "once, on the invoice. Delivered energy is the baseline less what was metered, in the direction asked, so it may "
    "be negative. A line without an amount names its reason and waits for what it lacks. Every half-hour, every "
    "baseline day and every meter stands in the workbook of this report."
)


def _sums(contents: Contents, title: str, sums: Sequence[Sum], width: float) -> Table:
    currency = contents.report.currency
    rows = [[each.name, str(each.lines), str(each.unsettled), wording.money(each.amount, currency)] for each in sums]
    lines, unsettled = sum(each.lines for each in sums), sum(each.unsettled for each in sums)
    rows.append(["Total", str(lines), str(unsettled), wording.money(contents.total, currency)])
    return pages.grid([title, "Lines", "Not settled", "Amount"], rows, (40, 13, 21, 26), (1, 2, 3), True, width)


_COLUMNS = ("availability", "recovery", "utilisation", "penalty", "service_fee")


def _by_obligation(contents: Contents) -> Table:
    """What each obligation comes to, by the components that the report has at all."""
    currency = contents.report.currency
    present = {line.component for line in contents.lines}
    columns = [name for name in _COLUMNS if name in present]
    rows = []
    for obligation_id, named in contents.obligations.items():
        amounts = [contents.amount_of(obligation_id, name) for name in columns]
        known = [amount for amount in amounts if amount is not None]
        whole = sum(known, Decimal(0)) if known else None
        rows.append(
            [
                _place(named, obligation_id),
                *(wording.money(amount, currency) for amount in amounts),
                wording.money(whole, currency),
            ]
        )
    header = ["Obligation", *(wording.component(name) for name in columns), "Total"]
    widths = [34, *([15] * len(columns)), 15]
    return pages.grid(header, rows, widths, range(1, len(header)))


def _place(named: str, identity: str) -> list[Flowable]:
    parts = [pages.text(named)] if named else []
    return [*parts, pages.text(identity, pages.SMALL)]


def _instructions(contents: Contents) -> Iterator[Flowable]:
    if not contents.detail.instructions:
        return
    yield CondPageBreak(110 * mm)
    yield pages.text(f"Instructions ({len(contents.detail.instructions)})", pages.HEADING)
    for instruction in contents.detail.instructions:
        yield KeepTogether([*_instruction(contents, instruction), Spacer(1, 5 * mm)])


def _instruction(contents: Contents, instruction: InstructionDetail) -> Iterator[Flowable]:
    yield _bar(contents, instruction)
    yield Spacer(1, 1.5 * mm)
    figures = pages.facts(_figures(contents, instruction), pages.WIDTH - _PLOT[0] - _GAP, 0.44)
    yield pages.beside([_picture(contents, instruction), figures], [_PLOT[0] + _GAP, pages.WIDTH - _PLOT[0] - _GAP])
    yield _lines(contents, contents.lines_of(instruction.instruction_id), _no_amount(instruction))
    if instruction.left_out:
        yield pages.text(_left_out(instruction), pages.SMALL)
    if is_shared(instruction):
        yield pages.text(_SHARED, pages.SMALL)


_SHARED = (
    "Baseline and metered are of all that was settled together with this instruction, for it shares meters with "
    "another; what was delivered is shared in proportion to what was asked."
)


def _bar(contents: Contents, instruction: InstructionDetail) -> Table:
    when = wording.span(instruction.starts, instruction.ends, contents.zone)
    where = place(instruction.competition_reference, instruction.window_name) or instruction.obligation_id
    left = [pages.text(when, pages.SUBHEADING), pages.text(where, pages.CELL)]
    right = [
        pages.number(wording.INSTRUCTION_STATES[instruction.state], True),
        pages.number(instruction.instruction_id),
    ]
    table = Table([[left, right]], colWidths=[pages.WIDTH * 0.66, pages.WIDTH * 0.34])
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), pages.PAPER),
                ("LINEABOVE", (0, 0), (-1, 0), 1.2, pages.INK),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
            ]
        )
    )
    return table


def _picture(contents: Contents, instruction: InstructionDetail) -> Flowable:
    if can_be_drawn(instruction):
        return plot(instruction, contents.zone, *_PLOT)
    if instruction.reason is not None:
        return _instead(f"{wording.reason(instruction.reason)}. There is nothing to plot.")
    return _instead("No readings were needed for this instruction: there is nothing to plot.")


def _instead(words: str) -> Table:
    table = Table([[pages.text(words, pages.BODY)]], colWidths=[_PLOT[0] - 6 * mm], rowHeights=[22 * mm])
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("BOX", (0, 0), (-1, -1), 0.5, pages.LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 8),
            ]
        )
    )
    table.hAlign = "LEFT"
    return table


def _figures(contents: Contents, instruction: InstructionDetail) -> list[tuple[str, str]]:
    currency = contents.report.currency
    figures = [
        ("Asked to", wording.DIRECTIONS[instruction.direction]),
        ("Instructed", wording.trimmed(instruction.instructed_mw, unit="MW")),
        ("Acknowledged", wording.trimmed(instruction.acknowledged_mw, unit="MW")),
        ("Requested", wording.fixed(instruction.requested_mwh, 4, "MWh")),
        ("Baseline", wording.fixed(energy_mwh(instruction, "baseline_mw"), 4, "MWh")),
        ("Metered", wording.fixed(energy_mwh(instruction, "metered_mw"), 4, "MWh")),
        ("Delivered", wording.fixed(instruction.delivered_mwh, 4, "MWh")),
        ("Counted", wording.fixed(instruction.counted_mwh, 4, "MWh")),
        ("Ratio", wording.trimmed(instruction.ratio)),
        ("Factor", wording.trimmed(instruction.factor)),
        ("Price", wording.price(instruction.utilisation_price, "MWh", currency)),
        ("Rules", f"{instruction.rules_name}, {wording.rules_version(instruction.rules_version)}"),
    ]
    return [(label, words) for label, words in figures if words != wording.NOTHING]


def _no_amount(instruction: InstructionDetail) -> str:
    if instruction.reason is not None:
        return wording.reason(instruction.reason)
    if instruction.state in ("declined", "expired", "failed"):
        return "No amount; it counts as not delivered in the month's performance."
    return "No amount."


def _left_out(instruction: InstructionDetail) -> str:
    named = [f"{point} ({why})" for point, why in instruction.left_out[:_MOST_LEFT_OUT]]
    more = len(instruction.left_out) - len(named)
    return f"Meter points left out: {', '.join(named)}{f' and {more} more, in the workbook' if more else ''}."


def _lines(contents: Contents, lines: Sequence[ReportLine], otherwise: str) -> Flowable:
    if not lines:
        return pages.text(otherwise, pages.CELL)
    workings = Workings(contents.detail, contents.report.currency)
    rows = [
        [
            wording.component(line.component),
            workings.of(line),
            wording.LINE_STATES[line.state],
            wording.money(line.amount, contents.report.currency),
        ]
        for line in lines
    ]
    return pages.grid(["Component", "How it came about", "State", "Amount"], rows, (20, 52, 11, 17), (3,))


def _availability(contents: Contents) -> Iterator[Flowable]:
    if not contents.detail.obligations:
        return
    yield CondPageBreak(60 * mm)
    yield pages.text("Availability", pages.HEADING)
    header = ["Obligation", "Month", "Promised MWh", "Available MWh", "Price", "Performance F", "F from"]
    rows = [_promised(contents, each) for each in contents.detail.obligations]
    yield pages.grid(header, rows, (34, 12, 15, 15, 17, 14, 15), (2, 3, 4, 5))


def _promised(contents: Contents, each: ObligationDetail) -> list[Any]:
    return [
        _place(place(each.competition_reference, each.window_name), each.obligation_id),
        each.month,
        wording.fixed(each.promised_mwh, 3),
        wording.fixed(each.available_mwh, 3),
        wording.price(each.availability_price, "MW/h", contents.report.currency),
        wording.trimmed(each.performance),
        each.performance_from,
    ]


def _other_lines(contents: Contents) -> Iterator[Flowable]:
    lines = contents.other_lines
    if not lines:
        return
    yield CondPageBreak(50 * mm)
    yield pages.text("Lines of obligations", pages.HEADING)
    workings = Workings(contents.detail, contents.report.currency)
    rows = [
        [
            _place(place(line.competition_reference, line.window_name), line.instruction_id or line.obligation_id),
            line.month,
            wording.component(line.component),
            workings.of(line),
            wording.LINE_STATES[line.state],
            wording.money(line.amount, contents.report.currency),
        ]
        for line in lines
    ]
    header = ["Obligation", "Month", "Component", "How it came about", "State", "Amount"]
    yield pages.grid(header, rows, (29, 9, 17, 33, 10, 14), (5,))


def _quality(contents: Contents) -> Iterator[Flowable]:
    quality = contents.detail.quality
    if not quality:
        return
    complete = sum(each.present >= each.expected for each in quality)
    yield CondPageBreak(50 * mm)
    yield pages.text("Data quality", pages.HEADING)
    yield pages.text(f"{complete} of {len(quality)} meters are complete over the days settled.", pages.BODY)
    yield Spacer(1, 1.5 * mm)
    shown = sorted(quality, key=lambda each: (_completeness(each), each.meter_id))[:MOST_METERS]
    header = ["Meter", "Asset", "Expected", "Present", "Missing", "Complete", "Revisions", "Latest reading received"]
    yield pages.grid(
        header, [_meter(contents, each) for each in shown], (20, 20, 11, 11, 10, 12, 11, 28), (2, 3, 4, 5, 6)
    )
    if len(shown) < len(quality):
        more = f"The {len(shown)} least complete of {len(quality)} meters; all of them stand in the workbook."
        yield pages.text(more, pages.SMALL)


def _completeness(each: MeterQuality) -> float:
    return each.present / each.expected if each.expected else 1.0


def _meter(contents: Contents, each: MeterQuality) -> list[str]:
    missing = max(0, each.expected - each.present)
    return [
        each.meter_id,
        each.asset_ref,
        f"{each.expected:,}",
        f"{each.present:,}",
        f"{missing:,}",
        wording.per_cent(min(each.present, each.expected), each.expected),
        str(each.revisions),
        wording.moment(each.latest_at, contents.zone),
    ]
