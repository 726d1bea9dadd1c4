"""Owns the rules that a competition's fields must meet together: every breach is found, each with what would pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from chalicelib.areas.models import LARGEST_BUFFER_M
from chalicelib.competitions.models import prices_of
from chalicelib.competitions.requests import CompetitionRequest
from chalicelib.competitions.words import DIRECTIONS_OF, SERVICE_FEE, TYPE_OF_PRODUCT
from chalicelib.kernel.errors import Problem
from chalicelib.kernel.quantities import plain

Dates = Mapping[str, datetime | None]
CALENDAR = ("qualification_open", "qualification_closed", "open", "closed")
PRICE_FIELDS = {
    "availability_price": ("availability_fixed_price", "availability_guide_price", "availability_ceiling"),
    "utilisation_price": ("utilisation_fixed_price", "utilisation_guide_price", "utilisation_ceiling"),
    "service_fee": ("service_fee_fixed", "service_fee_guide"),
}
CEILING_OF = {"availability_price": "availability_ceiling", "utilisation_price": "utilisation_ceiling"}
ALL_PRICE_FIELDS = (*(field for fields in PRICE_FIELDS.values() for field in fields), "effective_price_ceiling")


def term_problems(request: CompetitionRequest, dates: Dates, negative_prices: bool) -> list[Problem]:
    """Every breach of the rules between the fields of a request, but for its windows and its boundaries.

    Fields that are None because they did not fit are judged as absent; `dates` are the request's own in UTC.
    """
    rules: tuple[Callable[[CompetitionRequest], Iterator[Problem]], ...] = (
        _bidding_dates,
        _direction,
        _type,
        _prices_of_type,
        _settlement_rule,
        _budget,
        _voltages,
        _buffer,
    )
    found = [problem for rule in rules for problem in rule(request)]
    found += calendar_problems(dates) + archive_problems(dates, request.archive_on)
    return found + ([] if negative_prices else list(negative_price_problems(request, ALL_PRICE_FIELDS)))


def calendar_problems(dates: Dates) -> list[Problem]:
    """Breaches of the order qualification opens < closes ≤ bidding opens < closes, of the dates there are."""
    given = [(name, at) for name in CALENDAR if (at := dates[name]) is not None]
    return [
        _out_of_order(name, before_name)
        for (before_name, before), (name, at) in pairwise(given)
        if at < before or (at == before and name != "open")
    ]


def archive_problems(dates: Dates, archive_on: date | None) -> list[Problem]:
    """Breaches of the rule that a competition is archived on the day of its last date or later."""
    given = [(name, at) for name in CALENDAR if (at := dates[name]) is not None]
    if archive_on is None or not given or archive_on >= given[-1][1].date():
        return []
    return [_out_of_order("archive_on", given[-1][0])]


def type_of(request: CompetitionRequest) -> str | None:
    """The competition type: as given, else from the product; None when nobody will bid or there is no product.

    A service fee is part of a derived type when the operator fixes one or names a guide for it.
    """
    if request.type is not None or request.product_type is None or is_visibility_only(request):
        return request.type
    has_fee = request.service_fee_fixed is not None or request.service_fee_guide is not None
    return TYPE_OF_PRODUCT[request.product_type] + (SERVICE_FEE if has_fee else "")


def is_visibility_only(request: CompetitionRequest) -> bool:
    """No bidding dates and no type: assets qualify, nobody bids."""
    return request.open is None and request.closed is None and request.type is None


def negative_price_problems(row: Any, fields: tuple[str, ...], prefix: str = "") -> Iterator[Problem]:
    """Prices below zero, where the operator does not allow them."""
    for field in fields:
        price: Decimal | None = getattr(row, field)
        if price is not None and price < 0:
            words = field.replace("_", " ")
            detail = f"The {words} is {plain(price)}; this operator does not allow negative prices."
            yield Problem("price.negative", detail, prefix + field, "0 or more")


def _out_of_order(name: str, before: str) -> Problem:
    words = {
        "qualification_open": "qualification opens",
        "qualification_closed": "qualification closes",
        "open": "bidding opens",
        "closed": "bidding closes",
        "archive_on": "the competition is archived",
    }
    same = "at or after" if name in {"open", "archive_on"} else "after"
    detail = f"{words[name].capitalize()} before {words[before]}: the dates are out of order."
    return Problem("calendar.order", detail, name, f"{same} the moment {words[before]}")


def _bidding_dates(request: CompetitionRequest) -> Iterator[Problem]:
    for given, missing in (("open", "closed"), ("closed", "open")):
        if getattr(request, given) is not None and getattr(request, missing) is None:
            detail = "Bidding needs both dates: when it opens and when it closes."
            yield Problem("calendar.half", detail, missing, "a date, or neither of the two for visibility only")
    if request.type is not None and request.open is None and request.closed is None:
        detail = f"A competition of type {request.type} needs the dates on which bidding opens and closes."
        yield Problem("calendar.missing", detail, "open", "both bidding dates, or no type for visibility only")


def _direction(request: CompetitionRequest) -> Iterator[Problem]:
    allowed = DIRECTIONS_OF.get(request.power_type, ())
    if allowed and request.need_direction is not None and request.need_direction not in allowed:
        detail = f"{request.power_type} cannot have the direction {request.need_direction}."
        yield Problem("direction.conflict", detail, "need_direction", " or ".join(allowed))


def _type(request: CompetitionRequest) -> Iterator[Problem]:
    wanted = TYPE_OF_PRODUCT.get(request.product_type)
    if request.type and wanted and request.type.removesuffix(SERVICE_FEE) != wanted:
        detail = f"The product {request.product_type} has the type {wanted}, not {request.type}."
        yield Problem("type.conflict", detail, "type", f"{wanted}, {wanted}{SERVICE_FEE}, or blank")


def _prices_of_type(request: CompetitionRequest) -> Iterator[Problem]:
    """Prices given for what the competition's type does not have."""
    kind = type_of(request) or TYPE_OF_PRODUCT.get(request.product_type)
    if kind is None:
        return
    visibility_only = is_visibility_only(request)
    for price in (name for name in PRICE_FIELDS if name not in prices_of(kind)):
        words = price.replace("_", " ")
        for field in PRICE_FIELDS[price]:
            if getattr(request, field) is not None and not (visibility_only and "guide" in field):
                detail = f"A competition of type {kind} has no {words}."
                yield Problem("price.not_asked", detail, field, f"blank, or a type that has a {words}")


def _settlement_rule(request: CompetitionRequest) -> Iterator[Problem]:
    if request.settlement_price_rule == "pay-as-clear" and not _can_clear(request):
        detail = "Pay-as-clear is only for a single utilisation price that is bid, with bids that may be taken in part."
        allowed = "pay-as-bid, or type Utilisation without a fixed price and partial acceptance"
        yield Problem("settlement_rule.clear", detail, "settlement_price_rule", allowed)
    if request.settlement_price_rule == "pay-at-ceiling":
        yield from _missing_ceilings(request)


def _can_clear(request: CompetitionRequest) -> bool:
    single = type_of(request) == "Utilisation" and request.utilisation_fixed_price is None
    return single and request.accept_partial_award is not False


def _missing_ceilings(request: CompetitionRequest) -> Iterator[Problem]:
    """Paying at the ceiling needs a ceiling for every price that is bid, of the competition or of each window."""
    for price in prices_of(type_of(request) or ""):
        fixed, ceiling = PRICE_FIELDS[price][0], CEILING_OF.get(price)
        if getattr(request, fixed) is None and not (ceiling and _everywhere(request, ceiling)):
            words = price.replace("_", " ")
            detail = f"Pay-at-ceiling needs a ceiling for the {words}, which is bid without one."
            yield Problem("settlement_rule.ceiling", detail, ceiling or fixed, f"a ceiling or a fixed {words}")


def _everywhere(request: CompetitionRequest, ceiling: str) -> bool:
    windows = request.service_windows or ()
    if getattr(request, ceiling) is not None:
        return True
    return bool(windows) and all(getattr(window, ceiling) is not None for window in windows)


def _budget(request: CompetitionRequest) -> Iterator[Problem]:
    least, most = request.minimum_budget, request.maximum_budget
    for field, amount in (("minimum_budget", least), ("maximum_budget", most)):
        if amount is not None and amount < 0:
            yield Problem("budget.negative", f"The {field.replace('_', ' ')} is below zero.", field, "0 or more")
    if least is not None and most is not None and least > most:
        detail = f"The minimum budget of {plain(least)} is above the maximum of {plain(most)}."
        yield Problem("budget.order", detail, "maximum_budget", f"{plain(least)} or more")


def _voltages(request: CompetitionRequest) -> Iterator[Problem]:
    least, most = request.minimum_connection_voltage, request.maximum_connection_voltage
    if least is not None and most is not None and least > most:
        detail = f"The minimum voltage of {plain(least)} kV is above the maximum of {plain(most)} kV."
        yield Problem("voltage.order", detail, "maximum_connection_voltage", f"{plain(least)} or more")


def _buffer(request: CompetitionRequest) -> Iterator[Problem]:
    if request.area_buffer is not None and request.area_buffer > LARGEST_BUFFER_M:
        detail = f"The buffer of {plain(request.area_buffer)} m is wider than the market takes."
        yield Problem("buffer.too_wide", detail, "area_buffer", f"0 to {plain(LARGEST_BUFFER_M)} metres")
