"""Programs of Linux servers, by the name in their messages."""

from __future__ import annotations

from collectors.logs.dialects.pattern import Dialect, pattern
from core.records import Logsource

# The last one in the line is sshd's own: a user's name can hold " from 192.0.2.1 port 22" as well.
_FROM = r" from (\S+) port (\d+)"

_SSHD = (
    pattern(
        "Failed ",
        rf"^Failed (\S+) for (?:invalid user )?(.*){_FROM}",
        "haidang.ssh.method",
        "user.name",
        "source.ip",
        "source.port",
        event_action="ssh_login",
        event_outcome="failure",
    ),
    pattern(
        "Accepted ",
        rf"^Accepted (\S+) for (.*){_FROM}",
        "haidang.ssh.method",
        "user.name",
        "source.ip",
        "source.port",
        event_action="ssh_login",
        event_outcome="success",
    ),
)

_USERADD = (
    pattern(
        "new user:",
        r"^new user: name=([^,]+), UID=(\d+)",
        "user.target.name",
        "user.target.id",
        event_action="user_created",
        event_outcome="success",
    ),
)

# A command that was refused says why before its first NAME=VALUE: it was not executed.
# Each step takes its first match and never another, so that a hostile line costs no more than its length.
_SUDO_HEAD = r"(?s)^\s*(\S+) : (?=[A-Z]+=)(?>.*?\bUSER=(\S+) ;)(?>.*?\bCOMMAND=)"

_CLEARING = (
    r"(?:.*?--vacuum-(?:time|size|files)"
    r"|(?>.*?(?:(?<![\w-])(?:truncate|rm|shred|cp /dev/null|tee)\s|/dev/null)).*/var/log/)"
)

_SUDO = (
    pattern(
        "COMMAND=",
        rf"{_SUDO_HEAD}(?={_CLEARING})(.*)$",
        "user.name",
        "user.effective.name",
        "process.command_line",
        event_action="log_cleared",
    ),
    pattern(
        "COMMAND=",
        rf"{_SUDO_HEAD}(.*)$",
        "user.name",
        "user.effective.name",
        "process.command_line",
        event_action="command_executed",
    ),
)

PROGRAMS = {
    "sshd": Dialect(Logsource(product="linux", service="sshd"), _SSHD),
    "sshd-session": Dialect(Logsource(product="linux", service="sshd"), _SSHD),
    "useradd": Dialect(Logsource(product="linux", service="auth"), _USERADD),
    "sudo": Dialect(Logsource(product="linux", service="sudo"), _SUDO),
    "cron": Dialect(Logsource(product="linux", service="cron")),
    "CRON": Dialect(Logsource(product="linux", service="cron")),
}
