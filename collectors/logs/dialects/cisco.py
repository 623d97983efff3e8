"""Cisco IOS and IOS-XE, by mnemonic: facility, severity, name (Cisco's "System Message Guide")."""

from __future__ import annotations

from collectors.logs.dialects.pattern import Dialect, Pattern, pattern
from core.records import Logsource

LOGSOURCE = Logsource(product="cisco", service="ios")

_CONFIGURED = pattern(
    "Configured from",
    r"Configured from (\S+) by (\S+)(?: on (\S+))?(?: \(([0-9A-Fa-f.:]+)\))?",
    "haidang.config.source",
    "user.name",
    "haidang.config.line",
    "source.ip",
    event_action="configuration_changed",
)

_DOWN = pattern(
    "to down",
    r"Interface (\S+), changed state to down",
    "interface.name",
    event_action="link_down",
)

_DISABLED = pattern(
    "administratively down",
    r"Interface (\S+), changed state to administratively down",
    "interface.name",
    event_action="link_disabled",
)

_UP = pattern("to up", r"Interface (\S+), changed state to up", "interface.name", event_action="link_up")

_RESTARTED = pattern("restarted", r"System restarted", event_action="device_restarted")

MNEMONICS: dict[str, tuple[Pattern, ...]] = {
    "SYS-5-CONFIG_I": (_CONFIGURED,),
    "SYS-5-RESTART": (_RESTARTED,),
    "LINK-3-UPDOWN": (_DOWN, _UP),
    "LINK-5-CHANGED": (_DOWN, _DISABLED, _UP),
    "LINEPROTO-5-UPDOWN": (_DOWN, _UP),
}


def dialect(code: str) -> Dialect:
    """What a message with this mnemonic says."""
    return Dialect(LOGSOURCE, MNEMONICS.get(code, ()))
