"""MikroTik RouterOS: lines that begin with their topics, as ``system,info,account``.

Source: MikroTik "RouterOS documentation", "Log", its topics and samples; RouterOS 7 tells who acted as
``ssh:admin@10.0.0.5``, RouterOS 6 as ``admin``.
"""

from __future__ import annotations

import re

from collectors.logs.dialects.pattern import Pattern, Said, first, pattern
from collectors.logs.syslog import Message
from core.records import Fields, Logsource

LOGSOURCE = Logsource(product="mikrotik", service="routeros")

_TOPICS = re.compile(r"((?:[a-z0-9-]{2,20},){1,6}[a-z0-9-]{2,20}):? ")
_LEVELS = frozenset(("critical", "debug", "error", "info", "warning"))

_BY = r"(?:[^\s:@]{1,64}:)?([^\s@]{1,128})(?:@([0-9A-Fa-f.:]+))?"
"""Who acted: perhaps the way in, the name, perhaps the address."""

_LOGIN = pattern(
    "logged in",
    r"^user (.*) logged in from (\S+) via (\S+)$",
    "user.name",
    "source.ip",
    "network.protocol",
    event_action="device_login",
    event_outcome="success",
)

_LOGIN_FAILED = pattern(
    "login failure",
    r"^login failure for user (?:(.*) )?from (\S+) via (\S+)$",
    "user.name",
    "source.ip",
    "network.protocol",
    event_action="device_login",
    event_outcome="failure",
)

_ACCOUNT = pattern(
    "user ",
    rf"^user (\S+) (added|changed|removed) by {_BY}",
    "user.target.name",
    "haidang.config.verb",
    "user.name",
    "source.ip",
    event_action="account_changed",
)

_RULE = pattern(
    " rule ",
    rf"^(filter|nat|mangle|raw) rule (added|changed|moved|removed) by {_BY}",
    "haidang.config.path",
    "haidang.config.verb",
    "user.name",
    "source.ip",
    event_action="firewall_rule_changed",
)

_REBOOTED = pattern("reboot", r"^router (?:was )?rebooted", event_action="device_restarted")

_DOWN = pattern("link down", r"^(\S+) link down", "interface.name", event_action="link_down")

TOPICS: dict[str, tuple[Pattern, ...]] = {
    "system": (_LOGIN, _LOGIN_FAILED, _ACCOUNT, _RULE, _REBOOTED),
    "interface": (_DOWN,),
}


def understand(message: Message) -> Said | None:
    """What a message that begins with topics and a level says; None of any other."""
    if message.code or message.pid:
        return None
    whole = f"{message.program}: {message.text}" if message.program else message.text
    found = _TOPICS.match(whole)
    topics = found[1].split(",") if found else []
    if not found or _LEVELS.isdisjoint(topics):
        return None
    fields: Fields = {"event.code": found[1]}
    return LOGSOURCE, {**fields, **first(TOPICS.get(topics[0], ()), whole[found.end() :])}
