"""Owns countries as data: the ISO 3166 codes, and a box around each country where assets are likely to stand.

A box holds the land and the waters in which wind farms stand, rounded outwards; it catches swapped, mistyped and
foreign coordinates, it is no border. A country without a box here takes any position.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

_ISO_3166 = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY
    BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK
    FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR
    IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK
    ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF
    TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRY_CODES = frozenset(_ISO_3166.split())


class CountryBox(NamedTuple):
    """South, west, north and east in degrees, edges included."""

    south: Decimal
    west: Decimal
    north: Decimal
    east: Decimal

    def holds(self, latitude: Decimal, longitude: Decimal) -> bool:
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east

    def __str__(self) -> str:
        return f"latitude {self.south} to {self.north}, longitude {self.west} to {self.east}"


def _boxes(lines: str) -> dict[str, CountryBox]:
    rows = (line.split() for line in lines.strip().splitlines())
    return {code: CountryBox(*map(Decimal, edges)) for code, *edges in rows}


BOXES = _boxes(
    """
    AT 46.3 9.5 49.1 17.2
    AU -44 112 -9 154.5
    BE 49.4 2.2 51.9 6.5
    BG 41.2 22.3 44.3 29.5
    CA 41.6 -141.1 83.2 -52
    CH 45.8 5.9 47.9 10.5
    CY 34.2 31.9 36 35
    CZ 48.5 12 51.1 18.9
    DE 47.2 5.8 56 15.1
    DK 54.4 4.5 58.2 15.5
    EE 57.4 21.2 60.2 28.3
    ES 27.4 -18.5 44.5 5
    FI 59 18.5 70.2 31.6
    FR 41.2 -6 51.6 10
    GB 49 -9.5 61.5 3.5
    GG 49.3 -3 49.9 -2
    GR 34.6 19 41.9 29.9
    HR 42.1 13 46.6 19.5
    HU 45.7 16 48.7 23
    IE 51 -11.5 56 -5
    IM 53.9 -5 54.6 -4
    IS 62.8 -25 67.3 -12.8
    IT 35.3 6.6 47.2 19
    JE 49 -2.5 49.5 -1.8
    JP 23.5 122.5 46 154.5
    LT 53.8 20 56.5 26.9
    LU 49.4 5.7 50.3 6.6
    LV 55.6 20 58.2 28.3
    MT 35.6 13.9 36.4 14.9
    NL 50.7 2.5 55.8 7.3
    NO 57.3 1.5 71.6 31.6
    NZ -48 165.5 -33.8 179.9
    PL 48.9 14 55.5 24.2
    PT 32 -32 42.2 -6
    RO 43.5 20.2 48.4 30.5
    SE 54.8 10.5 69.2 24.5
    SI 45.4 13.3 46.9 16.7
    SK 47.7 16.8 49.7 22.6
    US 18.8 -179.9 71.5 -66.8
    """
)
