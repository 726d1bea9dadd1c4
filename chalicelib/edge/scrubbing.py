"""Owns striking out of a log line what no log may hold, whatever was meant to be logged: the second line of defence.

The first is that nothing logs values at all, only ids. But a traceback quotes what it stumbled over, and libraries log.
"""

from __future__ import annotations

import logging
import re

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from chalicelib.kernel.meters import is_mpan

_SECRET_NAMES = (  # nosec B105  (names of secrets, not secrets)
    r"authorization|password|secret(?:_?string|_?hash|_?access_?key)?|(?:access|id|refresh|security)?_?token"
    r"|client_secret|private_pem|plaintext|signature|credential|policy"
)
_SEALED_NAMES = (
    r"(?:availability|utilisation|accepted|fixed|clearing)_prices?|service_fees?|prices?"
    r"|(?:capacity|accepted|offered|available)_mw|(?:availability|utilisation)_ceiling"
)
_VALUE = (
    r"""(?P<gap>\\?["']?\s*[=:]\s*(?:Decimal\()?\{?(?:\\?["']?[SN]\\?["']?:\s*)?\\?["']?)(?P<value>[^\s"'\\,;&)}\]]+)"""
)

_METER_NAMES = r"(?:(?:import|export)_)?meter_?ids?|meters?|mpans?"
_LIST = r"""(?P<gap>\\?["']?\s*[=:]\s*)\[[^\]]*\]?"""

_SEALED_LIST = re.compile(rf"(?<![\w-])(?P<name>{_SEALED_NAMES}){_LIST}", re.IGNORECASE)
_METER_NAMED = re.compile(rf"(?<![\w-])(?P<name>{_METER_NAMES}){_VALUE}", re.IGNORECASE)
_METER_LIST = re.compile(rf"(?<![\w-])(?P<name>{_METER_NAMES}){_LIST}", re.IGNORECASE)
_WEBHOOK_SECRET = re.compile(r"\bwhsec_[\w+/=-]{6,}")
_TOKEN = re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE)
_PEM = re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|$)", re.DOTALL)
_SIGNED = re.compile(r"\b(X-Amz-(?:Signature|Credential|Security-Token|Policy))=[^&\s\"']+", re.IGNORECASE)
_SECRET = re.compile(rf"(?<![\w-])(?P<name>{_SECRET_NAMES}){_VALUE}", re.IGNORECASE)
_SEALED = re.compile(rf"(?<![\w-])(?P<name>{_SEALED_NAMES}){_VALUE}", re.IGNORECASE)
_CODE = re.compile(
    r"(?P<before>(?i:code)\W{1,6}(?:is )?)[2-9A-HJ-NP-Z]{8}(?!\w)"
)  # as `storage.keys.code_for` makes them
_EMAIL = re.compile(r"[\w.+'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
_POSTCODE = re.compile(
    r"(?<![\w-])[A-Z]{1,2}[0-9][A-Z0-9]?(?: |%20|\+)?[0-9][ABD-HJLNP-UW-Z]{2}(?![\w-])", re.IGNORECASE
)
_METER = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,20}(?![\d.])")


def scrubbed(text: str) -> str:
    """The text without e-mail addresses, postcodes, meter ids, secrets, tokens, prices and MW, each named instead."""
    text = _PEM.sub("[key]", text)
    text = _TOKEN.sub("[token]", text)
    text = _BEARER.sub(r"\1 [token]", text)
    text = _SIGNED.sub(r"\1=[secret]", text)
    text = _SECRET.sub(r"\g<name>\g<gap>[secret]", text)
    text = _WEBHOOK_SECRET.sub("[secret]", text)
    text = _CODE.sub(r"\g<before>[code]", text)
    text = _SEALED_LIST.sub(r"\g<name>\g<gap>[sealed]", text)
    text = _METER_LIST.sub(r"\g<name>\g<gap>[meter]", text)
    text = _METER_NAMED.sub(r"\g<name>\g<gap>[meter]", text)
    text = _SEALED.sub(r"\g<name>\g<gap>[sealed]", text)
    text = _EMAIL.sub("[e-mail]", text)
    text = _METER.sub(_without_meter, text)
    return _POSTCODE.sub("[postcode]", text)


def _without_meter(found: re.Match[str]) -> str:
    """Thirteen digits whose check digit holds, alone or as the end of the long form; other numbers may be instants."""
    digits = re.sub(r"\D", "", found.group())
    return "[meter]" if is_mpan(digits[-13:]) else found.group()


class ScrubbingFormatter(LambdaPowertoolsFormatter):
    """The structured log line, scrubbed as a whole: message, fields and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        return scrubbed(super().format(record))


class PlainFormatter(logging.Formatter):
    """A plain log line, scrubbed as a whole."""

    def format(self, record: logging.LogRecord) -> str:
        return scrubbed(super().format(record))
