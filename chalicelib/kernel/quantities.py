"""Owns decimals: megawatts, prices and money, exact from the file to the invoice."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

PENNY = Decimal("0.01")
WATTS_PER_MW = 1_000_000
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")


def parse_decimal(value: Any) -> Decimal:
    """A decimal from a Decimal, int, string or a float that a spreadsheet gave; ValueError on anything else.

    Floats are read through their shortest text, so 0.0036 stays 0.0036; text may carry an exponent of two figures, as
    programs write small numbers (`6e-06`). Infinity, NaN, booleans and more than 9 decimal places are refused.
    """
    if isinstance(value, bool) or value is None:
        raise ValueError("not a number")
    if isinstance(value, str) and not _is_plain(value):
        raise ValueError("not a plain decimal number")
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except (InvalidOperation, TypeError) as error:
        raise ValueError("not a number") from error
    if not number.is_finite():
        raise ValueError("not a finite number")
    if abs(number) >= Decimal(10) ** 15:
        raise ValueError("too large: fewer than 16 digits before the point")
    if number != round(number, 9):
        raise ValueError("at most 9 decimal places")
    return round(number, 9) if number.as_tuple().exponent < -9 else number  # type: ignore[operator]


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text.strip()) is not None


def plain(value: Decimal) -> str:
    """A decimal as people write it: no exponent, no trailing zeros ("0.0036", "10", "-2.5")."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def round_money(value: Decimal) -> Decimal:
    """To the penny, half away from zero: the one rounding of a settlement or cost line."""
    return value.quantize(PENNY, rounding=ROUND_HALF_UP)


def watts(mw: Decimal) -> int:
    """Whole watts of a megawatt figure, for hot integer code; ValueError if it is finer than a watt."""
    exact = mw * WATTS_PER_MW
    if exact != exact.to_integral_value():
        raise ValueError(f"{plain(mw)} MW is finer than one watt")
    return int(exact)


def megawatts(whole_watts: int) -> Decimal:
    """Megawatts of whole watts, exactly."""
    return Decimal(whole_watts) / WATTS_PER_MW


def _quantity(places: int, minimum: Decimal | None, what: str) -> Any:
    """A pydantic type: Decimal inside, string in JSON, number or string taken, `places` decimals at most."""

    def check(value: Any) -> Decimal:
        number = parse_decimal(value)
        if number != round(number, places):
            raise ValueError(f"at most {places} decimal places")
        if minimum is not None and number < minimum:
            raise ValueError(f"must be {minimum} or more")
        return number

    sign = "" if minimum is not None else "-?"
    pattern = rf"^{sign}\d{{1,15}}(\.\d{{1,{places}}})?$"
    return Annotated[
        Decimal,
        BeforeValidator(check),
        PlainSerializer(plain, return_type=str),
        WithJsonSchema({"type": "string", "pattern": pattern, "description": what, "examples": ["12.5"]}),
        Field(),
    ]


ZERO = Decimal(0)
Megawatts = _quantity(6, ZERO, "MW (or MVAr for reactive power), a decimal to the watt")
Kilovolts = _quantity(3, ZERO, "kV")
Metres = _quantity(3, ZERO, "metres on the ground")
Price = _quantity(4, ZERO, "price per MW/h, MWh or MW in the operator's currency, to 4 places")
SignedPrice = _quantity(4, None, "price that may be negative where the operator allows it, to 4 places")
Money = _quantity(2, None, "money in the operator's currency, to the penny")
Degrees = _quantity(9, None, "degrees, WGS84")
Number = _quantity(9, None, "a decimal number")
