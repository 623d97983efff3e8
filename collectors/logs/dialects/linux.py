"""Programs of Linux servers, by the name in their messages."""

from __future__ import annotations

from collectors.logs.dialects.pattern import Dialect, pattern
from core.records import Logsource

_FROM = r"from (\S+) port (\d+)"

_SSHD = (
    pattern(
        "Failed ",
        rf"^Failed (\S+) for (?:invalid user )?(.*?) {_FROM}",
        "haidang.ssh.method",
        "user.name",
        "source.ip",
        "source.port",
        event_action="ssh_login",
        event_outcome="failure",
    ),
    pattern(
        "Accepted ",
        rf"^Accepted (\S+) for (.*?) {_FROM}",
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

_CLEARING = (
    r"(?:--vacuum-(?:time|size|files)"
    r"|(?:truncate|rm|shred|cp /dev/null|tee)\s.*?/var/log/"
    r"|/dev/null.*?/var/log/)"
)

_SUDO = (
    pattern(
        "COMMAND=",
        rf"^\s*(\S+) : .*?USER=(\S+) ;.*?COMMAND=(.*?{_CLEARING}.*)$",
        "user.name",
        "user.effective.name",
        "process.command_line",
        event_action="log_cleared",
    ),
    pattern(
        "COMMAND=",
        r"^\s*(\S+) : .*?USER=(\S+) ;.*?COMMAND=(.*)$",
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
