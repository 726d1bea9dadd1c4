"""Owns the competition workbook: its tabs and columns, all under one reference."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from chalicelib.areas.models import LARGEST_BUFFER_M
from chalicelib.competitions import words
from chalicelib.competitions.requests import MAIL, REFERENCE
from chalicelib.competitions.words import choices
from chalicelib.files.columns import (
    CellKind,
    Choice,
    ClockTime,
    Column,
    DecimalNumber,
    Duration,
    LocalDate,
    LocalDateTime,
    Sheet,
    Template,
    Text,
    TextList,
    YesNo,
)

COMPETITIONS = "Competitions"
BOUNDARIES = "Competition Boundaries"
WINDOWS = "Service Windows"
LISTS = ("areas", "postcodes", "postcode_sectors")
BOX = ("south", "west", "north", "east")
BOX_FIELDS = tuple(f"box_{side}" for side in BOX)

_REF_HELP = "1 to 40 letters, digits, _ and -"
_REF = Text(40, REFERENCE, _REF_HELP)
_PRICE = DecimalNumber(4, None)
_MONEY = DecimalNumber(2, None)
_MW = DecimalNumber(6)
_DEGREES = DecimalNumber(9, None)


def _one_of(literal: object, spellings: Mapping[str, str] | None = None) -> Choice:
    return Choice(choices(literal), dict(spellings or {}))


def _column(
    header: str, field_name: str, kind: CellKind, help_text: str, example: str = "", required: bool = False
) -> Column:
    return Column(header, field_name, help_text, required, kind, example)


_KEY = Column(
    "Competition Ref", "reference", "Names the competition on all tabs; never used twice.", True, _REF, "T2604_NORTH_01"
)

_COMPETITION_COLUMNS = (
    _KEY,
    _column("Name", "name", Text(200), "What people call it.", "Northern towns, summer 2026", True),
    _column("Description", "description", Text(10_000), "What is needed and why."),
    _column(
        "Contact",
        "contact",
        Text(254, MAIL, "an e-mail address"),
        "An e-mail address shown to providers.",
        "flex@operator.example",
    ),
    _column("Round Ref", "round_ref", _REF, "Groups competitions for lists, bids and decisions.", "ROUND_2026_1"),
    _column(
        "Qualification Open", "qualification_open", LocalDateTime(), "When entry begins.", "2026-05-01 09:00", True
    ),
    _column(
        "Qualification Closed",
        "qualification_closed",
        LocalDateTime(),
        "When the qualified assets are fixed.",
        "2026-05-29 17:00",
        True,
    ),
    _column(
        "Bidding Open",
        "open",
        LocalDateTime(),
        "At or after qualification closes; blank for visibility only.",
        "2026-06-01 09:00",
    ),
    _column(
        "Bidding Closed", "closed", LocalDateTime(), "A bid at this instant or after it is refused.", "2026-06-12 17:00"
    ),
    _column("Archive On", "archive_on", LocalDate(), "Default: 60 days after confirmation.", "2026-12-01"),
    _column(
        "Power Type",
        "power_type",
        _one_of(words.PowerType, words.POWER_SPELLINGS),
        "Reactive: the MW columns hold MVAr.",
        "Active Power",
        True,
    ),
    _column(
        "Need Direction",
        "need_direction",
        _one_of(words.NeedDirection, words.DIRECTION_SPELLINGS),
        "Deficit: generation up or demand down. Excess: the opposite. Reactive: Import (leading) or Export (lagging).",
        "Deficit",
        True,
    ),
    _column("Need Type", "need_type", _one_of(words.NeedType), "Why the network needs it.", "Pre Fault"),
    _column(
        "Product Type",
        "product_type",
        _one_of(words.ProductType, words.PRODUCT_SPELLINGS),
        "The standard product, or an older one.",
        "Scheduled Utilisation",
        True,
    ),
    _column(
        "Type",
        "type",
        _one_of(words.CompetitionType, words.TYPE_SPELLINGS),
        "Which prices there are; follows from the product when blank.",
        "Utilisation",
    ),
    _column("Pricing Type", "pricing_type", Text(100), "Left aside: a price given as fixed is fixed."),
    _column("Availability Fixed Price", "availability_fixed_price", _PRICE, "Per MW/h; given means fixed.", "5.00"),
    _column("Utilisation Fixed Price", "utilisation_fixed_price", _PRICE, "Per MWh; given means fixed.", "250.00"),
    _column("Service Fee Fixed", "service_fee_fixed", _PRICE, "Per MW for the period; given means fixed.", "1000.00"),
    _column(
        "Settlement Price Rule",
        "settlement_price_rule",
        _one_of(words.SettlementPriceRule),
        "Default pay-as-bid.",
        "pay-as-bid",
    ),
    _column("Availability Guide Price", "availability_guide_price", _PRICE, "A signal, per MW/h.", "5.00"),
    _column("Utilisation Guide Price", "utilisation_guide_price", _PRICE, "A signal, per MWh.", "250.00"),
    _column("Service Fee Guide", "service_fee_guide", _PRICE, "A signal, per MW for the period.", "1000.00"),
    _column("Minimum Budget", "minimum_budget", _MONEY, "A signal.", "10000.00"),
    _column("Maximum Budget", "maximum_budget", _MONEY, "A signal.", "50000.00"),
    _column("Availability Ceiling", "availability_ceiling", _PRICE, "A published limit, per MW/h.", "10.00"),
    _column("Utilisation Ceiling", "utilisation_ceiling", _PRICE, "A published limit, per MWh.", "500.00"),
    _column(
        "Effective Price Ceiling",
        "effective_price_ceiling",
        _PRICE,
        "A published limit on all prices together.",
        "20.00",
    ),
    _column(
        "Ceiling Rule",
        "ceiling_rule",
        _one_of(words.CeilingRule),
        "A bid above a ceiling: refuse (default) or assess.",
        "refuse",
    ),
    _column(
        "Minimum Connection Voltage (kV)",
        "minimum_connection_voltage",
        DecimalNumber(3),
        "Inclusive.",
        "0.4",
    ),
    _column(
        "Maximum Connection Voltage (kV)",
        "maximum_connection_voltage",
        DecimalNumber(3),
        "Inclusive.",
        "33",
    ),
    _column(
        "Area Buffer (m)",
        "area_buffer",
        DecimalNumber(3, Decimal(0), LARGEST_BUFFER_M),
        "Widens the areas, in metres on the ground.",
        "250",
    ),
    _column("Location Rule", "location_rule", _one_of(words.LocationRule), "Default area_or_meter.", "area_or_meter"),
    _column("DPS Record Reference", "dps_record_reference", Text(100), "A scheme of yours that providers must be in."),
    _column("Minimum Bid Size (MW)", "minimum_bid_size", _MW, "The smallest bid taken.", "0.05"),
    _column("Entry Required", "entry_required", YesNo(), "Default no: all but the withdrawn count as entered.", "no"),
    _column("Accept Planned Assets", "accept_planned_assets", YesNo(), "Default no.", "no"),
    _column(
        "Accept Partial Award",
        "accept_partial_award",
        YesNo(),
        "Default yes; no makes every bid all-or-nothing.",
        "yes",
    ),
    _column(
        "Duplicate Asset Overrides",
        "duplicate_asset_overrides",
        _REF,
        "An earlier competition of yours to copy overrides from.",
    ),
    _column("Market Rules", "market_rules", Text(100), "Default: your own default rules."),
    _column("Publish", "publish", YesNo(), "Yes publishes at import; otherwise it arrives as a draft.", "no"),
)
_BOUNDARY_COLUMNS = (
    _KEY,
    _column("Area Refs", "areas", TextList(2_000, 100), "Your areas, by reference.", "NORTH_1; NORTH_2"),
    _column("Postcodes", "postcodes", TextList(10_000, 20), "Whole postcodes.", "IP1 2AB; IP1 2AD"),
    _column("Postcode Sectors", "postcode_sectors", TextList(10_000, 20), "Sectors.", "IP1 2; IP1 3"),
    *(
        _column(f"Box {side.title()}", f"box_{side}", _DEGREES, "A bounding box in degrees; all four sides.")
        for side in BOX
    ),
)
_WINDOW_COLUMNS = (
    _KEY,
    _column("Service Period Name", "service_period_name", Text(200), "Groups windows.", "Summer 2026", True),
    _column("Service Period Start", "service_period_start", LocalDate(), "The first day.", "2026-07-01", True),
    _column("Service Period End", "service_period_end", LocalDate(), "The last day, inclusive.", "2026-09-30", True),
    _column("Service Window Name", "service_window_name", Text(200), "Unique in the period.", "Evening peak", True),
    _column("Start", "start", ClockTime(), "Local clock time.", "16:00", True),
    _column("End", "end", ClockTime(), "24:00 is midnight; before the start: the next day.", "20:00", True),
    _column("Service Days", "service_days", Text(100), "Day names or a range.", "Mon-Fri", True),
    _column(
        "Public Holiday Handling",
        "public_holiday_handling",
        _one_of(words.HolidayHandling),
        "Default include.",
        "exclude",
    ),
    _column("Capacity Required (MW)", "capacity_required", _MW, "How much is needed.", "1.5", True),
    _column("Minimum Aggregate Asset Size (MW)", "minimum_aggregate_asset_size", _MW, "Per provider.", "0.05"),
    _column("Minimum Run Time", "minimum_run_time", Duration(), "A bid must be able to run so long.", "0 00:30:00"),
    _column("Required Response Time", "required_response_time", Duration(), "Until delivery.", "0 00:15:00"),
    _column("Dispatch Estimate", "dispatch_estimate", DecimalNumber(9), "Expected dispatches in the period.", "20"),
    _column("Dispatch Duration", "dispatch_duration", Duration(), "Their expected length.", "0 02:00:00"),
    _column("Availability Ceiling", "availability_ceiling", _PRICE, "If it differs in this window."),
    _column("Utilisation Ceiling", "utilisation_ceiling", _PRICE, "If it differs in this window."),
    _column("Effective Price Ceiling", "effective_price_ceiling", _PRICE, "If it differs in this window."),
)

TEMPLATE = Template(
    kind="competitions",
    title="Competitions",
    version="1",
    sheets=(
        Sheet(COMPETITIONS, _COMPETITION_COLUMNS, unique=("reference",), help="One row for each competition."),
        Sheet(BOUNDARIES, _BOUNDARY_COLUMNS, help="Where it is wanted: one or more rows for each competition."),
        Sheet(
            WINDOWS,
            _WINDOW_COLUMNS,
            unique=("reference", "service_period_name", "service_window_name"),
            help="One row for each service window of each competition.",
        ),
    ),
    how_to=(
        "The Competition Ref is the key on all three tabs.",
        "Dates and times are local to the operator. Service period ends are inclusive.",
        "A competition with any problem is refused whole, with all its problems; the others go in.",
        "Sending a competition again updates it, as far as its dates still allow.",
    ),
)
HEADERS = {sheet.name: {column.field: column.header for column in sheet.columns} for sheet in TEMPLATE.sheets}
