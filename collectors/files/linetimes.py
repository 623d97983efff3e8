"""The time in a line that a program writes into its own file, by the form in which it stands there.

A time without a zone is Vietnam's. Sources: Apache "Log Files", nginx "error_log", Squid "LogFormat", BIND "Logging",
Windows Server "DHCP audit logging" and "DNS debug logging".
"""

from __future__ import annotations

import re
from datetime import datetime

from collectors.files.times import LAST
from core.clock import SECOND, VIETNAM, from_datetime

_LOOKED_AT = 200
"""Characters at the beginning of a line in which its time stands."""

_COUNTED = re.compile(r"^\[?(\d{10})\.(\d{3,6})\b", re.ASCII)

_FORMS = (
    (re.compile(r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]", re.ASCII), "%d/%b/%Y:%H:%M:%S %z"),
    (re.compile(r"^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)", re.ASCII), "%Y/%m/%d %H:%M:%S"),
    (re.compile(r"^\[([A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\.\d{1,6} \d{4})\]"), "%a %b %d %H:%M:%S.%f %Y"),
    (re.compile(r"^\[([A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \d{4})\]"), "%a %b %d %H:%M:%S %Y"),
    (re.compile(r"^(\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d\.\d{1,6})", re.ASCII), "%d-%b-%Y %H:%M:%S.%f"),
    (re.compile(r"^\d{1,3},(\d\d/\d\d/\d\d,\d\d:\d\d:\d\d)", re.ASCII), "%m/%d/%y,%H:%M:%S"),
    (re.compile(r"^(\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d [AP]M)", re.ASCII), "%m/%d/%Y %I:%M:%S %p"),
)
"""Where each form stands, and how it is read; the first that is there counts."""

_ISO = re.compile(r"^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


def line_time(text: str) -> int | None:
    """Nanoseconds UTC; None where the line tells no time that is known."""
    start = text[:_LOOKED_AT]
    counted = _COUNTED.match(start)
    if counted:
        return int(counted[1]) * SECOND + int(counted[2].ljust(9, "0"))
    iso = _ISO.match(start)
    if iso:
        return _read(f"{iso[1].replace(' ', 'T')}.{(iso[2] or '0').ljust(6, '0')}{iso[3] or ''}", "")
    for expression, form in _FORMS:
        found = expression.search(start)
        if found:
            return _read(found[1], form)
    return None


def _read(text: str, form: str) -> int | None:
    try:
        moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 - zone follows
        time = from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM))
    except (ValueError, OverflowError):
        return None
    return time if 0 <= time < LAST else None
