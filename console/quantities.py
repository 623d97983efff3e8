"""Measured values as people write them: ``1,2 Gbit/s``, ``45 %``, ``0,02 gói/s``. Pure."""

from __future__ import annotations

import math

from console.source_views import number
from console.texts import say

_PREFIXES = ("", "k", "M", "G", "T", "P")
_DIGITS = 3
"""Significant ones that a reader needs."""
_MOST_DECIMALS = 6
"""As many as the store keeps."""


def bits(per_second: float, language: str) -> str:
    """Bits a second with the prefix that fits, by thousands (IEC 80000-13)."""
    value, prefix = per_second, 0
    while abs(value) >= 999.5 and prefix < len(_PREFIXES) - 1:  # noqa: PLR2004 - 999.6 is written as 1
        value, prefix = value / 1000, prefix + 1
    return f"{plain(value, language)} {_PREFIXES[prefix]}bit/s"


def percent(value: float, language: str) -> str:
    """Percent."""
    return f"{plain(value, language)} %"


def packets(per_second: float, language: str) -> str:
    """Packets a second."""
    return say(language, "measure.packets", count=plain(per_second, language))


def measured(value: float, unit: str, language: str) -> str:
    """A value of any unit as the store names it."""
    if unit == "bit/s":
        return bits(value, language)
    if unit == "packet/s":
        return packets(value, language)
    if unit == "min":
        return say(language, "duration.minutes", count=plain(value, language))
    return f"{plain(value, language)} {unit}".rstrip()


def plain(value: float, language: str) -> str:
    """The number with three significant digits at most, but its whole part always; no zeros at its end."""
    text = number(value, language, _decimals(value))
    point = "," if language == "vi" else "."
    return text.rstrip("0").rstrip(point) if point in text and _decimals(value) else text


def _decimals(value: float) -> int:
    if not value:
        return 0
    whole = math.floor(math.log10(abs(value))) + 1
    return min(max(0, _DIGITS - whole), _MOST_DECIMALS)
