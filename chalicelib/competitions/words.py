"""Owns the fixed words of a competition: products, types, directions and rules, with the other spellings taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

PowerType = Literal["Active Power", "Reactive Power"]
NeedDirection = Literal["Deficit", "Excess", "Import", "Export"]
NeedType = Literal["Pre Fault", "Post Fault", "Restoration", "Energy Efficiency"]
ProductType = Literal[
    "Peak Reduction",
    "Scheduled Utilisation",
    "Operational Utilisation",
    "OU + Scheduled Availability",
    "OU + Variable Availability",
    "Sustain",
    "Secure",
    "Dynamic",
    "Restore",
]
CompetitionType = Literal[
    "Utilisation",
    "Availability + Utilisation",
    "Utilisation + Service Fee",
    "Availability + Utilisation + Service Fee",
]
SettlementPriceRule = Literal["pay-as-bid", "pay-as-clear", "pay-at-ceiling"]
CeilingRule = Literal["refuse", "assess"]
LocationRule = Literal["area_or_meter", "area", "meter"]
HolidayHandling = Literal["include", "exclude"]
Day = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
Phase = Literal[
    "draft", "published", "qualifying", "qualified", "bidding", "closed", "confirmed", "archived", "withdrawn"
]

DIRECTIONS_OF: Mapping[str, tuple[str, ...]] = {
    "Active Power": ("Deficit", "Excess"),
    "Reactive Power": ("Import", "Export"),
}
TYPE_OF_PRODUCT: Mapping[str, str] = {
    "Peak Reduction": "Utilisation",
    "Scheduled Utilisation": "Utilisation",
    "Operational Utilisation": "Utilisation",
    "OU + Scheduled Availability": "Availability + Utilisation",
    "OU + Variable Availability": "Availability + Utilisation",
    "Sustain": "Utilisation",
    "Secure": "Availability + Utilisation",
    "Dynamic": "Availability + Utilisation",
    "Restore": "Utilisation",
}
SERVICE_FEE = " + Service Fee"
HISTORIC_PHASES = frozenset({"closed", "confirmed", "archived"})

PRODUCT_SPELLINGS: Mapping[str, str] = {
    "PR": "Peak Reduction",
    "SU": "Scheduled Utilisation",
    "OU": "Operational Utilisation",
    "OU + SA": "OU + Scheduled Availability",
    "OU + VA": "OU + Variable Availability",
    "Operational Utilisation + Scheduled Availability": "OU + Scheduled Availability",
    "Operational Utilisation + Variable Availability": "OU + Variable Availability",
}
TYPE_SPELLINGS: Mapping[str, str] = {"Utilisation + Availability": "Availability + Utilisation"}
POWER_SPELLINGS: Mapping[str, str] = {"Active": "Active Power", "Reactive": "Reactive Power"}
DIRECTION_SPELLINGS: Mapping[str, str] = {
    "Deficit (generation up / demand down)": "Deficit",
    "Excess (generation down / demand up)": "Excess",
    "Import (leading)": "Import",
    "Export (lagging)": "Export",
    "Leading": "Import",
    "Lagging": "Export",
}


def choices(words: object) -> tuple[str, ...]:
    """The words of one of the literals above, in order."""
    return get_args(words)


def canonical(words: object, spellings: Mapping[str, str], given: object) -> object:
    """The word that was meant, without regard to case and spaces; what fits none comes back as it was given."""
    if not isinstance(given, str):
        return given
    known = {_bare(word): word for word in choices(words)} | {_bare(other): word for other, word in spellings.items()}
    return known.get(_bare(given), given)


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()
