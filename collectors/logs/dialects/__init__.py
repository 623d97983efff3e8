"""Dialects: who speaks is a table, what they say is a table; both are data beside two small functions."""

from __future__ import annotations

from collectors.logs.dialects import cisco, fortigate, linux
from collectors.logs.dialects.pattern import Dialect
from collectors.logs.syslog import Message
from core.records import Fields, Logsource

UNKNOWN = Dialect(Logsource(product="", service="syslog"))


def understand(message: Message) -> tuple[Logsource, Fields]:
    """The message's log source and what its text says, as ECS fields."""
    if _nameless(message) and fortigate.is_fortigate(_whole(message)):
        fields = fortigate.fields_of(_whole(message))
        return fortigate.logsource(fields), fields
    dialect = _dialect(message)
    for pattern in dialect.patterns:
        fields_found = pattern.fields(message.text)
        if fields_found is not None:
            return dialect.logsource, fields_found
    return dialect.logsource, {}


def _dialect(message: Message) -> Dialect:
    if message.code and not message.program:
        return cisco.dialect(message.code)
    return linux.PROGRAMS.get(message.program, UNKNOWN)


def _nameless(message: Message) -> bool:
    # FortiGate sends no program name; its first pair may have been taken for one. What a program says in its own
    # name is never FortiGate's: a text that an attacker chose, a user's name, must not take it from its rules.
    return not message.code and (not message.program or "=" in message.program)


def _whole(message: Message) -> str:
    return f"{message.program}:{message.text}" if message.program else message.text
