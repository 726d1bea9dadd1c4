"""Owns the qualified assets file, which is read back as overrides, and the entries file, as columns."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.assets.sheets import COLUMNS
from chalicelib.files.columns import (
    CellKind,
    Choice,
    Column,
    DecimalNumber,
    LocalDateTime,
    Sheet,
    Template,
    Text,
    WholeNumber,
)
from chalicelib.qualification.models import RULES, Rule

QUALIFIED = "Qualified Assets"
ENTRIES = "Entries"
EFFECTS = {"Qualify": "qualify", "Disqualify": "disqualify", "Lift": "lift"}
CHOICES = {"Undecided": "undecided", "Entered": "entered", "Withdrawn": "withdrawn"}

_MW = DecimalNumber(places=6)
_RULE_HELP: dict[Rule, str] = {
    "location": "Pass or fail by place or meter list, and why.",
    "voltage": "Pass or fail by the voltage of the connection, and why.",
    "capacity": "Pass or fail by capacity in the direction needed, and why.",
    "deadline": "Pass or fail by the instant the asset was complete, and why.",
    "company": "Pass or fail by the FSP's approval in the scheme named, and why.",
    "status": "Pass or fail by the asset's status, and why.",
}


def _shown(header: str, field: str, help_text: str, kind: CellKind | None = None, width: int | None = None) -> Column:
    return Column(header, field, help_text, kind=kind or Text(5_000), shown_only=True, width=width)


def _key(header: str, field: str, help_text: str, example: str) -> Column:
    return Column(header, field, help_text, required=True, kind=Text(60), example=example, width=34)


def rule_field(rule: Rule) -> str:
    """The field of a rule's result in a row."""
    return f"rule_{rule}"


_ASSET_COLUMNS = tuple(
    replace(column, shown_only=True, required=False, aliases=()) for column in COLUMNS if column.field != "asset_ref"
)
_RULE_COLUMNS = tuple(_shown(f"{rule.title()} Rule", rule_field(rule), _RULE_HELP[rule]) for rule in RULES)

QUALIFIED_COLUMNS: tuple[Column, ...] = (
    _shown("Entry", "entry", "The FSP's entry: undecided, entered, withdrawn or not applicable."),
    _shown("FSP", "fsp_name", "The flexibility service provider."),
    _key("Competition ID", "competition_id", "Ours; leave it as it is.", "cmp_01kp3v00000000000000000001"),
    _shown("Competition Ref", "competition_ref", "The competition's reference."),
    _shown("Competition Name", "competition_name", "The competition's name."),
    _shown("Phase", "phase", "The competition's phase when the file was made."),
    _key("Asset ID", "asset_id", "Ours; leave it as it is.", "ast_01kp3v00000000000000000001"),
    _shown("Asset Ref", "asset_ref", "The FSP's reference of the asset."),
    _shown("Last Changed", "changed_at", "When the asset last changed, local to the operator.", LocalDateTime()),
    *_ASSET_COLUMNS,
    *_RULE_COLUMNS,
    _shown("Match", "match", "How the location matched: meter, area, postcode, bounding box or buffer."),
    _shown("Area", "area", "The area it matched, or the nearest when it is outside by less than 1 km."),
    _shown("Distance (m)", "distance_m", "Metres outside that area; 0 inside.", DecimalNumber(places=3)),
    _shown("Result", "standing", "Eligible or not until qualification closes, then qualified or not."),
    _shown("Capacity", "capacity_mw", "MW (MVAr) in the direction needed, as at the close of qualification.", _MW),
    _shown("Capacity Now", "remaining_mw", "What is left of it after later changes.", _MW),
    _shown("Why", "why", "What stands between the asset and taking part.", width=36),
    Column(
        "Override",
        "override",
        "Qualify or disqualify the asset by hand, or lift that; blank changes nothing.",
        kind=Choice(tuple(EFFECTS)),
        example="Disqualify",
    ),
    Column(
        "Reason",
        "reason",
        "Why; the FSP sees it. Required with an override.",
        kind=Text(500),
        example="Connection under repair until 2027",
        width=36,
    ),
)

OVERRIDES_TEMPLATE = Template(
    kind="overrides",
    title="Qualified assets",
    version="1",
    sheets=(
        Sheet(
            QUALIFIED,
            QUALIFIED_COLUMNS,
            unique=("competition_id", "asset_id"),
            help="One row per asset that matches a competition or lies near it.",
        ),
    ),
    how_to=(
        "Download it filled, fill in Override and Reason on the rows you mean, and upload it.",
        "Each row stands alone. Rows with a blank Override change nothing; Lift takes an override away.",
        "Overrides are taken from the opening of qualification until bidding opens.",
    ),
)

ENTRIES_TEMPLATE = Template(
    kind="entries",
    title="Entries",
    version="1",
    sheets=(
        Sheet(
            ENTRIES,
            (
                _key("Competition ID", "competition_id", "Ours; leave it as it is.", "cmp_01kp3v00000000000000000001"),
                _shown("Competition Ref", "competition_ref", "The competition's reference."),
                _shown("Competition Name", "competition_name", "The competition's name."),
                _shown("Operator", "so_name", "The system operator."),
                _shown(
                    "Qualification Closes", "changeable_until", "Until when you can choose, local.", LocalDateTime()
                ),
                _shown("Eligible Assets", "eligible", "How many of your assets are eligible.", WholeNumber()),
                _shown("Eligible Capacity", "eligible_mw", "MW (MVAr) of them together.", _MW),
                _shown("Smallest Minimum", "smallest_minimum_mw", "MW (MVAr) that they must reach together.", _MW),
                _shown("State", "state", "Your choice, or not applicable while your assets do not reach the minimum."),
                Column(
                    "Entry",
                    "choice",
                    "Your choice; blank changes nothing.",
                    kind=Choice(tuple(CHOICES)),
                    example="Entered",
                ),
            ),
            unique=("competition_id",),
            help="One row per competition.",
        ),
    ),
    how_to=(
        "Download it filled with the competitions that your assets match, choose, and upload it.",
        "Each row stands alone. Choices are taken until qualification closes.",
    ),
)
