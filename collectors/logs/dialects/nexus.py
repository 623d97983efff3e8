"""What Cisco's NX-OS says otherwise than IOS does, by mnemonic (Cisco NX-OS System Messages Reference)."""

from __future__ import annotations

from collectors.logs.dialects.pattern import Pattern, pattern

_CONFIGURED = pattern(
    "Configured from",
    r"^Configured from (\S+) by (\S+) on (?:([0-9A-Fa-f.:]+)@)?(\S+)",
    "haidang.config.source",
    "user.name",
    "source.ip",
    "haidang.config.line",
    event_action="configuration_changed",
)

_LOGIN_FAILED = pattern(
    "Authentication failed for user",
    r"^pam_aaa:Authentication failed (?:for|from) user (.*) from ([0-9A-Fa-f.:]+)",
    "user.name",
    "source.ip",
    event_action="device_login",
    event_outcome="failure",
)

_DOWN = pattern(
    " is down",
    r"^Interface (\S+) is down ?\(?([^)]*)\)?",
    "interface.name",
    "event.reason",
    event_action="link_down",
)

_DISABLED = pattern(
    "Administratively down", r"^Interface (\S+) is down \(Admin", "interface.name", event_action="link_disabled"
)

_UP = pattern(" is up", r"^Interface (\S+) is up", "interface.name", event_action="link_up")

_REASONS = ("LINK_FAILURE", "CHANNEL_MEMBERSHIP_UPDATE_IN_PROGRESS", "NONE", "INITIALIZING", "PARENT_DOWN")

MNEMONICS: dict[str, tuple[Pattern, ...]] = {
    "VSHD-5-VSHD_SYSLOG_CONFIG_I": (_CONFIGURED,),
    "AUTHPRIV-3-SYSTEM_MSG": (_LOGIN_FAILED,),
    "DAEMON-3-SYSTEM_MSG": (_LOGIN_FAILED,),
    "ETHPORT-5-IF_UP": (_UP,),
    "ETHPORT-5-IF_DOWN_ADMIN_DOWN": (_DISABLED,),
    **{f"ETHPORT-5-IF_DOWN_{reason}": (_DOWN,) for reason in _REASONS},
}
