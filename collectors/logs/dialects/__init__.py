"""Dialects: who speaks is a table, what they say is a table; both are data beside a few small functions.

A device is known by the form of its messages' heads, never by words anywhere in them: a text that an attacker chose, a
user's name, must not take a message from its rules.
"""

from __future__ import annotations

from collections.abc import Callable

from collectors.logs.dialects import (
    asa,
    audits,
    cef,
    cisco,
    dhcp,
    dns,
    fortigate,
    huawei,
    juniper,
    leef,
    linux,
    mikrotik,
    paloalto,
)
from collectors.logs.dialects.pattern import Dialect, Said
from collectors.logs.syslog import Message
from core.records import Logsource

UNKNOWN = Dialect(Logsource(product="", service="syslog"))

DEVICES: tuple[Callable[[Message], Said | None], ...] = (
    asa.understand,
    cisco.understand,
    fortigate.understand,
    paloalto.understand,
    huawei.understand,
    mikrotik.understand,
    juniper.understand,
)
"""Each says what a message of its kind of device says, or None of any other."""

FORMATS: tuple[Callable[[Message], Said | None], ...] = (
    cef.understand,
    leef.understand,
    audits.understand,
    dhcp.understand,
    dns.understand,
)
"""The same for formats that any program may write; what a known program says in its own name is never theirs."""


_ANY = (*DEVICES, *FORMATS)
_AUDITS = (audits.understand,)

_FORMATS_BEGIN = frozenset(" @{CL0123456789")
"""What a message in one of the formats begins with, behind what may have been taken for a program's name."""


def understand(message: Message) -> Said:
    """The message's log source and what its text says, as ECS fields."""
    known = linux.PROGRAMS.get(message.program)
    for reader in _readers(message, known):
        said = reader(message)
        if said is not None:
            return said
    return (known or UNKNOWN).understand(message.text)


def _readers(message: Message, known: Dialect | None) -> tuple[Callable[[Message], Said | None], ...]:
    if message.program in audits.PROGRAMS:
        return _AUDITS
    formatted = message.text[:1] in _FORMATS_BEGIN or message.program.startswith("{")
    return _ANY if formatted and not known else DEVICES
