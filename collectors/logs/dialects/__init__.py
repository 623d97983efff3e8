"""Dialects: who speaks is a table, what they say is a table; both are data beside a few small functions.

A device is known by the form of its messages' heads, never by words anywhere in them: a text that an attacker chose, a
user's name, must not take a message from its rules.
"""

from __future__ import annotations

from collections.abc import Callable

from collectors.logs.dialects import asa, cisco, fortigate, huawei, juniper, linux, mikrotik, paloalto
from collectors.logs.dialects.pattern import Dialect, Said
from collectors.logs.syslog import Message
from core.records import Fields, Logsource

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


def understand(message: Message) -> tuple[Logsource, Fields]:
    """The message's log source and what its text says, as ECS fields."""
    for device in DEVICES:
        said = device(message)
        if said is not None:
            return said
    return linux.PROGRAMS.get(message.program, UNKNOWN).understand(message.text)
